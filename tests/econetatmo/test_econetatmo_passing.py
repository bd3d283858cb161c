"""Months of refusals: what passes costs no measure and no word, what lasts is told once and seldom asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulators.econetatmo.passing import Passing
from tests.econetatmo.months import Account
from tests.econetatmo.world import BRIDGE, DAY, FULL, HOUR, small_home
from tests.support.documented import agrees

DAYS = 30 if FULL else 2
LINES = [f"{BRIDGE}#{n}" for n in (0, 1)]


@pytest.mark.parametrize("seed", range(1, 4) if FULL else (1,))
def test_passing_refusals_cost_no_measure_and_no_word(tmp_path: Path, seed: int) -> None:
    with Account(tmp_path, small_home(2)) as account:
        account.live(2 * HOUR)
        before = len(account.cloud.requests)
        account.cloud.passing = passing = Passing(0.05, seed)
        for _ in range(DAYS):
            account.live(DAY)
            if seed == 2:
                account.restart()
        requests = len(account.cloud.requests) - before
        account.cloud.passing = None
        account.live(8 * HOUR)
        print(
            f"5 % passing, {DAYS} days: {requests} requests, {sum(passing.met.values())} refused or spoilt, "
            f"{account.cloud.authority.rotations} renewals, states {sorted(set(account.states()))}, "
            f"told {account.words()}"
        )
        assert sum(passing.met.values()) > 0.03 * requests
        assert account.words() == []
        assert set(account.states()) <= {"connecting", "online", "waiting"}
        assert [key for key in LINES if not account.complete(key)] == []


KINDS: list[tuple[str, str, str, Any, float, float, list[str]]] = [
    # name, fault, path, value, requests a day at most, token requests a day at most, words of what is told
    ("refresh token refused", "grant", "/oauth2/token", "invalid_grant", 40, 28, ["Netatmo refuse le refresh token"]),
    ("client secret refused", "grant", "/oauth2/token", "invalid_client", 40, 28, ["Netatmo ne connaît pas ce client"]),
    ("token endpoint throttled", "grant", "/oauth2/token", "too_many_connections", 120, 110, []),
    ("token endpoint away", "status", "/oauth2/token", 502, 190, 180, []),
    ("scope refused", "api", "/api", 13, 40, 12, ["Le jeton n'a pas l'autorisation"]),
    ("account unknown", "api", "/api", 22, 40, 12, ["Netatmo ne connaît plus ce compte"]),
    ("quota", "api", "/api", [26, 429], 40, 12, []),
    ("overloaded", "api", "/api", 11, 800, 12, []),
    ("service away", "status", "/api", 502, 200, 12, []),
    ("all lines unknown", "api", "/api/getmeasure", 9, 80, 12, ["Netatmo ne trouve pas cette ligne"]),
    ("access token refused", "api", "/api", 2, 300, 40, ["Netatmo refuse un accès qu'il vient de donner"]),
    ("answers without body", "no_body", "/api", None, 200, 12, ["Netatmo a donné une réponse inattendue"]),
]


@pytest.mark.parametrize(
    ("name", "fault", "path", "value", "most", "renewals", "words"), KINDS, ids=[k[0] for k in KINDS]
)
def test_a_refusal_that_lasts_is_told_once_and_asked_about_rarely(
    tmp_path: Path, name: str, fault: str, path: str, value: Any, most: float, renewals: float, words: list[str]
) -> None:
    with Account(tmp_path, small_home(2)) as account:
        account.live(2 * HOUR)
        before = account.asked()
        account.cloud.fault(fault, path, value)
        account.live(DAYS * DAY)
        asked = account.asked() - before
        told = account.words()
        account.cloud.clear()
        account.live(8 * HOUR)
        print(
            f"{name}: {sum(asked.values()) / DAYS:.1f} requests a day, {asked['token'] / DAYS:.1f} of them for tokens; "
            f"states {list(dict.fromkeys(account.states()))}; told {told}"
        )
        assert sum(asked.values()) / DAYS <= most
        assert asked["token"] / DAYS <= renewals
        assert not FULL or agrees("EcoNetatmo", name, asked["token"] * 30 / DAYS)
        assert len(told) == len(words)
        assert all(text.startswith(start) for text, start in zip(told, words))
        assert account.states()[-1] == "online"
        assert all(map(account.complete, LINES))
