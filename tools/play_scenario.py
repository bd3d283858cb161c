"""Plays a scenario file on the rules of the house and prints, as JSON lines, what they decide.

    python tools/play_scenario.py FILE

A file with "rows" (energies by interval) gives the balance of the period. The format is described in docs/testing.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jsonschema import Draft7Validator

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from jeenergied.energy.balance import Balance, Energies, Row  # noqa: E402  # found through the environment's own link
from jeenergied.energy.control import risk  # noqa: E402
from jeenergied.energy.control.settings import PointState  # noqa: E402
from jeenergied.energy.manager import Manager  # noqa: E402
from jeenergied.energy.money.tariff import Tariff  # noqa: E402
from jeenergied.energy.planner import EFFICIENCY, SLOT_S, Plan, plan  # noqa: E402
from jeenergied.energy.sharing.charger import ChargerReading, ChargerSettings, Decision  # noqa: E402
from jeenergied.energy.sharing.house import HouseReading, HouseSettings  # noqa: E402
from jeenergied.energy.switching import LoadSettings, economic_threshold  # noqa: E402

from jeedom_bridge.json_reader import loads  # noqa: E402
from simulators.house import Battery, Car, House, Series  # noqa: E402

CO2 = 21.7
"""g/kWh of French electricity, unless the file says otherwise: RTE, 2024 (analysesetdonnees.rte-france.com)."""


SCHEMA = ROOT / "tools" / "play_scenario.schema.json"
MOST_COMPLAINTS = 10


def complaints(scenario: object) -> list[str]:
    """What keeps a file from being played, by its place in it; empty if it is a scenario."""
    validator = Draft7Validator(json.loads(SCHEMA.read_text("utf-8")))
    found = sorted(validator.iter_errors(scenario), key=lambda error: [str(part) for part in error.absolute_path])
    return [f"{'.'.join(map(str, error.absolute_path)) or 'the file'}: {error.message:.200}" for error in found]


def balance(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """The balance of a scenario's rows: rates as fractions, money in €, energies in kWh, co2 in g."""
    house = scenario.get("house", {})
    zone = ZoneInfo(scenario.get("timezone", "Europe/Paris"))
    tariff = Tariff.parse(house["tariff"], zone)
    rows = []
    for row in scenario["rows"]:
        at = datetime.fromisoformat(row["at"])
        moment = (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
        price = tariff.price(moment)
        if price is None:
            raise ValueError(f"{row['at']}: the price of this moment is not known")
        columns = ("import", "export", "solar", "charge", "discharge")
        energies = Energies(*(float(row.get(name, 0)) for name in columns))
        rows.append(Row(energies, price, float(house.get("resale", 0)), float(house.get("co2", CO2))))
    return _balance(Balance.of(rows, subscription=float(house.get("subscription", 0))))


def _balance(total: Balance) -> dict[str, Any]:
    return {
        "selfConsumption": total.self_consumption,
        "autonomy": total.autonomy,
        "cost": total.cost,
        "revenue": total.revenue,
        "net": total.net,
        "withoutSolar": total.without_solar,
        "savings": total.savings,
        "co2": total.co2,
        "flows": vars(total.flows),
        "tank": {"content": total.tank.content, "solarShare": total.tank.solar_share},
    }


class Game:
    """Plays the rules against a simulated house."""

    def __init__(self, scenario: Mapping[str, Any]) -> None:
        self.scenario = scenario
        house = scenario.get("house", {})
        self.zone = ZoneInfo(scenario.get("timezone", "Europe/Paris"))
        begin = datetime.fromisoformat(scenario.get("start", "2026-06-15T12:00:00+02:00"))
        self.begin = (begin if begin.tzinfo else begin.replace(tzinfo=self.zone)).timestamp()
        self.voltage = float(house.get("voltage", 230))
        self.phases = int(house.get("phases", 1))
        tariff = house.get("tariff")
        self.tariff = Tariff.parse(tariff, self.zone) if tariff else None
        self.resale = float(house.get("resale", 0.04))
        self.rows: list[Row] = []
        battery = scenario.get("battery")
        self.house = House(
            Series(scenario["solar"]),
            [Series(scenario[name]) for name in self._bases()],
            self.phases,
            self.voltage,
            float(scenario.get("vaFactor", 1.0)),
            _battery(battery) if battery else None,
            {each["id"]: _car(each, self.phases) for each in scenario.get("chargers", [])},
            {each["id"]: float(each["powerW"]) for each in scenario.get("loads", [])},
        )
        self.settings = HouseSettings(
            self.phases,
            house.get("subscribedVA"),
            float(house.get("reserveW", 50)),
            battery is None or battery.get("order", "battery") == "battery",
            scenario.get("sharing", "order"),
            scenario.get("shedding", "order"),
        )
        self.modes = {each["id"]: each.get("mode", "solar") for each in scenario.get("chargers", [])}
        self.wanted = {each["id"]: Series(each.get("wanted", [[0, False]])) for each in scenario.get("loads", [])}
        self.gaps = {each["id"]: Series(each["gap"]) for each in scenario.get("loads", []) if "gap" in each}
        self.reachable = dict.fromkeys(self.house.cars, True)
        self.plans: dict[str, Plan] = {}
        self.risks = {each["id"]: risk.Risk(PointState()) for each in scenario.get("chargers", [])}
        self.stale_since: float | None = None
        self.seen = HouseReading(0.0, [0.0] * self.phases)
        self.manager = self._manager()

    def _bases(self) -> list[str]:
        names = [name for name in ("base1", "base2", "base3") if name in self.scenario]
        return names if names and self.phases == 3 else ["base"] if "base" in self.scenario else []

    def _manager(self) -> Manager:
        chargers = {
            each["id"]: ChargerSettings(
                self.modes[each["id"]],
                min(int(each.get("phases", 1)), self.phases) if each.get("switching") or self.phases == 1 else 1,
                int(each.get("maxA", 32)),
                bool(each.get("switching", False)),
                str(each.get("circuit", "")),
                each.get("circuitA"),
                each.get("mostGrid"),
            )
            for each in self.scenario.get("chargers", [])
        }
        loads = {
            each["id"]: LoadSettings(
                float(each["powerW"]),
                float(each.get("leastOnS", 900)),
                float(each.get("leastOffS", 600)),
                bool(each.get("critical", False)),
            )
            for each in self.scenario.get("loads", [])
        }
        return Manager(self.settings, chargers, loads, self.scenario.get("order", ()))

    def play(self) -> None:
        """Plays all seconds; prints each decision, then the summary."""
        sample = int(self.scenario.get("sample", 5))
        events = sorted(self.scenario.get("events", []), key=lambda event: event[0])
        for second in range(int(self.scenario["seconds"]) + 1):
            while events and events[0][0] <= second:
                self._happen(second, events.pop(0)[1])
            if second % sample == 0:
                self._decide(second)
            self.house.step(second)
        self._summary()

    def _happen(self, second: int, event: Mapping[str, Any]) -> None:
        name = str(event.get("charger", ""))
        if name not in self.house.cars and any(each in event for each in ("mode", "userSetsA", "reachable")):
            raise ValueError(f"an event at {second} s names a charger that is not there: {name!r}")
        if "meter" in event:
            self.stale_since = float(second) if event["meter"] == "stale" else None
        elif event.get("restart"):
            before = self.manager.chargers
            self.manager = self._manager()
            for each, charger in self.manager.chargers.items():  # kept over restarts
                charger.stopped_at = before[each].stopped_at
                charger.change.recall(before[each].change.changes)
            offered = {each: (car.limit, car.phases) for each, car in self.house.cars.items()}
            self.manager.adopt(second, offered, self.house.on)
        elif "mode" in event:
            self.modes[name] = event["mode"]
            self.manager.set_mode(name, event["mode"])
        elif "userSetsA" in event:
            car = self.house.cars[name]
            car.set(second, int(event["userSetsA"]), car.phases)
        elif "reachable" in event:
            self.reachable[name] = bool(event["reachable"])
        # A step of the wall clock touches nothing here: the rules count on a clock that never steps.

    def _reading(self, second: int) -> HouseReading:
        self.house.look(second)
        chargers = {
            name: ChargerReading(
                bool(car.plugged.at(second)),
                car.power(second, self.voltage),
                car.limit,
                self.reachable[name],
                car.on_phase,
                self._must_run(name, second),
                opened=car.phases if self.manager.chargers[name].settings.switching else None,
                in_use=car.in_use(second) if self.manager.chargers[name].settings.switching else None,
            )
            for name, car in self.house.cars.items()
        }
        wanted = {name: bool(series.at(second)) for name, series in self.wanted.items()}
        gaps = {name: float(series.at(second)) for name, series in self.gaps.items()}
        stale = self.stale_since is not None
        if not stale:
            self.seen = HouseReading(self.house.grid, list(self.house.apparent), self.house.battery_power, self.voltage)
        age = second - self.stale_since if self.stale_since is not None else 0.0
        return replace(self.seen, age=age, chargers=chargers, loads_wanted=wanted, gaps=gaps)

    def _must_run(self, name: str, second: int) -> bool:
        """Whether a goal's plan, or a cheap window in the economic mode, wants this charger to run now."""
        data = next(each for each in self.scenario["chargers"] if each["id"] == name)
        at = self.begin + second
        if self.tariff is None or self.modes[name] == "off":
            return False
        goal = data.get("goal")
        if goal:
            by = datetime.fromisoformat(goal["by"])
            need = float(goal["kWh"]) - self.house.cars[name].energy / 1000
            until = (by if by.tzinfo else by.replace(tzinfo=self.zone)).timestamp()
            if second % SLOT_S == 0 or name not in self.plans:
                power = EFFICIENCY * float(data.get("maxA", 32)) * self.voltage / 1000
                consent = bool(goal.get("redPeak", False))
                tariff = self.tariff
                self.plans[name] = plan(need, at, until, power, tariff.price, tariff.is_dear, consent)
            self._look_at_risk(name, second, risk.Wanted(float(goal["kWh"]), 0.0, until, float(goal["kWh"]) - need))
            return need > 0 and self.plans[name].runs(at)
        if self.modes[name] != "economic":
            return False
        prices = [self.tariff.price(at + step) for step in range(0, 86400, SLOT_S)]
        known = [price for price in prices if price is not None]
        return bool(known) and min(known) < max(known) and self.tariff.price(at) == min(known)

    def _look_at_risk(self, name: str, second: int, wanted: risk.Wanted) -> None:
        """Prints, once, that the goal cannot be met in time, and once that this is over."""
        there, plan_, car = self.risks[name], self.plans[name], self.house.cars[name]
        done = wanted.charged >= wanted.kwh
        plugged, state = bool(car.plugged.at(second)), self.manager.chargers[name].state
        known = {"takenOver": risk.TAKEN, "noDemand": risk.NO_DEMAND, "limited": risk.LIMITED}
        late = risk.CONSENT if plan_.with_consent is not None else known.get(state, risk.TIME)
        cause = risk.ABSENT if not plugged else late if self.reachable[name] else risk.UNREACHABLE
        if self.begin + second < wanted.by:
            there.look(wanted, 0.0 if done else plan_.missing, cause, done, second, name, self.zone)
        else:
            there.passed(wanted, self.begin + second, done, name, self.zone)
        while there.notices:
            level, said = there.notices.pop(0)
            print(json.dumps({"t": second, "charger": name, "level": level, "message": said}, ensure_ascii=False))

    def _thresholds(self, second: int) -> dict[str, float]:
        at = self.begin + second
        found = {}
        for each in self.scenario.get("loads", []):
            power, threshold = float(each["powerW"]), each.get("threshold", "economic")
            if threshold == "solar":
                found[each["id"]] = power
            elif threshold == "economic":
                found[each["id"]] = self._economic(power, at)
            else:
                found[each["id"]] = float(threshold)
        return found

    def _economic(self, power: float, at: float) -> float:
        if self.tariff is None:
            return power
        ahead = [self.tariff.price(at + step) for step in range(0, 86400, 900)]
        known = [price for price in ahead if price is not None]
        now = self.tariff.price(at)
        return power if now is None else economic_threshold(power, now, min(known), self.resale)

    def _decide(self, second: int) -> None:
        reading = self._reading(second)
        for name, decision in self.manager.step(second, reading, self._thresholds(second)).items():
            if isinstance(decision, Decision):
                if self.reachable[name]:
                    self.house.cars[name].set(second, decision.amps, decision.phases)
                line = {"t": second, "charger": name, "amps": decision.amps, "phases": decision.phases}
                print(json.dumps({**line, "state": decision.state, "why": decision.why}, ensure_ascii=False))
            else:
                self.house.on[name] = decision.on
                line = {"t": second, "load": name, "on": decision.on, "why": decision.why}
                print(json.dumps(line, ensure_ascii=False))

    def _summary(self) -> None:
        house = self.house
        energies = (house.imported, house.exported, house.solar_energy, house.charged, house.discharged)
        row = Row(Energies(*(each / 1000 for each in energies)), self._price(), self.resale, CO2)
        summary = {
            "importWh": house.imported,
            "exportWh": house.exported,
            "solarWh": house.solar_energy,
            "batteryWh": house.battery.content if house.battery else 0.0,
            "chargers": {name: car.energy for name, car in house.cars.items()},
            "maxVA": house.max_va,
            "why": {name: each.why for name, each in [*self.manager.chargers.items(), *self.manager.loads.items()]},
            "balance": _balance(Balance.of([row])),
        }
        print(json.dumps({"summary": _rounded(summary)}, ensure_ascii=False))

    def _price(self) -> float:
        return (self.tariff.price(self.begin) or 0.0) if self.tariff else 0.0


def _battery(data: Mapping[str, Any]) -> Battery:
    return Battery(
        float(data.get("capacityWh", 10000)),
        float(data.get("soc", 50)),
        float(data.get("maxChargeW", 3300)),
        float(data.get("maxDischargeW", 3300)),
    )


def _car(data: Mapping[str, Any], phases: int) -> Car:
    most = float(data.get("carMaxA", data.get("maxA", 32)))
    car = Car(Series(data.get("plugged", [[0, True]])), most, phases, int(data.get("onPhase", 1)))
    car.needs_pause, car.own_phases = bool(data.get("needsPause", False)), int(data.get("carPhases", 3))
    return car


def main(arguments: list[str]) -> int:
    """Plays one file; returns the exit code."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        scenario = loads(Path(arguments[0]).read_bytes())
        wrong = complaints(scenario)
        if not wrong:
            play(scenario)
    except (OSError, ValueError, OverflowError, ZoneInfoNotFoundError) as error:
        wrong = [f"{error}"[:500] or type(error).__name__]
    for each in wrong[:MOST_COMPLAINTS]:
        print(f"{arguments[0]}: {each}", file=sys.stderr)
    return 2 if wrong else 0


def play(scenario: Mapping[str, Any]) -> None:
    """Plays a scenario. Raises ValueError or OverflowError if a date, an hour or a charger in it does not exist."""
    if "rows" in scenario:
        print(json.dumps({"balance": _rounded(balance(scenario))}, ensure_ascii=False))
    else:
        Game(scenario).play()


def _rounded(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _rounded(value) for name, value in part.items()}
    return round(part, 6) if isinstance(part, float) else part


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
