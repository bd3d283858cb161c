"""The house of the documentation's pictures: the demonstration's systems in a Jeedom that may be spoiled."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Optional
from urllib.error import HTTPError
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools"), str(ROOT / "tests" / "jeedom")]

import book_of_a_year  # noqa: E402
import former_plugins  # noqa: E402
from jeedom_host import Jeedom, Refused  # noqa: E402
from test_jeedom_daemon import start, until  # noqa: E402

from simulators.demo.systems import SYSTEMS, Scene  # noqa: E402

CLEAN = """
    foreach (jeenergie::byType('jeenergie') as $each) { $each->isConnection() || $each->remove(); }
    foreach (jeenergie::connections() as $each) { $each->remove(); }
    foreach (message::all() as $each) { $each->remove(); }
    config::remove('automatic::house', 'jeenergie');
    config::save('firstSteps', 'ended', 'jeenergie');
"""
PLACE = """
    $own = jeeObject::byName($argv[1]);
    if (is_object($own)) {
        $own->setConfiguration('jeenergiePicturesName', $argv[1])->setName($argv[1] . ' ' . $own->getId())->save();
    }
    $object = new jeeObject();
    $object->setName($argv[1])->setIsVisible(1)->setConfiguration('jeenergiePictures', 1)->save();
    echo json_encode((string) $object->getId());
"""
"""An object for the house alone; one that has its name already is called otherwise meanwhile."""
PUT_BACK = """
    foreach (jeeObject::all() as $each) { $each->getConfiguration('jeenergiePictures') && $each->remove(); }
    foreach (jeeObject::all() as $each) {
        $name = $each->getConfiguration('jeenergiePicturesName');
        $name && $each->setName($name)->setConfiguration('jeenergiePicturesName', null)->save();
    }
"""
"""Undoes PLACE, also that of a run that was killed."""
FOUND = """
    $found = [];
    foreach (jeenergie::byType('jeenergie') as $each) {
        $kind = $each->isConnection() ? $each->getConfiguration('backend') : $each->type();
        $found[] = [$each->getId(), $kind, $each->getName()];
    }
    echo json_encode($found);
"""
DISABLE = """
    foreach (jeenergie::byType('jeenergie') as $each) {
        $each->getName() === $argv[1] && $each->setIsEnable(0)->save();
    }
"""
HIDE = "foreach (eqLogic::byType('EaseeCharger') as $each) { $each->setIsVisible(0)->save(); }"
ACTIONS = """
    $all = jeenergie::byId($argv[1])->getCmd('action');
    $actions = array_filter($all, fn($each) => $each->getLogicalId() !== 'refresh');
    echo json_encode(array_map(fn($each) => '#' . $each->getId() . '#', array_slice(array_values($actions), 0, 2)));
"""
RENAME = """
    foreach (json_decode($argv[1], true) as $from => $to) {
        $isBeginning = substr($from, -1) === ' ';
        foreach (jeenergie::byType('jeenergie') as $each) {
            if ($isBeginning ? strpos($each->getName(), $from) === 0 : $each->getName() === $from) {
                $each->setName($to . ($isBeginning ? substr($each->getName(), strlen($from)) : ''))->save();
            }
        }
    }
"""
SORT = """
    $order = array_flip(json_decode($argv[1], true));
    foreach (jeenergie::byType('jeenergie') as $each) {
        $kind = $each->isConnection() ? $each->getConfiguration('backend') : $each->type();
        $each->setOrder($order[$kind] ?? count($order))->save();
    }
"""
ORDER = ("home", "charger", "combined", "chargePoint", "electricity", "teleinfo", "enphase", "sonde", "relais", "gas")
"""What a user would look at first comes first on the dashboard; all else comes after it."""
SEEN_FIRST_S = 900
TRIES, PAUSE_S = 20, 3
OF_A_USER = {"Garage": "WES", "Compte Easee": "Easee", "Compte helloWatt": "helloWatt"}
"""Names in Jeedom of the demonstration's connections: those of one object are unique there."""


def own(jeedom: Jeedom, action: str, **request: Any) -> Any:
    """One of the plugin's actions, asked again while Jeedom is busy."""
    for left in range(TRIES - 1, -1, -1):
        try:
            return jeedom.own(action, **request)
        except (Refused, HTTPError):
            if not left:
                raise
            time.sleep(PAUSE_S)
    return None


