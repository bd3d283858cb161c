"""How a connection does: its state, since when, what went wrong last, and when to try again."""

from __future__ import annotations

import logging
from typing import Any, Callable

from jeedom_bridge.clock import Clock, moment
from jeedom_bridge.store import StoreError
from jeedom_bridge.worker import Backoff

from ..devices.base import AuthenticationFailed, DeviceError, Memory
from ..texts import Texts
from .failures import Failures, public
from .remembered import WORKED, mark
from .reports import Reports

_LOG = logging.getLogger(__name__)

REFUSED_RETRY_S = 3600.0
"""Seconds until an account that was refused is tried again, and a job that failed by a mistake of ours."""


PERIODS_ONLINE = 3
"""Online means that data came within so many of the user's intervals."""
PLANNED_TRY_S = 60.0
"""Seconds that a try may take whose time the backend has set: until then nobody knows whether the failure lasts."""


class Health:
    """The state of one connection, reported when it changes. Thread-safe.

    A connection that has worked may fail for `grace()` seconds before that is reported.
    """

    def __init__(
        self, reports: Reports, texts: Texts, clock: Clock, memory: Memory, grace: Callable[[], float]
    ) -> None:
        self.state = "connecting"
        self.since = clock.time()
        self.last_update: float | None = None
        self.last_error: str | None = None
        self.counters: dict[str, int] = {}
        self._failures = Failures()
        self._reports = reports
        self._texts = texts
        self._clock = clock
        self._memory = memory
        self._grace = grace
        self._settings = mark(reports.connection.config)
        self._worked = memory.get(WORKED) == self._settings
        self._reported: tuple[str, str] | None = None
        self._failing_since: float | None = None
        self._worked_at: float | None = None
        self._until: float | None = None
        self._backoff = Backoff(2.0, 60.0)
        self._mistake: str | None = None
        self._tried_by = 0.0
        self._unreported: tuple[str, str, str] | None = None
        """State, code and text of the newest failure that patience has kept back."""

    @property
    def failing_since(self) -> float | None:
        """Since when every try has failed, by the monotonic clock, told or not; None while it works."""
        return self._failing_since

    def describe(self, error: DeviceError) -> str:
        """An error in the user's language."""
        return self._texts(error.template, **error.values)

    def report(self, state: str, code: str = "", text: str = "", until: float | None = None) -> None:
        """Takes over a state and reports it, if it is news. `until`: Unix time at which a wait ends."""
        with self._reports.lock:
            if self.state == state and self._reported == (code, text):
                return
            self._send(state, code, text, until)

    def repeat(self) -> None:
        """Reports the state once more, so that Jeedom sees life."""
        with self._reports.lock:
            self._send(self.state, *(self._reported or ("", "")), self._until)

    def _send(self, state: str, code: str, text: str, until: float | None) -> None:
        if self._reports.ended:
            return
        if self.state != state:
            self.state, self.since = state, self._clock.time()
        self._reported, self._until = (code, text), until
        identifier = self._reports.connection.id
        self._reports.state(identifier, state)
        event: dict[str, Any] = {"event": "connection", "connection": identifier, "state": state}
        if state == "waiting" and until is not None:
            event["until"] = moment(until)
        if code:
            event["code"] = code
        if text:
            event["message"] = self._reports.outgoing(text)
        self._reports.event(event, ("connection", identifier))

    def works(self) -> None:
        """Data came."""
        with self._reports.lock:
            self.last_update = self._clock.time()
            self._worked_at = self._clock.monotonic()
            if self.state == "online" and self._failing_since is None:
                return
            self._backoff.reset()
            news = self.state != "online"
            self._failing_since = self._unreported = None
            self.last_error = None
            if news:
                _LOG.info("%s is online", self._reports.label)
                self.report("online")
                if not self._reports.silent and self._memory.get(WORKED) != self._settings:
                    self._memory.keep(WORKED, self._settings)

    def refused(self, error: DeviceError) -> None:
        """It has failed while the user waits: that is the state from now on, without grace."""
        text = self.describe(error)
        if self._reported != (error.code, text):
            self._log(text)
        self.last_error = text
        self._note("refresh", error.code, public(self._texts, error), error)
        self.report(error.state, error.code, text)

    def failed(self, error: Exception, job: str, period_s: float) -> float:
        """A job has failed. Returns the seconds until it is tried again."""
        pause = self._backoff.next()
        if isinstance(error, DeviceError):
            code, state, text = error.code, error.state, self.describe(error)
            if isinstance(error, AuthenticationFailed):
                pause = REFUSED_RETRY_S
            if error.retry is not None:
                pause = error.retry
        else:
            code, state, text = "internal", "error", self._texts.mistake(error)
            if job == "update":
                # No mistake of ours passes by itself, and data that come meanwhile would have it told anew each time.
                pause = REFUSED_RETRY_S
        now = self._clock.monotonic()
        with self._reports.lock:
            if self._failing_since is None:
                # Data are as old as the newest of them: the interval before the first failure counts.
                before = min(period_s, self._grace() / PERIODS_ONLINE)
                if isinstance(error, DeviceError):
                    before = max(before, error.silent_s)
                self._failing_since = now if self._worked_at is None else max(self._worked_at, now - before)
            calm = self.state in ("online", "waiting") or (self._worked and self.state == "connecting")
            patient = calm and now - self._failing_since < self._grace()
            news = self._reported != (code, text)
        shown = public(self._texts, error) if isinstance(error, DeviceError) else text
        self._note(job, code, shown, error)
        self.last_error = text
        label = self._reports.label
        if patient and state in ("unreachable", "error"):
            if code == "internal" and self._mistake != text:
                self._mistake = text  # nothing that passes by itself: where it happened is wanted
                _LOG.error("%s: %s", label, text, exc_info=None if isinstance(error, StoreError) else error)
            _LOG.debug("%s: %s (not reported yet)", label, text)
            self._unreported = (state, code, text)
            planned = error.retry if isinstance(error, DeviceError) else None
            self._tried_by = now + planned + PLANNED_TRY_S if planned is not None else now
            return min(pause, period_s)
        self._unreported = None
        if news:
            # A full disk is not a fault of the code: a traceback would help nobody.
            internal = not isinstance(error, (DeviceError, StoreError))
            self._log(text, error if internal else None)
        else:
            _LOG.debug("%s: still: %s (%s)", label, text, job)
        self.report(state, code, text, self._clock.time() + pause if state == "waiting" else None)
        return pause

    def look(self, between_tries: bool = True) -> float | None:
        """Reports a failure that has lasted longer than the grace, also while nothing is tried (`between_tries`).

        Returns the seconds until the next look; None if no failure is kept back.
        """
        with self._reports.lock:
            since, unreported = self._failing_since, self._unreported
            if since is None or unreported is None:
                return None
            rest = max(since + self._grace(), self._tried_by) - self._clock.monotonic()
            if rest > 0:
                return rest
            if not between_tries:
                return PLANNED_TRY_S
            self._unreported = None
            state, code, text = unreported
            if self._reported != (code, text):
                self._log(text)
            self.report(state, code, text)
            return None

    def _log(self, text: str, error: Exception | None = None) -> None:
        level = logging.DEBUG if text == self._reports.said else logging.ERROR
        _LOG.log(level, "%s: %s", self._reports.label, text, exc_info=error)

    def _note(self, job: str, code: str, text: str, error: Exception) -> None:
        with self._reports.lock:
            self._failures.note(self._clock.time(), job, code, text, error)

    def recent(self) -> list[dict[str, Any]]:
        """The newest failures, told or not, also those that are over; see `Failures.listed`."""
        with self._reports.lock:
            return self._failures.listed()

    def count(self, counter: str, by: int = 1) -> None:
        """Adds to a counter of `status`."""
        with self._reports.lock:
            self.counters[counter] = self.counters.get(counter, 0) + by

    def status(self) -> dict[str, Any]:
        """{state, since, lastUpdate, lastError, counters} for the `status` command."""
        with self._reports.lock:
            return {
                "state": self.state,
                "since": moment(self.since),
                "lastUpdate": moment(self.last_update) if self.last_update else None,
                "lastError": self._reports.outgoing(self.last_error) if self.last_error else None,
                "counters": dict(self.counters),
            }
