"""The daemon is killed at each of its steps outwards: what it has sent is nobody's take-over, and nothing is lost.

A step is something kept or something sent. It dies before the step, or after it when a command is on its way.
"""

from __future__ import annotations

from itertools import groupby
from typing import Any, Callable, Optional

import pytest
from jeenergied.energy.control.journal import Journal
from jeenergied.energy.control.pilot import KEY
from jeenergied.energy.control.settings import LoadConfig, PointSettings

from tests.fire import FULL

from .test_pilot import CAR, Rig, Sent

AWAY_S = 7
LATE = [0, 40]


class Killed(Exception):
    """By `kill -9`."""


class Mortal(Rig):
    """Dies once, at step number `dies_at`; `steps` counts them."""

    settings = PointSettings("p", CAR, "Borne", guard=True)

    def __init__(self, solar: list[list[float]], dies_at: Optional[int] = None, late: int = 0, **more: Any) -> None:
        self.steps, self.dies_at, self.acted_at = 0, None, 0
        super().__init__(solar, **more)
        self.late, self.dies_at = late, dies_at
        self.died: Optional[int] = None
        keep = self.memory.keep

        def kept(key: str, value: Any) -> bool:
            if key == KEY:
                self._step()
            return keep(key, value)

        self.memory.keep = kept  # type: ignore[method-assign]

    def _step(self) -> None:
        self.steps += 1
        if self.died is None and self.steps == self.dies_at:
            self.died = self.second
            raise Killed

    def begin(self, equipment: str, capability: str, value: float | None = None) -> Sent:
        self._step()
        sent = super().begin(equipment, capability, value)
        self._step()
        return sent

    def want(self, load: str, state: str) -> None:
        self._step()
        super().want(load, state)
        self._step()

    def _survive(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Killed:
            self.restart(AWAY_S)

    def look(self) -> None:
        self._survive(super().look)

    def live(self, until: int, acts: dict[int, Callable[[], Any]], step: int = 5) -> None:
        """The user acts at these seconds; who is killed before he has answered is asked again."""
        while self.second < until:
            due = [at for at in sorted(acts) if at <= self.second]
            for at in due:
                act, self.acted_at = acts.pop(at), self.second
                try:
                    act()
                except Killed:
                    self.restart(AWAY_S)
                    acts[self.second] = act
            if self.second % step == 0:
                self.look()
            self._physics()

    def chosen(self, mode: str) -> Callable[[], bool]:
        return lambda: self.pilot.choose("p", mode, self.now_of(self.second), float(self.second))


def each_death(life: Callable[[Optional[int]], Mortal]) -> None:
    """Lives without a death, and once with a death at each step."""
    steps = life(None).steps
    assert steps > 5, steps
    for dies_at in range(1, steps + 1, 1 if FULL else 2):
        rig = life(dies_at)
        states = [rig.facts["p"]["point.state"], *(each["decision"] for each in rig.pilot.journal.entries())]
        assert "takenOver" not in states, (dies_at, rig.died, rig.amps())
        begun = [at for at, amps in rig.amps() if amps and rig.died is not None and 0 < at - rig.died - AWAY_S < 30]
        wanted = rig.acted_at >= (rig.died or 0) or rig.facts["p"]["point.mode"] in ("now", "free")
        assert wanted or not begun, (
            dies_at,
            rig.died,
            rig.amps(),
        )


def raised_and_lowered(dies_at: Optional[int], late: int) -> Mortal:
    rig = Mortal([[0, 0], [30, 3000], [200, 5000], [300, 2500]], dies_at, late)
    rig.live(640, {5: rig.chosen("solar")})
    return rig


@pytest.mark.parametrize("late", LATE)
def test_at_a_start_a_raise_and_a_fall_nobody_takes_over(late: int) -> None:
    each_death(lambda dies_at: raised_and_lowered(dies_at, late))


@pytest.mark.parametrize("late", LATE)
def test_at_a_start_a_raise_and_a_fall_the_charge_is_what_there_is(late: int) -> None:
    def life(dies_at: Optional[int]) -> Mortal:
        rig = raised_and_lowered(dies_at, late)
        assert 6 <= rig.car.limit <= 8, (dies_at, rig.died, rig.amps())
        return rig

    each_death(life)


@pytest.mark.parametrize("late", LATE)
def test_at_a_pause_and_a_charge_at_once(late: int) -> None:
    def life(dies_at: Optional[int]) -> Mortal:
        rig = Mortal([[0, 3000]], dies_at, late)
        rig.live(300, {5: rig.chosen("now"), 60: rig.chosen("off"), 120: rig.chosen("now")})
        assert rig.car.limit == 32, (dies_at, rig.died, rig.amps())
        return rig

    each_death(life)


@pytest.mark.parametrize("late", [0, 8])
def test_at_a_limit_that_takes_and_gives_back(late: int) -> None:
    def life(dies_at: Optional[int]) -> Mortal:
        base = [[0, 4000], [60, 6500], [120, 4000]]
        rig = Mortal([[0, 0]], dies_at, late, base=base, subscribed=9000)
        rig.live(320, {5: rig.chosen("now")})
        assert rig.car.limit == 19, (dies_at, rig.died, rig.amps())
        return rig

    each_death(life)


@pytest.mark.parametrize("late", LATE)
def test_at_the_end_of_control(late: int) -> None:
    """The charger gets its limit back, and no limit of the circuit is left that ends by itself."""

    def life(dies_at: Optional[int]) -> Mortal:
        rig = Mortal([[0, 0]], dies_at, late)
        rig.live(300, {5: rig.chosen("off"), 100: rig.chosen("free")})
        assert rig.car.limit == 32, (dies_at, rig.died, rig.amps())
        circuit = [capability for _, _, capability, _ in rig.sent if capability.startswith("circuit.")]
        assert circuit[-1] == "circuit.current", (dies_at, rig.died, rig.sent)
        return rig

    each_death(life)


def test_what_is_given_back_is_asked_for_until_it_is_shown() -> None:
    rig = Mortal([[0, 0]])
    rig.live(150, {5: rig.chosen("off")})
    rig.obeys = False
    rig.live(300, {150: rig.chosen("free")})
    assert rig.car.limit == 0
    rig.obeys = True
    rig.live(900, {})
    assert rig.car.limit == 32
    sent = len(rig.sent)
    rig.car.set(rig.second, 10, 1)
    rig.live(1500, {})
    assert (rig.car.limit, len(rig.sent)) == (10, sent), "then it is the user's"


def test_the_user_in_the_app_comes_before_what_is_given_back() -> None:
    rig = Mortal([[0, 0]])
    rig.live(150, {5: rig.chosen("off")})
    rig.obeys = False
    rig.live(200, {150: rig.chosen("free")})
    rig.car.set(rig.second, 10, 1)
    rig.obeys = True
    rig.live(900, {})
    assert rig.car.limit == 10


@pytest.mark.parametrize("relay", ["40", ""])
def test_a_load_that_runs_from_the_sun_runs_on(relay: str) -> None:
    rig = Mortal([[0, 5000]], plugged=[[0, False]], loads=[LoadConfig("b", relay, "Ballon", power=2000)])
    rig.live(150, {0: lambda: rig.pilot.choose("b", "auto", rig.now_of(rig.second), float(rig.second))})
    rig.restart(AWAY_S)
    rig.live(1200, {})
    assert [capability for _, _, capability, _ in rig.sent if "ff" in capability] == []
    assert rig.house.on["b"] is True


def test_at_the_switching_of_a_load_without_a_state_of_its_own() -> None:
    boiler = LoadConfig("b", "", "Ballon", power=2000, least_on_s=60)

    def life(dies_at: Optional[int]) -> Mortal:
        rig = Mortal([[0, 0], [30, 5000], [400, 0]], dies_at, plugged=[[0, False]], loads=[boiler])
        rig.live(390, {0: lambda: rig.pilot.choose("b", "auto", rig.now_of(rig.second), float(rig.second))})
        assert rig.house.on["b"] is True, (dies_at, rig.died, rig.sent)
        rig.live(900, {})
        assert rig.house.on["b"] is False, (dies_at, rig.died, rig.sent)
        return rig

    steps = life(None).steps
    for dies_at in range(1, steps + 1):
        life(dies_at)


def test_who_is_killed_after_a_decision_can_still_say_why() -> None:
    rig = Mortal([[0, 4000], [900, 100], [2400, 4000]])
    rig.pilot.choose("p", "solar", rig.now_of(0), 0.0)
    assert [each["decision"] for each in Journal(rig.memory).entries()] == ["solar"]
    for second in range(5, 3600, 5):
        rig.live(second, {})
        assert Journal(rig.memory).entries() == rig.pilot.journal.entries(), second
    amps = [each["decision"][0] for each in rig.pilot.journal.entries() if " A × " in each["decision"]]
    assert [stops for stops, _ in groupby(amps, lambda first: first == "0")] == [False, True, False]
    full, rig.memory.keep = rig.memory.keep, lambda key, value: False  # type: ignore[method-assign]
    rig.pilot.choose("p", "off", rig.now_of(3600), 3600.0)
    rig.live(3630, {})
    decided = rig.pilot.journal.entries()
    rig.memory.keep = full  # type: ignore[method-assign]
    assert Journal(rig.memory).entries() != decided
    rig.live(3632, {})  # the disk has room again
    assert Journal(rig.memory).entries() == rig.pilot.journal.entries() == decided
