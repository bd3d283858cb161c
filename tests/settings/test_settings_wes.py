"""WES: ports and the poll interval; the least time between two values of a command, which all backends have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Callable
from zoneinfo import ZoneInfo

import pytest
from jeenergied.devices.wes import cgx

from jeedom_bridge.clock import ManualClock
from simulators.wes.life import Life, furnished
from simulators.wes.server import WesServer

from .fields import CONTRACT, FIELDS, walk
from .hour import Hour, forward

COVERED = {"wes connection pollInterval", "wes connection port", "wes connection ftpPort", "common commands cadence"}
START = datetime(2026, 3, 10, 14, 0, tzinfo=ZoneInfo("Europe/Paris")).timestamp()
Make = Callable[..., Hour]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(START)


@pytest.fixture
def wes(clock: ManualClock) -> Iterator[WesServer]:
    """A WES whose power moves every few minutes and whose indexes grow."""
    box = furnished()
    with WesServer(box, life=Life(box, clock.time)) as running:
        running.files.update(cgx.files())
        yield running


@pytest.fixture
def hour(tmp_path: Path, clock: ManualClock, wes: WesServer) -> Make:
    def make(commands: Any = None, **config: Any) -> Hour:
        rows = CONTRACT.catalogues["wes"].rows("teleinfo", {"tarification": "BBRH"}, {"jeedomCgx": True})
        wanted = {row.logical_id: {} for row in rows} if commands is None else commands
        meter = {"id": "2", "type": "teleinfo", "key": "1", "name": "Maison", "config": {"tarification": "BBRH"}}
        settings = {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": "wes", "jeedomCgx": True}
        settings.update({"ftpUser": "adminftp", "ftpPassword": "wesftp", "ftpPort": wes.ftp.port, **config})
        head = {"id": "1", "backend": "wes", "name": "Garage", "config": settings, "commands": {"status": {}}}
        return Hour(tmp_path, clock, {**head, "equipment": [{**meter, "commands": wanted}]})

    return make


@pytest.mark.parametrize("seconds", walk("wes connection pollInterval"))
def test_an_hour_at_each_poll_interval(hour: Make, wes: WesServer, clock: ManualClock, seconds: int) -> None:
    tic = wes.box.tics[0]
    with hour(pollInterval=seconds) as running:
        first = running.value("2", "PAP")
        before = dict(tic.indexes)
        # Nine hundred polls say as much as an hour of them; of the longest interval two fit in two hours.
        running.live(900 if seconds == 1 else max(3600, 2 * seconds + 100))
        assert set(running.states) <= {"connecting", "online"}
        assert running.value("2", "PAP") != first
        assert running.age("2", "PAP") <= seconds + 60
        running.live(seconds)  # the box has moved on at the last poll only
        assert running.value("2", "PAP") == tic.power
        grown = {name: index for name, index in tic.indexes.items() if index != before.get(name)}
        assert grown
        for name, index in grown.items():  # sent once a minute at most: 3 kW of a minute may be on their way
            assert running.value("2", name) == pytest.approx(index / 1000, abs=0.05)
        assert len(wes.requests) <= 2 * (clock.time() - START) / seconds + 5


@pytest.mark.parametrize("port", walk("wes connection port"))
def test_each_port_is_the_one_that_is_asked(
    hour: Make, wes: WesServer, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    asked = forward(monkeypatch, {port: wes.port})
    with hour(port=port) as running:
        running.live(60)
        assert set(asked) == {port}
        assert running.value("2", "PAP") == wes.box.tics[0].power


@pytest.mark.parametrize("port", walk("wes connection ftpPort"))
def test_each_port_for_files_is_the_one_that_is_asked(
    hour: Make, wes: WesServer, monkeypatch: pytest.MonkeyPatch, port: int
) -> None:
    assert wes.ftp.port
    asked = forward(monkeypatch, {port: wes.ftp.port})
    with hour(ftpPort=port) as running:
        device = running.runner.device
        future = running.runner.call(lambda: device.run("sendCgx", {}))
        running.settle()
        assert "envoyé" in future.result(30)
        assert port in asked


@pytest.mark.parametrize("seconds", [*walk("common commands cadence"), 30])
def test_an_hour_at_each_least_time_between_two_values(
    hour: Make, wes: WesServer, clock: ManualClock, seconds: int
) -> None:
    with hour(commands={"PAP": {"cadence": seconds}, "PTEC": {}}, pollInterval=10) as running:
        running.live(3700)
        sent = running.seen[("2", "PAP")]
        assert 2 <= len(sent) <= (3700 / seconds + 2 if seconds else 3700)
        assert running.age("2", "PAP") <= max(seconds, 10) + 60
        if seconds <= 30:
            assert len(sent) > 50


def test_the_fields_are_those_of_the_catalogue() -> None:
    assert {name for name in FIELDS if name.split()[0] in ("wes", "common")} == COVERED
