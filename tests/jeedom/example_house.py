"""The house of the pages of examples: simulators, the real daemon, and equipment with the names that the pages use."""

from __future__ import annotations

import html
import json
import math
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Union

from jeedom_host import ROOT, Jeedom
from test_jeedom_daemon import start, until
from test_jeedom_levels import CLASSES, INFO, PLUGIN

from simulators.easee import Account as EaseeAccount
from simulators.easee import EaseeCloud
from simulators.easee.charger import Charger
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant
from simulators.hellowatt import Customer, HelloWattSite, TempoService
from simulators.hellowatt.__main__ import example_homes
from simulators.hellowatt.tempo import Calendar
from simulators.wes.box import Box
from simulators.wes.life import furnished
from simulators.wes.server import WesServer
from tests.support.example_page import Scenario

USER, WORD, SERIAL = "camille@example.org", "Mot-de-passe-12", "EH000001"
VOLTS = 230
OBJECTS = """
    $ids = [];
    foreach (array_slice($argv, 1) as $name) {
        $object = new jeeObject();
        $object->setName($name)->setIsVisible(1);
        $object->save();
        $ids[$name] = $object->getId();
    }
    echo json_encode($ids);
"""
NAME = """
    $equipment = jeenergie::byId($argv[1]);
    $equipment->setName($argv[2])->setObject_id($argv[3]);
    $equipment->save();
"""
OF_A_CONNECTION = """
    $found = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        if ($each->getConfiguration('connection') == $argv[1]) { $found[$each->type()] = $each->getId(); }
    }
    echo json_encode((object) $found);
"""
HEATER = f"""
    require_once '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    plugin::byId('{PLUGIN}')->setIsEnable(1);
    $load = new {PLUGIN}();
    $load->setEqType_name('{PLUGIN}')->setName('Ballon')->setIsEnable(1)->setObject_id($argv[2]);
    $load->setConfiguration('folder', $argv[1]);
    $load->save();
    foreach (['on' => 'Allumer', 'off' => 'Éteindre'] as $id => $name) {{
        $cmd = new {PLUGIN}Cmd();
        $cmd->setEqLogic_id($load->getId())->setLogicalId($id)->setName($name)->setType('action')->setSubType('other');
        $cmd->save();
    }}
    echo json_encode($load->getId());
"""
REMOVE = f"""
    $class = '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    is_file($class) && require_once $class;
    foreach (json_decode($argv[1], true) as $connection) {{
        foreach (jeenergie::byType('jeenergie') as $each) {{
            if ($each->getConfiguration('connection') == $connection) {{ $each->remove(); }}
        }}
        is_object(jeenergie::byId($connection)) && jeenergie::byId($connection)->remove();
    }}
    foreach (eqLogic::byType('{PLUGIN}') as $each) {{ $each->remove(); }}
    foreach (json_decode($argv[2], true) as $id) {{
        is_object(scenario::byId($id)) && scenario::byId($id)->remove();
    }}
    foreach (json_decode($argv[3], true) as $id) {{
        is_object(jeeObject::byId($id)) && jeeObject::byId($id)->remove();
    }}
    foreach (message::all() as $each) {{
        if (strpos($each->getPlugin(), 'Scenario') === 0) {{ $each->remove(); }}
    }}
"""
VALUE = """
    $cmd = cmd::byId(trim(cmd::humanReadableToCmd($argv[1]), '#'));
    echo json_encode(is_object($cmd) ? $cmd->execCmd() : null);
"""
EVENT = "cmd::byString($argv[1])->event($argv[2]);"
SAYS = """
    $told = array_filter(message::all(), fn($each) => strpos($each->getPlugin(), 'Scenario') === 0);
    echo json_encode(array_values(array_map(fn($each) => $each->getMessage(), $told)));
"""
FORGET = """
    foreach (message::all() as $each) {
        if (strpos($each->getPlugin(), 'Scenario') === 0) { $each->remove(); }
    }
"""
IDLE = "echo json_encode(scenario::byId($argv[1])->getState() !== 'in progress');"
LAUNCHED = "echo json_encode((string) scenario::byId($argv[1])->getLastLaunch());"
LATER = """
    $found = [];
    foreach (cron::searchClassAndFunction('scenario', 'doIn', '"scenario_id":' . $argv[1] . ',') as $cron) {
        $found[] = ['id' => $cron->getId(), 'at' => strtotime($cron->getNextRunDate()) - time()];
    }
    echo json_encode($found);
"""
NOW = """
    $cron = cron::byId($argv[1]);
    $options = ['second' => 0] + $cron->getOption();
    $cron->remove();
    scenario::doIn($options);
"""


