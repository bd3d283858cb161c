"""What the core offers every backend: actions aside, troubles of one equipment, texts of the catalogue."""

from __future__ import annotations

import json
import threading
from types import SimpleNamespace

import pytest
from jeenergied.actions import Actions
from jeenergied.api.commands import Commands
from jeenergied.connections.publisher import Publisher
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.devices.base import Connection, Device, Equipment, Identity, Refused
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.clock import SystemClock
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.logs import Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store

ROW = {"logicalId": "why", "name": "Why", "type": "info", "subType": "string", "source": "why"}
CATALOGUE = Catalogue(
    "lamp",
    {
        "backend": "lamp",
        "connection": {"fields": [], "operations": [], "commands": []},
        "equipment": {
            "lamp": {"fields": [], "commands": [{**ROW, "map": {"1": "Eteint"}}, {**ROW, "logicalId": "raw"}]}
        },
    },
)
LAMP = Equipment("11", "lamp", "a", "Lamp", {}, {"why": {}, "raw": {}})


class Lamp(Device):
    """Acts in whatever thread it is called."""

    def start(self) -> None: ...

    def refresh(self) -> None: ...

    def test(self) -> Identity:
        return Identity({}, "")

    def act(self, equipment, command, options) -> None:
        self.thread = threading.current_thread().name


class Aside(Lamp):
    acts_aside = True


@pytest.fixture
def runner(tmp_path):
    """Makes runners of a device class."""
    made = []

    def make(device):
        clock = SystemClock()
        store = Store(tmp_path / "store.sqlite")
        shared = Services(clock, Outbox(clock), store, Masker(), Texts(tmp_path), Board(clock))
        made.append(Runner(Connection("1", "lamp", "L", {}, {}, (LAMP,)), device, CATALOGUE, shared))
        return made[-1]

    yield make
    for each in made:
        each.stop()
        each.finish(1.0)


def acting(runner):
    """The name of the thread in which an action ran."""
    data = {"type": "action"}
    runner.catalogue = SimpleNamespace(all_rows=lambda kind: [SimpleNamespace(logical_id="on", data=data)])
    supervisor = SimpleNamespace(owner=lambda identifier: (runner, LAMP))
    commands = Commands(
        None,
        runner.context.services,
        supervisor,
        Actions(supervisor.owner, runner.context.services.texts, runner.context.services.outgoing),
        None,
        lambda: None,
        lambda: None,
    )
    commands._action({"equipment": "11", "command": "on"})
    return runner.device.thread


def test_actions_queue_in_the_connections_thread_unless_the_device_wants_them_aside(runner):
    queued = runner(Lamp)
    queued.start()
    assert acting(queued) == "connection-1"
    aside = runner(Aside)
    assert acting(aside) != "connection-1"


def test_a_trouble_of_one_equipment_is_told_once_and_its_end_too(runner):
    running = runner(Lamp)
    for _ in range(2):
        running.context.report_equipment_error("11", Refused("Défaut de {name}", name="Lamp"))
    running.context.report_equipment_error("11", None)
    running.context.report_equipment_error("11", None)
    events = []
    while (batch := running.context.services.outbox.take()) is not None:
        events += [json.loads(part) for part in batch.parts]
        running.context.services.outbox.acknowledged(batch, {"ok": True})
    assert [event["state"] for event in events] == ["online"]  # the newer replaces the one that waits
    assert events[0]["equipment"] == "11"


def test_texts_of_the_catalogue_are_translated_and_the_devices_own_are_not():
    clock = SystemClock()
    outbox = Outbox(clock)
    publisher = Publisher(CATALOGUE, outbox, clock, lambda text: {"Eteint": "Off"}.get(text, text + "!"))
    publisher.adopt(Connection("1", "lamp", "L", {}, {}, (LAMP,)))
    publisher.facts("11", {"why": 1}, None)
    batch = outbox.take()
    assert json.loads(batch.parts[0])["values"] == {"why": "Off", "raw": "1"}
