"""Connections and equipment in a real Jeedom: what is refused, what goes with what, what stays secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jeedom_host import Jeedom, Refused

SETTINGS = {"host": "127.0.0.1", "user": "someone@example.org", "password": 'T0p "secret" é'}


@pytest.fixture
def connection(jeedom: Jeedom, quiet: None) -> Iterator[str]:
    identifier = jeedom.own("addConnection", backend="enphase", name="Test connection")["id"]
    yield identifier
    jeedom.php("$c = jeenergie::byId($argv[1]); if (is_object($c)) { $c->remove(); }", identifier)


def save(jeedom: Jeedom, identifier: str, config: dict[str, Any], **more: Any) -> Any:
    """What the page does."""
    form = {"id": identifier, "configuration": {"config": config}, **more}
    return jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))


def equipment(jeedom: Jeedom, connection: str, key: str = "1") -> str:
    code = "echo json_encode(Discovery::create(jeenergie::byId($argv[1]), 'inverter', $argv[2], '')->getId());"
    return str(jeedom.php(code, connection, key))


def config(jeedom: Jeedom, identifier: str) -> dict[str, Any]:
    return dict(jeedom.php("echo json_encode(jeenergie::byId($argv[1])->config());", identifier))


def stored(jeedom: Jeedom, identifier: str) -> str:
    code = "echo json_encode(DB::Prepare('SELECT configuration AS c FROM eqLogic WHERE id = ?', [$argv[1]])['c']);"
    return str(jeedom.php(code, identifier))


def enabled(jeedom: Jeedom, identifier: str) -> bool:
    return bool(jeedom.php("echo json_encode(jeenergie::byId($argv[1])->getIsEnable() == 1);", identifier))


def test_a_connection_is_saved_incomplete_but_not_enabled_incomplete(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, {"host": "127.0.0.1"})
    with pytest.raises(Refused, match="Mot de passe"):
        save(jeedom, connection, {"host": "127.0.0.1"}, isEnable="1")
    save(jeedom, connection, SETTINGS, isEnable="1")
    assert enabled(jeedom, connection)


def test_two_connections_of_one_system_have_two_names(jeedom: Jeedom, connection: str) -> None:
    with pytest.raises(Refused, match="s'appelle déjà « test Connection »"):
        jeedom.own("addConnection", backend="enphase", name="test Connection")


def test_a_secret_is_encrypted_kept_and_never_shown(jeedom: Jeedom, connection: str) -> None:
    answers = [save(jeedom, connection, SETTINGS, isEnable="1")]
    assert "T0p" not in stored(jeedom, connection)
    answers.append(save(jeedom, connection, {**SETTINGS, "password": ""}))
    assert config(jeedom, connection)["password"] == SETTINGS["password"]
    for reader in (jeedom, jeedom.as_user("user", "user1234")):
        answers.append(reader.core("eqLogic", action="byId", id=connection))
        answers.append(reader.core("eqLogic", action="listByType", type="jeenergie"))
    answers.append(jeedom.core("eqLogic", action="get", type="jeenergie", id=connection))
    answers.append(jeedom.own("get", id=connection))
    answers.append(jeedom.own("list"))
    answers.append(
        jeedom.php(
            "echo json_encode([print_r(jeenergie::byId($argv[1]), true), jeenergie::byId($argv[1])->export()]);",
            connection,
        )
    )
    answers.append(jeedom.php("echo json_encode(print_r(jeenergie::byId($argv[1])->getCmd(), true));", connection))
    assert "T0p" not in json.dumps(answers, ensure_ascii=False)
    assert "crypt:" not in json.dumps(answers, ensure_ascii=False)
    assert jeedom.own("get", id=connection)["secretsSet"] == ["password"]


def test_a_reference_that_the_core_rewrites_leaves_the_secret_alone(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, {**SETTINGS, "serial": "#99999901#"})
    jeedom.php("jeedom::replaceTag(['#99999901#' => '#99999902#']);")
    assert config(jeedom, connection)["serial"] == "#99999902#"
    assert config(jeedom, connection)["password"] == SETTINGS["password"]


def test_only_administrators_may_ask(jeedom: Jeedom, connection: str) -> None:
    with pytest.raises(Refused, match="401"):
        jeedom.as_user("user", "user1234").own("list")


def test_the_same_equipment_is_refused_twice_and_a_copy_too(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    first = equipment(jeedom, connection)
    with pytest.raises(AssertionError, match="existe déjà"):
        equipment(jeedom, connection)
    with pytest.raises(Refused, match="existe déjà"):
        jeedom.core("eqLogic", action="copy", id=first, name="Copy")


def test_a_connection_switched_off_and_on_brings_back_what_was_on(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    child, off = equipment(jeedom, connection), equipment(jeedom, connection, "2")
    jeedom.core("eqLogic", action="setIsEnable", id=off, isEnable="0")
    assert (enabled(jeedom, child), enabled(jeedom, off)) == (True, False)
    save(jeedom, connection, {}, isEnable="0")
    assert not enabled(jeedom, child)
    with pytest.raises(Refused, match="Activez d'abord"):
        jeedom.core("eqLogic", action="setIsEnable", id=child, isEnable="1")
    save(jeedom, connection, {}, isEnable="1")
    assert (enabled(jeedom, child), enabled(jeedom, off)) == (True, False)
    jeedom.core("eqLogic", action="setIsEnable", id=child, isEnable="0")
    save(jeedom, connection, {}, isEnable="0")
    save(jeedom, connection, {}, isEnable="1")
    assert not enabled(jeedom, child)


def test_activating_the_plugin_again_brings_back_what_was_enabled(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    child = equipment(jeedom, connection)
    other = equipment(jeedom, connection, "2")
    jeedom.core("eqLogic", action="setIsEnable", id=other, isEnable="0")
    # As the core does it, in the order of the names, on objects read before the first save.
    jeedom.php("""
        foreach (eqLogic::byType('jeenergie') as $e) {
            $e->setConfiguration('previousIsEnable', $e->getIsEnable());
            $e->setIsEnable(0);
            $e->save();
        }
    """)
    assert not enabled(jeedom, connection)
    assert not enabled(jeedom, child)
    jeedom.php("""
        foreach (array_reverse(eqLogic::byType('jeenergie')) as $e) {
            $e->setIsEnable($e->getConfiguration('previousIsEnable', 1));
            $e->save();
        }
    """)
    assert [enabled(jeedom, each) for each in (connection, child, other)] == [True, True, False]


def test_removing_a_gateway_removes_its_equipment_and_the_daemon_is_told(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    child = equipment(jeedom, connection)
    jeedom.core("eqLogic", action="remove", id=connection)
    assert jeedom.php("echo json_encode(is_object(jeenergie::byId($argv[1])));", child) is False
    assert connection in [str(each) for each in jeedom.php("echo json_encode(config::byKey('toForget', 'jeenergie'));")]


def test_a_connection_in_use_is_not_removed_where_the_catalogue_says_so(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    child = equipment(jeedom, connection)
    before = jeedom.php("echo json_encode(count(jeenergie::byId($argv[1])->getCmd()));", connection)
    refuse = """
        $c = jeenergie::byId($argv[1]);
        $cache = new ReflectionProperty(Catalogue::class, 'cache');
        $cache->setAccessible(true);
        $catalogue = Catalogue::of('enphase');
        $catalogue['connection']['inUse'] = 'refuse';
        $cache->setValue(null, ['catalogue/enphase.json' => $catalogue]);
        try {
            $c->remove();
        } catch (Exception $e) {
            echo json_encode([$e->getMessage(), count(jeenergie::byId($argv[1])->getCmd())]);
        }
    """
    message, commands = jeedom.php(refuse, connection)
    assert "utilisé par « Onduleur 1 (Test connection) »" in message
    assert commands == before > 0
    assert jeedom.php("echo json_encode(is_object(jeenergie::byId($argv[1])));", child) is True


def test_a_command_that_the_page_did_not_know_survives_its_save(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    child = equipment(jeedom, connection)
    shown = jeedom.core("eqLogic", action="get", type="jeenergie", id=child)["cmd"]
    names = {each["logicalId"]: each for each in shown}
    jeedom.php(
        """
        $cmd = new jeenergieCmd();
        $cmd->setEqLogic_id($argv[1])->setLogicalId('late')->setName('Late')->setType('info')->setSubType('numeric')->save();
    """,
        child,
    )
    # The user deletes "maxWatt" on a page that has never seen "late".
    configuration = {"config": {}, "shownCommands": [each["id"] for each in shown]}
    form = {"id": child, "configuration": configuration, "cmd": [names["refresh"], names["Watt"]]}
    jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
    left = jeedom.core("eqLogic", action="get", type="jeenergie", id=child)
    assert {each["logicalId"] for each in left["cmd"]} == {"refresh", "Watt", "late"}
    assert "shownCommands" not in left["configuration"]
    # Nor does the next save bring back what the user has deleted.
    jeedom.core("eqLogic", action="setIsEnable", id=child, isEnable="1")
    assert len(jeedom.core("eqLogic", action="get", type="jeenergie", id=child)["cmd"]) == 3
    assert "maxWatt" in jeedom.own("createMissingCommands", id=child)["created"]


def test_reset_gives_defaults_again_and_keeps_ids(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    child = equipment(jeedom, connection)
    before = jeedom.php(
        """
        $e = jeenergie::byId($argv[1]);
        [$a, $b] = [$e->getCmd('info', 'Watt'), $e->getCmd('info', 'maxWatt')];
        [$nameA, $nameB] = [$a->getName(), $b->getName()];
        $a->setName('x')->save();
        $b->setName($nameA)->setIsHistorized(0)->setUnite('kW')->save();
        $a->setName($nameB)->save();
        echo json_encode([$a->getId(), $b->getId()]);
    """,
        child,
    )
    jeedom.own("resetCommands", id=child)
    after = jeedom.php(
        """
        $e = jeenergie::byId($argv[1]);
        echo json_encode(array_map(fn($l) => [$e->getCmd('info', $l)->getId(), $e->getCmd('info', $l)->getName(),
            $e->getCmd('info', $l)->getIsHistorized(), $e->getCmd('info', $l)->getUnite()], ['Watt', 'maxWatt']));
    """,
        child,
    )
    assert after == [[before[0], "Puissance", "1", "W"], [before[1], "Puissance maximum", "1", "W"]]


def test_commands_move_to_another_equipment_with_their_ids(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    old, new = equipment(jeedom, connection, "1"), equipment(jeedom, connection, "2")
    ids = """
        $pairs = array_map(fn($c) => [$c->getLogicalId(), $c->getId()], jeenergie::byId($argv[1])->getCmd('info'));
        echo json_encode(array_column($pairs, 1, 0));
    """
    before = jeedom.php(ids, old)
    jeedom.php("Commands::move(jeenergie::byId($argv[1]), jeenergie::byId($argv[2]));", old, new)
    assert jeedom.php(ids, new) == before
    assert not jeedom.php(ids, old)


def test_health_and_help_hold_no_secret(jeedom: Jeedom, connection: str) -> None:
    save(jeedom, connection, SETTINGS, isEnable="1")
    rows, text = jeedom.php("echo json_encode([jeenergie::health(), jeenergie::getConfigForCommunity()]);")
    assert all({"test", "result", "advice", "state"} <= set(row) for row in rows)
    for private in ("T0p", "127.0.0.1", "example.org", "Test connection"):
        assert private not in text


def test_what_the_web_server_may_show(jeedom: Jeedom) -> None:
    closed = (
        "core/contract/common.json",
        "core/class/jeenergie.class.php",
        "plugin_info/install.php",
        "resources/requirements.txt",
        "jeedom_bridge/__init__.py",
        "install_deps.sh",
        "data/.htaccess",
        "core/config/jeenergie.config.ini",
        "tests/jeedom/conftest.py",
        "README.md",
        "core/i18n/en_US.json",
    )
    assert {path: jeedom.status(path) for path in closed} == dict.fromkeys(closed, 403)
    assert jeedom.status("core/ajax/jeenergie.ajax.php") == 200
