"""Killed at each step, and with a store that fails at each write: no measure is lost, none counts twice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from simulators.econetatmo.model import Correction, Ecometer, Home, Outage
from tests.econetatmo.crashes import CrashingAccount
from tests.econetatmo.months import START
from tests.econetatmo.world import BRIDGE, DAY, HOUR
from tests.support.crashing import FULL, Steps, wrong_after_failures, wrong_after_kills

STRIDE = 1 if FULL else 20
"""Every so many steps one life ends; the long form tries all."""
SPOILT = ("empty", "no_value", "null_row", "short_row", "null_value")
IMPORTED = 12
"""Days that the user has read again."""
LINES = (f"{BRIDGE}#0", f"{BRIDGE}#1")


def moment(at: float) -> str:
    """As Jeedom has it."""
    return datetime.fromtimestamp(at, ZoneInfo("Europe/Paris")).isoformat()


def home() -> Home:
    """Two lines whose slots change after they were read: partial uploads, an outage, a correction, tariffs."""
    ecometer = Ecometer(BRIDGE, lines={0: "A", 1: "B"})
    ecometer.outages = [Outage(START - 5 * HOUR, START - 2 * HOUR, START + 5 * HOUR)]
    ecometer.corrections = [Correction(0, int(START - 9 * HOUR), 70, START + 4 * HOUR)]
    return Home("h1", ecometers=[ecometer], contracts=[(0.0, "peak_and_off_peak"), (START + 2 * HOUR, "basic")])


def lived(folder: Path, steps: Steps) -> CrashingAccount:
    """A quarter of a day with an import of the past, then two days without trouble. The account must be closed."""
    account = CrashingAccount(folder, home(), steps, historyDays=2).__enter__()
    account.attempt(account.device.test)  # the tokens are there
    steps.counting = True
    for hour in range(7):
        account.attempt(lambda: account.device._poll())
        account.clock.advance(600)
        if hour == 3:
            before = -1, -1
            while before != (
                account.lives,
                len(account.failed),
            ):  # the user who gets an error, or no answer, repeats it
                before = account.lives, len(account.failed)
                account.attempt(lambda: account.device.run("importHistory", {"days": IMPORTED}))
        account.attempt(lambda: account.device._aside())
        account.clock.advance(HOUR - 600)
    steps.counting = False
    for _ in range(16):
        account.attempt(lambda: account.device._poll())
        account.attempt(lambda: account.device._aside())
        account.clock.advance(3 * HOUR)
    account.attempt(lambda: account.device._poll())
    return account


def whole(account: CrashingAccount) -> list[str]:
    """What is wrong with the measures or with the index of any line."""
    wrong = []
    for key in LINES:
        begin = min(account.history[(key, "total_energy")])
        if not account.complete(key) or begin > moment(START - (IMPORTED - 1) * DAY):
            wrong.append(f"{key}: measures")
        indexes = account.indexes[key]
        if indexes != sorted(indexes):
            wrong.append(f"{key}: the index falls")
        measures = account.history[(key, "total_energy")].items()
        total = sum(value for at, value in measures if at >= moment(START - 2 * DAY))
        if abs(indexes[-1] * 1000 - total) > 1:
            wrong.append(f"{key}: an index of {indexes[-1]} kWh after {total} Wh")
    return wrong


def told(folder: Path, steps: Steps) -> list[str]:
    """Lives it, and says what is wrong."""
    account = lived(folder, steps)
    account.__exit__()
    return whole(account)


@pytest.fixture(scope="module")
def count(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many steps an undisturbed life has."""
    steps = Steps()
    account = lived(tmp_path_factory.mktemp("whole"), steps)
    account.__exit__()
    assert whole(account) == []
    assert account.failed == []
    assert {"write", "written", "hand over", "not acknowledged", "ask getmeasure"} <= set(steps.done)
    return len(steps.done)


def test_killed_at_any_step_it_goes_on_where_jeedom_has_all(tmp_path: Path, count: int) -> None:
    assert wrong_after_kills(told, tmp_path, count, STRIDE) == {}


@pytest.mark.parametrize("fails", [1, 7])
def test_a_store_that_fails_at_any_write_loses_nothing_even_if_killed_then(
    tmp_path: Path, count: int, fails: int
) -> None:
    assert wrong_after_failures(told, tmp_path, count, STRIDE, fails) == {}


@pytest.mark.parametrize(
    ("at", "fault"), [(0, "null_row"), *[(1, each) for each in SPOILT], (2, "empty"), (2, "short_row")]
)
def test_an_answer_that_lacks_measures_once_does_not_lose_them(tmp_path: Path, at: int, fault: str) -> None:
    """`at`: at the first reading, in the import of the past, or after weeks without Jeedom."""
    line = Home("h1", ecometers=[Ecometer(BRIDGE, lines={0: "A"})])
    account = CrashingAccount(tmp_path, line, Steps(), historyDays=18).__enter__()
    account.device.test()
    spoil = ("empty", None) if fault == "empty" else ("piece", fault)

    def poll(spoilt: bool) -> None:
        if spoilt:
            account.cloud.faults.add(spoil[0], "/api/getmeasure", spoil[1], count=1)
        account.attempt(account.device._poll)
        account.cloud.faults.clear()

    poll(spoilt=at == 0)
    account.clock.advance(HOUR)
    if at == 1:
        account.attempt(lambda: account.device.run("importHistory", {"days": 40}))
        for _ in range(2):
            account.cloud.faults.add(spoil[0], "/api/getmeasure", spoil[1], count=1)
            account.attempt(account.device._aside)
            account.cloud.faults.clear()
            account.clock.advance(HOUR)
            account.attempt(account.device._aside)
            account.clock.advance(HOUR)
    elif at == 2:
        account.clock.advance(30 * DAY)
        poll(spoilt=True)
        account.clock.advance(HOUR)
    for _ in range(4):
        poll(spoilt=False)
        account.attempt(account.device._aside)
        account.clock.advance(HOUR)
    poll(spoilt=False)
    account.__exit__()
    assert account.failed == []
    assert account.complete(LINES[0])
    assert min(account.history[(LINES[0], "total_energy")]) < moment(START - (39 if at == 1 else 17) * DAY)


def test_a_past_that_is_really_empty_is_believed_and_read_past(tmp_path: Path) -> None:
    ecometer = Ecometer(BRIDGE, lines={0: "A"}, setup=int(START) - 10 * DAY, setup_told=False)
    ecometer.outages = [Outage(START + HOUR, START + 45 * DAY)]
    account = CrashingAccount(tmp_path, Home("h1", ecometers=[ecometer]), Steps(), historyDays=1).__enter__()
    account.device.test()
    account.attempt(account.device._poll)
    account.attempt(lambda: account.device.run("importHistory", {"days": 90}))
    account.clock.advance(50 * DAY)
    for _ in range(14):
        account.attempt(account.device._poll)
        account.attempt(account.device._aside)
        account.clock.advance(HOUR)
    account.attempt(account.device._poll)
    account.__exit__()
    assert account.device._collector.behind() == []
    assert account.complete(LINES[0])
