"""What a user saves in a real Jeedom stays, whatever happens beside it, and is taken as it was typed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

import pytest
from jeedom_host import Jeedom, Refused, moment

SETTINGS = {"host": "127.0.0.1", "tokenMode": "manual", "token": "x"}


@pytest.fixture
def connection(jeedom: Jeedom, quiet: None) -> Iterator[str]:
    identifier = str(jeedom.own("addConnection", backend="enphase", name="Saves")["id"])
    save(jeedom, identifier, configuration={"config": SETTINGS}, isEnable="1")
    yield identifier
    jeedom.php("$c = jeenergie::byId($argv[1]); if (is_object($c)) { $c->remove(); }", identifier)


@pytest.fixture
def gateway(jeedom: Jeedom, connection: str) -> str:
    return create(jeedom, connection, "combined", "1", "Gateway")


def create(jeedom: Jeedom, connection: str, kind: str, key: str, name: str) -> str:
    code = """
        $made = Discovery::create(jeenergie::byId($argv[1]), $argv[2], $argv[3], $argv[4]);
        echo json_encode($made->getId());
    """
    return str(jeedom.php(code, connection, kind, key, name))


def save(jeedom: Jeedom, identifier: str, **form: object) -> None:
    """What a page does."""
    jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([{"id": identifier, **form}]))


def name(jeedom: Jeedom, identifier: str) -> str:
    return str(jeedom.php("echo json_encode(jeenergie::byId($argv[1])->getName());", identifier))


def test_a_page_saved_while_commands_are_created_stays(jeedom: Jeedom, gateway: str) -> None:
    code = """
        $read = jeenergie::byId($argv[1]);
        jeenergie::byId($argv[1])->setName('Mine')->setComment('my own')->save();
        $rows = Catalogue::applicableRows($read->backend(), $read->type(), $read->settings());
        $seen = array_keys(array_filter($rows, fn($row) => ($row['create'] ?? '') === 'seen'));
        $created = Commands::seen($read, $seen);
        $after = jeenergie::byId($argv[1]);
        $again = Commands::seen($after, $seen);
        echo json_encode([count($created), $after->getName(), $after->getComment(), $again]);
    """
    created, kept, comment, again = jeedom.php(code, gateway)
    assert created > 10
    assert (kept, comment, again) == ("Mine", "my own", [])


def test_requests_at_once_create_each_command_once(jeedom: Jeedom, gateway: str) -> None:
    code = """
        $read = jeenergie::byId($argv[1]);
        $rows = Catalogue::applicableRows($read->backend(), $read->type(), $read->settings());
        $seen = array_keys(array_filter($rows, fn($row) => ($row['create'] ?? '') === 'seen'));
        echo json_encode([count($seen), count(Commands::seen($read, $seen))]);
    """
    counts: list[list[int]] = []
    threads = [threading.Thread(target=lambda: counts.append(jeedom.php(code, gateway))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(counts) == 3
    assert sum(created for _, created in counts) == counts[0][0] > 20
    double = jeedom.php(
        "echo json_encode(DB::Prepare('SELECT logicalId FROM cmd WHERE eqLogic_id = ? GROUP BY logicalId"
        " HAVING COUNT(*) > 1', [$argv[1]], 1));",
        gateway,
    )
    assert double == []


def test_a_command_is_put_right_by_its_columns_alone(jeedom: Jeedom, quiet: None) -> None:
    connection = str(jeedom.own("addConnection", backend="easee", name="Saves 2")["id"])
    code = """
        $eqLogic = jeenergie::byId($argv[1]);
        $cmd = $eqLogic->getCmd('info', 'power');
        [$max, $type] = [$cmd->getConfiguration('maxValue'), $cmd->getSubType()];
        $cmd->setName('Mine')->setUnite('x')->setConfiguration('maxValue', 1);
        $cmd->setConfiguration('own', 'é "quoted"')->save();
        Commands::apply(jeenergie::byId($argv[1]));
        $after = cmd::byId($cmd->getId());
        echo json_encode([$max, $after->getName(), $after->getUnite(), $after->getConfiguration('maxValue'),
            $after->getConfiguration('own'), $after->getSubType() === $type]);
    """
    try:
        charger = create(jeedom, connection, "charger", "EH1", "Charger")
        most, kept, unit, most_after, own, same = jeedom.php(code, charger)
        assert (kept, own, unit, str(most_after), same) == ("Mine", 'é "quoted"', "kW", str(most), True)
        assert float(most) == 30
    finally:
        jeedom.php("foreach (jeenergie::byId($argv[1])->equipment() as $e) { $e->remove(); }", connection)
        jeedom.php("jeenergie::byId($argv[1])->remove();", connection)


def test_a_charged_battery_does_not_write_the_row_of_its_equipment(jeedom: Jeedom, connection: str) -> None:
    battery = create(jeedom, connection, "inverter", "B", "Battery")
    code = """
        $read = jeenergie::byId($argv[1]);
        $cmd = new jeenergieCmd();
        $cmd->setEqLogic_id($argv[1])->setLogicalId('level')->setName('Level')->setUnite('%');
        $cmd->setType('info')->setSubType('numeric')->setGeneric_type('BATTERY')->save();
        $cmd->setEqLogic($read);
        jeenergie::byId($argv[1])->setName('Mine')->save();
        $cmd->event(96);
        $after = jeenergie::byId($argv[1]);
        echo json_encode([$after->getName(), $after->getConfiguration('batterytime'), $after->getStatus('battery'),
            $after->getConfiguration('key')]);
    """
    kept, charged, level, key = jeedom.php(code, battery)
    assert (kept, level, key) == ("Mine", 96, "B")
    assert charged


def test_a_secret_is_kept_as_it_was_typed(jeedom: Jeedom, connection: str) -> None:
    config = {"host": "127.0.0.1", "tokenMode": "auto", "user": "someone@example.org"}
    for password in (" blanks at both ends ", "crypt:not", "0", '"quoted" é\t'):
        save(jeedom, connection, configuration={"config": {**config, "password": password}}, isEnable="0")
        code = "echo json_encode(jeenergie::byId($argv[1])->config()['password']);"
        assert jeedom.php(code, connection) == password
        code = "echo json_encode(DB::Prepare('SELECT configuration FROM eqLogic WHERE id = ?', [$argv[1]]));"
        stored = json.loads(jeedom.php(code, connection)["configuration"])
        assert stored["secrets"]["password"].startswith("crypt:")
        assert stored["secrets"]["password"] != password


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "1.5", "?"])
def test_a_number_that_cannot_be_is_refused_in_words(jeedom: Jeedom, connection: str, number: str) -> None:
    before = jeedom.php("echo json_encode(jeenergie::byId($argv[1])->config());", connection)
    with pytest.raises(Refused, match=r"Intervalle d'actualisation.*doit être un nombre"):
        save(jeedom, connection, configuration={"config": {"pollInterval": number}})
    assert jeedom.php("echo json_encode(jeenergie::byId($argv[1])->config());", connection) == before
    inverter = create(jeedom, connection, "inverter", "1", "Inverter")
    page = jeedom.core("eqLogic", action="get", type="jeenergie", id=inverter)
    command = next(each for each in page["cmd"] if each["type"] == "info")
    if number == "1.5":
        return  # a cadence may be
    command["configuration"] = {**command["configuration"], "settings": {"cadence": number}}
    with pytest.raises(Refused, match=r"Intervalle minimal.*doit être un nombre"):
        save(jeedom, inverter, cmd=page["cmd"])


def test_names_keep_what_they_say_and_end_in_no_database_error(jeedom: Jeedom, connection: str) -> None:
    place = jeedom.php(
        "$o = new jeeObject(); $o->setName('Saves ' . uniqid()); $o->save(); echo json_encode($o->getId());"
    )
    save(jeedom, connection, object_id=str(place))
    try:
        made = {
            wanted: name(jeedom, create(jeedom, connection, "inverter", str(number), wanted))
            for number, wanted in enumerate(["Ballon & co", "***", "***%", "Entrée", "ENTREE", "é" * 90, "É" * 90, "'"])
        }
        assert made["Ballon & co"] == "Ballon + co"
        assert (made["Entrée"], made["ENTREE"]) == ("Entrée", "ENTREE 2")
        assert made["é" * 90] == "é" * 63
        assert made["É" * 90] == "É" * 62 + " 2"
        assert all(made.values())
        assert len({each.casefold() for each in made.values()}) == len(made)
        empty = create(jeedom, connection, "inverter", "empty", "\t")
        assert "empty (Saves)" in name(jeedom, empty)
        with pytest.raises(Refused, match="Donnez un nom"):
            save(jeedom, empty, name="  ")
        save(jeedom, empty, name="ü" * 120)
        assert name(jeedom, empty) == "ü" * 63
    finally:
        jeedom.php("jeenergie::byId($argv[1])->setObject_id(null)->save();", connection)
        jeedom.php("foreach (jeenergie::byId($argv[1])->equipment() as $e) { $e->remove(); }", connection)
        jeedom.php("jeeObject::byId($argv[1])->remove();", place)


def test_only_data_count_as_a_communication(jeedom: Jeedom, connection: str) -> None:
    inverter = create(jeedom, connection, "inverter", "1", "Inverter")
    silent = """
        foreach ([$argv[1], $argv[2]] as $id) {
            $long = date('Y-m-d H:i:s', time() - 7200);
            jeenergie::byId($id)->setStatus(['lastCommunication' => $long, 'timeout' => 1]);
        }
    """
    ages = """
        echo json_encode(array_map(fn($id) => [
            intdiv(time() - strtotime(jeenergie::byId($id)->getStatus('lastCommunication')), 60) < 5,
            (int) jeenergie::byId($id)->getStatus('timeout'),
        ], [$argv[1], $argv[2]]));
    """
    jeedom.php(silent, connection, inverter)
    for state in ("unreachable", "error", "unreachable"):
        jeedom.post({"event": "connection", "connection": connection, "state": state, "message": "x"})
        jeedom.post({"event": "connection", "connection": connection, "equipment": inverter, "state": state})
    assert jeedom.php(ages, connection, inverter) == [[False, 1], [False, 1]]
    jeedom.post({"event": "values", "equipment": inverter, "at": moment(0), "values": {"Watt": 1}})
    assert jeedom.php(ages, connection, inverter) == [[True, 0], [True, 0]]


def test_in_the_repeated_hour_of_autumn_the_later_moment_is_the_newer_one(jeedom: Jeedom, connection: str) -> None:
    inverter = create(jeedom, connection, "inverter", "1", "Inverter")
    shown = """
        $cmd = cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2]);
        echo json_encode([$cmd->execCmd(), $cmd->getCollectDate()]);
    """
    for at, value, expected in (
        ("2025-10-26T02:50:00+02:00", 1, [1, "2025-10-26 02:50:00"]),
        ("2025-10-26T02:10:00+01:00", 2, [2, "2025-10-26 02:10:00"]),
        ("2025-10-26T02:40:00+02:00", 3, [2, "2025-10-26 02:10:00"]),
        ("2025-10-26T02:20:00+01:00", 2, [2, "2025-10-26 02:20:00"]),
    ):
        jeedom.post({"event": "values", "equipment": inverter, "at": at, "values": {"Watt": value}})
        assert jeedom.php(shown, inverter, "Watt") == expected
