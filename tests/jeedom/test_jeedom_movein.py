"""A former plugin moved in, undone and moved again, in a real Jeedom."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import former_plugins
import pytest
from former_plugins import code
from jeedom_host import Jeedom, Refused

DAYS = 30

MOVE = "Move::begin(Former::of($argv[1])); Background::run(); echo json_encode(Journal::of($argv[1])->get('state'));"
UNDO = code("undo")
NOTED = code("noted")
SHAPE = code("shape")
POINTS = code("points")
STATE_OF_STAGE = "echo json_encode([jeenergie::byId($argv[1])->getCmd('info', 'autoconso')->getId()]);"
LEFT = "echo json_encode(count(jeenergie::byType('jeenergie')));"
MEASURED, GIVEN_BACK = code("measured"), code("given_back")
"""What came after the move, and that it went to the former command; it is taken out of there again."""
REWRITE = code("rewrite")
"""A user changes a text that names the command; returns what it was before."""
UNDO_STEP = code("undo_step")
ENABLED = "echo json_encode((int) jeenergie::byId($argv[1])->getIsEnable());"
FOUND_SINCE = "Discovery::create(jeenergie::byId($argv[1]), 'equalizer', 'QP123456', 'Trouvé depuis');"
DELETED = "DB::Prepare('DELETE FROM eqLogic WHERE id = :id', ['id' => $argv[1]], 0);"
OWN_CONNECTION = """
    $mine = new jeenergie();
    $mine->setEqType_name('jeenergie')->setName('Le mien ' . uniqid())->setIsEnable(0);
    $mine->setConfiguration('kind', 'connection')->setConfiguration('backend', 'easee')->save();
    echo json_encode((string) $mine->getId());
"""
REMOVED = """
    foreach (jeenergie::byId($argv[1])->equipment() as $each) { $each->remove(); }
    jeenergie::byId($argv[1])->remove();
"""
BELONGS = "jeenergie::byId($argv[1])->setIsEnable(0)->setConfiguration('connection', $argv[2])->save();"
LINKED = "cmd::byId($argv[1])->setConfiguration('linked', '#' . $argv[2] . '#')->save();"
IN_WATTS = """
    $power = eqLogic::byId($argv[1])->getCmd('info', 'power');
    DB::Prepare("UPDATE cmd SET unite = 'W' WHERE id = :id", ['id' => $power->getId()], 0);
    echo json_encode((string) $power->getId());
