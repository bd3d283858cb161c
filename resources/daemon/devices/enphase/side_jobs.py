"""Runs jobs beside the main poll, so that their failures and slowness do not affect it."""

from __future__ import annotations

import logging
from typing import Callable

from ..base import Context, DeviceError
from .gateway.client import EndpointRefused
from .gateway.endpoint_choice import SLOW_PERIOD_S

_LOG = logging.getLogger(__name__)

TIME_RATIO = 20.0
"""Pause after a job, as a multiple of its duration: nothing else can be requested while it runs."""
MAX_PAUSE_S = 900.0
"""Longest pause after a failure, in seconds."""


class SideJobs:
    """The side jobs of one connection; they run only while the main poll works."""

    def __init__(self, context: Context, name: Callable[[], str], is_working: Callable[[], bool]) -> None:
        """`name` returns the connection's name, for the log."""
        self._context = context
        self._connection_name = name
        self._is_working = is_working
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}

    def retry_all(self) -> None:
        """Ends all pauses."""
        self._not_before.clear()

    def wrap(self, poll: Callable[[], None]) -> Callable[[], None]:
        """Returns a job that runs `poll`; logs its failure once and leaves the state of the connection alone."""
        name = poll.__name__
        now = self._context.clock.monotonic

        def run() -> None:
            begin = now()
            if not self._is_working() or begin < self._not_before.get(name, begin):
                return
            try:
                poll()
                self._failures.pop(name, None)
            except DeviceError as error:
                failures = self._failures[name] = self._failures.get(name, 0) + 1
                # At the second failure: if every endpoint failed, the main poll would have reported it meanwhile.
                if failures == (1 if isinstance(error, EndpointRefused) else 2):
                    _LOG.warning("%s: %s", self._connection_name(), self._context.describe(error))
                self._not_before[name] = now() + min(SLOW_PERIOD_S * 2**failures, MAX_PAUSE_S)
            # A slow endpoint gets a small share of the time.
            self._not_before[name] = max(self._not_before.get(name, begin), now() + TIME_RATIO * (now() - begin))

        return run
