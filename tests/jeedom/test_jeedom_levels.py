"""What loads are to be, in a real Jeedom: the core's own background tasks, commands that hang, fail and count.

Each task is a process of its own; some are killed, as a restart of Jeedom does.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from jeedom_host import ROOT, Jeedom, moment

PLUGIN = "jeeload"
CLASSES = f"""<?php
class {PLUGIN} extends eqLogic {{}}
class {PLUGIN}Cmd extends cmd
{{
    public function execute($_options = [])
    {{
        $folder = $this->getEqLogic()->getConfiguration('folder');
        $line = $this->getLogicalId() . ' ' . getmypid() . "\\n";
        file_put_contents($folder . '/journal', $line, FILE_APPEND | LOCK_EX);
        $mode = (string) @file_get_contents($folder . '/' . $this->getLogicalId());
        if ($mode === 'fail') {{
            throw new Exception('the plug does not answer');
        }}
        sleep((int) $mode);
    }}
}}
"""
INFO = {"id": PLUGIN, "name": PLUGIN, "category": "energy", "require": "4.4", "hasOwnDeamony": 0}
MAKE = f"""
    require_once '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    plugin::byId('{PLUGIN}')->setIsEnable(1);
    $load = new {PLUGIN}();
    $load->setEqType_name('{PLUGIN}')->setName('Load ' . uniqid())->setIsEnable(1);
    $load->setConfiguration('folder', $argv[1]);
    $load->save();
    $chosen = [];
    foreach (['onCommand' => 'on', 'offCommand' => 'off'] as $field => $name) {{
        $cmd = new {PLUGIN}Cmd();
        $cmd->setEqLogic_id($load->getId())->setLogicalId($name)->setName($name)->setType('action')->setSubType('other');
        $cmd->save();
        $chosen[$field] = '#' . $cmd->getId() . '#';
    }}
    $connection = new jeenergie();
    $connection->setEqType_name('jeenergie')->setName('Levels ' . uniqid())->setIsEnable(1);
    $connection->setConfiguration('kind', 'connection')->setConfiguration('backend', 'enphase');
    $connection->setConfiguration('config', ['host' => '127.0.0.1', 'tokenMode' => 'manual', 'token' => 'x']);
    $connection->save();
    $stage = new jeenergie();
    $stage->setEqType_name('jeenergie')->setName('Stage ' . uniqid())->setIsEnable(1);
    $stage->setConfiguration('kind', 'equipment')->setConfiguration('backend', 'enphase');
    $stage->setConfiguration('connection', $connection->getId())->setConfiguration('type', 'stage');
    $stage->setConfiguration('key', 'a')->setConfiguration('config', ['onAbove' => 5, 'offBelow' => 1] + $chosen);
    $stage->save();
    echo json_encode([$load->getId(), $connection->getId(), $stage->getId()]);
"""
REMOVE = f"""
    require_once '{ROOT}/plugins/{PLUGIN}/core/class/{PLUGIN}.class.php';
    foreach ($argv as $id) {{
        $eqLogic = eqLogic::byId($id);
        if (is_object($eqLogic)) {{
            $eqLogic->remove();
        }}
    }}
"""
TASKS = "echo json_encode(count(cron::searchClassAndFunction('jeenergie', 'runTrigger')));"
MESSAGES = "echo json_encode(array_map(fn($m) => $m->getMessage(), message::byPluginLogicalId('jeenergie', $argv[1])));"


class Stage:
    """A stage with its load. `numbers` grow as the daemon's do."""

    def __init__(self, jeedom: Jeedom, folder: Path, identifier: str, load: str) -> None:
        self.jeedom, self.folder, self.id, self.load = jeedom, folder, identifier, load
        self.number = int(time.time())

    def want(self, name: str) -> int:
        self.number += 1
        self.ask(name, self.number)
        return self.number

    def ask(self, name: str, number: int, **more: Any) -> list[int]:
        """One request of the daemon; the numbers that the answer lists."""
        event = {"event": "trigger", "level": True, "equipment": self.id, "name": f"{name}Command", "number": number}
        return self.told(self.jeedom.post({**event, "at": moment(0), "value": 1200, **more}))

    def told(self, answer: dict[str, Any]) -> list[int]:
        assert answer["ok"]
        assert "rejected" not in answer
        mine = [each for each in answer.get("triggered", []) if each["equipment"] == self.id]
        return [each["number"] for each in mine]

    def any_request(self) -> list[int]:
        return self.told(self.jeedom.post({"event": "daemon", "state": "started", "version": "0"}))

    def does(self, name: str, what: str) -> None:
        (self.folder / name).write_text(what)

    @property
    def journal(self) -> list[str]:
        return [line.split()[0] for line in self.lines]

    @property
    def lines(self) -> list[str]:
        file = self.folder / "journal"
        return file.read_text().splitlines() if file.exists() else []

    @property
    def messages(self) -> list[str]:
        return self.jeedom.php(MESSAGES, f"jeenergie::level::{self.id}")


