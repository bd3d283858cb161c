"""News of the plugin in a real Jeedom: every signed-in user hears that there is some, administrators read the words."""

from __future__ import annotations

import json
import time

from jeedom_host import Jeedom, Pages

WORDS = "Mot de passe refusé pour 192.0.2.7, dit le système"


def heard(pages: Pages, since: float) -> list[dict[str, object]]:
    """The plugin's events, as this browser gets them."""
    answer = pages.core("event", action="changes", datetime=str(since))
    return [each for each in answer["result"] if each["name"].startswith(("jeenergie::", "jeedom::alert"))]


def tell(jeedom: Jeedom, connection: str) -> float:
    """A state and the progress of something, as the daemon tells them; when."""
    since = time.time() - 1
    for state in ("connecting", "error"):
        event = {"event": "connection", "connection": connection, "state": state, "code": "error", "message": WORDS}
        assert jeedom.post(event)["ok"] is True
    progress = {"event": "progress", "connection": connection, "operation": "import", "percent": 40, "text": WORDS}
    assert jeedom.post(progress)["ok"] is True
    return since


def test_an_event_that_reaches_everybody_holds_no_words(jeedom: Jeedom, bench: dict[str, str]) -> None:
    connection = bench["connection"]
    since = tell(jeedom, connection)
    events = heard(jeedom.as_user("user", "user1234"), since)
    options = [(each["name"], each["option"]) for each in events]
    assert ("jeenergie::state", {"id": connection, "state": "error"}) in [
        (name, {**option, "id": str(option["id"])} if "id" in option else option) for name, option in options
    ]
    assert ("jeenergie::progress", {"connection": connection, "operation": "import", "percent": 40}) in options
    assert "refus" not in json.dumps(options, ensure_ascii=False)


def test_an_administrator_reads_them(jeedom: Jeedom, bench: dict[str, str]) -> None:
    connection = bench["connection"]
    tell(jeedom, connection)
    found = next(each for each in jeedom.own("list")["connections"] if each["id"] == connection)
    assert found["state"]["message"] == WORDS
    assert jeedom.own("words", connection=connection, event="progress")["text"] == WORDS
