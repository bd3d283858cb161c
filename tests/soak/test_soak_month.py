"""All five systems in one daemon while one answer in twenty is refused or spoilt: nothing is lost, nobody is disturbed.

Two days by default; a month with JEENERGIE_FIRE=full.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jeenergied.devices.base import Connection, DeviceError, Equipment
from jeenergied.devices.enphase import device as enphase
from jeenergied.devices.enphase.gateway import endpoint_choice

from jeedom_bridge.clock import ManualClock
from simulators.easee import Account as EaseeAccount
from simulators.easee import EaseeCloud
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.passing import Passing as NetatmoPassing
from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase import EnphaseGateway
from simulators.faults import Passing
from simulators.hellowatt import Customer, HelloWattSite, Home
from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer
from tests.easee.crank import QuietLink
from tests.econetatmo.world import BRIDGE, small_home
from tests.enphase.harness import READINGS, SERIAL, house, meter, reading
from tests.hellowatt.harness import PARIS
from tests.soak.together import Together
from tests.support.crashing import CONTRACT
from tests.support.in_process import in_process
from tests.wes.rig import item

FULL = os.environ.get("JEENERGIE_FIRE") == "full"
DAYS = 30 if FULL else 2
RATE = 0.05
DAY, HOUR = 86400.0, 3600.0
BEGIN = datetime(2026, 3, 3, 12, 0, tzinfo=PARIS).timestamp()
EMAIL, PASSWORD = "camille.martin@example.org", "Synthetique-2026!é&=%"
CHARGER = "EH000001"
USUAL: tuple[tuple[str, Any], ...] = (
    ("status", 400), ("status", 401), ("status", 403), ("status", 404), ("status", 429), ("status", 500),
    ("status", 502), ("status", 503), ("html", None), ("garbage", None), ("drop", None), ("truncated", None),
    ("redirect", None),
)  # fmt: skip
HELLO: tuple[tuple[str, Any], ...] = (
    *USUAL, ("rate_limited", 60), ("rate_limited", None), ("maintenance", 200), ("maintenance", 503),
    ("no_data", None), ("renamed", ["values", "rows"]), ("no_cookie", None),
)  # fmt: skip
WATTS = {"PwattHoursToday": 1000.0, "cumulimport": 400.0, "cumulexport": 600.0}
"""Of the Enphase meters, by the figure of the day that they make."""


class Five:
    """The five systems, their simulators and what each must have told Jeedom in the end."""

    def __init__(self, stack: ExitStack, folder: Path, seed: int, poll_s: float = 600) -> None:
        self.clock = clock = ManualClock(BEGIN)
        self.seed, self.poll_s = seed, poll_s
        self.life = Together(folder, clock)
        stack.callback(self.life.close)
        self._enphase(stack)
        self._easee(stack)
        self._wes(stack)
        self.netatmo = stack.enter_context(NetatmoCloud([small_home(2)], clock=clock.time))
        self.home = Home(502113, "99000000000417", None, date(2026, 1, 20), solar=True)
        self.site = stack.enter_context(HelloWattSite([Customer(EMAIL, PASSWORD, [self.home])], clock=clock.time))
        self.site.logins.lifetime = 3 * DAY
        for service in (self.netatmo, self.site, self.easee):
            stack.enter_context(in_process(service.server))
        self._add("econetatmo", self._netatmo_settings(), [(f"{BRIDGE}#{n}", "line") for n in (0, 1)])
        config = {"user": EMAIL, "password": PASSWORD, "siteUrl": self.site.url, "tempoSource": "none"}
        self._add("hellowatt", {**config, "historyMonths": 3}, [("502113", "electricity")])

    def _add(self, backend: str, config: dict[str, Any], members: list[tuple[str, str]], prepare: Any = None) -> None:
        catalogue = CONTRACT.catalogues[backend]
        equipment = []
        for key, kind in members:
            own = {"consumptionType": "electrical", "sourceType": "other"} if kind == "line" else {}
            rows = [
                row for row in catalogue.all_rows(kind) if not (row.source or "").startswith(("storage.", "house."))
            ]
            commands = {row.logical_id: {} for row in rows}  # there is no battery
            equipment.append(Equipment(f"{backend} {key}", kind, key, key, own, commands))
        connection = Connection(backend, backend, backend, config, {"state": {}}, tuple(equipment))
        self.life.add(connection, prepare or (lambda _device: None))

    def _enphase(self, stack: ExitStack) -> None:
        clock, key, source = self.clock, EntrezKey(), house()

        def index(watts: float) -> float:
            return 4_000_000.0 + watts * (clock.time() - BEGIN) / 3600

        source.pages["/ivp/meters"] = [meter("production"), meter("net-consumption")]
        source.pages[READINGS] = lambda now: [
            reading("production", now, 1000.0, index(1000.0), 400.0),
            reading("net-consumption", now, -200.0, index(400.0), index(600.0)),
        ]
        self.gateway = stack.enter_context(EnphaseGateway(source, key=key, clock=clock.time))
        known = Account(EMAIL, PASSWORD, (self.gateway.serial,))
        self.enlighten = stack.enter_context(EnlightenCloud(key, [known], clock=clock.time))
        config = {"host": "127.0.0.1", "port": self.gateway.port, "tokenMode": "auto", "user": EMAIL}
        config.update(
            password=PASSWORD, loginUrl=self.enlighten.url, tokenUrl=self.enlighten.url, pollInterval=self.poll_s
        )
        self._add("enphase", config, [("x", "combined"), (SERIAL, "inverter")])

    def _easee(self, stack: ExitStack) -> None:
        time = self.clock.time
        account = EaseeAccount(EMAIL, PASSWORD, (CHARGER,))
        self.easee = stack.enter_context(EaseeCloud([account], clock=time, wall=time, life=False, alone=False))
        config = {"user": EMAIL, "password": PASSWORD, "apiUrl": self.easee.url, "streamUrl": self.easee.stream_url}

        def quiet(device: Any) -> None:
            device._session = QuietLink()  # the stream's pings would not keep up with the clock

        self._add("easee", config, [(CHARGER, "charger")], quiet)

    def _wes(self, stack: ExitStack) -> None:
        self.box = furnished()
        self.wes = stack.enter_context(WesServer(self.box, life=Life(self.box, self.clock.time)))
        config = {"host": "127.0.0.1", "port": self.wes.port, "user": "admin", "password": "wes"}
        config.update(jeedomCgx=False, pollInterval=self.poll_s)
        member = item("teleinfo", 1, {"tarification": "BBRH", "ticMeasure": "consumption"}, **config)
        self.life.add(Connection("wes", "wes", "wes", config, {"state": {}}, (member,)))
        self.meter = member.id

    def _netatmo_settings(self) -> dict[str, Any]:
        authority = self.netatmo.authority
        config = {"clientId": authority.client_id, "clientSecret": authority.client_secret}
        return {**config, "refreshToken": authority.generate().refresh, "apiUrl": self.netatmo.url}

    def refuse(self, rate: float) -> None:
        """From now on that part of all answers is refused or spoilt."""
        self.passing = {
            "enphase": Passing(rate, USUAL, self.seed),
            "enlighten": Passing(rate, USUAL, self.seed + 1),
            "easee": Passing(rate, (*USUAL, ("firewall", None), ("nulls", None)), self.seed + 2),
            "wes": Passing(rate, USUAL, self.seed + 3),
            "hellowatt": Passing(rate, HELLO, self.seed + 4),
        }
        boxes = {"enphase": self.gateway, "enlighten": self.enlighten, "easee": self.easee, "wes": self.wes}
        for name, simulator in {**boxes, "hellowatt": self.site}.items():
            simulator.faults.passing = self.passing[name]
        self.netatmo.passing = NetatmoPassing(rate, self.seed + 5)

    def look_at_the_charger(self) -> None:
        """A user's refresh: the stream is open and has nothing to say, so that nothing else reads the charger."""
        with suppress(DeviceError):
            next(each for each in self.life.runners if each.connection.id == "easee").device.refresh()
        self.life.live(1.0)

    def logins(self) -> dict[str, int]:
        """How often a password, or the secret of a pair, has been sent so far."""
        return {
            "enphase": self.enlighten.logins,
            "easee": self.passing["easee"].asked["/api/accounts/login"],
            "hellowatt": len(self.site.asked("login", "POST")),
            "econetatmo": self.netatmo.authority.rotations,
        }

    # What is wrong in Jeedom.

    def wrong(self) -> list[str]:
        """What is lost, doubled or other than at the vendors."""
        return [*self._days(), *self._hello(), *self._lines(), *self._now()]

    def _points(self, equipment: str, command: str) -> list[tuple[datetime, float]]:
        rows = self.life.history.get((equipment, command), {})
        return [(datetime.fromisoformat(moment), float(value)) for moment, value in rows.items()]

    def _days(self) -> list[str]:
        found = []
        first, today = (
            datetime.fromtimestamp(BEGIN, PARIS).date(),
            datetime.fromtimestamp(self.clock.time(), PARIS).date(),
        )
        for command, watts in WATTS.items():
            points = {moment.date(): value for moment, value in self._points("enphase x", command)}
            for day in (first + timedelta(days=n) for n in range((today - first).days)):
                hours = 12.0 if day == first else _hours(day)
                if abs(points.get(day, -1e9) - watts * hours) > watts * 0.4:  # a reading every ten minutes
                    found.append(f"enphase {command} {day}: {points.get(day)} instead of {watts * hours:.0f}")
        return found

    def _hello(self) -> list[str]:
        found = []
        truth = self.home.truth("electricity", self.clock.time())
        for command, fact in (("conso_jour", "kwh"), ("cout_jour", "euros")):
            points = self._points("hellowatt 502113", command)
            days = {moment.date(): value for moment, value in points}
            right = {day: float(facts[fact]) for day, facts in truth.items()}
            found += [f"helloWatt {command}: {day} {days.get(day)}" for day in right if day not in days]
            found += [
                f"helloWatt {command}: {day} {value}"
                for day, value in days.items()
                if not _close(value, right.get(day))
            ]
            if len(points) != len(days):
                found.append(f"helloWatt {command}: a day twice")
        return found

    def _lines(self) -> list[str]:
        found = []
        for key in (f"{BRIDGE}#{n}" for n in (0, 1)):
            points = {
                int(moment.timestamp()): value for moment, value in self._points(f"econetatmo {key}", "total_energy")
            }
            begin = min(points, default=0) - 900
            record = self.netatmo.record(key, "30min", begin)
            right = {
                at: sum(each or 0 for each in values[:4]) for at, values in record.items() if at <= self.clock.time()
            }
            if points != right:
                found.append(f"EcoNetatmo {key}: {len(points)} measures instead of {len(right)}")
        return found

    def _now(self) -> list[str]:
        shown = self.life.values
        right = {
            ("enphase x", "PwattsNow"): 1000, (f"enphase {SERIAL}", "Watt"): 260,
            **{(self.meter, name): value / 1000 for name, value in self.box.tics[0].indexes.items()},
            (f"easee {CHARGER}", "lifetimeEnergy"): self.easee.chargers[CHARGER].get(124),
        }  # fmt: skip
        return [
            f"{key}: {shown.get(key)} instead of {value}"
            for key, value in right.items()
            if not _close(shown.get(key), value)
        ]


