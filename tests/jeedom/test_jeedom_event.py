"""What the daemon sends, applied by a real Jeedom: cost, acknowledgement, dates."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request

import pytest
from jeedom_host import COST, STATE, URL, Jeedom, moment


def values(equipment: str, at: float = 0, **given: object) -> dict[str, object]:
    return {"event": "values", "equipment": equipment, "at": moment(at), "values": given}


def test_unchanged_values_cost_two_queries(jeedom: Jeedom, bench: dict[str, str]) -> None:
    event = values(bench["equipment"], **{f"v{n}": 5.25 for n in range(100, 300)})
    done = jeedom.php(COST, json.dumps([event]), json.dumps([event]))
    assert done["answer"]["ok"] is True
    assert done["queries"] <= 3  # the core's own entry costs 13 more


def test_a_changed_value_costs_no_more_than_the_core_itself_asks(jeedom: Jeedom, bench: dict[str, str]) -> None:
    first = values(bench["equipment"], **{f"v{n}": 1 for n in range(100, 300)})
    second = values(bench["equipment"], **{f"v{n}": 2 if n % 20 == 0 else 1 for n in range(100, 300)})
    done = jeedom.php(COST, json.dumps([first]), json.dumps([second]))
    assert done["queries"] <= 3 + 10 * 13


def test_values_arrive(jeedom: Jeedom, bench: dict[str, str]) -> None:
    answer = jeedom.post(values(bench["equipment"], v10=12.5, v11=True))
    assert answer["ok"] is True
    assert answer["log"] in {"debug", "info", "notice", "warning", "error", "critical", "none"}
    state = jeedom.php(STATE, bench["equipment"], "v10")
    assert state["value"] == 12.5
    assert -5 < state["communication"] <= 0
    assert jeedom.php(STATE, bench["equipment"], "v11")["value"] == 1


def test_what_jeedom_does_not_have_is_named_and_the_rest_applied(jeedom: Jeedom, bench: dict[str, str]) -> None:
    answer = jeedom.post(
        values(bench["equipment"], v12=3, nothing=1),
        values("999999", v1=1),
        {"event": "values", "equipment": bench["equipment"], "at": "yesterday-ish", "values": {"v12": 9}},
        {"event": "surprise"},
    )
    assert answer["unknown"] == ["999999"]
    assert answer["unknownCommands"] == {bench["equipment"]: ["nothing"]}
    assert [rejected["event"] for rejected in answer["rejected"]] == [2, 3]
    assert jeedom.php(STATE, bench["equipment"], "v12")["value"] == 3


def test_a_repeat_is_answered_but_not_applied_again(jeedom: Jeedom, bench: dict[str, str]) -> None:
    first = jeedom.post(values(bench["equipment"], v13=1, nothing=1), sequence=5001)
    again = jeedom.post(values(bench["equipment"], v13=2), sequence=5001)
    assert again == first
    assert jeedom.php(STATE, bench["equipment"], "v13")["value"] == 1


def test_a_late_value_keeps_its_date_and_replaces_nothing_newer(jeedom: Jeedom, bench: dict[str, str]) -> None:
    jeedom.post(values(bench["equipment"], at=30, v14=1))
    assert -5 < jeedom.php(STATE, bench["equipment"], "v14")["collected"] <= 0
    jeedom.post(values(bench["equipment"], at=600, v14=2, v15=7))
    assert jeedom.php(STATE, bench["equipment"], "v14")["value"] == 1
    late = jeedom.php(STATE, bench["equipment"], "v15")
    assert late["value"] == 7
    assert -605 < late["collected"] <= -600
    assert -5 < late["communication"] <= 0


def test_the_state_of_a_connection_is_shown(jeedom: Jeedom, bench: dict[str, str]) -> None:
    jeedom.post({"event": "connection", "connection": bench["connection"], "state": "unreachable", "message": "Non."})
    state = jeedom.php(
        "$c = jeenergie::byId($argv[1]); echo json_encode([$c->getCmd('info', 'state')->execCmd(), $c->state()]);",
        bench["connection"],
    )
    assert state[0] == "Injoignable"
    assert state[1]["state"] == "unreachable"
    assert state[1]["message"] == "Non."


def test_an_available_command_is_created_once_and_stays_deleted(jeedom: Jeedom, bench: dict[str, str]) -> None:
    make = "echo Discovery::create(jeenergie::byId($argv[1]), 'combined', uniqid(), 'Test combined')->getId();"
    equipment = str(jeedom.php(make, bench["connection"]))
    available = {"event": "available", "equipment": equipment, "commands": ["PwattsNow", "tension"]}
    names = "echo json_encode(array_map(fn($c) => $c->getLogicalId(), jeenergie::byId($argv[1])->getCmd()));"
    assert set(jeedom.php(names, equipment)) == {"refresh"}
    jeedom.post(available)
    assert set(jeedom.php(names, equipment)) == {"refresh", "PwattsNow", "tension"}
    jeedom.php("cmd::byEqLogicIdAndLogicalId($argv[1], 'tension')->remove();", equipment)
    jeedom.post(available)
    assert set(jeedom.php(names, equipment)) == {"refresh", "PwattsNow"}
    jeedom.php("Commands::createMissing(jeenergie::byId($argv[1]));", equipment)
    assert set(jeedom.php(names, equipment)) == {"refresh", "PwattsNow", "tension"}


def test_a_garbled_payload_is_refused(jeedom: Jeedom) -> None:
    form = {"type": "event", "plugin": "jeenergie", "apikey": jeedom.key, "payload": "{"}
    request = urllib.request.Request(f"{URL}/core/api/jeeApi.php", urllib.parse.urlencode(form).encode())
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=30)
    assert refusal.value.code == 400


ONCE = """
    $before = config::byKey('addMessageForErrorLog');
    config::save('addMessageForErrorLog', $argv[1]);
    // The core keeps its settings of logs for the whole request.
    (fn() => self::$config = null)->bindTo(null, log::class)();
    $path = log::getPathToLog('jeenergie');
    $size = is_file($path) ? filesize($path) : 0;
    $event = ['event' => 'message', 'level' => 'error', 'connection' => $argv[2], 'text' => $argv[3]];
    $answer = (new Callback())->apply([$event]);
    config::save('addMessageForErrorLog', $before);
    $isOurs = fn($each) => strpos($each->getMessage(), $argv[3]) !== false;
    $messages = array_filter(message::byPlugin('jeenergie'), $isOurs);
    $times = array_sum(array_map(fn($each) => max(1, (int) $each->getOccurrences()), $messages));
    array_map(fn($each) => $each->remove(), $messages);
    echo json_encode([$answer['ok'], substr_count(file_get_contents($path, false, null, $size), $argv[3]), $times]);
"""


@pytest.mark.parametrize("core_tells_errors", [0, 1])
def test_an_error_stands_once_in_the_log_and_once_in_the_message_centre(
    jeedom: Jeedom, bench: dict[str, str], core_tells_errors: int
) -> None:
    text = f"Panne {core_tells_errors} {jeedom.boot}"
    assert jeedom.php(ONCE, core_tells_errors, bench["connection"], text) == [True, 1, 1]
