"""The last failure and its duration: raised again after a restart, reported to the user if it lasts."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..base import AuthenticationFailed, Context, DeviceError, Equipment, RateLimited, Unreachable, VendorError
from . import mapping
from .site.errors import LayoutChanged

_LOG = logging.getLogger(__name__)

DAYS_TO_REPORT = 3
"""Consecutive failed days after which the user gets a message."""
INCOMPLETE_TO_CHANGED = 5
"""Consecutive incomplete answers after which the site counts as changed."""
_KINDS = {each.code: each for each in (AuthenticationFailed, RateLimited, Unreachable, VendorError)}


class FailureMemory:
    """Persists the last failure until a success."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._logged: dict[str, str] = {}

    def log(self, failed: Sequence[tuple[Equipment, DeviceError]]) -> None:
        """Logs the failures of a round, each once until its equipment works again (`works`)."""
        for equipment, error in failed:
            # The first one is logged for the connection: the same failure of others is not logged again.
            again = error.template == failed[0][1].template or self._logged.get(equipment.id) == str(error)
            self._logged[equipment.id] = str(error)
            level = logging.DEBUG if again else logging.WARNING
            _LOG.log(level, "%s: %s", equipment.name, self._context.describe(error))

    def works(self, equipment: Equipment) -> None:
        """That equipment was read."""
        self._logged.pop(equipment.id, None)

    def _state(self) -> dict[str, Any]:
        return dict(self._context.memory.get("failing") or {})

    @property
    def none(self) -> bool:
        """True if the last round succeeded."""
        return not self._state()

    def note(self, error: DeviceError) -> DeviceError:
        """Records a failed round; returns the error to report: after many incomplete answers, that the site changed."""
        state = self._state()
        today = datetime.fromtimestamp(self._context.clock.time(), mapping.PARIS).date().isoformat()
        days = [*(day for day in state.get("days", []) if day != today), today][-DAYS_TO_REPORT - 1 :]
        layouts = 0
        if isinstance(error, LayoutChanged):
            layouts = int(state.get("layouts", 0)) + 1
            error = error.lasting() if layouts >= INCOMPLETE_TO_CHANGED else error
        values = {name: str(value) for name, value in error.values.items()}
        state.update(days=days, layouts=layouts, code=error.code, template=error.template, values=values)
        # A refused account is a state of the connection, for which Jeedom itself creates a message.
        if len(days) > DAYS_TO_REPORT - 1 and not state.get("told") and not isinstance(error, AuthenticationFailed):
            state["told"] = True
            text = "helloWatt : aucune donnée nouvelle depuis {n} jours. {reason}"
            self._context.message("error", text, n=len(days), reason=self._context.describe(error))
        self._context.memory.keep("failing", state)
        return error

    @property
    def changed_site(self) -> bool:
        """True if the site seems to have changed: then one request a day is enough."""
        return int(self._state().get("layouts", 0)) >= INCOMPLETE_TO_CHANGED

    def over(self) -> None:
        """Clears the failure: a round has succeeded."""
        if self._state():
            self._context.memory.delete("failing")

    def repeat(self, retry: float) -> None:
        """Raises the last failure again after a restart, if there is one. `retry`: seconds."""
        state = self._state()
        if state.get("template"):
            kind = _KINDS.get(str(state.get("code")), VendorError)
            raise kind(str(state["template"]), retry=retry, **dict(state.get("values", {})))
