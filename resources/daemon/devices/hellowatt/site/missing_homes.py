"""Reports homes that are no longer on the account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...base import Context, Equipment

MISSING_HOME_RECHECK_S = 72_000.0
"""Seconds after which a home missing in the account's list must still be missing to count as gone."""


class MissingHomes:
    """Which homes were missing in the account's list, and since when; persisted."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def is_doubted(self, equipment: Equipment) -> bool:
        """True if the home was missing in the last list."""
        return bool(self._state(equipment).get("since"))

    def _state(self, equipment: Equipment) -> dict[str, Any]:
        kept = self._context.memory.get(f"gone.{equipment.id}")
        return dict(kept) if isinstance(kept, Mapping) else {}

    def note(self, equipment: Equipment, gone: bool) -> None:
        """Reports a home that is missing in two lists a day apart: one list may be incomplete."""
        state = self._state(equipment)
        now = self._context.clock.time()
        after: dict[str, Any] = {} if not gone else {"since": now, **state}
        if gone and not state.get("told") and now - float(after["since"]) > MISSING_HOME_RECHECK_S:
            after["told"] = True
            text = (
                "{name} : ce logement n'est plus sur le compte helloWatt. Ses valeurs restent ; rattachez-le sur le "
                "site, ou supprimez l'équipement."
            )
            self._context.message("warning", text, name=equipment.name)
        if after != state:
            self._context.memory.keep(f"gone.{equipment.id}", after)