class House:
    """What a test does and looks at. References are those of the page: `#[Maison][Toit][Injection réseau]#`."""

    def __init__(self, jeedom: Jeedom, gateway: EnphaseGateway, cloud: EaseeCloud, box: Box, mark: str) -> None:
        self.jeedom, self.gateway, self.cloud, self.box = jeedom, gateway, cloud, box
        self.mark = mark
        self.objects: dict[str, str] = {}
        self.connections: dict[str, str] = {}
        self.scenarios: list[str] = []
        self.folder = Path(ROOT) / "data" / PLUGIN

    @property
    def charger(self) -> Charger:
        return self.cloud.chargers[SERIAL]

    def own(self, text: str) -> str:
        """The page's objects are this house's: another one of that name may be there."""
        for name in ("Maison", "Garage"):
            text = text.replace(f"[{name}]", f"[{name}{self.mark}]")
        return text

    def value(self, reference: str) -> Any:
        return self.jeedom.php(VALUE, self.own(reference))

    def number(self, reference: str) -> float:
        """NaN for what is none: the core's cache may be read while it is being written."""
        try:
            return float(self.value(reference))
        except (TypeError, ValueError):
            return math.nan

    def command(self, reference: str) -> str:
        """As a field of a form keeps it."""
        return str(
            self.jeedom.php("echo json_encode('#' . cmd::byString($argv[1])->getId() . '#');", self.own(reference))
        )

    def event(self, reference: str, value: str) -> None:
        self.jeedom.php(EVENT, self.own(reference), value)

    def wait_for(self, reference: str, value: Union[str, int, float], seconds: float = 60) -> None:
        try:
            until(lambda: self.value(reference) == value, seconds)
        except AssertionError:
            raise AssertionError(f"{reference} is {self.value(reference)!r}, not {value!r}") from None

    @property
    def messages(self) -> list[str]:
        return [html.unescape(each) for each in self.jeedom.php(SAYS)]

    def forget(self) -> None:
        self.jeedom.php(FORGET)

    @property
    def journal(self) -> list[str]:
        """What the heater was told."""
        file = self.folder / "journal"
        return [line.split()[0] for line in file.read_text().splitlines()] if file.exists() else []

    def save(self, scenario: Scenario, **other: str) -> str:
        """Saves it as its page does; `other` words stand for some of it."""
        text = json.dumps(scenario.form(f"{scenario.section} {len(self.scenarios)} {self.mark}"), ensure_ascii=False)
        for word, instead in other.items():
            text = text.replace(f"#{word}#", instead)
        made = self.jeedom.core("scenario", action="save", scenario=self.own(text))
        self.scenarios.append(str(made["id"]))
        return self.scenarios[-1]

    def start(self, scenario: str) -> None:
        """As its button does, to its end."""
        before = self.jeedom.php(LAUNCHED, scenario)
        until(lambda: time.strftime("%S") != before[-2:])  # the date of the last launch has seconds
        self.jeedom.core("scenario", action="changeState", id=scenario, state="start")
        self.runs(scenario, before)

    def launched(self, scenario: str) -> str:
        return str(self.jeedom.php(LAUNCHED, scenario))

    def runs(self, scenario: str, before: str) -> None:
        """It is launched after `before`, by whomever, and ends."""
        until(lambda: self.launched(scenario) != before, 60)
        self.idle(scenario)

    def idle(self, scenario: str) -> None:
        until(lambda: self.jeedom.php(IDLE, scenario), 60)

    def later(self, scenario: str) -> list[dict[str, Any]]:
        """What its IN blocks have put off: seconds from now."""
        return list(self.jeedom.php(LATER, scenario))

    def now(self, task: dict[str, Any]) -> None:
        """What Jeedom does when the time has come."""
        self.jeedom.php(NOW, str(task["id"]))

    def drop(self, scenario: str) -> None:
        self.jeedom.core("scenario", action="remove", id=scenario)

    # Setting it up.

    def connect(self, backend: str, name: str, place: str, config: dict[str, Any]) -> None:
        identifier = self.jeedom.own("addConnection", backend=backend, name=name)["id"]
        self.connections[backend] = identifier
        form = {
            "id": identifier,
            "isEnable": "1",
            "object_id": self.objects[place],
            "configuration": {"config": config},
        }
        self.jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))

    def tick(self, backend: str, kind: str, key: str, name: str, **config: str) -> None:
        row = {"type": kind, "key": key, "name": name, "config": config}
        self.jeedom.own("createDiscovered", connection=self.connections[backend], equipment=[row])

    def name(self, backend: str, kind: str, name: str, place: str) -> None:
        """Gives equipment that came by itself, or was ticked, the page's name."""
        found = until(lambda: self.jeedom.php(OF_A_CONNECTION, self.connections[backend]).get(kind), 60)
        self.jeedom.php(NAME, str(found), name, self.objects[place])


