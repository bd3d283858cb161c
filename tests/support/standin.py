"""A house of one meter for the stand-in Jeedom, a daemon that it can talk to, and what a daemon posts."""

from __future__ import annotations

import json
import socketserver
import threading
from datetime import datetime, timedelta, timezone

KEY = "k" * 32
CATALOGUE = {
    "backend": "demo",
    "name": "Demo",
    "discover": "auto",
    "connection": {
        "fields": [
            {
                "key": "phases",
                "label": "Phases",
                "type": "choice",
                "default": "mono",
                "choices": {"mono": "1", "tri": "3"},
            },
            {"key": "extras", "label": "Extras", "type": "list", "choices": {"volts": "Volts"}},
        ],
        "operations": [{"key": "dance", "label": "Danse", "fields": []}],
        "commands": [],
    },
    "equipment": {
        "meter": {
            "name": "Compteur",
            "icon": "",
            "addByHand": False,
            "fields": [
                {"key": "size", "label": "Taille", "type": "choice", "default": "s", "choices": {"s": "s", "l": "l"}}
            ],
            "commands": [
                {
                    "logicalId": "power",
                    "name": "Puissance",
                    "type": "info",
                    "subType": "numeric",
                    "unit": "W",
                    "history": True,
                },
                {
                    "logicalId": "power{n}",
                    "name": "P {n}",
                    "type": "info",
                    "subType": "numeric",
                    "each": [1, 2],
                    "when": {"connection.phases": "tri"},
                },
                {
                    "logicalId": "volts",
                    "name": "U",
                    "type": "info",
                    "subType": "numeric",
                    "when": {"connection.extras": "volts"},
                },
                {"logicalId": "on", "name": "Marche", "type": "info", "subType": "binary", "create": "seen"},
                {"logicalId": "label", "name": "Texte", "type": "info", "subType": "string"},
                {
                    "logicalId": "index",
                    "name": "Index",
                    "type": "info",
                    "subType": "numeric",
                    "unit": {"by": "size", "s": "Wh", "l": "kWh"},
                    "history": True,
                },
                {"logicalId": "start", "name": "Marche", "type": "action", "subType": "other", "create": "never"},
            ],
        },
        "big": {
            "name": "Gros",
            "icon": "",
            "addByHand": False,
            "when": {"phases": "tri"},
            "fields": [],
            "commands": [],
        },
    },
}
COMMON = {
    "states": {"online": "En ligne"},
    "connection": {"commands": [{"logicalId": "state", "name": "Etat", "type": "info", "subType": "string"}]},
    "equipment": {"commands": [{"logicalId": "refresh", "name": "R", "type": "action", "subType": "other"}]},
}


class Daemon:
    """A daemon's socket that records messages and answers with what a test has set."""

    def __init__(self):
        self.messages = []
        self.results = {}
        daemon = self

        class Peer(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    message = json.loads(line)
                    daemon.messages.append(message)
                    answer = daemon.results.get(message["cmd"], {"ok": True, "result": {}})
                    self.wfile.write(json.dumps({"id": message["id"], **answer}).encode() + b"\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Peer)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def received(self, command):
        return [message for message in self.messages if message["cmd"] == command]


def now(seconds=0.0):
    return (datetime.now(timezone.utc) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def values(equipment, at=None, **new):
    return {"event": "values", "equipment": equipment, "at": at or now(), "values": new}


def post(client, jeedom, *events, sequence=1, boot="boot-0001", key=KEY):
    payload = {"boot": boot, "sequence": sequence, "sentAt": now(), "events": list(events)}
    form = {"type": "event", "plugin": "jeenergie", "apikey": key, "payload": json.dumps(payload)}
    return client(jeedom.url).post("/core/api/jeeApi.php", form=form)
