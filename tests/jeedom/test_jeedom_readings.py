"""The house in a real Jeedom: it makes itself with the first meter, and another plugin's command takes part."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Optional

import pytest
from jeedom_host import ROOT, Jeedom
from test_jeedom_daemon import start, until

from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant

PLUGIN = "jeemeter"
CLASSES = f"""<?php
class {PLUGIN} extends eqLogic {{}}
class {PLUGIN}Cmd extends cmd {{}}
"""
INFO = {"id": PLUGIN, "name": PLUGIN, "category": "energy", "require": "4.4", "hasOwnDeamony": 0}
METER = f"""
    require_once '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    plugin::byId('{PLUGIN}')->setIsEnable(1);
    $meter = new {PLUGIN}();
    $meter->setEqType_name('{PLUGIN}')->setName('Meter ' . uniqid())->setIsEnable(1);
    $meter->save();
    $cmd = new {PLUGIN}Cmd();
    $cmd->setEqLogic_id($meter->getId())->setLogicalId('power')->setName('Power')->setType('info')->setSubType('numeric');
    $cmd->save();
    echo json_encode([$meter->getId(), $cmd->getId()]);
"""
EVENT = f"""
    require_once '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    $cmd = cmd::byId($argv[1]);
    $began = microtime(true);
    foreach (array_slice($argv, 2) as $value) {{ $cmd->event($value); }}
    echo json_encode(microtime(true) - $began);
"""
HOUSES = """
    $found = array_filter(jeenergie::connections(), fn($each) => $each->backend() === 'house');
    echo json_encode(array_values(array_map(fn($each) => [
        'id' => $each->getId(), 'name' => $each->getName(), 'enabled' => (int) $each->getIsEnable(),
        'types' => array_map(fn($one) => $one->type(), $each->equipment()),
    ], $found)));
"""
REMOVE_HOUSES = """
    foreach (jeenergie::connections() as $each) {
        if ($each->backend() === 'house') { $each->remove(); }
    }
    if ($argv[1] === 'never') { config::remove('automatic::house', 'jeenergie'); }
"""
LISTENED = """
    $own = array_filter(listener::byClass('jeenergie'), fn($each) => $each->getFunction() === 'onReading');
    echo json_encode(array_merge([], ...array_values(array_map(fn($each) => $each->getEvent(), $own))));
"""
REMOVE = f"""
    is_file('{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php')
        && require_once '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    foreach (array_slice($argv, 1) as $id) {{
        $each = eqLogic::byId($id);
        is_object($each) && $each->remove();
    }}
