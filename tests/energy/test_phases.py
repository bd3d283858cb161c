"""One phase or three: the rules with the simulated charger of Easee on three phases, and what its circuit is sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jeenergied.energy.control.guard import LASTS_S, RENEW_S
from jeenergied.energy.control.settings import PointSettings, PointState
from jeenergied.energy.ports import Source
from jeenergied.energy.sharing.phases import MOST_CHANGES, REST_S, PhaseChange
from jeenergied.texts import Texts

from simulators.house import House, Series
from tests.fire import FULL
from tools.play_scenario import Game

from .phase_days import check
from .test_easee_quirks import EaseeCar
from .test_pilot import CAR, GRID, Rig, Sent

ROOT = Path(__file__).resolve().parents[2]


class ThreePhaseCar(EaseeCar):
    """A car of three phases at that charger."""

    def __init__(self, plugged: Series) -> None:
        super().__init__(plugged)
        self.charger.phases = self.installed = 3
        for phase in range(3):
            self.charger.set(50 + phase, 10)

    def power(self, second: float, voltage: float) -> float:
        return float(self.charger.get(120)) * 1000

    def phases_in_use(self) -> list[int]:
        return [phase for phase in range(3) if self.charger.get(183 + phase) > 1]

    @property
    def opened(self) -> int:
        return sum(self.charger.get(111 + phase) >= 6 for phase in range(3))


class PhaseRig(Rig):
    """A house of three phases, and the option on."""

    settings = PointSettings("p", CAR, "Borne", phases=0, max_a=16, switching=True)

    def __init__(self, solar: list[list[float]], **more: Any) -> None:
        self.may: Any = True
        self.alone = self.circuit_obeys = True
        self.tells_circuit = True
        super().__init__(solar, **more)
        self.car = ThreePhaseCar(self.plugged)
        self.house = House(Series(solar), [Series([[0, 500]])], 3, cars={CAR: self.car})
        self.car.step(0)

    def _plug(self) -> None:
        self.car.step(self.second)

    def _more(self) -> dict[Source, Any]:
        charger = self.car.charger
        told = {
            Source(GRID, f"p{phase + 1}", "grid.phasePower", part=str(phase + 1)): each
            for phase, each in enumerate(self.house.apparent)
        }
        told |= {
            Source(CAR, f"i{phase + 1}", "charger.phaseCurrent", part=str(phase + 1)): charger.get(183 + phase)
            for phase in range(3)
        }
        told[Source(CAR, "most", "charger.maximumCurrent")] = charger.get(47)
        told[Source(CAR, "switching", "charger.phaseSwitching")] = self.may
        told[Source(CAR, "obstacle", "charger.phaseObstacle")] = (
            "aucun" if self.may else "le réseau de la borne est IT, pas TN"
        )
        if self.tells_circuit:
            used = [charger.get(111 + phase) for phase in range(3) if charger.get(111 + phase) >= 6]
            told[Source(CAR, "circuit", "circuit.current")] = float(min(used, default=0))
            told[Source(CAR, "opened", "circuit.phases")] = self.car.opened
            told[Source(CAR, "offline", "circuit.offlineCurrent")] = charger.get(50)
            told[Source(CAR, "circuitMost", "circuit.maximumCurrent")] = 20.0
        return told

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Sent:
        if capability.startswith("circuit."):
            self.sent.append((self.second, equipment, capability, value))
            if not self.alone and capability == "circuit.onePhase":
                return Sent(True, False, "D'autres bornes sont sur le circuit")
            if self.circuit_obeys:
                rest = 0 if capability == "circuit.onePhase" else value
                body = {"phase1": value, "phase2": rest, "phase3": rest}
                body |= {} if capability == "circuit.current" else {"timeToLive": 5}
                self.car.charger.obey("dynamicCurrent", body)
            return Sent(self.over, self.circuit_obeys, "" if self.circuit_obeys else "non")
        return super().begin(equipment, capability, value)

    def circuits(self) -> list[str]:
        return [capability for _, _, capability, _ in self.sent if capability.startswith("circuit.")]

    @property
    def flows(self) -> list[float]:
        return [round(self.car.charger.get(183 + phase)) for phase in range(3)]

    def fact(self, name: str) -> Any:
        return self.facts["p"][f"point.{name}"]


def test_a_solar_charge_begins_on_one_phase_and_takes_three_when_the_sun_lasts() -> None:
    rig = PhaseRig([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(300)
    assert (rig.car.opened, rig.flows) == (1, [16, 0, 0])
    rig.run(700)
    assert (rig.car.opened, rig.flows) == (3, [7, 7, 7])
    assert (rig.fact("phases"), rig.fact("state")) == (3, "charging")
    decisions = [(each["decision"], each["why"]) for each in rig.pilot.journal.entries()]
    assert ("7 A × 3", "Passage à trois phases à {amps} A depuis {since}") in decisions
    assert "1 changement de phases en 24 h, sur 12" in rig.fact("phaseSwitching")


def test_the_circuit_gets_three_phases_only_once_the_charger_shows_7_a() -> None:
    rig = PhaseRig([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(900)
    opened = next(at for at, _, capability, _ in rig.sent if capability == "circuit.current")
    lowered = [(at, value) for at, _, capability, value in rig.sent if capability == "charger.current"]
    assert max(at for at, value in lowered if value == 7) < opened
    assert rig.car.charger.get(48) == 7


def test_it_goes_back_to_one_phase_when_the_sun_fades_and_renews_that_until_the_car_leaves() -> None:
    rig = PhaseRig([[0, 6500], [1500, 3000], [3600, 6500]], plugged=[[0, True], [3000, False]])
    rig.run(10)
    rig.choose("solar")
    rig.run(2000)
    assert (rig.car.opened, rig.fact("phases")) == (1, 1)
    assert rig.flows[0] >= 6
    assert rig.flows[1:] == [0, 0]
    moments = [at for at, _, capability, _ in rig.sent if capability == "circuit.onePhase" and at > 1500]
    assert all(later - earlier <= RENEW_S + 5 for earlier, later in zip(moments, moments[1:]))
    assert len(moments) <= 500 / RENEW_S + 2  # of what an account may ask for in five minutes: three requests
    rig.run(1100)
    assert (rig.car.opened, rig.circuits()[-1]) == (3, "circuit.current")


def test_nothing_of_the_kind_is_sent_unless_it_is_wanted() -> None:
    class Bare(PhaseRig):
        settings = PointSettings("p", CAR, "Borne", max_a=16)

    rig = Bare([[0, 6500]])
    rig.run(10)
    rig.choose("solar")
    rig.run(1200)
    assert rig.circuits() == []
    assert rig.fact("phaseSwitching") == "Changement de phases non demandé"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"may": False}, "réseau de la borne est IT"),
        ({"tells_circuit": False}, "ne dit pas les phases"),
        ({"alone": False}, "D'autres bornes sont sur le circuit"),
    ],
)
def test_where_it_harms_it_is_not_done_and_the_charge_goes_on_as_before(change: dict[str, Any], words: str) -> None:
    rig = PhaseRig([[0, 6500]], plugged=[[0, False], [100, True]])
    vars(rig).update(change)
    rig.choose("solar")
    rig.run(1200)
    assert rig.car.opened == 3
    assert rig.flows[0] == rig.flows[2] >= 6
    assert words in rig.fact("phaseSwitching")
    assert rig.circuits().count("circuit.onePhase") <= 4


def test_a_fall_back_that_the_house_cannot_bear_keeps_phases_as_they_are() -> None:
    rig = PhaseRig([[0, 6500]], subscribed=6000)
    rig.run(10)
    rig.choose("solar")
    rig.run(60)
    assert "10 A par phase, plus que les 8 A" in rig.fact("phaseSwitching")
    assert rig.circuits() == []
    rig.car.charger.set(50, 8)
    rig.run(60)
    assert "sur 12" in rig.fact("phaseSwitching")


def test_the_circuit_falls_back_when_the_daemon_dies_and_that_is_adopted() -> None:
    rig = PhaseRig([[0, 3000]])
    rig.run(10)
    rig.choose("solar")
    rig.run(600)
    assert rig.flows == [10, 0, 0]
    rig.restart(int(LASTS_S) + 60)
    assert rig.flows == [10, 10, 10]  # the offline limits of its circuit, which the house can bear
    rig.run(60)
    assert rig.fact("state") != "takenOver"
    rig.run(1200)
    assert rig.flows == [10, 0, 0]


def test_a_short_restart_changes_nothing_and_keeps_the_count() -> None:
    rig = PhaseRig([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(1000)
    before = rig.pilot.points["p"].rules.change
    count, sent = len(before.changes), len(rig.circuits())
    rig.restart(20)
    rig.run(20)
    after = rig.pilot.points["p"].rules
    assert (len(after.change.changes), after.phases) == (count, 3)
    assert after.change.changed_at == pytest.approx(before.changed_at, abs=1)
    assert len(rig.circuits()) == sent


def test_whoever_sets_the_circuit_in_the_app_takes_over() -> None:
    rig = PhaseRig([[0, 3000]])
    rig.run(10)
    rig.choose("solar")
    rig.run(600)
    count = len(rig.circuits())
    rig.car.charger.obey("dynamicCurrent", {"phase1": 13, "phase2": 13, "phase3": 13})
    rig.run(600)
    assert rig.fact("state") == "takenOver"
    assert len(rig.circuits()) == count
    assert [rig.car.charger.get(111 + phase) for phase in range(3)] == [13, 13, 13]
    rig.pilot.release("p")
    rig.run(1200)
    assert rig.car.opened == 1


def test_whoever_fixes_the_phases_in_the_app_takes_over() -> None:
    rig = PhaseRig([[0, 3000]])
    rig.run(10)
    rig.choose("solar")
    rig.run(600)
    rig.may = False
    rig.run(60)
    assert rig.fact("state") == "takenOver"


def test_a_car_that_does_not_change_is_paused_once_and_then_left_as_it_is() -> None:
    rig = PhaseRig([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.car.charger.needs_pause = True
    rig.choose("solar")
    rig.run(1100)
    assert rig.flows == [7, 7, 7]
    assert any("n'a pas changé de phases après" in each["why"] for each in rig.pilot.journal.entries())

    rig = PhaseRig([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.car.charger.car_phases = 1
    rig.choose("solar")
    rig.run(2400)
    assert rig.flows[0] >= 15
    assert rig.pilot.points["p"].rules.change.locked
    assert sum("ne change pas de phases" in each for each in rig.messages) == 1
    assert "plus d'essai" in rig.fact("phaseSwitching")


def test_immediate_charging_takes_three_phases_at_once_where_limits_allow() -> None:
    rig = PhaseRig([[0, 500]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(300)
    assert rig.car.opened == 1
    rig.choose("now")
    rig.run(60)
    assert rig.flows == [16, 16, 16]


def test_a_service_that_does_not_change_the_circuit_is_given_up() -> None:
    rig = PhaseRig([[0, 5600]], plugged=[[0, False], [100, True]])
    rig.choose("solar")
    rig.run(350)
    rig.circuit_obeys = False
    rig.run(600)
    rig.circuit_obeys = True
    rig.run(300)
    assert rig.flows[0] >= 6
    assert rig.fact("state") == "charging"


def test_changes_rest_between_each_other_and_the_last_of_a_day_leads_back_to_one_phase() -> None:
    change = PhaseChange()
    now = 0.0
    for number in range(MOST_CHANGES):
        up = number % 2 == 0
        assert change.wait(now, up=up) == 0
        change.begin(now)
        assert 0 < change.wait(now + 1, up=not up) <= REST_S or number >= MOST_CHANGES - 1
        now += REST_S
    assert change.wait(now, up=True) == float("inf")
    assert change.wait(now + 86400, up=True) == 0


def test_what_is_kept_survives_a_spoilt_disk() -> None:
    state = PointState.restore(
        {"phases": "x", "phase_changes": [1, "a", None, 3.0], "phases_locked": 1, "circuit_until": "z"}
    )
    assert (state.phases, state.phase_changes, state.phases_locked, state.circuit_until) == (0, [1.0, 3.0], False, 0.0)


def test_sentences_of_phases_are_put_into_the_users_language() -> None:
    rig = PhaseRig([[0, 5600]])
    rig.translate = Texts(ROOT / "core" / "i18n", "en_US")  # type: ignore[method-assign,assignment]
    rig.may = False
    rig.run(10)
    rig.choose("solar")
    rig.run(10)
    assert rig.fact("phaseSwitching") == "No change of phases: the charger's grid is IT, not TN"


SCENES = {
    "a stubborn car is paused once": (
        {"needsPause": True},
        [[0, 5600]],
        [(60, 7, 1), (90, 16, 1), (365, 7, 3), (430, 0, 3), (460, 7, 3)],
    ),
    "the sun fades": (
        {},
        [[0, 6000], [1200, 2500]],
        [(60, 7, 1), (90, 16, 1), (365, 7, 3), (1215, 6, 3), (1315, 7, 1)],
    ),
}


@pytest.mark.parametrize("name", SCENES)
def test_scenes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    more, solar, expected = SCENES[name]
    car = {"id": "car", "phases": 3, "maxA": 16, "carMaxA": 16, "switching": True, **more}
    Game({"seconds": 1500, "house": {"phases": 3}, "solar": solar, "base": [[0, 500]], "chargers": [car]}).play()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()][:-1]
    found = [(line["t"], line["amps"], line["phases"]) for line in lines]
    for at, amps, phases in expected:
        assert any(abs(t - at) <= 15 and (a, p) == (amps, phases) for t, a, p in found), found


@pytest.mark.parametrize("seed", [*range(2000 if FULL else 3), 143, 3084])
def test_a_random_day_keeps_what_is_promised(seed: int) -> None:
    check(seed)
