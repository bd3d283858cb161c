"""Killed at each step, and with a store that fails: no second login, no block forgotten, no session mixed up.

The long form, every step, is run with JEENERGIE_FIRE=full.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jeenergied.devices.base import Connection, Equipment

from jeedom_bridge.clock import ManualClock
from simulators.easee import Account, EaseeCloud
from tests.easee.conftest import FIRST, PASSWORD, USER, in_memory
from tests.support.crashing import CONTRACT, FULL, Killed, Life, Steps, wrong_after_failures, wrong_after_kills

STRIDE = 1 if FULL else 19
"""Every so many steps one life ends; the long form tries all."""
BEGIN = 1_790_000_000.0
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
TOKENS = ("/accounts/login", "/accounts/refresh_token")
FREE, CHARGING = 1, 3
"""Operation modes: no car, charging."""
MODE, LIFETIME = 109, 124


class EaseeLife(Life):
    """Every request of every life is two steps, named by its path."""

    def _watch_requests(self) -> None:
        cloud = self.device._account.cloud
        send = cloud._send

        def stepping(method: str, url: str, *more: Any) -> Any:
            path = url.partition("/api")[2] or url
            self.steps.step(f"ask {path}")
            answer = send(method, url, *more)
            self.steps.step(f"answered {answer.status} {path}")
            return answer

        cloud._send = stepping


def began(folder: Path, clock: ManualClock, cloud: EaseeCloud, steps: Steps, password: str = PASSWORD) -> EaseeLife:
    config = {"user": USER, "password": password, "apiUrl": cloud.url, "streamUrl": cloud.stream_url}
    catalogue = CONTRACT.catalogues["easee"]
    commands = {row.logical_id: {} for row in catalogue.all_rows("charger")}
    charger = Equipment("2", "charger", FIRST, "Borne", {}, commands)
    settings = catalogue.settings(config)
    return EaseeLife(folder, clock, Connection("1", "easee", "Compte", settings, {}, (charger,)), ("", ""), steps)


def unwritten(steps: Steps, *paths: str, status: str = "") -> int:
    """1 if the process ended, or the store failed, after such a request had left and before its outcome was written.

    What came back is lost then, and no program could know it: it is asked for once more.
    """
    if steps.fail_from is not None:
        return 1
    if steps.kill_at is None:
        return 0
    done = steps.done[: steps.kill_at + 1]
    asked = [n for n, what in enumerate(done) if what.startswith("ask ") and any(what.endswith(path) for path in paths)]
    if status:
        asked = [n for n, what in enumerate(done) if what.startswith(f"answered {status}")]
    return int(bool(asked) and "written" not in done[asked[-1] :])


def timed(clock: ManualClock) -> EaseeCloud:
    """A cloud with one charger on that time."""
    return EaseeCloud([Account(USER, PASSWORD, (FIRST,))], clock=clock.time, wall=clock.time, life=False)


def lived(folder: Path, steps: Steps) -> list[str]:
    """A login, a renewal, a charging session and a block of a day; what is wrong afterwards."""
    clock = ManualClock(BEGIN)
    wrong = []
    with timed(clock) as cloud, in_memory(cloud):
        cloud.fault("status", "/negotiate", 404)
        charger = cloud.chargers[FIRST]
        charger.command_mode = "nothing"
        charger.set(MODE, FREE)
        charger.set(LIFETIME, 100.0)
        steps.counting = True
        life = began(folder, clock, cloud, steps)
        life.live(10 * MINUTE)
        charger.set(MODE, CHARGING)
        begun = clock.time()
        life.live(46 * MINUTE)  # the token is renewed
        charger.set(LIFETIME, 104.0)
        life.attempt(lambda: act(life, 16))
        life.live(3 * MINUTE)
        if cloud.accounts.refreshes < 1:
            wrong.append("no token was renewed")
        cloud.block(DAY)
        before, ends = len(cloud.requests), clock.time() + DAY
        life.live(10 * MINUTE)
        steps.counting = False
        life.attempt(killed)  # nothing is sent nor written during a block: there are no steps in it
        life.live(20 * MINUTE)
        clock.advance(ends - clock.time() - HOUR)
        life.live(50 * MINUTE)
        asked = [seen for seen in cloud.requests[before:] if seen.path != "/negotiate"]
        if len(asked) > 1 + unwritten(steps, status="429"):
            wrong.append(f"{len(asked)} requests during a block")
        life.live(2 * HOUR)
        life.attempt(lambda: act(life, 20))
        sent = [body for _, path, body in cloud.commands if path.endswith("dynamicCurrent") or "ircuit" in path]
        if not sent:
            wrong.append(f"no command after all: {cloud.commands}")
        if cloud.accounts.logins > 1 + unwritten(steps, *TOKENS):
            wrong.append(f"{cloud.accounts.logins} logins")
        wrong += kept(life, begun, never_written(steps))
        life.close()
    return wrong


def killed() -> None:
    raise Killed


def act(life: Life, amps: int) -> None:
    life.device.act(life.device.connection.equipment[0], "setDynamicCircuitCurrent", {"slider": amps})


def never_written(steps: Steps) -> bool:
    """Whether the store failed from some step on until the process was killed."""
    return steps.fail_from is not None and steps.kill_at is not None and "written" not in steps.done[steps.fail_from :]


def kept(life: Life, begun: float, lost: bool) -> list[str]:
    """What is wrong with the charger's session and meter. `lost`: its start need not be known."""
    charger = life.device._fleet.get(FIRST)
    state = charger.sessions.state()
    wrong = []
    # Killed before the car's arrival was written, it is known only that the car came after the charger was last free.
    known = state["begun"] is not None or not lost
    if known and (
        state["begun"] is None or not BEGIN - 2 * HOUR < state["begun"] <= begun + 1.0 or state["freeAt"] is not None
    ):
        wrong.append(f"the session began at {state['begun']} instead of {begun}, the charger is free {state['freeAt']}")
    if charger.values.get(LIFETIME) != 104.0:
        wrong.append(f"the meter stands at {charger.values.get(LIFETIME)}")
    return wrong


