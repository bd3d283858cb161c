"""Runs jobs beside the main poll, so that their failures and slowness do not affect it."""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Callable

from jeedom_bridge.worker import Job

from ..base import Context, DeviceError
from .gateway.client import EndpointRefused
from .gateway.endpoint_choice import SLOW_PERIOD_S

_LOG = logging.getLogger(__name__)

TIME_RATIO = 20.0
"""Pause after a job, as a multiple of its duration: nothing else can be requested while it runs."""
MAX_PAUSE_S = 900.0
"""Longest pause after a failure, in seconds."""
NEWCOMERS_WAIT_S = 1.0
"""Seconds until new equipment is read: Jeedom creates many in a row, and one round does for all."""


class SideJobs:
    """The side jobs of one connection; they run only while the main poll works."""

    def __init__(self, context: Context, name: Callable[[], str], is_working: Callable[[], bool]) -> None:
        """`name` returns the connection's name, for the log."""
        self._context = context
        self._connection_name = name
        self._is_working = is_working
        self._failures: dict[str, int] = {}
        self._not_before: dict[str, float] = {}
        self._jobs: dict[str, Job] = {}
        self._missed: set[str] = set()
        """Whose turn came while the main poll did not work."""
        self._equipment: frozenset[str] = frozenset()

    def every(self, name: str, period: float, poll: Callable[[], None], first: float) -> Job:
        """Runs `poll` every `period` s, the first time in `first` s."""
        job = self._jobs[poll.__name__] = self._context.every(name, period, self.wrap(poll), first=first)
        return job

    def run(self, *polls: Callable[[], None]) -> None:
        """Runs them now, one after the other."""
        for poll in polls:
            self.wrap(poll)()

    def catch_up(self) -> None:
        """The main poll works (again): what it has made miss its turn runs now, instead of a whole period later."""
        for name in self._missed & self._jobs.keys():
            self._jobs[name].run_in(0.0)
        self._missed.clear()

    def adopt(self, equipment: Collection[str]) -> None:
        """Takes the ids of the equipment: what is new gets its values soon, instead of up to a period later."""
        before, self._equipment = self._equipment, frozenset(equipment)
        if self._equipment <= before:
            return
        self._not_before.clear()
        due = self._context.clock.monotonic() + NEWCOMERS_WAIT_S
        for job in self._jobs.values():
            if job.due > due:
                job.run_in(NEWCOMERS_WAIT_S)

    def retry_all(self) -> None:
        """Ends all pauses."""
        self._not_before.clear()

    def wrap(self, poll: Callable[[], None]) -> Callable[[], None]:
        """Returns a job that runs `poll`; logs its failure once and leaves the state of the connection alone."""
        name = poll.__name__
        now = self._context.clock.monotonic

        def run() -> None:
            begin = now()
            if not self._is_working():
                self._missed.add(name)
                return
            if begin < self._not_before.get(name, begin):
                return
            try:
                poll()
                self._failures.pop(name, None)
            except DeviceError as error:
                failures = self._failures[name] = self._failures.get(name, 0) + 1
                # At the second failure: if every endpoint failed, the main poll would have reported it meanwhile.
                lacking = isinstance(error, EndpointRefused) and not error.had_answered
                if failures == (1 if lacking else 2):
                    _LOG.warning("%s: %s", self._connection_name(), self._context.describe(error))
                self._not_before[name] = now() + min(SLOW_PERIOD_S * 2**failures, MAX_PAUSE_S)
            # A slow endpoint gets a small share of the time.
            self._not_before[name] = max(self._not_before.get(name, begin), now() + TIME_RATIO * (now() - begin))

        return run
