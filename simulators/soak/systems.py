"""The five systems of a soak: how each is set up, which faults it gets, and what Jeedom must show in the end.

The truth is read from the simulators, by rules written here and nowhere else.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, Optional
from zoneinfo import ZoneInfo

from simulators.clock import SimulatedClock
from simulators.demo.systems import _TICKED as WES_EQUIPMENT
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.model import Ecometer, Home
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.enphase.storage import Storage
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt import Home as HelloWattHome
from simulators.house import Steady, Truth
from simulators.jeedom.standin import JeedomStandIn
from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer

PARIS = ZoneInfo("Europe/Paris")
THOROUGH = 2.0
"""Minutes from which on a run has all kinds of faults."""
COMMON: tuple[tuple[str, Any], ...] = (
    ("latency", 2.0), ("status", 500), ("status", 503), ("html", None), ("garbage", None), ("truncated", None),
    ("drop", None), ("hang", 30.0), ("redirect", None),
)  # fmt: skip


class Rule(NamedTuple):
    """A current value that Jeedom must show, within `tolerance`."""

    equipment: str
    command: str
    truth: Any
    tolerance: float = 0.0


class Dated(NamedTuple):
    """The dated measures of a command that Jeedom must have: local date to value."""

    equipment: str
    command: str
    truth: dict[str, float]
    tolerance: float


class System:
    """One system. `faults`: kinds and values, `rare` those of long runs only; `servers`: what goes with the network."""

    name = ""
    faults: tuple[tuple[str, Any], ...] = COMMON
    rare: tuple[tuple[str, Any], ...] = ()
    eager = False  # it asks so seldom that a user's request must meet the faults

    def __init__(self, jeedom: JeedomStandIn) -> None:
        self.jeedom = jeedom
        self.connection = ""
        self.servers: list[Any] = []

    def inject(self, kind: str, value: Any) -> None:
        """Put a fault in force."""
        raise NotImplementedError

    def clear(self) -> None:
        """End all faults."""
        raise NotImplementedError

    def leave(self) -> None:
        """The network is gone."""
        for server in self.servers:
            server.suspend()

    def come_back(self) -> None:
        """The network is there again."""
        for server in self.servers:
            server.resume()

    def as_user(self) -> None:
        """What a user does when something looks wrong."""
        self.jeedom.refresh(self.connection)

    def healed(self) -> None:
        """All faults are over for good."""

    def secrets(self) -> list[str]:
        """What no log may hold."""
        return []

    def freeze(self) -> None:
        """Nothing changes at the vendor from now on."""

    def rules(self) -> Iterator[Rule]:
        """The current values."""
        yield from ()

    def dated(self) -> Iterator[Dated]:
        """The dated measures."""
        yield from ()

    def equipment(self) -> list[dict[str, Any]]:
        """What Jeedom has of this system."""
        return self.jeedom.database.children(self.connection)


CONFIRMED_S = 1200.0
"""Seconds after which a counter that goes on from elsewhere must be believed: a quarter of an hour of readings."""


class Enphase(System):
    """A gateway whose sun moves 20 times as fast, and the services that give its token."""

    name = "enphase"
    faults = (
        *COMMON,
        ("reboot", 3.0),
        ("frozen", None),
        ("logout", None),
        ("status", 401),
        ("cloud", None),
        ("zeros", None),
        ("unloaded", None),
        ("unloaded", 40.0),
        ("new_store", None),
    )
    rare = (("reset_index", 1000.0), ("cloud_not_jwt", None), ("cloud_rate_limited", 5))

    def __init__(self, stack: ExitStack, jeedom: JeedomStandIn, truth: Optional[Truth] = None) -> None:
        super().__init__(jeedom)
        self.truth = truth
        key = EntrezKey()
        self.plant = Plant(
            time.time,
            seed=7,
            inverters=12,
            storage=Storage(energy=2_000.0),
            timezone="Europe/Paris",
            hour=10,
            sky_speed=20.0,
        )
        if truth is not None:
            truth.adopt(self.plant)
        self.gateway = stack.enter_context(EnphaseGateway(DaySource(self.plant), key=key))
        account = Account("soak@example.org", "soleil-et-nuages", (self.gateway.serial,))
        self.cloud = stack.enter_context(EnlightenCloud(key, [account]))
        self.servers = [self.gateway.server, self.cloud.server]
        config = {"host": "127.0.0.1", "port": self.gateway.port, "tokenMode": "auto", "user": account.email}
        config.update(password=account.password, loginUrl=self.cloud.url, tokenUrl=self.cloud.url, pollInterval=1)
        self.connection = jeedom.add_connection("enphase", config, "Soak enphase")
        self._reset_at = float("-inf")

    def inject(self, kind: str, value: Any) -> None:
        if kind == "cloud":
            self.cloud.fault("status", value=503)
        elif kind.startswith("cloud_"):
            self.cloud.fault(kind[6:], value=value)
            self.gateway.fault("logout")
        elif kind == "reset_index":
            self._reset_at = time.monotonic()
            self.gateway.fault(kind, "production", value)
        else:
            self.gateway.fault(kind, value=value)

    def clear(self) -> None:
        self.gateway.clear()
        self.cloud.clear()

    def freeze(self) -> None:
        self.gateway.set(production=1500.0, storage=0.0, voltage=231.0)
        if self.truth is None:
            self.gateway.set(consumption=900.0)
        else:
            self.plant.house.own = Steady([900.0])  # type: ignore[attr-defined]

    @contextmanager
    def moved(self, address: str) -> Iterator[None]:
        """The gateway answers at another address from now on, for good; meanwhile a stranger has the former one."""
        former, port = self.gateway.server.host, self.gateway.port
        self.gateway.server.move(address)
        with EnphaseGateway(DaySource(Plant(time.time, first_serial=122_300_009_101)), host=former, port=port) as other:
            other.source.serial = other.access.serial = "122399999999"
            other.renew_certificate()
            yield

    def rules(self) -> Iterator[Rule]:
        state = self.gateway.state()
        for each in self.equipment():
            if each["type"] == "combined":
                watts = {meter: sum(values["watts"]) for meter, values in state["meters"].items()}
                yield Rule(each["id"], "PwattsNow", watts["production"], 25.0)
                yield Rule(each["id"], "CwattsNow", state["consumption"][0], 25.0)
                yield Rule(each["id"], "CwattsNowNet", state["consumption"][0] - watts["production"], 50.0)
                if time.monotonic() - self._reset_at > CONFIRMED_S:
                    yield Rule(each["id"], "PwattHoursLifetime", state["meters"]["production"]["delivered"][0], 10.0)
                yield Rule(each["id"], "tension", state["volts"][0], 1.0)
                yield Rule(each["id"], "batperc", state["soc"], 1.5)
        watts_of = {unit.serial: unit.watts for unit in self.plant.inverters.units}
        for each in self.equipment():
            if each["type"] == "inverter":
                yield Rule(each["id"], "Watt", watts_of[each["key"]], 1.0)


class Wes(System):
    """A furnished server whose time runs 20 times as fast, or whose meters are those of a house."""

    name = "wes"
    faults = (
        *COMMON, ("cut", 900), ("stall", 900), ("latin1", None), ("ampersand", None), ("entities", None),
        ("external", None), ("without", "tic1"), ("tic_lost", 1), ("tic_zero", 1), ("index_digit", 1),
        ("probe_lost", 1), ("probe_85", 1), ("supply_lost", None), ("reboot", 3.0), ("restart_index", 1),
        ("ftp_busy", None), ("status", 404),
    )  # fmt: skip
    rare = (
        ("ftp_off", None), ("ftp_account", None), ("ftp_data", None), ("ftp_full", 1000), ("ftp_cut", 500),
        ("ftp_silent", None), ("ftp_norename", None),
    )  # fmt: skip

    ELSEWHERE = frozenset({("teleinfo", "2"), ("pince", "2")})
    """Meters of another roof, which a house whose gateway is its only one does not have."""

    def __init__(self, stack: ExitStack, jeedom: JeedomStandIn, truth: Optional[Truth] = None) -> None:
        super().__init__(jeedom)
        self.box = furnished()
        self.restarted = False
        if truth is None:
            self.clock = SimulatedClock(speed=20.0)
            life = Life(self.box, self.clock, shown=time.time)
        else:
            self.clock = SimulatedClock()
            life = Life(self.box, self.clock, shown=time.time, grid=truth.grid, solar=truth.solar)
        self.server = stack.enter_context(WesServer(self.box, life=life))
        self.servers = [self.server.server]
        config = {"host": "127.0.0.1", "port": self.server.port, "user": "admin", "password": "wes"}
        config.update(ftpUser="adminftp", ftpPassword="wesftp", ftpPort=self.server.ftp.port, pollInterval=1)
        config.update(jeedomCgx=True, autoUpdateCgx=True, supply9v=True, screen=True)
        self.connection = jeedom.add_connection("wes", config, "Soak wes")
        for kind, key, name, settings in WES_EQUIPMENT:
            if truth is not None and (kind, key) in self.ELSEWHERE:
                continue
            jeedom.add_equipment(self.connection, kind, key, name, settings)

    def inject(self, kind: str, value: Any) -> None:
        self.restarted = self.restarted or kind == "restart_index"
        if kind.startswith("ftp_"):
            # Its page is gone as well, so that it is uploaded again.
            self.server.files.pop("JEENERGIE.CGX", None)
        self.server.fault(kind, value=value)

    def clear(self) -> None:
        self.server.clear()

    def healed(self) -> None:
        # After a failed upload the daemon tries it again hours later; the user has a button.
        self.jeedom.run(self.connection, "sendCgx")

    def freeze(self) -> None:
        self.clock.set(speed=0.0)

    def rules(self) -> Iterator[Rule]:
        with self.box.lock:
            truth = self._truth()
        for each in self.equipment():
            for command, (value, tolerance) in truth.get((each["type"], each["key"]), {}).items():
                yield Rule(each["id"], command, value, tolerance)

    def _truth(self) -> dict[tuple[str, str], dict[str, tuple[Any, float]]]:
        box, tics, counters, clamps = self.box, self.box.tics, self.box.counters, self.box.clamps
        found: dict[tuple[str, str], dict[str, tuple[Any, float]]] = {
            ("teleinfo", "1"): {
                "ADCO": (tics[0].adco, 0), "PAP": (tics[0].power, 0.5), "IINST": (tics[0].current[0], 0.5),
                **{name: (value / 1000, 0.0006) for name, value in tics[0].indexes.items()},
                "CONSO_JOUR": (tics[0].energy["j"], 0.002), "CONSO_ANNEE": (tics[0].energy["a"], 0.002),
            },
            ("teleinfo", "2"): {"PROD_JOUR": (tics[1].energy["j"], 0.002)},
            ("sonde", "1"): {"temperature": (box.probes[0].value, 0.06)},
            ("sonde", "2"): {"humidity": (box.probes[1].value, 0.06)},
            ("bouton", "1"): {"state": (box.inputs[0], 0)},
            ("relais", "1"): {"state": (int(box.relays[1]), 0)},
            ("relais", "103"): {"state": (int(box.relays[103]), 0)},
            ("switch", "2"): {"state": (box.switches[1], 0)},
            ("variable", "1"): {"value": (box.variables[0], 0.01)},
        }  # fmt: skip
        for place in (0, 1):
            found["compteur", str(place + 1)] = {
                "nbimpulsion": (counters[place].pulses, 0.5), "debit": (counters[place].flow, 0.011),
            }  # fmt: skip
        found["pince", "1"] = {"intensite": (clamps[0].current, 0.011)}
        if not self.restarted:  # else it is held back until a quarter of an hour has confirmed it
            found["pince", "1"]["index"] = (clamps[0].index, 0.002)
        found["pince", "2"] = {"intensite": (clamps[1].current, 0.011), "injection": (clamps[1].injection, 0.002)}
        return found


class Econetatmo(System):
    """An account whose clock runs 60 times as fast, so that uploads come every three minutes."""

    name = "econetatmo"
    faults = (
        *COMMON,
        ("lost", None),
        ("api", 2),
        ("api", 3),
        ("no_body", None),
        ("empty", None),
    )
    rare = (("answer", {"status": "ok", "body": {"surprise": [1]}}), ("retry_after", 5), ("api", 1), ("api", 13))
    eager = True

    def __init__(self, stack: ExitStack, jeedom: JeedomStandIn, minutes: float) -> None:
        super().__init__(jeedom)
        names = ("Chauffage", "Chauffe-eau", "Prises", "Cuisine", "Véhicule", "Total")
        meter = Ecometer("00:04:74:aa:bb:cc", lines=dict(enumerate(names)))
        home = Home("64b0aa11bb22cc33dd44ee55", ecometers=[meter], contracts=[(0.0, "peak_and_off_peak")])
        # It begins so early that it stays behind the true time.
        self.clock = SimulatedClock(time.time() - 3600.0 * (minutes + 4.0), speed=60.0)
        self.cloud = stack.enter_context(NetatmoCloud([home], clock=self.clock, lifetime=10 * 86400.0, hourly=10**6))
        self.servers = [self.cloud.server]
        config = {"clientId": self.cloud.authority.client_id, "clientSecret": self.cloud.authority.client_secret}
        config.update(refreshToken=self.cloud.authority.generate().refresh, apiUrl=self.cloud.url, historyDays=3)
        self.connection = jeedom.add_connection("econetatmo", config, "Soak econetatmo")

    LOSING = ("truncated", "lost", "hang", "drop", "garbage")
    """Faults that may lose an answer. A renewed pair that never arrives is gone for good by Netatmo's rule, and the
    user must paste another one: tests of the tokens hold that, here it would end the account."""

    def inject(self, kind: str, value: Any) -> None:
        self.cloud.fault(kind, "/api/" if kind in self.LOSING else "*", value)

    def clear(self) -> None:
        self.cloud.faults.clear()

    def freeze(self) -> None:
        self.clock.set(speed=0.0)

    def dated(self) -> Iterator[Dated]:
        for each in self.equipment():
            have = self.jeedom.history(each["id"], "total_energy")
            # From before all that the import of three days can have reached, however long ago that was.
            begin = int(self.clock()) - 12 * 86400
            begin -= begin % 86400
            first = have[0][0] if have else ""
            truth: dict[str, float] = {}
            now = self.clock()
            for label, values in self.cloud.record(each["key"], "30min", begin).items():
                if label > now:
                    # An upload a few minutes into a slot: Jeedom gets no measure of the future, so that it comes with
                    # the first reading after its date; and now the clock stands still.
                    continue
                filled = [value for value in values[:4] if value is not None]
                local = f"{datetime.fromtimestamp(label, PARIS):%Y-%m-%d %H:%M:%S}"
                if filled and local >= first:
                    truth[local] = truth.get(local, 0.0) + sum(filled)
            yield Dated(each["id"], "total_energy", truth, 0.002)


class HelloWatt(System):
    """An account of a house with gas, asked a few times a day only: in long runs a user reads the history again.

    Left out, after which the account is left alone for hours: `captcha`, `no_cookie`, and sessions that end more often
    than a day allows logins. Months of those are played in `tests/hellowatt/test_month.py`.
    """

    name = "hellowatt"
    faults = (("latency", 2.0), ("status", 503), ("maintenance", 503), ("drop", None), ("html", None))
    rare = (
        *COMMON, ("rate_limited", 60), ("renamed", ["values", "valeurs"]), ("double", None), ("next", None),
        ("ongoing", None), ("no_data", None), ("no_input", "password"), ("tempo", 503),
    )  # fmt: skip
    PRESSES = 12
    """Times that the budget of a day's requests allows to read the history again."""

    def __init__(self, stack: ExitStack, jeedom: JeedomStandIn, minutes: float) -> None:
        super().__init__(jeedom)
        self.eager = minutes >= THOROUGH
        self._gap = minutes * 60.0 / self.PRESSES
        self._pressed = time.monotonic()
        since = date.today() - timedelta(days=100)
        self.home = HelloWattHome(502113, "99000000000417", "99000000000888", since, solar=True)
        customer = Customer("soak@example.org", "Soleil-et-nuages-1", [self.home])
        self.site = stack.enter_context(HelloWattSite([customer]))
        self.tempo = stack.enter_context(TempoService())
        self.servers = [self.site.server, self.tempo.server]
        config = {"user": customer.email, "password": customer.password, "siteUrl": self.site.url}
        config.update(tempoUrl=self.tempo.url, rteUrl="", dailyRequests=200)
        self.connection = jeedom.add_connection("hellowatt", config, "Soak hellowatt")

    def inject(self, kind: str, value: Any) -> None:
        if kind == "tempo":
            self.tempo.faults.add("status", value=value)
        else:
            self.site.fault(kind, value=value)

    def clear(self) -> None:
        self.site.clear()
        self.tempo.faults.clear()

    def as_user(self) -> None:
        if self.eager and time.monotonic() - self._pressed > self._gap:
            self._pressed = time.monotonic()
            self.jeedom.run(self.connection, "importHistory")
        else:
            self.jeedom.run(self.connection, "sendHistory")

    def healed(self) -> None:
        # What the site has called empty or has answered 429 to is read again when the user asks for it.
        if self.eager:
            self.jeedom.run(self.connection, "importHistory")

    def dated(self) -> Iterator[Dated]:
        for each in self.equipment():
            truth = self.home.truth(each["type"], time.time())
            for command, fact, tolerance in (("conso_jour", "kwh", 0.0006), ("cout_jour", "euros", 0.006)):
                days = {f"{day} 00:00:00": float(facts[fact]) for day, facts in truth.items() if fact in facts}
                yield Dated(each["id"], command, days, tolerance)


def agrees(rule: Rule, shown: Optional[Any]) -> bool:
    """Whether Jeedom shows the truth."""
    if isinstance(rule.truth, str) or shown is None or isinstance(shown, str):
        return str(shown) == str(rule.truth)
    return abs(float(shown) - float(rule.truth)) <= rule.tolerance + 1e-9


def as_told(rule: Rule, shown: Any) -> str:
    """A disagreement in words."""
    plain = replace_long(rule.truth)
    return f"{rule.equipment}/{rule.command}: {shown!r} instead of {plain!r}"


def replace_long(value: Any) -> Any:
    """A number short enough to be read."""
    return round(value, 4) if isinstance(value, float) else value
