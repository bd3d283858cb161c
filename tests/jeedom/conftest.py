"""A real Jeedom with the plugin installed and active: JEEDOM_ROOT and JEEDOM_URL say where; skipped without."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from jeedom_host import ROOT, URL, Jeedom


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = f"{Path(__file__).parent}{os.sep}"
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker("alone")
            item.add_marker(pytest.mark.xdist_group("jeedom"))  # there is but one
            if not (ROOT and URL):
                item.add_marker(pytest.mark.skip(reason="JEEDOM_ROOT and JEEDOM_URL are not set"))


HOME = "if (jeeObject::all() === []) { $home = new jeeObject(); $home->setName('Maison'); $home->save(); }"
"""A Jeedom that was just installed has no object."""


@pytest.fixture(scope="session")
def jeedom() -> Jeedom:
    host = Jeedom()
    host.php(HOME)
    return host


MAKE = """
    $connection = new jeenergie();
    $connection->setEqType_name('jeenergie')->setName('Test ' . uniqid())->setIsEnable(1);
    $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'enphase');
    $connection->setConfiguration('config', ['host' => '127.0.0.1', 'tokenMode' => 'manual', 'token' => 'x']);
    $connection->save();
    $equipment = Discovery::create($connection, 'inverter', uniqid(), 'Test');
    foreach (range(0, 299) as $n) {
        $cmd = new jeenergieCmd();
        $cmd->setEqLogic_id($equipment->getId())->setLogicalId('v' . $n)->setName('V' . $n);
        $cmd->setType('info')->setSubType('numeric')->setIsHistorized(1)->setConfiguration('historizeMode', 'none');
        $cmd->save();
    }
    echo json_encode(['connection' => $connection->getId(), 'equipment' => $equipment->getId()]);
"""


@pytest.fixture(scope="module")
def quiet(jeedom: Jeedom) -> Iterator[None]:
    """No daemon, and none that starts by itself, until the tests of the module have ended."""
    automatic = jeedom.php("echo json_encode(config::byKey('deamonAutoMode', 'jeenergie', 1));")
    jeedom.php("config::save('deamonAutoMode', 0, 'jeenergie'); plugin::byId('jeenergie')->deamon_stop();")
    yield
    jeedom.php("config::save('deamonAutoMode', $argv[1], 'jeenergie');", automatic)


@pytest.fixture(scope="module")
def bench(jeedom: Jeedom, quiet: None) -> Iterator[dict[str, str]]:
    """A connection with one equipment of 300 historized commands v0 to v299."""
    ids = {name: str(value) for name, value in jeedom.php(MAKE).items()}
    yield ids
    jeedom.php("jeenergie::byId($argv[1])->remove();", ids["connection"])