class Spoiled:
    """Takes what the demonstration sets up in its stand-in, and sets it up in a real Jeedom as a user does."""

    def __init__(self, jeedom: Jeedom, place: str) -> None:
        self._jeedom, self._place = jeedom, place

    def add_connection(self, backend: str, config: dict[str, Any], name: str = "") -> str:
        if backend == "house":
            return self._house(config)
        identity = str(own(self._jeedom, "addConnection", backend=backend, name=OF_A_USER.get(name, name))["id"])
        self._save(identity, {**config, **({"historyMonths": 0} if backend == "hellowatt" else {})})
        return identity

    def _save(self, identity: str, config: dict[str, Any]) -> None:
        form = {"id": identity, "isEnable": "1", "object_id": self._place, "configuration": {"config": config}}
        self._jeedom.core("eqLogic", action="save", type="jeenergie", eqLogic=json.dumps([form]))

    def _house(self, config: dict[str, Any]) -> str:
        """It is there by itself; if it was deleted in this Jeedom before, it is added."""
        try:
            identity = until(lambda: kinds(self._jeedom).get("house"), 20)
        except AssertionError:
            identity = str(own(self._jeedom, "addConnection", backend="house", name="Maison")["id"])
        self._save(identity, config)
        return identity

    def add_equipment(
        self, connection: str, kind: str, key: str, name: str = "", config: Optional[dict[str, Any]] = None
    ) -> str:
        name = {"Garage": "Borne du garage", "Allée": "Borne de l'allée"}.get(name, name)
        if kind == "chargePoint":
            return key  # `control` adds it, as the page offers it
        row = {"type": kind, "key": key, "name": name, "config": config or {}}
        own(self._jeedom, "createDiscovered", connection=connection, equipment=[row])
        return key


def kinds(jeedom: Jeedom) -> dict[str, str]:
    """An id for each backend (its connection) and each type of equipment; the last one of a kind."""
    return {kind: str(identity) for identity, kind, _ in jeedom.php(FOUND)}


@contextmanager
def show_house(jeedom: Jeedom, name: str, names: dict[str, str]) -> Iterator[dict[str, str]]:
    """All connections that were there go first. Yields ids by backend and type, and `place`, the object's.

    `name`: that of the object; `names`: what to call equipment instead of its French name.
    """
    jeedom.php(CLEAN)
    jeedom.php(PUT_BACK)
    start(jeedom)
    with ExitStack() as stack:
        stack.callback(jeedom.php, PUT_BACK)
        stack.callback(jeedom.php, CLEAN)
        place = jeedom.php(PLACE, name)
        scene = Scene()
        for system in SYSTEMS:
            system(stack, Spoiled(jeedom, place), 1.0, scene)  # type: ignore[arg-type]
        for kind in ("combined", "electricity", "line", "inverter", "home"):
            until(lambda kind=kind: kinds(jeedom).get(kind), SEEN_FIRST_S)
        jeedom.php(DISABLE, "Ballon")  # not a part of what the gateway measures
        control(jeedom)
        add_stage(jeedom)
        if former_plugins.is_there("EaseeCharger"):
            stack.callback(former_plugins.clean, jeedom)
            former_plugins.install("EaseeCharger")
            former_plugins.make(jeedom, "EaseeCharger", 10)
            jeedom.php(HIDE)
        time.sleep(10)
        fill_the_year(jeedom)
        fill_the_book(jeedom)
        jeedom.php(RENAME, json.dumps(names))
        jeedom.php(SORT, json.dumps(ORDER))
        yield {**kinds(jeedom), "place": place}


def control(jeedom: Jeedom) -> None:
    """The house drives a charger, from the sun."""

    def offered() -> list[dict[str, Any]]:
        found = own(jeedom, "discover", connection=kinds(jeedom)["house"])["equipment"]
        return [each for each in found if each["type"] == "chargePoint"]

    first = until(offered, SEEN_FIRST_S)[0]
    row = {key: first[key] for key in ("type", "key", "name")}
    own(jeedom, "createDiscovered", connection=kinds(jeedom)["house"], equipment=[{**row, "config": {}}])


def add_stage(jeedom: Jeedom) -> None:
    """A threshold of self-consumption that switches a relay of the WES."""
    relay = kinds(jeedom)["relais"]
    on, off = jeedom.php(ACTIONS, relay)
    config = {"onAbove": 1500, "onCommand": on, "offBelow": 200, "offCommand": off, "delay": 120}
    gateway = kinds(jeedom)["enphase"]
    own(jeedom, "addByHand", connection=gateway, type="stage", key="1", name="Ballon solaire", config=config)


