"""The README's example of `jeedom_bridge` is run as it stands there."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from urllib.parse import parse_qs

README = Path(__file__).resolve().parents[2] / "README.md"
KEY = "k" * 32


def test_the_example_daemon_sends_values_answers_and_stops(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert code is not None
    script = tmp_path / "load.py"
    script.write_text(code[1], "utf-8")
    received: Queue[dict[str, object]] = Queue()

    class Jeedom(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            received.put(json.loads(form["payload"][0]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"ok": true}')

        def log_message(self, *_: object) -> None:
            """Silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Jeedom) as server, socket.socket() as probe:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        daemon = subprocess.Popen(
            [
                *(sys.executable, str(script)),
                *("--callback", f"http://127.0.0.1:{server.server_port}/"),
                *("--socketport", str(port)),
                *("--pid", str(tmp_path / "pid")),
                *("--datadir", str(tmp_path)),
            ],
            env={**os.environ, "JEEDOM_APIKEY": KEY},
        )
        try:
            event = received.get(timeout=20)["events"][0]  # type: ignore[index]
            assert event["equipment"] == "1"
            assert "load" in event["values"]
            with socket.create_connection(("127.0.0.1", port), 5) as peer:
                peer.sendall(json.dumps({"apikey": KEY, "cmd": "hello"}).encode() + b"\n")
                answer = json.loads(peer.makefile().readline())
            assert answer == {"id": None, "ok": True, "result": {"echo": "hello"}}
            daemon.send_signal(signal.SIGTERM)
            assert daemon.wait(10) == 0
            assert not (tmp_path / "pid").exists()
        finally:
            daemon.kill()
            daemon.wait()
            server.shutdown()


def test_both_languages_have_a_section_that_tells_the_same() -> None:
    parts = re.split(r"^## (.+)$", README.read_text("utf-8"), flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2]))
    assert list(found)[:2] == ["Français", "English"]
    french, english = found["Français"], found["English"]
    for mark in (r"^\|", r"^- ", r"^### ", r"^```"):
        assert len(re.findall(mark, french, re.MULTILINE)) == len(re.findall(mark, english, re.MULTILINE)), mark
    there = re.findall(r"docs/fr_FR/\w+\.md", french)
    assert [each.replace("fr_FR", "en_US") for each in there] == re.findall(r"docs/en_US/\w+\.md", english)
