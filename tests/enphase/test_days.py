"""Days of a simulated plant at accelerated time, through restarts, outages, a change of the clocks and a reset."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from jeedom_bridge.clock import ManualClock
from simulators.enphase import DaySource, EnphaseGateway, Fitted, Plant

from .harness import commands_of

PARIS = ZoneInfo("Europe/Paris")


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at("2026-03-27T20:00"))


def start(opened, bench, clock, plant, **fitted):
    gateway = opened(EnphaseGateway(DaySource(plant, fitted=Fitted(**fitted)), clock=clock.time))
    running = bench(gateway, clock=clock, commands=commands_of("combined", every=True), phases="tri", pollInterval=600)
    return running.start()


def until(running, text: str, step: float = 600.0) -> None:
    running.advance(at(text) - running.clock.time(), step)


def energy(plant: Plant, begin: str, end: str, meter: str = "net-consumption", part: int = 0, phase: int | None = None):
    """What really flowed between two moments."""
    before, after = plant.at(at(begin)), plant.at(at(end))
    phases = range(plant.phases) if phase is None else [phase - 1]
    return sum(after[meter][n][part] - before[meter][n][part] for n in phases)


def finals(running, day: str) -> dict[str, float]:
    """The last figure of each command for a day, as dated measures."""
    found = {}
    for event in running.of("history"):
        for when, value in event["points"]:
            if when.startswith(f"{day}T23:59:59"):
                found[event["command"]] = value
    return found


def test_import_and_export_of_every_day_are_exact_whatever_happens(opened, bench, clock):
    plant = Plant(clock.time, phases=3, seed=3)
    running = start(opened, bench, clock, plant)
    until(running, "2026-03-28T10:00")
    running.restart()
    until(running, "2026-03-28T23:30")
    running.gateway.set(consumption=900.0)  # what flows over an outage is split evenly
    until(running, "2026-03-28T23:40")
    running.ask("refresh")
    running.close()
    clock.advance(45 * 60)  # nobody reads over midnight
    running.restart()
    running.gateway.set(consumption=None)
    until(running, "2026-03-29T15:00")  # and at two it was three
    running.ask("refresh")  # what flows between a reading and a reset nobody knows
    running.gateway.fault("reset_index", "net-consumption")
    until(running, "2026-03-30T00:10")
    running.ask("refresh")
    for begin, end in (("2026-03-28T00:00", "2026-03-29T00:00"), ("2026-03-29T00:00", "2026-03-30T00:00")):
        told = finals(running, begin[:10])
        assert told["cumulimport"] == pytest.approx(energy(plant, begin, end), abs=2)
        assert told["cumulexport"] == pytest.approx(energy(plant, begin, end, part=1), abs=2)
        for n in (1, 2, 3):
            assert told[f"cumulimport{n}"] == pytest.approx(energy(plant, begin, end, phase=n), abs=2)
            assert told[f"cumulexport{n}"] == pytest.approx(energy(plant, begin, end, part=1, phase=n), abs=2)
        produced = energy(plant, begin, end, "production")
        assert told["PwattHoursToday"] == pytest.approx(produced, abs=2)
        total = energy(plant, begin, end, "total-consumption") - energy(plant, begin, end, "total-consumption", 1)
        assert told["CwattHoursToday"] == pytest.approx(total, abs=3)
        balance = energy(plant, begin, end) - energy(plant, begin, end, part=1)
        assert told["CwattHoursTodayNet"] == pytest.approx(balance, abs=3)
    assert at("2026-03-30T00:00") - at("2026-03-29T00:00") == 23 * 3600
    assert running.values()["cumulimport"] == pytest.approx(
        energy(plant, "2026-03-30T00:00", "2026-03-30T00:10"), abs=2
    )
    assert running.gateway.max_in_flight == 1


def test_a_total_meter_gives_estimates_of_import_and_export(opened, bench, clock):
    clock.advance(at("2026-03-28T00:00") - clock.time() - 60)
    plant = Plant(clock.time, phases=1, seed=3)
    running = start(opened, bench, clock, plant, consumption="total-consumption")
    running.configure(pollInterval=30)
    running.settle()
    until(running, "2026-03-28T01:00", 30)
    values = running.values()
    assert "indexcumulimport" not in values
    begin, end = "2026-03-28T00:00", "2026-03-28T01:00"
    assert values["cumulimport"] == pytest.approx(energy(plant, begin, end), rel=0.1, abs=5)
    assert values["cumulexport"] == 0
    assert values["CwattHoursToday"] == pytest.approx(energy(plant, begin, end, "total-consumption"), rel=0.02, abs=5)


def test_figures_of_a_day_that_jeedom_did_not_take_are_sent_again(opened, bench, clock):
    plant = Plant(clock.time, phases=1, seed=3)
    running = start(opened, bench, clock, plant)
    until(running, "2026-03-27T23:57")
    taken, drain = [], running.drain

    def refusing() -> None:
        while (batch := running.outbox.take(everything=True)) is not None:
            taken.extend(part for part in batch.parts if '"history"' in part)
            running.outbox.acknowledged(
                batch, {"ok": True, "unknown": ["2"] if '"history"' in "".join(batch.parts) else []}
            )

    running.drain = refusing
    until(running, "2026-03-28T00:10", 60)
    assert taken
    running.drain = drain
    running.configure()  # Jeedom knows the equipment again
    running.settle()
    running.restart()
    until(running, "2026-03-28T00:20", 60)
    assert finals(running, "2026-03-27")["PwattHoursToday"] > 0


def test_a_reboot_of_ten_minutes_loses_and_invents_nothing(opened, bench, clock):
    clock.advance(at("2026-03-28T11:00") - clock.time() - 10)
    plant = Plant(clock.time, phases=1, seed=3)
    running = start(opened, bench, clock, plant)
    running.configure(pollInterval=10)
    running.settle()
    until(running, "2026-03-28T11:30", 30)
    before = running.values()
    running.gateway.fault("status", value=503)
    running.advance(600, 30)
    running.gateway.clear()
    running.gateway.fault("zeros")
    running.advance(180, 30)
    running.gateway.clear()
    running.forget_events()
    until(running, "2026-03-28T12:00", 30)
    after = {**before, **running.values()}
    begin, end = "2026-03-28T11:30", "2026-03-28T12:00"
    flowed = {
        "cumulimport": energy(plant, begin, end),
        "cumulexport": energy(plant, begin, end, part=1),
        "PwattHoursToday": energy(plant, begin, end, "production"),
    }
    for name, wanted in flowed.items():
        assert after[name] - before[name] == pytest.approx(wanted, abs=10), name  # one poll at each end
    assert len(running.messages) <= 1
    assert running.last_state["state"] == "online"