"""


def connect(jeedom: Jeedom, gateway: EnphaseGateway) -> str:
    """As the page adds a connection; its equipment comes by itself."""
    identifier = str(jeedom.own("addConnection", backend="enphase", name=f"Meter {time.time_ns()}")["id"])
    config = {"host": "127.0.0.1", "port": gateway.port, "tokenMode": "manual", "token": gateway.token()}
    form = {"id": identifier, "isEnable": "1", "configuration": {"config": {**config, "pollInterval": 1}}}
    jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
    return identifier


def houses(jeedom: Jeedom) -> list[dict[str, Any]]:
    return list(jeedom.php(HOUSES))


def role_of(jeedom: Jeedom, equipment: str) -> Optional[dict[str, Any]]:
    """What the daemon's house has of an equipment, as the socket's `house` tells it."""
    found = jeedom.php(
        "try { $roles = Socket::request('house')['roles']; } catch (Refusal $error) { $roles = []; }"  # it starts yet
        "echo json_encode($roles);"
    )
    return next((each for each in found if each["source"]["equipment"] == equipment), None)


def reads(jeedom: Jeedom, equipment: str, value: float) -> Any:
    role = role_of(jeedom, equipment)
    return role is not None and role["value"] == value and role


def grid(jeedom: Jeedom) -> Optional[float]:
    """The power of the grid, as the page of the house shows it."""
    roles = jeedom.own_panel("roles")["roles"]
    return next((each["value"] for each in roles if each["quantity"].startswith("grid.")), None)


@pytest.fixture
def clean(jeedom: Jeedom) -> Iterator[list[str]]:
    """No house, and none was there before; ids to remove at the end."""
    if jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") != "ok":
        pytest.skip("the dependencies are not installed there")
    start(jeedom)
    jeedom.php(REMOVE_HOUSES, "never")
    made: list[str] = []
    yield made
    jeedom.php(REMOVE, *made)
    jeedom.php(REMOVE_HOUSES, "never")


@pytest.fixture
def plugin() -> Iterator[None]:
    """Another plugin, with a meter."""
    home = Path(ROOT) / "plugins" / PLUGIN
    (home / "core" / "class").mkdir(parents=True)
    (home / "plugin_info").mkdir()
    (home / "core" / "class" / f"{PLUGIN}.class.php").write_text(CLASSES)
    (home / "plugin_info" / "info.json").write_text(json.dumps(INFO))
    yield
    shutil.rmtree(home)


def test_the_house_appears_with_the_first_meter_and_not_again_once_deleted(jeedom: Jeedom, clean: list[str]) -> None:
    with ExitStack() as stack:
        gateway = stack.enter_context(EnphaseGateway(DaySource(Plant(time.time, inverters=2, hour=12))))
        stack.callback(lambda: jeedom.php(REMOVE, *clean))
        assert houses(jeedom) == []
        clean.append(connect(jeedom, gateway))
        found = until(lambda: houses(jeedom), 60)
        assert [(each["name"], each["enabled"]) for each in found] == [("Maison (énergie)", 1)]
        until(lambda: houses(jeedom)[0]["types"] == ["home"], 60)
        until(lambda: grid(jeedom) is not None, 60)
        assert len(houses(jeedom)) == 1
        jeedom.core("eqLogic", action="remove", type="jeenergie", id=str(found[0]["id"]))
        assert houses(jeedom) == []
        jeedom.php("foreach (jeenergie::byId($argv[1])->equipment() as $each) { $each->save(); }", clean[0])
        clean.append(connect(jeedom, gateway))
        until(lambda: jeedom.php("echo json_encode(count(jeenergie::byId($argv[1])->equipment()));", clean[1]) > 1, 60)
        assert houses(jeedom) == []


def test_another_plugins_command_is_a_reading_of_the_house(jeedom: Jeedom, clean: list[str], plugin: None) -> None:
    meter, command = (str(each) for each in jeedom.php(METER))
    clean.append(meter)
    jeedom.php(EVENT, command, 1)
    house = str(jeedom.own("addConnection", backend="house", name="Chez nous")["id"])
    form = {"id": house, "isEnable": "1"}
    jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))
    config = {"quantity": "grid.power", "command": f"#{command}#"}
    row = {"type": "source", "key": "a", "name": "Compteur", "config": config}
    source = str(jeedom.own("createDiscovered", connection=house, equipment=[row])["created"][0])
    assert jeedom.php(LISTENED) == [f"#{command}#"]

    # The value of before arrives with the save, then each change, the newest last. Whoever makes an event does not
    # wait for it: sixty that waited half a second each, the most that one may, would take 30 s.
    until(lambda: reads(jeedom, source, 1), 30)
    assert jeedom.php(EVENT, command, 1234) < 5.0
    until(lambda: reads(jeedom, source, 1234), 30)
    assert jeedom.php(EVENT, command, *range(100, 160)) < 20.0
    until(lambda: reads(jeedom, source, 159), 30)

    # A daemon that starts gets what is now.
    start(jeedom)
    until(lambda: reads(jeedom, source, 159), 30)

    # Removed with its equipment.
    jeedom.php("jeenergie::byId($argv[1])->remove();", source)
    assert jeedom.php(LISTENED) == []