def fill_the_year(jeedom: Jeedom) -> None:
    """A year of days for the charts, shaped as helloWatt's: winter and summer, peak and off-peak, Tempo."""
    rows = [(str(identity), name) for identity, kind, name in jeedom.php(FOUND) if kind == "electricity"]
    today = date.today()
    imported = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    """The last two months are the simulated account's own."""
    days = [imported - timedelta(days=n) for n in range(1, 340)]
    for identity, name in rows:
        split = ["conso_hp_jour", "conso_hc_jour", "cout_hp_jour", "cout_hc_jour"]
        tempo = [f"tempo_conso_{color}_{part}" for color in ("bleu", "blanc", "rouge") for part in ("hp", "hc")]
        told: dict[str, dict[date, float]] = {}
        flat = name.endswith("562")
        for day in days:
            cold = 1 + 0.7 * abs((day.timetuple().tm_yday - 200) / 182)
            use = round((9.0 if flat else 13.0) * cold * (0.85 + 0.3 * ((day.toordinal() * 7919) % 100) / 100), 2)
            told.setdefault("conso_jour", {})[day] = use
            told.setdefault("cout_jour", {})[day] = round(use * 0.2, 2)
            told.setdefault("abo_jour", {})[day] = 0.52
            if flat:
                dice = (day.toordinal() * 104729) % 365
                winter = day.month in (11, 12, 1, 2, 3)
                color = "rouge" if winter and dice < 50 and day.weekday() < 5 else "blanc" if dice % 8 == 0 else "bleu"
                told.setdefault(f"tempo_conso_{color}_hp", {})[day] = round(use * 0.62, 2)
                told.setdefault(f"tempo_conso_{color}_hc", {})[day] = round(use * 0.38, 2)
            else:
                sun = max(0.0, 1.9 - cold) * 9
                told.setdefault("prod_jour", {})[day] = round(
                    3 + sun * (0.6 + 0.4 * ((day.toordinal() * 31) % 10) / 10), 2
                )
                told.setdefault("conso_hp_jour", {})[day] = round(use * 0.64, 2)
                told.setdefault("conso_hc_jour", {})[day] = round(use * 0.36, 2)
                told.setdefault("cout_hp_jour", {})[day] = round(use * 0.64 * 0.22, 2)
                told.setdefault("cout_hc_jour", {})[day] = round(use * 0.36 * 0.17, 2)
        seen = tempo if flat else [*split, "prod_jour"]
        hand_over(jeedom, {"event": "available", "equipment": identity, "commands": seen})
        hand_over(
            jeedom,
            *(
                {
                    "event": "history",
                    "equipment": identity,
                    "command": command,
                    "points": [
                        [datetime(d.year, d.month, d.day).astimezone().isoformat(), value]
                        for d, value in points.items()
                    ],
                }
                for command, points in told.items()
            ),
        )


def hand_over(jeedom: Jeedom, *events: dict[str, Any]) -> None:
    """Posts as a daemon does: the same again after a refusal of a busy Jeedom."""
    jeedom.sequence += 1

    def is_taken() -> bool:
        try:
            return bool(jeedom.post(*events, sequence=jeedom.sequence))
        except HTTPError:
            time.sleep(PAUSE_S)
            return False

    until(is_taken, SEEN_FIRST_S)


PLACES = "echo json_encode([DataFolder::path(), date_default_timezone_get()]);"
STATE = "echo json_encode(jeenergie::byId($argv[1])->getCmd('info', 'state')->execCmd());"
TODAY = "echo json_encode(jeenergie::byId($argv[1])->getCmd('info', 'houseDay')->execCmd());"
ONLINE = ("En ligne", "Online")
BALANCED_S = 900
"""The house balances an interval of five minutes after its end."""


def fill_the_book(jeedom: Jeedom) -> None:
    """A year of the house, written while no daemon has the book open."""
    folder, zone = jeedom.php(PLACES)
    jeedom.core("plugin", action="deamonStop", id="jeenergie")
    book, owner = Path(folder) / "house.sqlite", Path(folder).stat()
    book_of_a_year.write(book, ZoneInfo(zone), time.time(), kinds(jeedom)["charger"])
    for each in book.parent.glob("house*sqlite*"):
        os.chown(each, owner.st_uid, owner.st_gid)
    start(jeedom)
    for backend in ("enphase", "easee", "house"):
        until(lambda backend=backend: jeedom.php(STATE, kinds(jeedom)[backend]) in ONLINE, BALANCED_S)
    until(lambda: jeedom.php(TODAY, kinds(jeedom)["home"]) not in ("", None), BALANCED_S)
