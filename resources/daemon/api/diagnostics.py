"""What the socket's `diagnostics` answers: all that a fault is found by, and nothing that identifies anyone."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from jeedom_bridge.contract import Catalogue

from .. import __version__
from ..connections.runner import Runner
from ..connections.services import Services
from ..devices.base import Connection, Equipment
from ..devices.common.endpoints import SHAPES
from .anonymous import Anonymous

FORMAT = 1
"""Version of the file: `simulators/report.py` reads it."""
SHOWN_TYPES = ("number", "boolean", "choice", "list")
"""Fields whose values are one of the catalogue's or a figure; of all others only whether they are filled in."""
PACKAGES = ("requests", "urllib3", "lxml", "jsonschema", "websocket-client", "zeroconf")


def report(
    services: Services, catalogues: Mapping[str, Catalogue], runners: Iterable[Runner], status: Mapping[str, Any]
) -> dict[str, Any]:
    """The diagnostics of the daemon, ready to be posted; `status` is what the command of that name answers."""
    found = sorted(runners, key=lambda each: (len(each.connection.id), each.connection.id))
    anonymous = Anonymous(_known(found, catalogues), services.masker.mask)
    callback = {key: value for key, value in dict(status.get("callback") or {}).items() if key in ("error", "detour")}
    return {
        "format": FORMAT,
        "versions": versions(),
        "daemon": {
            **{key: status.get(key) for key in ("uptime", "started", "outbox")},
            "callback": _texts(callback, anonymous),
            "timezone": services.texts.timezone,
            "language": services.texts.language,
        },
        "connections": [_connection(each, catalogues[each.connection.backend], services, anonymous) for each in found],
    }


def versions() -> dict[str, Any]:
    """Of the daemon and of what it runs on."""
    packages: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            packages[name] = None
    return {
        "daemon": __version__,
        "python": platform.python_version(),
        "system": _system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "bits": 64 if sys.maxsize > 2**32 else 32,
        "sqlite": sqlite3.sqlite_version,
        "packages": packages,
    }


def _system() -> str:
    try:
        lines = Path("/etc/os-release").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return platform.system()
    return next((line[12:].strip("\"'")[:80] for line in lines if line.startswith("PRETTY_NAME=")), platform.system())


def _connection(runner: Runner, catalogue: Catalogue, services: Services, anonymous: Anonymous) -> dict[str, Any]:
    connection, status = runner.connection, runner.status()
    kept = services.store.get(connection.id, SHAPES)
    shapes = kept if isinstance(kept, Mapping) else {}
    return {
        "id": _id(connection.id),
        "backend": connection.backend,
        **{key: status[key] for key in ("state", "since", "lastUpdate", "counters")},
        "oldest": {**oldest, "equipment": _id(oldest["equipment"])} if (oldest := status["oldest"]) else None,
        "errors": [_texts(each, anonymous) for each in runner.health.recent()],
        "settings": settings(catalogue, connection.config),
        "commands": sorted(connection.commands),
        "equipment": [_equipment(each, catalogue, runner, anonymous) for each in connection.equipment],
        "shapes": {str(kind): anonymous.shape(shape) for kind, shape in shapes.items() if isinstance(shape, Mapping)},
    }


def _equipment(each: Equipment, catalogue: Catalogue, runner: Runner, anonymous: Anonymous) -> dict[str, Any]:
    found: dict[str, Any] = {"id": _id(each.id), "type": each.type}
    found["settings"] = settings(catalogue, each.config, each.type)
    trouble = runner.troubles.told(each.id)
    if trouble is not None:
        state, code, text = trouble
        found.update(state=state, code=code, error=anonymous.text(text))
    chosen = {name: dict(values) for name, values in each.commands.items() if values}
    return {**found, "commands": sorted(each.commands), "commandSettings": chosen}


def settings(catalogue: Catalogue, config: Mapping[str, Any], kind: str | None = None) -> dict[str, Any]:
    """Settings by their fields; of texts and secrets only "default", "set" or "empty"."""
    found: dict[str, Any] = {}
    for entry in catalogue.fields(kind):
        value = config.get(entry["key"])
        if entry["type"] in SHOWN_TYPES and not entry.get("private") and _harmless(value):
            found[entry["key"]] = value
        elif value in (None, "", [], {}):
            found[entry["key"]] = "empty"
        else:
            found[entry["key"]] = "default" if value == entry.get("default") else "set"
    return found


def _id(identifier: str) -> str:
    """Jeedom's own numbers identify nobody."""
    return identifier if identifier.isdigit() else "<id>"


def _harmless(value: Any) -> bool:
    if isinstance(value, list):
        return all(_harmless(each) and not isinstance(each, list) for each in value)
    return value is None or isinstance(value, (bool, int, float)) or (isinstance(value, str) and len(value) <= 40)


def _texts(part: Mapping[str, Any], anonymous: Anonymous) -> dict[str, Any]:
    kept = ("first", "last", "code")
    return {
        key: anonymous.text(value) if isinstance(value, str) and key not in kept else value
        for key, value in part.items()
    }


def _known(runners: Iterable[Runner], catalogues: Mapping[str, Catalogue]) -> dict[str, str]:
    known: dict[str, str] = {}
    for runner in runners:
        connection: Connection = runner.connection
        catalogue = catalogues[connection.backend]
        _note(known, catalogue, connection.config, None)
        known[connection.name.strip()] = "name"
        for each in connection.equipment:
            _note(known, catalogue, each.config, each.type)
            known[each.name.strip()] = "name"
            known[each.key.strip()] = "key"
    return known


def _note(known: dict[str, str], catalogue: Catalogue, config: Mapping[str, Any], kind: str | None) -> None:
    for entry in catalogue.fields(kind):
        value = config.get(entry["key"])
        if entry["type"] not in SHOWN_TYPES and isinstance(value, str) and value != entry.get("default"):
            known[value.strip()] = entry["key"]
