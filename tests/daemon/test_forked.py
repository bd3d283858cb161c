"""A daemon that is forked is what one that Python has started is."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.process import DaemonProcess, Lab
from tests.support.waiting import until


def _open_files(daemon: DaemonProcess) -> list[str]:
    """What its descriptors are, without the numbers of sockets and pipes; its inputs differ by how tests are run."""
    folder = Path(f"/proc/{daemon.process.pid}/fd")
    found = []
    for each in os.listdir(folder):
        with suppress(FileNotFoundError):  # closed since the folder was listed
            found += [os.readlink(folder / each).partition(":")[0]] if each != "0" else []
    return sorted(each.replace(str(daemon.pid.parent), "") for each in found)


@pytest.mark.parametrize("cold", [False, True])
def test_how_it_has_ended_is_known(lab: Lab, cold: bool) -> None:
    ended = lab.daemon(name="ended", cold=cold)
    assert ended.process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        ended.process.wait(0.01)
    assert ended.stop() == 0
    assert ended.process.poll() == ended.process.wait(0) == ended.process.returncode == 0
    ended.kill()  # nothing happens
    killed = lab.daemon(name="killed", cold=cold)
    killed.kill()
    assert killed.process.poll() == -signal.SIGKILL
    refused = lab.launch("--unknown", name="refused", cold=cold)
    assert refused.process.wait(30) == 2
    assert refused.errors.count("\n") == 1


def test_it_has_the_same_open_files(lab: Lab) -> None:
    started, *forked = (lab.daemon(name=name, cold=name == "started") for name in ("started", "forked", "second"))
    for each in forked:  # connections of ours and to Jeedom take a moment to end
        until(lambda each=each: _open_files(each) == _open_files(started))