def _hours(day: date) -> float:
    begin, end = (
        datetime(each.year, each.month, each.day, tzinfo=PARIS).timestamp() for each in (day, day + timedelta(1))
    )
    return (end - begin) / HOUR


def _close(value: Any, right: Any) -> bool:
    return value is not None and right is not None and abs(float(value) - float(right)) <= 0.006


pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", (1, 2) if FULL else (1,))
def test_a_month_of_passing_refusals_costs_no_measure_and_no_word(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Once a minute each, they are most of the time of a month.
    monkeypatch.setattr(enphase, "SLOW_PERIOD_S", 600.0)
    monkeypatch.setattr(endpoint_choice, "BATTERY_PERIOD_S", 600.0)
    with ExitStack() as stack:
        five = Five(stack, tmp_path, seed)
        five.refuse(0.0)
        five.life.live(6 * HOUR)
        assert five.life.words() == []
        before = five.logins()
        five.refuse(RATE)
        for _ in range(DAYS * 4):
            charger = five.easee.chargers[CHARGER]
            charger.set(124, round(float(charger.get(124)) + 1.25, 2))
            five.life.live(DAY / 4)
            five.look_at_the_charger()
        passing, netatmo = five.passing, five.netatmo.passing
        logins = {name: count - (before[name] if name != "easee" else 0) for name, count in five.logins().items()}
        words = five.life.words()
        assert netatmo is not None
        five.refuse(0.0)
        five.life.live(2 * DAY)
        five.look_at_the_charger()
        met = {name: sum(each.met.values()) for name, each in passing.items()}
        asked = {name: sum(each.asked.values()) for name, each in passing.items()}
        print(
            f"\n{DAYS} days, seed {seed}: asked {asked}, refused {met}, EcoNetatmo {sum(netatmo.met.values())} refused"
        )
        print(f"logins {logins}, words {words}, wrong {five.wrong()}")
        assert words == []
        assert five.wrong() == []
        assert all(logins[name] <= DAYS + 3 for name in ("enphase", "easee", "hellowatt")), logins
        for name in ("enphase", "easee", "wes", "econetatmo", "hellowatt"):
            # Easee's is told by its stream, which is not there.
            assert five.life.states(name)[-1] == "online" or name == "easee"
            assert "authentication_failed" not in five.life.states(name)