def until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
    return found


@pytest.fixture
def stage(jeedom: Jeedom, quiet: None, tmp_path: Path) -> Iterator[Stage]:
    home = Path(ROOT) / "plugins" / PLUGIN
    (home / "core" / "class").mkdir(parents=True)
    (home / "plugin_info").mkdir()
    (home / "core" / "class" / f"{PLUGIN}.class.php").write_text(CLASSES)
    (home / "plugin_info" / "info.json").write_text(json.dumps(INFO))
    folder = Path(ROOT) / "data" / PLUGIN
    folder.mkdir()
    folder.chmod(0o777)
    ids: list[str] = []
    try:
        ids = [str(each) for each in jeedom.php(MAKE, folder)]
        yield Stage(jeedom, folder, ids[2], ids[0])
    finally:
        jeedom.php(REMOVE, ids[-1] if ids else "", *ids)
        shutil.rmtree(folder)
        shutil.rmtree(home)


def test_it_runs_in_the_background_once_and_is_told(stage: Stage) -> None:
    number = stage.want("off")
    until(lambda: stage.journal == ["off"])
    assert until(stage.any_request) == [number]
    assert stage.any_request() == []
    assert stage.ask("off", number) == [number]
    assert stage.ask("on", number - 1) == [number]
    time.sleep(1)
    assert stage.journal == ["off"]
    assert stage.jeedom.php(TASKS) == 0


def test_what_is_still_at_work_is_not_run_twice_and_the_newest_wish_is_run_last(stage: Stage) -> None:
    stage.does("on", "10")
    on = stage.want("on")
    until(lambda: stage.journal == ["on"])
    for _ in range(3):
        assert stage.ask("on", on) == []
    off = stage.want("off")
    stage.ask("off", off)
    assert until(stage.any_request, 30) == [off]
    assert stage.journal == ["on", "off"]


def test_a_task_that_is_killed_is_run_again(stage: Stage) -> None:
    stage.does("off", "30")
    off = stage.want("off")
    line = until(lambda: stage.lines)[0]
    os.kill(int(line.split()[1]), signal.SIGKILL)
    stage.does("off", "0")
    assert stage.ask("off", off) == []
    assert until(stage.any_request) == [off]
    assert stage.journal == ["off", "off"]
    until(lambda: stage.jeedom.php(TASKS) == 0)


def test_a_command_that_fails_is_told_once_and_tried_until_it_runs(stage: Stage) -> None:
    stage.does("off", "fail")
    off = stage.want("off")
    for count in (1, 2, 3):
        until(lambda count=count: len(stage.journal) == count)
        until(lambda: stage.jeedom.php(TASKS) == 0)
        if count < 3:
            stage.ask("off", off)
    assert len(stage.messages) == 1
    assert "the plug does not answer" in stage.messages[0]
    stage.does("off", "0")
    stage.ask("off", off)
    assert until(stage.any_request) == [off]
    assert stage.messages == []


def test_a_late_on_is_not_run_and_a_late_off_is(stage: Stage) -> None:
    stage.ask("on", stage.number + 1, expires=moment(1))
    until(lambda: stage.jeedom.php(TASKS) == 0)
    stage.number += 1
    off = stage.number + 1
    stage.ask("off", off, at=moment(86_400))
    assert until(stage.any_request) == [off]
    assert stage.journal == ["off"]


def test_tasks_that_jeedom_does_not_run_are_told_and_do_not_pile_up(stage: Stage) -> None:
    stage.jeedom.php("config::save('enableCron', 0);")
    try:
        off = stage.want("off")
        for _ in range(8):
            time.sleep(0.3)
            stage.ask("off", off)
        assert stage.jeedom.php(TASKS) == 1
        assert len(stage.messages) == 1
    finally:
        stage.jeedom.php("config::save('enableCron', 1);")
    stage.ask("off", off)
    assert until(stage.any_request) == [off]
    assert stage.messages == []
    until(lambda: stage.jeedom.php(TASKS) == 0)