def refused(folder: Path, steps: Steps) -> list[str]:
    """Six hours with a wrong password, then the right one; what is wrong."""
    clock = ManualClock(BEGIN)
    wrong = []
    with timed(clock) as cloud, in_memory(cloud):
        cloud.fault("status", "/negotiate", 404)
        steps.counting = True
        life = began(folder, clock, cloud, steps, "wrong")
        life.live(6 * HOUR)
        steps.counting = False
        tried = cloud.asked("/accounts/login")
        if tried > 3 + unwritten(steps, *TOKENS):  # at once, after one hour, after four more
            wrong.append(f"{tried} logins with a wrong password")
        cloud.accounts.change(Account(USER, "wrong", (FIRST,)))
        life.live(DAY)
        if cloud.accounts.logins != 1:
            wrong.append(f"{cloud.accounts.logins} logins with the right one")
        life.close()
    return wrong


def counted(story: Any, folder: Path) -> int:
    steps = Steps()
    assert story(folder, steps) == []
    assert {"write", "written"} <= set(steps.done)
    return len(steps.done)


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps an undisturbed life has."""
    return counted(lived, tmp_path_factory.mktemp("whole"))


def test_killed_at_any_step_it_knows_its_tokens_its_block_and_its_session(tmp_path: Path, count: int) -> None:
    assert wrong_after_kills(lived, tmp_path, count, STRIDE) == {}


@pytest.mark.parametrize("fails", [1, 7] if FULL else [7])
def test_a_store_that_fails_forgets_none_of_them_even_if_killed_then(tmp_path: Path, count: int, fails: int) -> None:
    assert wrong_after_failures(lived, tmp_path, count, STRIDE, fails) == {}


def test_killed_at_any_step_a_refused_password_is_not_tried_more_often(tmp_path: Path) -> None:
    count = counted(refused, tmp_path / "whole")
    assert wrong_after_kills(refused, tmp_path, count, 1 if FULL else 3) == {}
