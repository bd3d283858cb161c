"""The built-in day: every endpoint of a gateway, answered from the simulated plant."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Callable, Optional

from simulators.enphase import answers
from simulators.enphase.meters import DELIVERED, Fitted, Meters
from simulators.enphase.plant import Plant
from simulators.enphase.weather import zone
from simulators.server import Response

ROLL_OVER = 2**32 / 3_600  # Wh: the inverters' counter of firmware below 8 is 32 bits of joules
PCU_HISTORY = 3_512_400.0  # Wh produced before the simulation
DEVICE_LIMIT = 50


class DaySource:
    """Answers from a `Plant`. `device_data`: whether `/ivp/pdm/device_data` exists (default: by firmware)."""

    def __init__(
        self,
        plant: Plant,
        *,
        serial: str = "122300000001",
        firmware: str = "D8.2.4382",
        fitted: Optional[Fitted] = None,
        metered: bool = True,
        device_data: Optional[bool] = None,
        late_reset: float = 660.0,
    ) -> None:
        self.plant = plant
        self.serial = serial
        self.firmware = firmware
        self.version = tuple(int(part) for part in firmware.lstrip("DRM").split("."))
        self.metered = metered
        nothing = Fitted(production=False, consumption=None)
        self.fitted = (fitted or Fitted(storage=plant.storage is not None)) if metered else nothing
        self.meters = Meters(plant, self.fitted, self.version, late_reset)
        self._routes: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "/ivp/meters": lambda _: self.meters.described(),
            "/ivp/meters/readings": lambda _: self.meters.readings(),
            "/production.json": lambda query: self._production(query.get("details") == "1"),
            "/production": lambda _: self._production(False),
            "/api/v1/production": lambda _: self._summary(),
            "/api/v1/production/inverters": lambda _: answers.inverters(self.plant),
            "/inventory.json": lambda _: answers.inventory(self.plant),
            "/ivp/ensemble/inventory": lambda _: answers.ensemble_inventory(self.plant),
            "/ivp/ensemble/power": lambda _: answers.ensemble_power(self.plant),
            "/ivp/ensemble/secctrl": lambda _: answers.secondary_control(self.plant),
            "/ivp/ensemble/status": lambda _: answers.ensemble_status(self.plant),
            "/home": lambda _: self._home(),
            "/home.json": lambda _: self._home(),
        }
        if device_data if device_data is not None else self.version >= (8, 2):
            self._routes["/ivp/pdm/device_data"] = lambda _: self._device_data()

    def answer(self, path: str, query: Mapping[str, str], now: float) -> Optional[Response]:
        """The answer to a GET of `path`, or None where this firmware has nothing."""
        if path in ("/info", "/info.xml"):
            return Response.of_text(
                answers.info(self.serial, self.firmware, self.metered, now), content_type="text/xml"
            )
        route = self._routes.get(path)
        if route is None:
            return None
        with self.plant.lock:
            self.plant.advance()
            value = route(query)
        if path.startswith("/ivp/"):
            return Response(200, json.dumps(value, indent=4).encode(), None)
        return Response(200, json.dumps(value).encode(), chunked=path.startswith("/production"))

    def set(self, values: dict[str, Any]) -> None:
        """Hold values (`Plant.set`)."""
        self.plant.set(values)

    def reset_index(self, meter: str, value: Any) -> None:
        """Make registers jump (`Meters.reset`)."""
        self.meters.reset(meter, value)

    def truth(self, since: Optional[float] = None) -> dict[str, float]:
        """Exact energies (`Plant.truth`)."""
        return self.plant.truth(since)

    def state(self) -> dict[str, Any]:
        """Powers (W), indexes shown (Wh) and battery, aggregate and per phase."""
        with self.plant.lock:
            self.plant.advance()
            phases = range(self.plant.phases)
            meters = {
                meter: {
                    "watts": [round(register.watts, 3) for register in registers],
                    "delivered": [round(self.meters.index(meter, p)[0], 3) for p in phases],
                    "received": [round(self.meters.index(meter, p)[1], 3) for p in phases],
                }
                for meter, registers in self.plant.meters.items()
            }
            storage = self.plant.storage
            return {
                "source": "day",
                "time": self.plant.time,
                "consumption": [round(watts, 3) for watts in self.plant.house_watts],
                "volts": [round(volts, 3) for volts in self.plant.volts],
                "soc": round(storage.soc, 2) if storage else None,
                "meters": meters,
                "overrides": dict(self.plant.overrides),
            }

    def _production(self, details: bool) -> dict[str, Any]:
        pcus = self.plant.inverters.units
        lifetime = PCU_HISTORY + sum(unit.joules for unit in pcus) / 3_600
        entry = {
            "type": "inverters",
            "activeCount": len(pcus),
            "readingTime": max((unit.reported_at for unit in pcus), default=0),
            "wNow": sum(unit.watts for unit in pcus),
            "whLifetime": int(lifetime % ROLL_OVER if self.version < (8,) else lifetime),
        }
        result: dict[str, Any] = {"production": [entry]}
        if self.metered:
            result["production"].append(self.meters.entry("production", details))
            if self.fitted.consumption:
                result["consumption"] = [
                    self.meters.entry(meter, details) for meter in ("total-consumption", "net-consumption")
                ]
        result["storage"] = [answers.acb_storage(self.plant)]
        return result

    def _summary(self) -> dict[str, int]:
        """`/api/v1/production`: the 15-minute store of the meter, or the sum of the inverters."""
        pcus = self.plant.inverters.units
        if self.metered:
            phases = list(range(self.plant.phases))
            stored = self.meters.stored()
            history = sum(
                self.meters.index("production", p)[DELIVERED] - self.plant.meters["production"][p].delivered
                for p in phases
            )
            today = self.meters.since_midnight("production", phases, stored)[DELIVERED]
            week = self.meters.seven_days("production", phases)
            life = history + sum(stored["production"][p][DELIVERED] for p in phases)
            now = sum(register.watts for register in self.plant.meters["production"])
        else:
            today = sum(unit.days[0] for unit in pcus)
            days = min(7.0, (self.meters.midnight() - self.plant.first) / 86_400)
            made_up = (7.0 - days) * self.meters.usual_day(self.plant.phases)
            week = sum(sum(unit.days[1:]) for unit in pcus) + made_up
            life = PCU_HISTORY + sum(unit.joules for unit in pcus) / 3_600
            now = sum(unit.watts for unit in pcus)
        values = {"wattHoursToday": today, "wattHoursSevenDays": week, "wattHoursLifetime": life, "wattsNow": now}
        return {name: int(value) for name, value in values.items()}

    def _device_data(self) -> dict[str, Any]:
        pcus = self.plant.inverters.units[:DEVICE_LIMIT]
        result: dict[str, Any] = {
            str(0x21000000 + ((unit.place + 1) << 8)): answers.device(unit, self.plant) for unit in pcus
        }
        result["deviceCount"] = len(pcus)
        result["deviceDataLimit"] = DEVICE_LIMIT
        return result

    def _home(self) -> dict[str, Any]:
        local = datetime.fromtimestamp(self.plant.time, zone(self.plant.timezone))
        return answers.home(self.plant, local)
