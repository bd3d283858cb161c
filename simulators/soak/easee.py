"""The Easee account of a soak."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Optional

from simulators.clock import SimulatedClock
from simulators.easee import Account, EaseeCloud
from simulators.house import Truth
from simulators.jeedom.standin import JeedomStandIn
from simulators.soak.systems import COMMON, Rule, System


class Easee(System):
    """Two chargers whose time runs twice as fast, one of them charging; in a house it runs as that of its meter.

    Left out, since nothing is sent for minutes, or a day, after it: `firewall` and `too_many` on all paths, `block`.
    """

    name = "easee"
    faults = (
        *COMMON, ("limited", 3), ("limited", None), ("nulls", None), ("status", 401),
        ("hub", "stalled"), ("hub", "mute"), ("hub", "shuffle"), ("hub", "glue"), ("end", "close"), ("negotiate", 500),
        ("upgrade", 503), ("charger", None), ("dies", 0.0), ("dies", 21600.0), ("meter", 0), ("gone", "/state/"),
        ("forbidden", "/api/chargers/EH000001/settings"),
    )  # fmt: skip
    rare = (
        ("handshake", "glued"), ("handshake", "error"), ("handshake", "none"), ("chop", 7), ("refuse_refresh", None),
        ("refused", None), ("deaf", None), ("end", "fin"), ("end", "rst"), ("end", "type7"), ("end", "type7again"),
    )  # fmt: skip
    OBSERVED = (
        ("power", 120, 0.006), ("current_1", 183, 0.06), ("current_2", 184, 0.06), ("current_3", 185, 0.06),
        ("voltage_1", 194, 0.51), ("voltage_2", 195, 0.51), ("voltage_3", 196, 0.51), ("sessionEnergy", 121, 0.001),
        ("lifetimeEnergy", 124, 0.001), ("dynamicChargerCurrent", 48, 0.06), ("online", 250, 0),
        ("offeredCurrent", 114, 0.06),
        ("cable_locked_permanently", 30, 0), ("smartCharging", 102, 0), ("enabled", 31, 0), ("temperature", 150, 0.6),
    )  # fmt: skip

    def __init__(self, stack: ExitStack, jeedom: JeedomStandIn, minutes: float, truth: Optional[Truth] = None) -> None:
        super().__init__(jeedom)
        self.away = False
        account = Account("soak@example.org", "branche-le-soir", ("EH000001", "EH000002"))
        # Faster than a charger can charge is what the daemon does not believe.
        self.clock = SimulatedClock(speed=2.0 if truth is None else 1.0)
        self.meter: Optional[float] = None
        self.cloud = stack.enter_context(EaseeCloud([account], clock=self.clock))
        if truth is not None:
            for charger in self.cloud.chargers.values():
                charger.phases = 1
                truth.cars.append(charger)
        self.cloud.chargers["EH000001"].plug(amps=16.0 if truth is None else 32.0)
        self.servers = [self.cloud.server]
        config = {"user": account.user, "password": account.password}
        config.update(apiUrl=self.cloud.url, streamUrl=self.cloud.stream_url)
        self.connection = jeedom.add_connection("easee", config, "Soak easee")
        for serial in account.serials:
            jeedom.add_equipment(self.connection, "charger", serial, f"Borne {serial}")

    def inject(self, kind: str, value: Any) -> None:
        if kind == "hub":
            setattr(self.cloud.hub, value, True)
        elif kind == "end":
            self.cloud.hub.end_streams(value)
        elif kind in ("handshake", "chop"):
            setattr(self.cloud.hub, kind, value)
            self.cloud.hub.end_streams()
        elif kind in ("refused", "deaf"):
            getattr(self.cloud.hub, kind).update(self.cloud.chargers)
            self.cloud.hub.end_streams()
        elif kind == "refuse_refresh":
            self.cloud.accounts.refuse_refresh = True
        elif kind in ("negotiate", "upgrade"):
            self.cloud.fault("status", f"/{kind}", value)
            self.cloud.hub.end_streams()
        elif kind == "charger":
            charger = self.cloud.chargers["EH000002"]
            charger.unplug() if self.cloud.plugged("EH000002") else charger.plug(amps=10.0)
        elif kind == "dies":
            self.cloud.chargers["EH000001"].die(ago=value)
            self.cloud.hub.end_streams()
        elif kind == "meter":
            idle = self.cloud.chargers["EH000002"]
            self.meter = idle.get(124)
            idle.set(124, value)
        elif kind == "gone":
            self.cloud.fault("status", value, 404)
        elif kind == "forbidden":
            self.cloud.fault("firewall", value)
        else:
            self.cloud.fault(kind, value=value)

    def clear(self) -> None:
        self.cloud.clear()
        charger = self.cloud.chargers["EH000001"]
        if not charger.online:
            charger.online = True
            charger.pulse()
        if self.meter is not None:
            self.cloud.chargers["EH000002"].set(124, self.meter)
            self.meter = None

    def as_user(self) -> None:
        if self.jeedom.state(self.connection) == "authentication_failed":
            self.jeedom.test(self.connection)
        else:
            super().as_user()

    def leave(self) -> None:
        super().leave()
        self.cloud.hub.leave()
        self.away = True

    def come_back(self) -> None:
        super().come_back()
        if self.away:
            self.cloud.hub.start()
        self.away = False

    def freeze(self) -> None:
        self.clock.set(speed=0.0)

    def rules(self) -> Iterator[Rule]:
        for each in self.equipment():
            charger = self.cloud.chargers[each["key"]]
            for command, observation, tolerance in self.OBSERVED:
                yield Rule(each["id"], command, charger.get(observation), tolerance)
            yield Rule(each["id"], "plugged", self.cloud.plugged(each["key"]))
