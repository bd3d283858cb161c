"""A connection that has worked may fail for a moment before that is reported, also after a restart of the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.devices.base import Connection, DeviceError, RateLimited, Unreachable
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store
from jeedom_bridge.worker import Job
from tests.daemon.test_daemon_freshness import CATALOGUE, CONNECTION, ROOT, Quiet, sent


class Patient(Quiet):
    grace = 600.0


class Life:
    """Lives of one connection, one after the other."""

    def __init__(self, folder: Path) -> None:
        self.clock = ManualClock()
        self.store = Store(folder / "store.sqlite")
        texts = Texts(ROOT / "core" / "i18n")
        self.shared = Services(self.clock, Outbox(self.clock), self.store, Masker(), texts, Board(self.clock))
        self.begin()

    def begin(self, connection: Connection = CONNECTION) -> None:
        self.runner = Runner(connection, Patient, CATALOGUE, self.shared)
        self.job = Job(self.runner.worker, "poll", 60.0, lambda: None)

    def fail(self, error: DeviceError) -> list[str]:
        """One poll fails; the states that Jeedom gets."""
        self.runner._job_failed(self.job, error)
        return [each["state"] for each in sent(self.runner) if each["event"] == "connection"]


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    made = Life(tmp_path)
    yield made
    made.store.close()


def test_a_new_connection_that_fails_is_reported_at_once(life: Life) -> None:
    assert life.fail(Unreachable("Injoignable")) == ["unreachable"]


def test_one_that_has_worked_may_fail_for_a_moment_also_after_a_restart(life: Life) -> None:
    life.runner.context.online()
    sent(life.runner)
    assert life.fail(Unreachable("Injoignable")) == []
    life.begin()
    assert life.fail(Unreachable("Injoignable")) == []
    life.clock.advance(601)
    assert life.fail(Unreachable("Injoignable")) == ["unreachable"]


def test_other_settings_have_not_worked_yet(life: Life) -> None:
    life.runner.context.online()
    sent(life.runner)
    life.begin(replace(CONNECTION, config={"pollInterval": 61}))
    assert life.fail(Unreachable("Injoignable")) == ["unreachable"]


def test_a_connection_that_waits_may_fail_for_a_moment(life: Life) -> None:
    life.runner.context.online()
    sent(life.runner)
    assert life.fail(RateLimited("Attendre", retry=100)) == ["waiting"]
    life.clock.advance(100)
    assert life.fail(Unreachable("Injoignable")) == []
    life.clock.advance(81)
    assert life.fail(Unreachable("Injoignable")) == ["unreachable"]


@pytest.mark.parametrize(("interval", "grace"), [(1, 30), (10, 30), (60, 180), (3600, 600)])
def test_online_means_data_within_three_intervals_and_half_a_minute_at_least(
    life: Life, interval: int, grace: int
) -> None:
    life.begin(replace(CONNECTION, config={"pollInterval": interval}))
    life.runner.context.online()
    sent(life.runner)
    assert life.fail(Unreachable("Injoignable")) == []
    life.clock.advance(grace - 1)
    life.runner.health.look()
    assert states(life) == []
    life.clock.advance(1)
    life.runner.health.look()  # nothing is tried meanwhile
    assert states(life) == ["unreachable"]


def test_the_interval_between_the_newest_data_and_the_first_failure_counts(life: Life) -> None:
    life.begin(replace(CONNECTION, config={"pollInterval": 60}))
    life.runner.context.online()
    sent(life.runner)
    life.clock.advance(60)
    assert life.fail(Unreachable("Injoignable")) == []
    life.clock.advance(119)
    life.runner.health.look()
    assert states(life) == []
    life.clock.advance(1)
    life.runner.health.look()
    assert states(life) == ["unreachable"]


def test_a_pause_without_tries_does_not(life: Life) -> None:
    life.begin(replace(CONNECTION, config={"pollInterval": 60}))
    life.runner.context.online()
    sent(life.runner)
    life.clock.advance(7200)
    assert life.fail(Unreachable("Injoignable")) == []
    life.clock.advance(119)
    life.runner.health.look()
    assert states(life) == []


def fail_at(life: Life, monkeypatch: pytest.MonkeyPatch, minute: int, second: int) -> None:
    """A try after 23:00 fails, in a system that pauses until 23:15."""
    monkeypatch.setattr(Patient, "daily_pause", (time(23), time(23, 15)))
    now = datetime.fromtimestamp(life.clock.time(), ZoneInfo("Europe/Paris"))
    life.clock.advance((now.replace(hour=23, minute=minute, second=second) - now).total_seconds() % 86400)
    life.begin(replace(CONNECTION, config={"pollInterval": 1}))
    life.runner.context.online()
    sent(life.runner)
    assert life.fail(Unreachable("Injoignable")) == []


def test_in_the_daily_pause_of_such_systems_all_of_their_grace_counts(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(life, monkeypatch, minute=0, second=1)
    life.clock.advance(180)
    life.runner._look()
    assert states(life) == []
    life.clock.advance(421)
    life.runner._look()
    assert states(life) == []  # the next try may find it back
    assert life.fail(Unreachable("Injoignable")) == ["unreachable"]


def test_a_failure_kept_back_in_the_daily_pause_is_reported_when_that_is_over(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_at(life, monkeypatch, minute=14, second=0)
    life.clock.advance(61)
    life.runner._look()  # nothing is tried meanwhile
    assert states(life) == ["unreachable"]


def test_a_refresh_that_fails_is_the_state_at_once(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    def refresh() -> None:
        raise Unreachable("Injoignable")

    life.runner.context.online()
    sent(life.runner)
    monkeypatch.setattr(life.runner.device, "refresh", refresh)
    with pytest.raises(Unreachable):
        life.runner.refresh()
    assert states(life) == ["unreachable"]
    life.runner.context.online()
    assert states(life) == ["online"]


def states(life: Life) -> list[str]:
    return [each["state"] for each in sent(life.runner) if each["event"] == "connection"]
