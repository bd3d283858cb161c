"""What failed and for how long: told again after a restart, and in the message centre when it lasts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, Unreachable, VendorError
from . import mapping
from .site.errors import LayoutChanged

DAYS_TO_REPORT = 3
"""Failed days, one after the other, after which the user gets a message."""
INCOMPLETE_TO_CHANGED = 5
"""Incomplete answers in a row after which the site is taken to have changed."""
_KINDS = {each.code: each for each in (AuthenticationFailed, RateLimited, Unreachable, VendorError)}


class FailureMemory:
    """Remembers the last failure until a success."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def _state(self) -> dict[str, Any]:
        return dict(self._context.memory.get("failing") or {})

    @property
    def none(self) -> bool:
        """Whether the last round was good."""
        return not self._state()

    def note(self, error: DeviceError) -> DeviceError:
        """One more failed round. Returns what to tell: of answers that stay incomplete, that the site has changed."""
        state = self._state()
        today = datetime.fromtimestamp(self._context.clock.time(), mapping.PARIS).date().isoformat()
        days = [*(day for day in state.get("days", []) if day != today), today][-DAYS_TO_REPORT - 1 :]
        layouts = 0
        if isinstance(error, LayoutChanged):
            layouts = int(state.get("layouts", 0)) + 1
            error = error.lasting() if layouts >= INCOMPLETE_TO_CHANGED else error
        values = {name: str(value) for name, value in error.values.items()}
        state.update(days=days, layouts=layouts, code=error.code, template=error.template, values=values)
        # An account that is refused is a state of the connection, of which Jeedom itself makes a message.
        if len(days) > DAYS_TO_REPORT - 1 and not state.get("told") and not isinstance(error, AuthenticationFailed):
            state["told"] = True
            text = "helloWatt : aucune donnée nouvelle depuis {n} jours. {reason}"
            self._context.message("error", text, n=len(days), reason=self._context.words(error))
        self._context.memory.keep("failing", state)
        return error

    @property
    def changed_site(self) -> bool:
        """Whether the site seems to have changed: once a day is enough then."""
        return int(self._state().get("layouts", 0)) >= INCOMPLETE_TO_CHANGED

    def over(self) -> None:
        """A round that brought what it should."""
        if self._state():
            self._context.memory.delete("failing")

    def repeat(self, retry: float) -> None:
        """Raises the last failure once more, after a restart; nothing when the last round was good."""
        state = self._state()
        if state.get("template"):
            kind = _KINDS.get(str(state.get("code")), VendorError)
            raise kind(str(state["template"]), retry=retry, **dict(state.get("values", {})))
