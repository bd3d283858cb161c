"""Power cuts, broken disks: what was kept is kept."""

from __future__ import annotations

import os
import random
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fire import FULL, amount
from tests.fire.crashes import Crashes
from tests.support.disk import fill, small_disk
from tests.support.process import Lab
from tests.support.waiting import until


def test_killed_at_any_moment_nothing_is_lost_or_doubled(lab: Lab) -> None:
    report = Crashes(lab, seed=3).run(amount(8, 200))
    print("\n".join(report.lines()))
    assert report.problems == []
    assert report.tokens > 10
    assert report.measures > 200


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 128 kB."""
    with small_disk(tmp_path / "disk", "128k,mode=755") as place:
        yield place


def test_a_disk_that_fills_up_costs_nothing_but_durability(lab: Lab, disk: Path) -> None:
    """Values go on; the connection says what is wrong; with room again what was meant to be kept is kept."""
    daemon = lab.daemon(datadir=disk / "data")
    daemon.configure(lab.connection("1", pollInterval=0.1), lab.connection("2", pollInterval=0.1, tokens=True))
    lab.reports.wait("token", 2)
    filler = fill(disk)
    until(lambda: daemon.state("2")["state"] == "error", what="an error told")
    assert "le disque est plein" in daemon.state("2")["lastError"]
    polls = len(lab.reports.of("poll", "1"))
    until(lambda: len(lab.reports.of("poll", "1")) > polls + 5)
    assert daemon.state("1")["state"] == "online"
    filler.unlink()
    daemon.result("refresh", connection="2")
    until(lambda: daemon.state("2")["state"] == "online")
    last = lab.reports.of("token")[-1]["number"]
    daemon.kill()
    again = lab.daemon(name="again", datadir=disk / "data")
    lab.reports.clear()
    again.configure(lab.connection("2", tokens=True))
    assert lab.reports.wait("token")[0]["number"] > last


def test_a_disk_that_is_full_at_the_start_is_told_to_the_user(lab: Lab, disk: Path) -> None:
    (disk / "data").mkdir()
    fill(disk)
    (disk / "data" / ".probe").touch()
    daemon = lab.launch(datadir=disk / "data")
    daemon.ready()
    daemon.configure(lab.connection("1"))
    message = lab.server.wait_events("message")[0]
    assert message["level"] == "error"
    assert "le disque est plein" in message["text"]
    lab.server.wait_for(lambda: lab.server.value("10", "power"))


def test_a_disk_on_which_every_write_fails(lab: Lab) -> None:
    daemon = lab.daemon()
    daemon.configure(lab.connection("1", pollInterval=0.1), lab.connection("2", pollInterval=0.1, tokens=True))
    lab.reports.wait("token", 2)
    before = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (0, before[1]))
    until(lambda: daemon.state("2")["state"] == "error", what="an error told")
    assert daemon.state("1")["state"] == "online"
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, before)
    daemon.result("refresh", connection="2")
    until(lambda: daemon.state("2")["state"] == "online")
    last = lab.reports.of("token")[-1]["number"]
    daemon.kill()
    again = lab.daemon(name="again", datadir=daemon.datadir)
    lab.reports.clear()
    again.configure(lab.connection("2", tokens=True))
    assert lab.reports.wait("token")[0]["number"] > last


def test_a_read_only_disk_at_the_start_is_said(lab: Lab, disk: Path) -> None:
    (disk / "data").mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    daemon = lab.launch(datadir=disk / "data")
    assert daemon.process.wait(15) == 2
    assert "Read-only" in daemon.errors


def test_a_store_cut_at_any_byte_is_opened_and_told(lab: Lab) -> None:
    """Of the daemon as a whole; the store by itself is cut at every byte in its own test."""
    first = lab.daemon()
    first.configure(lab.connection("1", tokens=True), lab.connection("2", tokens=True))
    lab.reports.wait("token", 2)
    first.stop()
    path = first.datadir / "store.sqlite"
    whole = path.read_bytes()
    generator = random.Random(2)
    sizes = range(1, len(whole), len(whole) // 300) if FULL else [1, 100, 4096, generator.randrange(len(whole))]
    for size in sizes:
        path.write_bytes(whole[:size])
        lab.reports.clear()
        told = len(lab.server.of("message"))
        daemon = lab.daemon(name=f"cut{size}", datadir=first.datadir)
        daemon.configure(lab.connection("1", tokens=True))
        lab.server.wait_events("message", told + 1)
        assert lab.reports.wait("token")[0]["number"] >= 2, "the copy beside it has the token"
        assert os.path.getsize(path) > 0
        assert daemon.stop() == 0