@contextmanager
def house(jeedom: Jeedom, mark: str = "") -> Iterator[House]:
    """It is there, online, with a car that is away. `mark`: follows the names of its two objects."""
    with ExitStack() as stack:
        gateway = stack.enter_context(EnphaseGateway(DaySource(Plant(time.time, inverters=4, hour=12))))
        cloud = stack.enter_context(EaseeCloud([EaseeAccount(USER, WORD, (SERIAL,))], life=False))
        box = furnished()
        wes = stack.enter_context(WesServer(box, account=("admin", WORD), ftp_account=("adminftp", WORD)))
        site = stack.enter_context(HelloWattSite([Customer(USER, WORD, example_homes(1)[1:])]))
        days = [date.today() + timedelta(days=n) for n in (-1, 0, 1)]
        white = Calendar(colors=dict.fromkeys(days, "white"))
        tempo = stack.enter_context(TempoService(calendar=white))
        made = House(jeedom, gateway, cloud, box, mark)
        stack.callback(take_down, made)
        made.objects = jeedom.php(OBJECTS, f"Maison{mark}", f"Garage{mark}")
        made.objects = {name.partition(" ")[0]: str(identifier) for name, identifier in made.objects.items()}
        start(jeedom)
        gateway.set(production=0.0, consumption=300.0)
        local = {"host": "127.0.0.1", "port": gateway.port, "tokenMode": "manual", "token": gateway.token()}
        made.connect("enphase", "Passerelle", "Maison", {**local, "pollInterval": 1})
        easee = {"apiUrl": cloud.url, "streamUrl": cloud.stream_url, "user": USER, "password": WORD}
        made.connect("easee", "Compte Easee", "Garage", easee)
        ftp = {"ftpUser": "adminftp", "ftpPassword": WORD, "ftpPort": wes.ftp.port}
        cgx = {"jeedomCgx": True, "autoUpdateCgx": True, "pollInterval": 1, **ftp}
        made.connect(
            "wes", "WES", "Maison", {"host": "127.0.0.1", "port": wes.port, "user": "admin", "password": WORD, **cgx}
        )
        account = {"siteUrl": site.url, "tempoUrl": tempo.url, "rteUrl": "", "user": USER, "password": WORD}
        made.connect("hellowatt", "helloWatt", "Maison", {**account, "historyMonths": 0})
        made.tick("easee", "charger", SERIAL, "Borne")
        made.tick("wes", "teleinfo", "1", "TIC 1", ticMeasure="consumption")
        made.name("enphase", "combined", "Toit", "Maison")
        made.name("easee", "charger", "Borne", "Garage")
        made.name("wes", "teleinfo", "TIC 1", "Maison")
        made.name("hellowatt", "electricity", "Électricité", "Maison")
        furnish(made)
        made.wait_for("#[Maison][Passerelle][État]#", "En ligne", 60)
        made.wait_for("#[Garage][Borne][Branché]#", 0, 60)
        made.wait_for("#[Maison][Électricité][Tempo en cours]#", "blanc", 60)
        until(lambda: float(made.value("#[Maison][TIC 1][Coût du jour]#") or 0) > 0, 60)
        yield made


def furnish(made: House) -> None:
    """The heater, which is another plugin's."""
    home = Path(ROOT) / "plugins" / PLUGIN
    (home / "core" / "class").mkdir(parents=True)
    (home / "plugin_info").mkdir()
    (home / "core" / "class" / f"{PLUGIN}.class.php").write_text(CLASSES)
    (home / "plugin_info" / "info.json").write_text(json.dumps(INFO))
    made.folder.mkdir()
    made.folder.chmod(0o777)
    made.jeedom.php(HEATER, str(made.folder), made.objects["Maison"])


def take_down(made: House) -> None:
    kept = (list(made.connections.values()), made.scenarios, list(made.objects.values()))
    made.jeedom.php(REMOVE, *map(json.dumps, kept))
    shutil.rmtree(made.folder, ignore_errors=True)
    shutil.rmtree(Path(ROOT) / "plugins" / PLUGIN, ignore_errors=True)