"""
REPLY = "DB::Prepare(\"UPDATE interactDef SET reply = :r WHERE name = 'Reprise'\", ['r' => $argv[1]], 0);"
LATER = "2026-06-02 08:00:00"
SETTINGS = code("settings")
PLACES = code("places")

PLUGINS = {
    "EaseeCharger": {"Borne test": ("charger", "EH123456")},
    "wescontrol": {
        "WES test": (None, ""),
        "Pince 1 (WES test)": ("pince", "1"),
        "Sonde 3 (WES test)": ("sonde", "3"),
        "TIC 1 (WES test)": ("teleinfo", "1"),
        "Relais 2 (WES test)": ("relais", "2"),
    },
    "enphasesecur": {
        "Passerelle test": ("combined", "122233344455"),
        "Groupe test": ("group", "Groupe 1"),
        "Onduleur test": ("inverter", "482233344455"),
    },
    "EcoNetatmo": {"Prises test": ("line", "00:11:22:33:44:55#2")},
}
SECRETS = {
    "EaseeCharger": {"user": "moi@exemple.fr", "password": "s3cret"},
    "wescontrol": {"host": "127.0.0.1", "port": 9, "user": "admin", "password": "wes", "jeedomCgx": True},
    "enphasesecur": {"host": "127.0.0.1", "user": "moi@exemple.fr", "password": "s3cret", "options": ["PA"]},
    "EcoNetatmo": {"clientId": "id", "clientSecret": "s3cret", "refreshToken": "r"},
}


@pytest.fixture(params=list(PLUGINS))
def plugin(request: pytest.FixtureRequest) -> str:
    if not former_plugins.is_there(request.param):
        pytest.skip("the former plugin's files are not here")
    return str(request.param)


@pytest.fixture
def house(jeedom: Jeedom, quiet: None, plugin: str) -> Iterator[dict[str, Any]]:
    """A Jeedom whose scenarios, designs and so on use the first equipment of the former plugin."""
    former_plugins.clean(jeedom)
    former_plugins.install(plugin)
    ids = former_plugins.make(jeedom, plugin, DAYS)
    chosen = jeedom.php(code("chosen"), ids)
    former_plugins.use(jeedom, chosen[0], chosen[1], ids[0])
    yield {"plugin": plugin, "ids": ids, "info": chosen[0], "action": chosen[1]}
    former_plugins.clean(jeedom)


def named(jeedom: Jeedom) -> dict[str, str]:
    return dict(jeedom.php(former_plugins.NAMED))


def check_references(jeedom: Jeedom, noted: dict[str, Any], before: dict[str, str]) -> None:
    """Every text names the new ids where it named the former ones, and nothing else has changed."""
    pairs = {old: str(pair["to"]) for old, pair in noted["pairs"].items()}
    equipment = {old: str(made["to"]) for old, made in noted["equipment"].items()}
    after = named(jeedom)
    for place, text in before.items():
        # Other numbers stay; "#120#" is not "#12#" with a zero.
        expected = re.sub(r"#(\d+)(?=#)", lambda found: "#" + pairs.get(found[1], found[1]), text)
        expected = re.sub(r'("eqLogic":")(\d+)', lambda found: found[1] + equipment.get(found[2], found[2]), expected)
        if place.startswith("view"):
            expected = re.sub(r"^\d+", lambda found: pairs.get(found[0], found[0]), expected)
        if place.startswith("plan") and '"cmdHide"' in expected:
            expected = re.sub(r"^\d+", lambda found: equipment.get(found[0], found[0]), expected)
            expected = re.sub(r'"(\d+)":', lambda found: f'"{pairs.get(found[1], found[1])}":', expected)
        elif place.startswith("plan"):
            expected = re.sub(r"^\d+", lambda found: pairs.get(found[0], found[0]), expected)
        assert after[place] == expected, place


def check_moved(jeedom: Jeedom, house: dict[str, Any], before: dict[str, str]) -> dict[str, Any]:
    plugin = house["plugin"]
    noted = dict(jeedom.php(NOTED, plugin))
    assert str(house["info"]) in noted["pairs"]
    check_references(jeedom, noted, before)
    assert jeedom.php(POINTS, json.dumps(noted["pairs"])) == {}
    (connection,) = jeedom.php(SETTINGS, json.dumps(noted["connections"]))
    for key, value in SECRETS[plugin].items():
        assert connection["config"][key] == value
    places = jeedom.php(PLACES, json.dumps(noted["equipment"]))
    assert {each["name"]: (each["type"], each["key"]) for each in places.values()}.items() >= PLUGINS[
        plugin
    ].items() - {("WES test", (None, ""))}
    if plugin == "enphasesecur":
        check_stage(jeedom, noted)
    former = jeedom.php(SHAPE, plugin)
    assert {row["isEnable"] for name, row in former.items() if name.startswith("eq")} <= {0, "0"}
    return noted


def check_stage(jeedom: Jeedom, noted: dict[str, Any]) -> None:
    """What was settings of the former plugin switches the same load, and has the history of its state."""
    (made,) = noted["made"]
    (stage,) = jeedom.php(SETTINGS, json.dumps([{"id": made["to"]}]))
    assert {key: stage["config"][key] for key in ("onAbove", "offBelow")} == {"onAbove": 1500, "offBelow": 200}
    assert re.fullmatch(r"#\d+#", stage["config"]["onCommand"])
    (command,) = jeedom.php(STATE_OF_STAGE, made["to"])
    assert str(command) in {str(pair["to"]) for pair in noted["pairs"].values()}


def test_moved_undone_and_moved_again(jeedom: Jeedom, house: dict[str, Any]) -> None:
    plugin = house["plugin"]
    names, shape = named(jeedom), jeedom.php(SHAPE, plugin)
    count = jeedom.php(LEFT)
    plan = jeedom.own("moveInPlan", plugin=plugin)
    assert {"scenario", "design", "view", "interaction", "object", "plugin"} <= {use["kind"] for use in plan["uses"]}
    assert named(jeedom) == names, "a plan changes nothing"
    assert jeedom.php(SHAPE, plugin) == shape
    assert "s3cret" not in str(plan)
    assert jeedom.php(MOVE, plugin) == "done"
    pair = check_moved(jeedom, house, names)["pairs"][str(house["info"])]
    jeedom.php(MEASURED, pair["to"], LATER, 7)
    jeedom.php(REWRITE, "add")
    assert jeedom.php(UNDO, plugin) == "undone"
    assert jeedom.php(REWRITE, "take out").endswith(f"#{house['info']}# environ")
    assert any("a été modifié depuis la reprise" in each for each in jeedom.php(NOTED, plugin)["report"])
    assert jeedom.php(GIVEN_BACK, house["info"], LATER) * float(pair["factor"]) == pytest.approx(7)
    assert named(jeedom) == names
    assert jeedom.php(SHAPE, plugin) == shape
    assert jeedom.php(LEFT) == count
    assert jeedom.php(MOVE, plugin) == "done"
    check_moved(jeedom, house, names)


@pytest.fixture
def mine(jeedom: Jeedom) -> Iterator[str]:
    """A connection that the user has made."""
    made: str = jeedom.php(OWN_CONNECTION)
    yield made
    jeedom.php(REMOVED, made)


@pytest.mark.parametrize("plugin", ["EaseeCharger"], indirect=True)
def test_an_undone_takeover_is_undone_in_each_of_its_parts(jeedom: Jeedom, house: dict[str, Any], mine: str) -> None:
    plugin = house["plugin"]
    reply = jeedom.php(REWRITE, "take out")
    watts = jeedom.php(IN_WATTS, house["ids"][0])
    names, shape, count = named(jeedom), jeedom.php(SHAPE, plugin), jeedom.php(LEFT)
    assert jeedom.php(MOVE, plugin) == "done"
    noted = jeedom.php(NOTED, plugin)
    (connection,) = noted["connections"]
    moved = named(jeedom)
    # What was made brings nothing any more before what it brought is given back.
    assert jeedom.php(ENABLED, connection["id"]) == 1
    jeedom.php(UNDO_STEP, plugin, "disable")
    assert jeedom.php(ENABLED, connection["id"]) == 0
    assert named(jeedom) == moved
    # What its connection has found since goes as well, and what belongs to another one by now. What a user has
    # changed, and nothing else, is reported.
    jeedom.php(FOUND_SINCE, connection["id"])
    jeedom.php(BELONGS, noted["equipment"][str(house["ids"][0])]["to"], mine)
    jeedom.php(LINKED, noted["pairs"][str(house["info"])]["to"], noted["pairs"][watts]["to"])
    jeedom.php(REPLY, "Rien")
    jeedom.php(MEASURED, noted["pairs"][watts]["to"], LATER, 7)
    assert jeedom.php(UNDO, plugin) == "undone"
    assert jeedom.php(GIVEN_BACK, watts, LATER) == pytest.approx(7000), "kW here, W there"
    (told,) = jeedom.php(NOTED, plugin)["report"]
    assert "« Reprise » a été modifié depuis la reprise" in told
    assert jeedom.php(REWRITE, "take out") == "Rien"
    jeedom.php(REPLY, reply)
    assert (named(jeedom), jeedom.php(SHAPE, plugin), jeedom.php(LEFT)) == (names, shape, count)
    # There has to be something to go back to.
    assert jeedom.php(MOVE, plugin) == "done"
    jeedom.php(DELETED, house["ids"][0])
    with pytest.raises(Refused, match="Borne test"):
        jeedom.own("moveInUndo", plugin=plugin)
    assert jeedom.php(NOTED, plugin)["state"] == "done"
