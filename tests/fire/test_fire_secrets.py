"""No secret in any log, and all of them when the user insists."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fire import FULL, amount
from tests.fire.secrets import SECRETS, Detector, pour
from tests.support import callback_server as answers
from tests.support.client import KEY
from tests.support.leaks import WAYS
from tests.support.process import Lab

TOKENS = [value for name, value in SECRETS.items() if "token" in name or name == "jwt"]


def test_no_way_into_the_log_shows_a_secret(root_logger: Any) -> None:
    report = pour(amount(4000, 100_000), seed=4)
    print("\n".join(report.text()))
    assert report.leaks == []
    assert report.hidden == []
    assert set(report.ways) == set(WAYS)


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"] if FULL else ["debug", "error"])
@pytest.mark.parametrize("extended", [False, True])
def test_a_real_daemon_writes_no_secret(lab: Lab, level: str, extended: bool) -> None:
    """Its key, its settings, the tokens that it receives; in messages, failures, and a Jeedom that repeats the key."""
    lab.server.script = [answers.text(f"refused: apikey={KEY}", 403), answers.text(f"no {KEY}")]
    daemon = lab.daemon(*(["--extendeddebug"] if extended else []), loglevel=level)
    kept = [SECRETS[name] for name in ("e-mail", "password", "plain password")]
    for number, password in enumerate(kept[1:]):
        connection = lab.connection("1", user=kept[0], password=password, pollInterval=0.1)
        connection["equipment"][0]["config"]["number"] = SECRETS["serial"]
        daemon.configure(connection, revision=number + 1)
        daemon.ask("test", connection={**connection, "config": {**connection["config"], "failing": "odd"}})
        daemon.ask("action", equipment="10", command="explode")
        for number_of_level in (10, 20, 30, 40):
            options = {"tokens": [token[::-1] for token in TOKENS], "level": number_of_level}
            daemon.result("run", connection="1", operation="leak", options=options)
        daemon.ask("configure", revision=9, connections=[{**connection, "config": password}])
        daemon.ask("run", connection="1", operation="import", options={"pin": SECRETS["quotes"]})
    daemon.stop()
    detector = Detector([KEY, *kept, *TOKENS, SECRETS["serial"], SECRETS["quotes"]])
    lines = (daemon.log + daemon.errors).splitlines()
    leaks = [(found, line[:300]) for line in lines if (found := detector.finds(line))]
    assert leaks == []
    assert len(lines) > 50
    assert daemon.errors == ""


def test_a_real_daemon_shows_them_when_told_to(lab: Lab) -> None:
    daemon = lab.daemon("--unsecurelog", loglevel="debug")
    daemon.configure(lab.connection("1", user=SECRETS["e-mail"], password=SECRETS["plain password"]))
    daemon.result(
        "run", connection="1", operation="leak", options={"tokens": [each[::-1] for each in TOKENS], "level": 40}
    )
    daemon.stop()
    for secret in (SECRETS["e-mail"], SECRETS["plain password"], *TOKENS):
        assert secret in daemon.log
