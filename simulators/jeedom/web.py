"""The live page of the stand-in, and the JSON API behind it, which tests may use as well.

| request | body or query | answer |
|---|---|---|
| `GET /` | | the page |
| `GET /api/state` | | everything the page shows |
| `GET /api/events` | | server-sent events: `values`, `connections`, `structure` |
| `GET /api/history` | `equipment`, `command`, `since` | `{"points": [[local date, value], ...]}` |
| `GET /api/applied` | `after` | every event applied since |
| `POST /api/connection` | `id` or `backend`; `name`, `config`, `enabled` | `{"id"}` |
| `POST /api/equipment` | `id` or `connection`, `type`, `key`; `name`, `config`, `enabled` | `{"id"}` |
| `DELETE /api/connection`, `/api/equipment` | `id` | `{}` |
| `POST /api/command` | `do`: a message of the socket, and its fields | the daemon's result |
| `POST /api/fault`, `/api/clear` | `kind`, `value`, `count` | |
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from simulators.jeedom.daemon import DaemonRefusal, DaemonUnreachable
from simulators.server import Request, Response

if TYPE_CHECKING:
    from simulators.jeedom.standin import JeedomStandIn

PAGE = Path(__file__).parent / "page"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
STREAM_PERIOD_S = 0.2  # s between two messages of a stream
KEEPALIVE_S = 10.0  # s after which a silent stream shows that it lives
SPARKLINE_POINTS = 240  # points of a small curve
NO_STORE = ("Cache-Control", "no-store")


class Web:
    """Answers what is not the callback."""

    def __init__(self, jeedom: JeedomStandIn) -> None:
        self._jeedom = jeedom
        self._routes: dict[str, Callable[[dict[str, Any]], Any]] = {
            "GET /api/state": lambda _: self.state(),
            "GET /api/history": self._history,
            "GET /api/applied": lambda fields: {"applied": jeedom.applied(after=int(fields.get("after", 0)))},
            "POST /api/connection": self._put_connection,
            "POST /api/equipment": self._put_equipment,
            "DELETE /api/connection": lambda fields: jeedom.remove(str(fields["id"])),
            "DELETE /api/equipment": lambda fields: jeedom.remove(str(fields["id"])),
            "POST /api/command": self._command,
            "POST /api/fault": lambda fields: jeedom.fault(**fields).described(),
            "POST /api/clear": lambda _: jeedom.clear(),
        }

    def answer(self, request: Request) -> Response:
        """The page, a file of it, the stream, or the API."""
        if request.path == "/api/events":
            return Response(content_type="text/event-stream", stream=self._stream(), headers=[NO_STORE])
        route = self._routes.get(f"{request.method} {request.path}")
        if route is None:
            return self._file(request)
        try:
            return Response.of_json(route(self._fields(request)) or {})
        except DaemonRefusal as refusal:
            return Response.of_json({"error": {"code": refusal.code, "message": refusal.message}}, 409)
        except DaemonUnreachable as error:
            return Response.of_json({"error": {"code": "daemon", "message": str(error)}}, 502)
        except (ValueError, TypeError, KeyError) as error:
            return Response.of_json({"error": {"code": "request", "message": f"{error}"}}, 400)

    @staticmethod
    def _fields(request: Request) -> dict[str, Any]:
        if request.method == "GET":
            return dict(request.query)
        if not request.headers.get("Content-Type", "").startswith("application/json"):
            raise ValueError("a JSON body is expected")  # what another site's form cannot send
        fields = request.json()
        if not isinstance(fields, dict):
            raise TypeError("a JSON object is expected")
        return fields

    @staticmethod
    def _file(request: Request) -> Response:
        path = PAGE / ("index.html" if request.path == "/" else Path(request.path).name)
        if request.method not in ("GET", "HEAD") or not path.is_file():
            return Response.of_json({"error": {"code": "request", "message": "unknown"}}, 404)
        return Response(200, path.read_bytes(), TYPES.get(path.suffix), [NO_STORE])

    # ---- what the page shows

    def state(self) -> dict[str, Any]:
        """Connections with their equipment, commands, values, and what the daemon last said."""
        jeedom = self._jeedom
        with jeedom.database.lock:
            return {
                "version": jeedom.database.version,
                "structure": jeedom.structure,
                "date": jeedom.callback.local(datetime.now(jeedom.callback.zone)),
                "connections": [self._connection(each) for each in jeedom.database.connections()],
                "faults": jeedom.faults.described(),
                **self._life(),
            }

    def _life(self) -> dict[str, Any]:
        """What changes without a value: states, progress, messages, the daemon."""
        callback = self._jeedom.callback
        return {
            "states": dict(callback.states),
            "progress": dict(callback.progress),
            "messages": callback.messages[-20:],
            "complaints": callback.complaints[-20:],
            "daemon": self._daemon(),
        }

    def _daemon(self) -> dict[str, Any]:
        jeedom = self._jeedom
        return {
            "state": jeedom.callback.daemon_state,
            "version": jeedom.callback.daemon_version,
            "port": jeedom.daemon_port,
            "log": jeedom.log_level,
            "callbacks": len(jeedom.deliveries),
            "failures": jeedom.failures[-5:],
        }

    def _connection(self, connection: dict[str, Any]) -> dict[str, Any]:
        jeedom = self._jeedom
        catalogue = jeedom.catalogues.of(connection["backend"])
        operations = [
            {"key": one["key"], "label": one["label"], "confirm": one.get("confirm"), "fields": one["fields"]}
            for one in catalogue["connection"]["operations"]
        ]
        children = jeedom.database.children(connection["id"])
        return {
            **self._described(connection),
            "system": catalogue["name"],
            "operations": operations,
            "equipment": [self._described(child) for child in children],
        }

    def _described(self, equipment: dict[str, Any]) -> dict[str, Any]:
        jeedom = self._jeedom
        identity = equipment["id"]
        kind = equipment["type"]
        part = jeedom.catalogues.part(equipment["backend"], kind)
        current = jeedom.database.current(identity)
        return {
            "id": identity,
            "name": equipment["name"],
            "type": kind,
            "typeName": part.get("name", ""),
            "key": equipment["key"],
            "enabled": equipment["enabled"],
            "commands": [
                self._shown(command, current.get(logical_id))
                for logical_id, command in jeedom.database.commands(identity).items()
            ],
        }

    def _shown(self, command: dict[str, Any], current: Any) -> dict[str, Any]:
        row = command["row"]
        keys = ("logicalId", "name", "type", "subType", "unit", "order", "min", "max", "choices", "value", "precision")
        shown = {key: row[key] for key in keys if key in row}
        shown["visible"] = row.get("visible", True)
        shown["link"] = shown.pop("value", None)
        if current is not None:
            shown["value"], shown["date"] = current
        if row["type"] == "info" and row.get("unit") == "W" and shown["visible"]:
            shown["spark"] = self._jeedom.database.history(command["id"], limit=SPARKLINE_POINTS)
        return shown

    def _stream(self) -> Iterator[bytes]:
        jeedom = self._jeedom
        version, structure = jeedom.database.version, jeedom.structure
        told: dict[str, Any] = {}
        spoken = time.monotonic()
        yield b"retry: 1000\n\n"
        while True:
            with jeedom.changed:
                jeedom.changed.wait(1.0)
            parts: dict[str, Any] = {"connections": self._life()}
            changed = jeedom.database.changed_since(version)
            if changed:
                version = changed[-1]["version"]
                parts["values"] = {"values": changed}
            if structure != jeedom.structure:
                structure = jeedom.structure
                parts["structure"] = {"structure": structure}
            told, news = self._news(parts, told)
            if news:
                spoken = time.monotonic()
                yield news
                time.sleep(STREAM_PERIOD_S)
            elif time.monotonic() - spoken > KEEPALIVE_S:
                spoken = time.monotonic()
                yield b": alive\n\n"

    @staticmethod
    def _news(parts: dict[str, Any], told: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        """What to send of `parts`: states only when they differ from what was `told`."""
        texts = {name: json.dumps(part, ensure_ascii=False) for name, part in parts.items()}
        news = {name: text for name, text in texts.items() if name != "connections" or told.get(name) != text}
        data = "".join(f"event: {name}\ndata: {text}\n\n" for name, text in news.items())
        return {**told, **news}, data.encode()

    # ---- what the page asks

    def _history(self, fields: dict[str, Any]) -> dict[str, Any]:
        points = self._jeedom.history(fields["equipment"], fields["command"], fields.get("since", ""))
        return {"points": points}

    def _put_connection(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "id" in fields:
            return self._update(fields)
        backend, config, name = fields["backend"], fields.get("config", {}), fields.get("name", "")
        return {"id": self._jeedom.add_connection(backend, config, name)}

    def _put_equipment(self, fields: dict[str, Any]) -> dict[str, Any]:
        if "id" in fields:
            return self._update(fields)
        connection, kind, key = fields["connection"], fields["type"], str(fields["key"])
        return {"id": self._jeedom.add_equipment(connection, kind, key, fields.get("name", ""), fields.get("config"))}

    def _update(self, fields: dict[str, Any]) -> dict[str, Any]:
        changes = {key: value for key, value in fields.items() if key in ("name", "config", "enabled")}
        self._jeedom.update(str(fields["id"]), **changes)
        return {"id": fields["id"]}

    def _command(self, fields: dict[str, Any]) -> Any:
        jeedom = self._jeedom
        do = fields.pop("do")
        options = fields.get("options") or {}
        if do == "action":
            return jeedom.action(fields["equipment"], fields["command"], **options)
        if do == "run":
            return jeedom.run(fields["connection"], fields["operation"], **options)
        if do in ("discover", "refresh", "test", "forget"):
            result = getattr(jeedom, do)(str(fields["id"]))
            return {"created": result} if do == "discover" else result
        if do in ("status", "configure", "shutdown"):
            return getattr(jeedom, do)()
        if do == "log":
            return jeedom.log(**fields)
        raise ValueError(f"unknown command {do!r}")
