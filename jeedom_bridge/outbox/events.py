"""Events that are each applied once, in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from .batch import Batch

MAX_EVENTS = 1000
"""Events that wait; beyond that the oldest go, so that memory is bounded however long Jeedom is away."""


@dataclass(eq=False)
class Event:
    """One event as JSON text, and the key under which a newer one replaces it."""

    part: str
    merge: object = None


class Events:
    """A queue of events. The outbox holds its lock around every call."""

    def __init__(self) -> None:
        self._queue: deque[Event] = deque()
        self._by_merge: dict[object, Event] = {}
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, event: Event) -> None:
        """Appends an event; one that waits under the same `merge` key is replaced."""
        if event.merge is not None:
            old = self._by_merge.get(event.merge)
            if old is not None:
                self._queue.remove(old)
            self._by_merge[event.merge] = event
        self._queue.append(event)
        if len(self._queue) > MAX_EVENTS:
            self._next()
            self.dropped += 1

    def take(self, batch: Batch, max_points: int) -> None:
        """Moves events into a request, oldest first, as far as they fit."""
        while self._queue and batch.points < max_points and batch.fits(len(self._queue[0].part)):
            event = self._next()
            batch.add(event.part, 1, event)

    def put_back(self, events: Iterable[Event]) -> None:
        """Events of a request that Jeedom has not seen: they come first again."""
        self._queue.extendleft(reversed(list(events)))

    def _next(self) -> Event:
        event = self._queue.popleft()
        if self._by_merge.get(event.merge) is event:
            del self._by_merge[event.merge]
        return event


def events_of(batch: Batch) -> list[Event]:
    """The events of a request, in their order."""
    return [owner for owner in batch.owners if isinstance(owner, Event)]
