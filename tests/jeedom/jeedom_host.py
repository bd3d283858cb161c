"""PHP inside the core of a real Jeedom, and the daemon's side of its callback."""

from __future__ import annotations

import http.cookiejar
import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = os.environ.get("JEEDOM_ROOT", "")
URL = os.environ.get("JEEDOM_URL", "")

SOURCES = Path(__file__).resolve().parents[2] / "core" / "src"
IMPORTS = "".join(f"use Jeenergie\\{path.parent.name}\\{path.stem};\n" for path in sorted(SOURCES.glob("*/*.php")))
"""Lets the code below name the plugin's classes as its own files do."""
BOOT = f"""
    {IMPORTS}
    require '{ROOT}/core/php/core.inc.php';
    class_exists('jeenergie');
    set_error_handler(function ($level, $text, $file) {{
        // A notice of the plugin's own code is a failure; the core's are not looked at.
        if (error_reporting() & $level && strpos($file, '/plugins/jeenergie/') !== false) {{
            throw new ErrorException($text);
        }}
        return false;
    }});
"""
COST = """
    $events = json_decode($argv[1], true);
    (new Callback())->apply($events); // the first event of a command costs more, once
    $events = json_decode($argv[2], true);
    config::byKeys(['folder::tmp', 'cache::engine', 'historyArchiveTime', 'history::smooth', 'cmdPushUrl']);
    $count = function () {
        return (int) DB::getConnection()->query("SHOW SESSION STATUS LIKE 'Questions'")->fetchColumn(1);
    };
    $before = $count();
    $answer = (new Callback())->apply($events);
    echo json_encode(['queries' => $count() - $before - 1, 'answer' => $answer]);
"""
STATE = """
    $cmd = cmd::byEqLogicIdAndLogicalId($argv[1], $argv[2]);
    $value = $cmd->execCmd();
    $rows = fn($table) => (object) array_column(
        DB::Prepare("SELECT datetime, value FROM $table WHERE cmd_id = ? ORDER BY datetime", [$cmd->getId()], 1),
        'value',
        'datetime'
    );
    echo json_encode([
        'value' => $value, 'collected' => strtotime($cmd->getCollectDate()) - time(),
        'history' => $rows('history'), 'archive' => $rows('historyArch'),
        'communication' => strtotime(jeenergie::byId($argv[1])->getStatus('lastCommunication')) - time(),
    ]);
"""


class Refused(Exception):
    """Jeedom's sentence for the user."""


class Pages:
    """What a browser asks, signed in as one user."""

    def __init__(self, login: str, password: str) -> None:
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.core("user", action="login", username=login, password=password)

    def core(self, file: str, **form: str) -> Any:
        """One of the core's own actions."""
        return self._ask(f"/core/ajax/{file}.ajax.php", form)

    def upload(self, file: str, action: str, path: Path) -> Any:
        """One of the core's own actions that takes a file."""
        mark = "----jeenergie"
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n\r\n'
        body = head.encode() + path.read_bytes() + f"\r\n--{mark}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={mark}"}
        return self._answer(urllib.request.Request(f"{URL}/core/ajax/{file}.ajax.php?action={action}", body, kind))

    def own(self, action: str, **request: Any) -> Any:
        """One of the plugin's."""
        form = {"action": action, "request": json.dumps(request)}
        return self._ask("/plugins/jeenergie/core/ajax/jeenergie.ajax.php", form)

    def own_panel(self, action: str, **request: Any) -> Any:
        """One of the energy panel's."""
        form = {"action": action, "request": json.dumps(request)}
        return self._ask("/plugins/jeenergie/core/ajax/jeenergiePanel.ajax.php", form)

    def _ask(self, path: str, form: dict[str, str]) -> Any:
        return self._answer(urllib.request.Request(URL + path, urllib.parse.urlencode(form).encode()))

    def _answer(self, request: urllib.request.Request) -> Any:
        with self._opener.open(request, timeout=300) as answer:
            content = json.loads(answer.read())
        if content["state"] != "ok":
            raise Refused(content["result"])
        return content["result"]


class Jeedom(Pages):
    """Runs PHP inside the core, as the web user, posts what a daemon would, and is an administrator's browser."""

    def __init__(self) -> None:
        super().__init__(os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        self.read_key()
        self.sequence = 0
        self.boot = f"test{time.time_ns()}"

    def read_key(self) -> None:
        """The plugin's api key, which is another one after each activation."""
        self.key = self.php("echo config::byKey('api', 'jeenergie');", decode=False)

    def php(self, code: str, *arguments: Any, decode: bool = True) -> Any:
        """The JSON that the code prints. `$argv[1]` and so on are the arguments."""
        command = ["php", "-d", "display_errors=stderr", "-r", BOOT + code, "--", *map(str, arguments)]
        if os.geteuid() == 0:
            command = ["sudo", "-u", "www-data", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr + done.stdout
        return json.loads(done.stdout or "null") if decode else done.stdout

    def post(self, *events: dict[str, Any], sequence: int | None = None, key: str | None = None) -> dict[str, Any]:
        """Sends one payload and returns the acknowledgement."""
        if sequence is None:
            self.sequence += 1
            sequence = self.sequence
        payload = {"boot": self.boot, "sequence": sequence, "sentAt": moment(0), "events": list(events)}
        form = {"type": "event", "plugin": "jeenergie", "apikey": key or self.key, "payload": json.dumps(payload)}
        request = urllib.request.Request(f"{URL}/core/api/jeeApi.php", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def as_user(self, login: str, password: str) -> Pages:
        """The browser of somebody else."""
        return Pages(login, password)

    def status(self, path: str) -> int:
        """Status of a file of the plugin, asked without signing in."""
        try:
            with urllib.request.urlopen(f"{URL}/plugins/jeenergie/{path}", timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code


def moment(seconds_ago: float) -> str:
    """ISO 8601 with an offset that is not Jeedom's own."""
    return (datetime.now().astimezone() - timedelta(seconds=seconds_ago)).isoformat(timespec="seconds")
