"""Texts of a vendor or a device on every way out of the daemon: no secret repeated, no markup, no forged line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jeenergied.actions import Actions
from jeenergied.api.commands import Commands
from jeenergied.connections.runner import Runner
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.devices.base import Connection, Device, Equipment, Found, Identity, VendorError
from jeenergied.readings import Board
from jeenergied.texts import Texts

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Catalogue, Contract
from jeedom_bridge.listener import CommandError
from jeedom_bridge.logs import Logs, Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store

ROOT = Path(__file__).resolve().parents[2]
SHORT, LONG = "hunt7er", "a-rather-long-password"
EVIL = f"<img src=x onerror=alert(1)> {SHORT} {LONG}\n[2026-01-01 00:00:00][ERROR] forged \x1b[31m"
ROW = {"logicalId": "tariff", "name": "Tariff", "type": "info", "subType": "string", "source": "tariff"}
CATALOGUE = Catalogue(
    "box",
    {
        "backend": "box",
        "connection": {
            "fields": [{"key": "password", "label": "p", "type": "secret"}],
            "operations": [{"key": "go", "label": "Go", "fields": []}],
            "commands": [],
        },
        "equipment": {"meter": {"fields": [], "commands": [ROW]}},
    },
)
METER = Equipment("11", "meter", "a", "Meter", {}, {"tariff": {}})


class Evil(Device):
    """A device that repeats what it was given, with markup around it."""

    def start(self) -> None:
        self.context.publish("11", {"tariff": EVIL})
        self.context.report_equipment_error("11", VendorError("La boîte dit : {text}", text=EVIL))
        self.context.message("warning", "La boîte dit : {text}", text=EVIL)
        self.context.progress("go", 1, "La boîte dit : {text}", text=EVIL)
        raise VendorError("La boîte dit : {text}", text=EVIL)

    def refresh(self) -> None:
        raise VendorError("La boîte dit : {text}", text=EVIL)

    def test(self) -> Identity:
        return Identity({"name": "<b>box</b>"}, "Bonjour <b>box</b>\nforged")

    def discover(self) -> list[Found]:
        return [Found("meter", "a", "<script>x</script>\x1b", {})]

    def run(self, operation: str, options: Any) -> str:
        return "<i>fait</i>"


@pytest.fixture
def world(tmp_path: Path) -> Any:
    clock, masker = ManualClock(), Masker()
    masker.register(SHORT, LONG)
    store = Store(tmp_path / "store.sqlite")
    shared = Services(clock, Outbox(clock), store, masker, Texts(ROOT / "core" / "i18n"), Board(clock))
    runner = Runner(Connection("1", "box", "Box", {}, {}, (METER,)), Evil, CATALOGUE, shared)
    supervisor = Supervisor(Contract(ROOT / "core" / "contract"), shared)
    supervisor._runners["1"] = runner
    logs = Logs.__new__(Logs)
    yield (
        runner,
        Commands(
            Contract(ROOT / "core" / "contract"),
            shared,
            supervisor,
            Actions(supervisor.owner, shared.texts, shared.outgoing),
            logs,
            lambda: None,
            lambda: None,
        ),
    )
    runner.stop()
    runner.finish(5)
    store.close()


def harmless(part: Any) -> None:
    text = json.dumps(part, ensure_ascii=False)
    assert SHORT not in text
    assert LONG not in text
    assert not set(text) & set("<>")
    assert "\\n" not in text
    assert "\\u001b" not in text


def test_no_exit_of_the_daemon_repeats_a_secret_or_carries_markup(world: Any) -> None:
    runner, commands = world
    runner.start()
    runner.call(lambda: None).result(30)
    outbox, events = runner.context.services.outbox, []
    while (batch := outbox.take(everything=True)) is not None:
        events += [json.loads(part) for part in batch.parts]
        outbox.acknowledged(batch, {"ok": True})
    kinds = {event["event"] for event in events}
    assert {"values", "connection", "message", "progress"} <= kinds
    values = [event for event in events if event["event"] == "values"]
    assert values[0]["values"]["tariff"].startswith("‹img")
    for event in events:
        if event["event"] != "values":  # a value may be what it likes, but no markup
            harmless(event)
    status = commands.handle("status", {"cmd": "status"})
    assert "La boîte dit" in status["connections"]["1"]["lastError"]
    harmless(status)


@pytest.mark.parametrize("command", ["discover", "run"])
def test_answers_to_pages_carry_no_markup(world: Any, command: str) -> None:
    runner, commands = world
    runner.worker.start()
    more = {"operation": "go", "options": {}} if command == "run" else {}
    harmless(commands.handle(command, {"cmd": command, "connection": "1", **more}))


def test_a_refusal_carries_no_secret_and_no_markup(world: Any) -> None:
    runner, commands = world
    runner.worker.start()
    with pytest.raises(CommandError) as refused:
        commands.handle("refresh", {"cmd": "refresh", "connection": "1"})
    assert "La boîte dit" in str(refused.value)
    harmless(str(refused.value))
