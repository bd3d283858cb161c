"""Every state says why in one sentence with its figures, and with a time where one is known, in both languages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Callable

import pytest
from jeenergied.energy.control.settings import HouseLimits, LoadConfig
from jeenergied.energy.sharing.words import duration, figure
from jeenergied.texts import Texts

from simulators.house import Battery, Car
from tests.support.sentences import DAEMON, ROOT, constants

from .test_phases import PhaseRig
from .test_pilot import Rig

VOCABULARY: dict[str, Any] = json.loads(Path(__file__).with_name("words.json").read_text("utf-8"))
KINDS = {"p": "chargePoint", "b": "load"}
CATALOGUE = json.loads((ROOT / "core" / "contract" / "catalogue" / "house.json").read_text("utf-8"))
UNIT = r"(W|VA|kVA|A|kWh|%|€/kWh)(?![A-Za-z])"
FIGURE = re.compile(rf"\d[ \u00a0]?{UNIT}")
TIME = re.compile(r"\d\d:\d\d|\d+ (s|min|h)(?![A-Za-z])")
SPOILT = re.compile(r"[{}]|\b(inf|nan|None)\b|-\d|\d{6}|\d\.\d{5}")
RULES = [
    DAEMON / "energy" / f"{name}.py" for name in ("charging", "switching", "manager", "sharing/words", "sharing/phases")
]
MESSAGES = ("goal.py", "risk.py")
"""Their sentences are messages: tests/energy/test_goal.py has those."""
CONTROL = sorted(path for path in (DAEMON / "energy" / "control").glob("*.py") if path.name not in MESSAGES)
BOILER = LoadConfig("b", "40", "Ballon", power=2000, start="solar")


class Talking(Rig):
    """A rig that keeps every sentence it has published, by state."""

    language = "fr_FR"

    def new(self) -> Any:
        self.texts = Texts(ROOT / "core" / "i18n", self.language)
        self.said: dict[tuple[str, str], set[str]] = getattr(self, "said", {})
        return super().new()

    def translate(self, template: str, **values: object) -> str:
        return self.texts(template, **values)

    def _published(self, equipment: str, facts: Mapping[str, Any], at: float) -> None:
        super()._published(equipment, facts, at)
        kind = "point" if equipment == "p" else "load"
        found = self.said.setdefault((KINDS[equipment], str(facts[f"{kind}.state"])), set())
        found.add(str(facts[f"{kind}.reason"]))

    def journal(self) -> Iterator[str]:
        for each in self.pilot.journal.entries():
            yield self.texts(each["why"], **each.get("values", {}))


Scene = Callable[[], Talking]


def sunny() -> Talking:
    rig = Talking([[0, 1600], [300, 3000], [500, 1500], [900, 0]], plugged=[[0, False], [60, True]])
    rig.choose("solar")
    rig.run(1300)
    return rig


def limited() -> Talking:
    rig = Talking([[0, 0]], [[0, 4000], [100, 8000]], subscribed=9000)
    rig.choose("now")
    rig.run(300)
    rig.choose("off")
    rig.run(10)
    return rig


def own_limit() -> Talking:
    rig = Talking([[0, 0]], limits=HouseLimits(fuse=25))
    rig.choose("solarMin")
    rig.run(60)
    return rig


def cramped() -> Talking:
    rig = Talking([[0, 6000]], [[0, 500]], subscribed=2000)
    rig.choose("solar")
    rig.run(100)
    return rig


def taken_over() -> Talking:
    rig = Talking([[0, 3000]])
    rig.choose("now")
    rig.run(60)
    rig.car.set(rig.second, 16, 1)
    rig.run(60)
    rig.restart(5)
    rig.run(60)
    return rig


def lazy_car() -> Talking:
    rig = Talking([[0, 3000]])
    rig.car.max_a = 0
    rig.choose("now")
    rig.run(500)
    return rig


def lost_charger() -> Talking:
    rig = Talking([[0, 3000]])
    rig.choose("solar")
    rig.run(100)
    rig.reachable = False
    rig.run(200)
    rig.reachable = True
    rig.obeys = False
    rig.choose("off")
    rig.run(200)
    return rig


def silent_meter() -> Talking:
    rig = Talking([[0, 3000]], loads=[BOILER], subscribed=9000)
    rig.choose("solar")
    rig.choose("auto", "b")
    rig.run(300)
    rig.restart(5)
    rig.run(60)
    rig.meter = False
    rig.run(400)
    rig.choose("now")
    rig.run(60)
    return rig


def silent_battery() -> Talking:
    rig = Talking([[0, 9000]], battery=Battery(10000, 95, 3300, 3300))
    rig.choose("solar")
    rig.run(200)
    rig.house.battery = None
    rig.battery_left = True
    rig.run(200)
    return rig


def cheap_hours() -> Talking:
    rig = Talking([[0, 0]])
    rig.choose("economic")
    rig.second = 10 * 3600 + 1800  # 22:30 by the clock of the test
    rig.run(20)
    return rig


def goal() -> Talking:
    rig = Talking([[0, 0]])
    rig.choose("solar")
    rig.pilot.goal("p", kwh=10, hour="07:30")
    rig.run(20)
    rig.second = 10 * 3600 + 900
    rig.run(2400)
    return rig


def nobody() -> Talking:
    rig = Talking([[0, 0]], plugged=[[0, False]], loads=[BOILER])
    rig.run(10)
    for mode in ("now", "off", "solarMin", "economic"):
        rig.choose(mode)
    return rig


def boiler_by_sun() -> Talking:
    sun = [[0, 500], [200, 3000], [500, 0]]
    load = LoadConfig("b", "40", "Ballon", power=2000, start="solar", least_on_s=600, least_off_s=60)
    rig = Talking(sun, plugged=[[0, False]], loads=[load])
    rig.choose("auto", "b")
    rig.run(1100)
    rig.choose("off", "b")
    rig.run(10)
    rig.choose("on", "b")
    rig.run(10)
    rig.choose("auto", "b")
    rig.run(10)
    return rig


def boiler_and_limit() -> Talking:
    rig = Talking(
        [[0, 0]], [[0, 3000], [100, 5000], [200, 2000]], plugged=[[0, False]], loads=[BOILER], subscribed=6000
    )
    rig.choose("on", "b")
    rig.run(900)
    return rig


def boiler_without_room() -> Talking:
    rig = Talking([[0, 9000], [400, 0]], [[0, 4500]], plugged=[[0, False]], loads=[BOILER], subscribed=6000)
    rig.choose("on", "b")
    rig.run(20)
    rig.choose("auto", "b")
    rig.run(60)
    return rig


def boiler_at_night() -> Talking:
    load = LoadConfig("b", "40", "Ballon", power=2000, start="never", least_day_s=3600, most_day_s=4000)
    rig = Talking([[0, 0]], plugged=[[0, False]], loads=[load])
    rig.choose("auto", "b")
    rig.run(20)
    rig.second = 10 * 3600
    rig.run(4300)
    rig.pilot.loads["b"].state.ran_s = 4000.0
    rig.run(60)
    return rig


def boiler_lost() -> Talking:
    rig = Talking([[0, 0]], plugged=[[0, False]], loads=[BOILER])
    rig.obeys = False
    rig.choose("on", "b")
    rig.run(200)
    return rig


class TalkingOfPhases(Talking, PhaseRig):
    """A rig of three phases that talks."""


def a_car_that_changes_phases() -> Talking:
    rig = TalkingOfPhases([[0, 5600], [1500, 3000]], plugged=[[0, False], [100, True]])
    rig.car.charger.needs_pause = True
    rig.choose("solar")
    rig.run(1800)
    rig.choose("now")
    rig.run(30)
    rig.choose("off")
    rig.run(60)
    rig.choose("now")
    rig.run(60)
    return rig


def circuit_of_its_own() -> Talking:
    rig = TalkingOfPhases([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(350)
    rig.circuit_obeys = False
    rig.run(600)
    rig.circuit_obeys = True
    rig.run(600)
    rig.car.charger.restart()
    rig.run(60)
    return rig


SCENES: tuple[Scene, ...] = (
    a_car_that_changes_phases, circuit_of_its_own,
    sunny, limited, own_limit, cramped, taken_over, lazy_car, lost_charger, silent_meter, silent_battery, cheap_hours,
    goal, nobody, boiler_by_sun, boiler_and_limit, boiler_without_room, boiler_at_night, boiler_lost,
)  # fmt: skip


def states(type_of: str) -> set[str]:
    """The states that a command of the catalogue names."""
    rows = CATALOGUE["equipment"][type_of]["commands"]
    return set(next(row["map"] for row in rows if row["logicalId"] == "status"))


def test_the_vocabulary_has_every_state() -> None:
    assert {kind: set(VOCABULARY[kind]) for kind in KINDS.values()} == {kind: states(kind) for kind in KINDS.values()}


@pytest.mark.parametrize("language", ["fr_FR", "en_US"])
def test_every_state_says_its_figures_and_its_times(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    monkeypatch.setattr(Talking, "language", language)
    seen: dict[str, set[str]] = {kind: set() for kind in KINDS.values()}
    for scene in SCENES:
        rig = scene()
        for (kind, state), sentences in rig.said.items():
            seen[kind].add(state)
            for sentence in sentences:
                wrong = complaints(sentence, VOCABULARY[kind][state]["time"])
                assert not wrong, f"{scene.__name__}: {state}: {sentence!r}: {wrong}"
        for sentence in rig.journal():
            assert not complaints(sentence, False), f"{scene.__name__}: journal: {sentence!r}"
    assert seen == {kind: states(kind) for kind in KINDS.values()}


def complaints(sentence: str, time_is_due: bool) -> list[str]:
    """What a sentence lacks."""
    found = []
    if not FIGURE.search(sentence) and not (time_is_due and TIME.search(sentence) and "limit" in sentence):
        found.append("no figure")
    if time_is_due and not TIME.search(sentence):
        found.append("no time")
    return found + [each.group() for each in SPOILT.finditer(sentence)]


@pytest.mark.parametrize("path", [*RULES, *CONTROL], ids=lambda path: path.name)
def test_no_sentence_of_control_is_without_a_figure(path: Path) -> None:
    """Also of those that no test reaches; messages are not states."""
    due = set(constants(path)) - set(messages(path)) - set(VOCABULARY["unknown"])
    assert [each for each in sorted(due) if not re.search(rf"(\{{\w+\}}|\d) {UNIT}", each)] == []


def messages(path: Path) -> set[str]:
    """The texts that a file hands to the message centre."""
    source = path.read_text("utf-8")
    calls = re.findall(r"\.(?:note|message)\((.*?)\n {8,16}\)", source, re.DOTALL)
    return {text for text in constants(path) if any(json.dumps(text, ensure_ascii=False) in call for call in calls)}


def test_times_are_said_as_both_languages_write_them() -> None:
    told = {
        0: "10 s",
        4: "10 s",
        41: "50 s",
        120: "2 min",
        121: "2 min",
        3540: "59 min",
        3600: "1 h",
        3900: "1 h 05 min",
    }
    assert {seconds: duration(seconds) for seconds in told} == told
    assert duration(float("nan")) == "10 s"
    assert TIME.search(duration(float("inf")))
    assert (figure(9.0), figure(5.75, 2), figure(0.15790, 4)) == (9, 5.75, 0.1579)


def test_a_car_of_the_simulator_is_one_that_takes_nothing() -> None:
    assert Car(lazy_car().plugged, 0, 1).power(0, 230) == 0
