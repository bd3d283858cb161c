"""What Netatmo has changed for everybody: a call that is gone, a key that answers no longer have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.econetatmo.months import Account
from tests.econetatmo.world import DAY, HOUR, small_home


@pytest.fixture
def account(tmp_path: Path) -> Any:
    with Account(tmp_path, small_home(2)) as opened:
        yield opened


@pytest.mark.parametrize("fault", [("status", 404), ("api", [31, 404])])
def test_a_call_that_is_gone_for_a_day_is_told_once_as_the_vendors_change(account: Account, fault: Any) -> None:
    account.live(HOUR)
    account.cloud.faults.add(fault[0], "/api/getmeasure", fault[1])
    account.live(DAY - HOUR)
    assert [each for each in account.words() if "le service a sans doute changé" in each] == []
    account.restart()
    account.live(2 * DAY)
    (told,) = [each for each in account.words() if "le service a sans doute changé" in each]
    assert "l'historique reste" in told
    account.cloud.faults.clear()
    account.live(HOUR)
    assert account.states()[-1] == "online"
    assert account.complete(f"{account._home.ecometers[0].id}#0")


def test_a_call_that_is_gone_for_some_hours_is_not_told(account: Account) -> None:
    account.live(HOUR)
    account.cloud.faults.add("status", "/api/homesdata", 404)
    account.live(9 * HOUR)
    account.cloud.faults.clear()
    account.live(2 * DAY)
    assert [each for each in account.words() if "changé" in each] == []


def test_a_key_that_answers_no_longer_have_is_named_once_in_the_log(
    account: Account, caplog: pytest.LogCaptureFixture
) -> None:
    account.live(HOUR)
    assert "any more" not in caplog.text
    account.cloud.faults.add(
        "answer", "/api/homesdata", {"status": "ok", "body": {"homes": [{"modules": [{"type": "NLE"}]}]}}
    )
    account.live(2 * DAY)
    lines = [each for each in caplog.messages if "homesdata" in each and "any more" in each]
    assert len(lines) == 1
    assert "homes[].id" in lines[0]
    assert "homes[].modules[].bridge" in lines[0]
    assert set(account.store.get("1", "shapes")) >= {"homesdata", "getmeasure"}
