"""The desired state that a Jeedom owns: connections, equipment, and their commands by the catalogue."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Optional

from simulators.jeedom.catalogue import Catalogues
from simulators.jeedom.database import Database


class House:
    """Everything the user has set up. Raises ValueError for what does not exist."""

    def __init__(self, database: Database, catalogues: Catalogues) -> None:
        self.database = database
        self.catalogues = catalogues

    def add_connection(self, backend: str, config: dict[str, Any], name: str = "") -> str:
        """A new connection with its own commands; returns its id."""
        title = name or str(self.catalogues.of(backend)["name"])
        identity = self.database.add_equipment(backend, None, "", title, config, None)
        self.apply_rows(identity)
        return identity

    def add_equipment(
        self, connection: str, kind: str, key: str, name: str = "", config: Optional[dict[str, Any]] = None
    ) -> str:
        """New equipment of a connection, or what is there under the same type and key; returns its id."""
        parent = self.found(connection)
        type_name = str(self.catalogues.part(parent["backend"], kind)["name"])
        for child in self.database.children(connection):
            if (child["type"], child["key"]) == (kind, key):
                return str(child["id"])
        title = name or f"{type_name} {key}".strip()
        identity = self.database.add_equipment(parent["backend"], kind, key, title, config or {}, connection)
        self.apply_rows(identity)
        return identity

    def adopt(self, connection: str, discovered: Iterable[dict[str, Any]], every: bool = True) -> list[str]:
        """Create what a discovery found and the connection has a place for; returns the new ids.

        Without `every`: only what carries data (`active`, true where it is not told).
        """
        parent = self.found(connection)
        before = {child["id"] for child in self.database.children(connection)}
        for each in discovered:
            wanted = every or each.get("active", True)
            if wanted and self.catalogues.exists(parent["backend"], each["type"], parent["config"]):
                name, config = each.get("name", ""), each.get("config") or {}
                self.add_equipment(connection, each["type"], str(each["key"]), name, config)
        return [child["id"] for child in self.database.children(connection) if child["id"] not in before]

    def update(self, identity: str, **changes: Any) -> None:
        """Change `name`, `enabled` or `config` (keys given replace those of the same name)."""
        equipment = self.found(identity)
        if "config" in changes:
            changes["config"] = {**equipment["config"], **changes["config"]}
        self.database.update_equipment(identity, **changes)
        if "config" in changes:
            for child in self.database.children(identity):
                self.apply_rows(child["id"])
            self.apply_rows(identity)

    def remove(self, identity: str) -> None:
        """Remove a connection with all its equipment, or one equipment."""
        self.found(identity)
        self.database.remove_equipment(identity)

    def found(self, identity: str) -> dict[str, Any]:
        """A connection or equipment. Raises ValueError."""
        equipment = self.database.equipment(identity)
        if equipment is None:
            raise ValueError(f"there is no equipment {identity!r}")
        return equipment

    # ---- commands

    def rows(self, identity: str) -> dict[str, dict[str, Any]]:
        """The catalogue's rows that hold for an equipment, by logicalId."""
        equipment = self.found(identity)
        parent = self.database.equipment(equipment["parent"]) if equipment["parent"] else None
        return self.catalogues.rows(
            equipment["backend"], equipment["type"], equipment["config"], parent["config"] if parent else None
        )

    def apply_rows(self, identity: str) -> list[str]:
        """Create the commands that come by themselves and bring existing ones up to date; returns the new."""
        existing = self.database.commands(identity, removed=True)
        created = []
        for logical_id, row in self.rows(identity).items():
            if logical_id in existing or row.get("create", "always") == "always":
                self.database.put_command(identity, row)
                if logical_id not in existing:
                    created.append(logical_id)
        return created

    def create(self, identity: str, logical_ids: Iterable[str]) -> list[str]:
        """Create commands that data exists for, unless the user took them away; returns the new ones."""
        existing = self.database.commands(identity, removed=True)
        rows = self.rows(identity)
        created = [logical_id for logical_id in logical_ids if logical_id in rows and logical_id not in existing]
        for logical_id in created:
            self.database.put_command(identity, rows[logical_id])
        return created

    def command(self, identity: str, logical_id: str) -> dict[str, Any]:
        """One command. Raises ValueError."""
        command = self.database.commands(identity).get(logical_id)
        if command is None:
            raise ValueError(f"equipment {identity} has no command {logical_id!r}")
        return command

    def remove_command(self, identity: str, logical_id: str) -> None:
        """The user takes a command away; it does not come back by itself."""
        self.database.set_command(self.command(identity, logical_id)["id"], removed=True)

    def set_command(self, identity: str, logical_id: str, settings: dict[str, Any]) -> None:
        """The user's settings of a command, such as `{"cadence": 5}`."""
        self.database.set_command(self.command(identity, logical_id)["id"], settings)

    # ---- as the daemon wants it

    def connection(self, identity: str) -> dict[str, Any]:
        """One connection as `configure`, `test`, `discover` and `run` send it."""
        connection = self.found(identity)
        children = [child for child in self.database.children(identity) if child["enabled"]]
        return {
            **self._described(connection),
            "backend": connection["backend"],
            "equipment": [{**self._described(child), "type": child["type"], "key": child["key"]} for child in children],
        }

    def desired(self) -> list[dict[str, Any]]:
        """All connections that should run."""
        return [self.connection(each["id"]) for each in self.database.connections() if each["enabled"]]

    def _described(self, equipment: dict[str, Any]) -> dict[str, Any]:
        commands = self.database.commands(equipment["id"])
        return {
            "id": equipment["id"],
            "name": equipment["name"],
            "config": equipment["config"],
            "commands": {logical_id: command["settings"] for logical_id, command in commands.items()},
        }
