"""Enphase: port, poll interval, and the numbers of a self-consumption stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Callable

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Fitted, Plant
from tests.enphase.harness import Bench, commands_of
from tests.support.clocks import noon

from .fields import FIELDS, walk
from .hour import forward

STAGE = ("onAbove", "offBelow", "delay", "leastOn", "leastOff", "offAfter")
COVERED = {"enphase connection port", "enphase connection pollInterval", *(f"enphase stage {name}" for name in STAGE)}
COMMANDS = {"onCommand": "#1#", "offCommand": "#2#"}
Make = Callable[..., Bench]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A bench and its gateway, whose house draws 3 kW of the grid and whose panels give nothing."""
    with ExitStack() as stack:

        def make(meter: str = "net-consumption", **config: Any) -> Bench:
            clock = ManualClock(noon())
            source = DaySource(Plant(clock.time), fitted=Fitted(consumption=meter))
            gateway = stack.enter_context(EnphaseGateway(source, clock=clock.time))
            gateway.set(production=[0], consumption=[3000])
            wanted = commands_of("combined", every=True)
            made: Bench = stack.enter_context(Bench(tmp_path, gateway, clock=clock, commands=wanted, **config))
            return made

        yield make


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("meter", ["net-consumption", "total-consumption"])
@pytest.mark.parametrize("seconds", [*walk("enphase connection pollInterval"), 300, 301, 600])
def test_what_is_drawn_of_the_grid_is_counted_at_each_poll_interval(
    make: Make, seconds: int, meter: str, late: bool
) -> None:
    """A transformer on the house's consumption has no index of the grid: that energy is made of powers.

    `late`: the moments of the polls do not meet the interval, as answers of a busy gateway do.
    """
    running = make(meter, pollInterval=seconds).start()
    begun = running.clock.time()
    running.advance(300 if seconds == 1 else max(3600, 3 * seconds), seconds if not late else min(seconds, 60) * 0.7)
    lived = running.clock.time() - begun
    values = running.values()
    assert values["CwattsNowNet"] == pytest.approx(3000, abs=5)
    drawn = 3000 * lived / 3600
    one_poll = 3000 * (2 * seconds + 10) / 3600
    assert drawn - one_poll <= values["cumulimport"] <= drawn + 10
    assert values["cumulexport"] == 0
    running.gateway.set(production=[5000])
    running.advance(2 * seconds + 5, min(seconds, 60))
    assert running.values()["CwattsNowNet"] == pytest.approx(-2000, abs=5)
    assert running.states[-1] == "online"


@pytest.mark.parametrize("port", walk("enphase connection port"))
def test_each_port_is_the_one_that_is_asked(make: Make, monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    running = make()
    asked = forward(monkeypatch, {port: running.gateway.port})
    running.config["port"] = port
    running.start().advance(120, 30)
    assert set(asked) == {port}
    assert running.values()["CwattsNowNet"] == pytest.approx(3000, abs=5)


class Surplus:
    """A stage whose surplus a test sets, in W; what lasts a day is read every ten minutes."""

    def __init__(self, make: Make, lasts: float = 0.0, **config: Any) -> None:
        self.poll = 60.0 if lasts <= 7200 else 600.0
        limits = {"onAbove": 1000, "offBelow": 200, **config}
        self.running = make(pollInterval=self.poll)
        self.running.equip("31", "stage", "Ballon", **limits, **COMMANDS)
        self.set(-3000)
        self.running.start()

    def set(self, watts: int) -> None:
        self.running.gateway.set(production=[0], consumption=[0])
        self.running.gateway.set(**{"production" if watts > 0 else "consumption": [abs(watts)]})

    def after(self, seconds: float) -> bool:
        """Whether it is on, so many seconds later (and a poll)."""
        self.running.advance(seconds + self.poll, self.poll)
        return bool(self.running.values("31")["autoconso"])

    def before(self, seconds: float) -> bool:
        """Whether it is on, a little before so many seconds have passed."""
        return self.after(seconds - 4 * self.poll)


def test_the_surplus_to_switch_on_at(make: Make) -> None:
    """At its least it is on while the house draws 3 kW; at its most no roof reaches it."""
    for watts, on in zip(walk("enphase stage onAbove"), (True, False)):
        stage = Surplus(make, onAbove=watts, offBelow=watts - 1000 if watts < 0 else 0)
        stage.set(9000 if watts > 0 else -3000)
        assert stage.after(3600) is on, watts
        stage.running.close()


def test_the_surplus_to_switch_off_at(make: Make) -> None:
    """At its least it stays on whatever the house draws; at its most it is off on a day of full sun."""
    least, most = walk("enphase stage offBelow")
    stage = Surplus(make, onAbove=1000, offBelow=least)
    stage.set(9000)
    assert stage.after(60)
    stage.set(-9000)
    assert stage.after(3600)
    stage.running.close()
    stage = Surplus(make, onAbove=most + 1, offBelow=most)
    stage.set(9000)
    assert not stage.after(3600)


@pytest.mark.parametrize("seconds", walk("enphase stage delay"))
def test_how_long_the_surplus_must_last(make: Make, seconds: int) -> None:
    stage = Surplus(make, delay=seconds)
    for watts in (9000, -3000):
        stage.set(watts)
        if seconds:
            assert stage.before(seconds) is (watts < 0)
        assert stage.after(300) is (watts > 0)


@pytest.mark.parametrize("seconds", walk("enphase stage leastOn"))
def test_how_long_it_stays_on_at_least(make: Make, seconds: int) -> None:
    stage = Surplus(make, seconds, leastOn=seconds)
    stage.set(9000)
    assert stage.after(0)
    stage.set(-3000)
    if seconds:
        assert stage.before(seconds)
    assert not stage.after(4 * stage.poll)


@pytest.mark.parametrize("seconds", walk("enphase stage leastOff"))
def test_how_long_it_stays_off_at_least(make: Make, seconds: int) -> None:
    stage = Surplus(make, seconds, leastOff=seconds)
    stage.set(9000)
    assert stage.after(0)
    stage.set(-3000)
    assert not stage.after(0)
    stage.set(9000)
    if seconds:
        assert not stage.before(seconds)
    assert stage.after(4 * stage.poll)


@pytest.mark.parametrize("minutes", walk("enphase stage offAfter"))
def test_how_long_it_stays_on_without_data(make: Make, minutes: int) -> None:
    stage = Surplus(make, 60 * minutes, offAfter=minutes)
    stage.set(9000)
    assert stage.after(0)
    stage.running.gateway.fault("drop")
    if not minutes:
        assert stage.after(2 * 3600)
        return
    assert stage.before(60 * minutes)
    assert not stage.after(6 * stage.poll)


def test_the_fields_are_those_of_the_catalogue() -> None:
    assert {name for name in FIELDS if name.startswith("enphase ")} == COVERED
