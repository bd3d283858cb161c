"""Dated measures under way, and the deliveries that their senders wait for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from .batch import MAX_BYTES, Batch, Point, as_json, size_of

MAX_WAITING_POINTS = 5000
"""Dated points that may wait before whoever hands in more has to."""
HEAD_SIZE = 200
"""Characters of a `history` event around its points, at most."""


class Delivery:
    """Dated measures on their way; `wait` tells whether Jeedom has them all."""

    def __init__(self, points: int) -> None:
        self._left = points
        self._ended = threading.Event()
        self.delivered = False

    def wait(self, timeout: float | None = None) -> bool:
        """True once Jeedom has acknowledged every point; False if it refused some, or after `timeout` seconds."""
        self._ended.wait(timeout)
        return self.delivered

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self._ended.is_set()

    def acknowledge(self, points: int) -> None:
        """Jeedom has so many points more."""
        self._left -= points
        if self._left <= 0 and not self._ended.is_set():
            self.delivered = True
            self._ended.set()

    def refuse(self) -> None:
        """Some of the points will never be delivered."""
        self._ended.set()


@dataclass(eq=False)
class _Series:
    equipment: str
    command: str
    points: Sequence[Point]
    delivery: Delivery


class Measures:
    """A queue of dated points. The outbox holds its lock around every call."""

    def __init__(self) -> None:
        self._queue: deque[_Series] = deque()
        self.under_way = 0
        """Points that wait or are in a request."""

    def __len__(self) -> int:
        return len(self._queue)

    def has_room(self, points: int) -> bool:
        """True if so many points more may wait; what is more than may ever wait goes alone."""
        return not self.under_way or self.under_way + points <= MAX_WAITING_POINTS

    def add(self, equipment: str, series: Mapping[str, Sequence[Point]], delivery: Delivery) -> None:
        """Takes the points of an equipment, by command."""
        for command, points in series.items():
            if points:
                self._queue.append(_Series(equipment, command, list(points), delivery))
                self.under_way += len(points)

    def take(self, batch: Batch, max_points: int) -> None:
        """Moves points into a request; a series that is too long is cut."""
        while self._queue and batch.points < max_points:
            series = self._queue[0]
            count = _fitting(series.points, max_points - batch.points, MAX_BYTES - batch.size - HEAD_SIZE)
            if not count and batch.parts:
                break
            self._queue.popleft()
            count = max(1, count)
            if len(series.points) > count:
                rest = _Series(series.equipment, series.command, series.points[count:], series.delivery)
                self._queue.appendleft(rest)
                series.points = series.points[:count]
            event = {
                "event": "history",
                "equipment": series.equipment,
                "command": series.command,
                "points": series.points,
            }
            batch.add(as_json(event), len(series.points), series)

    def put_back(self, batch: Batch) -> None:
        """The request did not get through: its points come first again."""
        self._queue.extendleft(reversed(_series_of(batch)))
        self.drop_ended()

    def acknowledged(
        self,
        batch: Batch,
        unknown: Collection[str],
        unknown_commands: Collection[tuple[str, str]],
        rejected: Collection[int],
    ) -> list[tuple[str, str, Sequence[Point]]]:
        """Jeedom has answered: deliveries go on or end. Returns what it has now: (equipment, command, points).

        `rejected`: the `id` of owners that it has rejected.
        """
        stored = []
        for series in _series_of(batch):
            self.under_way -= len(series.points)
            missing = series.equipment in unknown or (series.equipment, series.command) in unknown_commands
            if missing or id(series) in rejected:
                series.delivery.refuse()
            else:
                series.delivery.acknowledge(len(series.points))
                stored.append((series.equipment, series.command, series.points))
        self.drop_ended()
        return stored

    def refuse(self, equipment: str | None, batch: Batch | None = None) -> None:
        """Ends the deliveries of an equipment (None: of all), also of those in a request under way."""
        for series in (*self._queue, *(_series_of(batch) if batch is not None else ())):
            if equipment is None or series.equipment == equipment:
                series.delivery.refuse()
        self.drop_ended()

    def drop_ended(self) -> None:
        """Takes points out of the queue whose delivery has ended."""
        kept: deque[_Series] = deque()
        for series in self._queue:
            if series.delivery.ended:
                self.under_way -= len(series.points)
            else:
                kept.append(series)
        self._queue = kept


def _series_of(batch: Batch) -> list[_Series]:
    return [owner for owner in batch.owners if isinstance(owner, _Series)]


def _fitting(points: Iterable[Point], limit: int, room: int) -> int:
    """How many points fit into so many characters."""
    count = 0
    for at, value in islice(points, limit):
        room -= len(at) + size_of(value)
        if room < 0:
            break
        count += 1
    return count
