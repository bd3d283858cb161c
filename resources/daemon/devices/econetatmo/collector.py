"""Reads measures line by line and hands them to Jeedom; what went through is remembered when Jeedom has it."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Callable

from jeedom_bridge.contract import Row
from jeedom_bridge.outbox import Delivery
from jeedom_bridge.store import StoreError

from ..base import Connection, Context, Equipment
from . import mapping, time_slots
from .api import Api
from .client import ArgumentRefused
from .doubts import Doubts
from .mapping import Line, Measures, Slots
from .time_slots import LocalTimes
from .tokens import NotDurable
from .watermarks import DAY_S, LineState, Track

_LOG = logging.getLogger(__name__)

MAX_WAIT_S = 20.0
"""Seconds to wait for a delivery before it is checked again at the next round."""
_LOOK_EVERY_S = 0.2
MAX_HISTORY_DAYS = 10 * 365


class Waiting(Exception):
    """Jeedom has not taken the former measures yet: nothing more is read meanwhile."""


@dataclass
class _Sent:
    equipment: str
    delivery: Delivery
    commit: Callable[[], None]


class Collector:
    """The measures of one connection. `zones`: the time zone of each line's home, `lines`: what homesdata tells."""

    def __init__(self, connection: Connection, context: Context, api: Api) -> None:
        self.connection = connection
        self.lines: dict[str, Line] = {}
        self.zones: dict[str, str] = {}
        self._context = context
        self._api = api
        self._states: dict[str, LineState] = {}
        self._pending: list[_Sent] = []
        self._without: dict[str, set[str]] = {}
        self._empty: dict[str, int] = {}
        self._doubts = Doubts()

    # What is remembered.

    def state(self, equipment: Equipment) -> LineState:
        """The state of a line, with what is to be collected now."""
        known = self._states.get(equipment.key)
        if known is None:
            known = LineState.of(self._context.memory.get(f"line:{equipment.key}"))
        if known.owner != equipment.id:
            known = LineState(owner=equipment.id)  # another equipment than before: its history is empty
        self._states[equipment.key] = known
        return known

    def keep(self, equipment: Equipment) -> None:
        """Writes the state of a line."""
        self._context.memory.keep(f"line:{equipment.key}", self.state(equipment).stored())

    def import_again(self, equipment: Equipment, since: int) -> None:
        """Has a line read once more from `since` on. Raises NotDurable if that would be forgotten at the next start."""
        state = self.adopt(equipment)
        state.again(since)
        try:
            self._context.memory.put(f"line:{equipment.key}", state.stored())
        except StoreError as error:
            raise NotDurable(
                "Jeedom ne peut pas enregistrer ce qui est à relire ({why}) : libérez de la place sur le disque, puis "
                "recommencez",
                why=error,
            ) from error

    def members(self) -> list[Equipment]:
        """The lines and meters of the connection."""
        return [*self.connection.of_type("line"), *self.connection.of_type("meter")]

    def bridge(self, equipment: Equipment) -> str:
        """The ecometer of a line, or the gateway of a meter."""
        line = self.lines.get(equipment.key)
        told = line.bridge if line is not None else str(equipment.config.get("bridge") or "")
        return told or equipment.key.partition("#")[0]

    def rows(self, equipment: Equipment) -> dict[str, Row]:
        """The rows that measures fill and that Jeedom has, by logicalId."""
        found = mapping.measure_rows(self._context.catalogue, equipment.type, equipment.config)
        return {row.logical_id: row for row in found if row.logical_id in equipment.commands}

    def adopt(self, equipment: Equipment) -> LineState:
        """Takes over switches and scales of the commands."""
        wanted, off = {}, []
        for name, row in self.rows(equipment).items():
            settings = mapping.command_settings(row, equipment.commands[name])
            if settings["collect"] == "no":
                off.append(name)
            else:
                wanted[name] = settings["scale"]
        state = self.state(equipment)
        before = state.collected()
        new = [name for name in wanted if name not in state.counters]
        now = int(self.now())
        since = self.beginning(equipment, int(self.connection.config["historyDays"])) if new else now
        shortest = min((time_slots.PAGE_DAYS[scale] for scale in wanted.values()), default=1)
        direct = (
            since if now - since < (shortest - 1) * DAY_S else time_slots.midnight(now - DAY_S, self._context.timezone)
        )
        for name in state.adopt(wanted, off, since, direct):
            self._context.message(
                "info",
                "{line} : la période du compteur « {command} » a changé. L'historique déjà lu garde l'ancienne.",
                line=equipment.name,
                command=name,
            )
        if state.collected() != before:
            self.keep(equipment)
        return state

    def beginning(self, equipment: Equipment, days: int) -> int:
        """How far back to read: so many days, or with 0 to the line's first measure."""
        zone = self._context.timezone
        if days:
            return time_slots.midnight(self.now(), zone, -days)
        setup = self._setup(equipment)
        if setup:
            return time_slots.midnight(setup, zone)
        return self._first_measure(equipment)

    def _first_measure(self, equipment: Equipment) -> int:
        types = self._types(equipment, self.rows(equipment).values())
        now = int(self.now())
        for begin, stop in time_slots.pages(now - MAX_HISTORY_DAYS * DAY_S, now, "1day", self._zone(equipment)):
            found = self._fetch(equipment, types, "1day", begin, stop, "import").slots
            if found:
                return time_slots.midnight(min(found), self._context.timezone)
        return time_slots.midnight(now, self._context.timezone, -7)

    def newest_of(self, equipment: Equipment) -> int:
        """The end of the newest slot that Jeedom has of a line, 0 without any."""
        tracks = self.state(equipment).tracks.items()
        ends = [track.mark + time_slots.STEPS[scale] // 2 for scale, track in tracks if track.mark is not None]
        return max(ends, default=0)

    def newest_empty(self, equipment: Equipment) -> int:
        """The label of the newest slot of a line that came without any value, 0 if none was newer than its measures."""
        return self._empty.get(equipment.key, 0)

    def now(self) -> float:
        """The service's clock: Jeedom's may be wrong."""
        return self._api.now()

    def _setup(self, equipment: Equipment) -> float | None:
        """When a line was put up, None where the service does not say."""
        line = self.lines.get(equipment.key)
        return line.setup if line is not None else None

    # Deliveries.

    def settle(self) -> bool:
        """Looks at what is on its way; whether all of it has ended."""
        left = []
        for sent in self._pending:
            if sent.delivery.delivered:
                sent.commit()
            elif not sent.delivery.ended:
                left.append(sent)
        self._pending = left
        return not left

    def _deliver(
        self, equipment: Equipment, series: dict[str, list[tuple[str, object]]], commit: Callable[[], None]
    ) -> None:
        """Hands measures over; raises Waiting when Jeedom takes them too slowly."""
        filled = {name: points for name, points in series.items() if points}
        if not filled:
            commit()
            return
        delivery = self._context.history(equipment.id, filled)  # type: ignore[arg-type]
        for _ in range(round(MAX_WAIT_S / _LOOK_EVERY_S)):
            if delivery.ended or self._context.stopping:
                break
            delivery.wait(_LOOK_EVERY_S)
        if delivery.delivered:
            self._context.count("measures", sum(len(points) for points in filled.values()))
            commit()
        elif not delivery.ended:
            self._pending.append(_Sent(equipment.id, delivery, commit))
            raise Waiting
        else:
            _LOG.debug("Jeedom does not take the measures of %s now", equipment.name)

    # Reading.

    def read(self, equipment: Equipment, purpose: str) -> None:
        """The newest measures of a line, all of its scales."""
        state = self.adopt(equipment)
        for scale in sorted({counter.scale for counter in state.active().values()}):
            self._read_scale(equipment, state, scale, purpose)

    def _read_scale(self, equipment: Equipment, state: LineState, scale: str, purpose: str) -> None:
        rows = {name: row for name, row in self.rows(equipment).items() if name in state.active(scale)}
        try:
            self._read_rows(equipment, state, scale, rows, purpose)
        except ArgumentRefused:
            families = list(dict.fromkeys(map(mapping.base_type, self._types(equipment, rows.values()))))
            if len(families) < 2:
                raise
            self._without[equipment.key] = set(families[1:])
            _LOG.info("%s gives no %s", equipment.name, ", ".join(families[1:]))
            self._read_rows(equipment, state, scale, rows, purpose)

    def _read_rows(
        self, equipment: Equipment, state: LineState, scale: str, rows: dict[str, Row], purpose: str
    ) -> None:
        types = self._types(equipment, rows.values())
        track = state.track(scale)
        track.adopt(types)
        now = int(self.now())
        if track.mark is None:
            counters = state.active(scale).values()
            begin = min(counter.until if counter.next is not None else counter.since for counter in counters)
            deep = now
        else:
            begin, deep = track.begin(scale, now, self._context.timezone)
        for start, stop in time_slots.pages(begin, now + 1, scale, self._context.timezone):
            answer = self._fetch(equipment, types, scale, start, stop, purpose)
            believed = self._doubts.believed(
                equipment, scale, (start, stop), answer, self.now(), self._setup(equipment)
            )
            self._send_new(equipment, state, scale, rows, answer.slots, stop, deep, believed)
            if not believed and stop <= self.now():
                break  # what follows would move the mark beyond what is missing

    def _send_new(
        self,
        equipment: Equipment,
        state: LineState,
        scale: str,
        rows: dict[str, Row],
        found: Slots,
        stop: int,
        deep: int,
        believed: bool,
    ) -> None:
        track, zone = state.track(scale), self._context.timezone
        changed = track.changed(found)
        series = {}
        times = LocalTimes.of(found if changed else (), zone)
        for name, row in rows.items():
            chosen = self._own(changed, state, name, scale)
            series[name] = mapping.points(row, track.types, found, chosen, times)

        def commit() -> None:
            if not believed:
                return
            empty = not found and stop <= self.now() and stop > track.searched
            if changed or deep or empty:
                track.commit(found, deep)
                self._count(equipment, state, scale, found)
                track.searched = stop if empty else track.searched
                self.keep(equipment)
            for name, row in rows.items():
                self._warn_unfilled(equipment, state, name, row, track)

        self._deliver(equipment, series, commit)

    def _count(self, equipment: Equipment, state: LineState, scale: str, found: Slots) -> None:
        """Adds slots that Jeedom has to the line's index; the finest scale that its energy is read in counts."""
        rows = self.rows(equipment)
        scales = {
            counter.scale: mapping.base_type(rows[name].source or "")
            for name, counter in state.active().items()
            if name in rows and rows[name].data.get("unit") == "Wh"
        }
        if not scales or scale != min(scales, key=time_slots.STEPS.__getitem__):
            return
        source, types = mapping.TOTAL_PREFIX + scales[scale], state.track(scale).types
        value_of = mapping.column_reader(source, types)
        energies = {label: value_of(values) for label, values in found.items()}
        state.index.add(scale, {label: energy for label, energy in energies.items() if energy is not None})

    def _own(self, labels: Iterable[int], state: LineState, name: str, scale: str) -> list[int]:
        # A day's label is noon, 11 to 13 hours after its start.
        half = time_slots.STEPS[scale] // 2 - (3600 if scale == "1day" else 0)
        return [label for label in labels if label - half >= state.counters[name].since]

    def _warn_unfilled(self, equipment: Equipment, state: LineState, name: str, row: Row, track: Track) -> None:
        """A counter that the user asked for by name stays empty because the contract fills another one."""
        settings = mapping.command_settings(row, equipment.commands[name])
        if settings["collect"] != "yes" or name in state.told or row.source not in track.types or not track.slots:
            return
        place, family = track.types.index(row.source), mapping.base_type(row.source)
        others = [n for n, each in enumerate(track.types) if mapping.base_type(each) == family and n != place]
        values = list(track.slots.values())
        if any(each[place] is not None for each in values):
            return
        filled = [track.types[n] for n in others if values[-1][n] is not None]
        if filled:
            state.told.append(name)
            self.keep(equipment)
            self._context.message(
                "warning",
                "{line} : le compteur « {command} » reste vide, le contrat enregistré chez Netatmo remplit {filled}.",
                line=equipment.name,
                command=name,
                filled=", ".join(filled),
            )

    def _types(self, equipment: Equipment, rows: Iterable[Row]) -> list[str]:
        every = mapping.measure_rows(self._context.catalogue, equipment.type, equipment.config)
        without = self._without.get(equipment.key, set())
        return [each for each in mapping.types_for(rows, every) if mapping.base_type(each) not in without]

    def _zone(self, equipment: Equipment) -> str:
        return self.zones.get(equipment.key, self._context.timezone)

    def _fetch(
        self, equipment: Equipment, types: list[str], scale: str, start: int, stop: int, purpose: str
    ) -> Measures:
        zone = self._zone(equipment)
        begin = time_slots.aligned(start, scale, zone)
        answer = self._api.ask(
            "getmeasure",
            purpose,
            device_id=self.bridge(equipment),
            module_id=equipment.key,
            type=",".join(types),
            scale=scale,
            date_begin=str(begin),
            date_end=str(stop - 1),
            limit="1024",
        )
        now = self.now()
        found = mapping.measures(answer, len(types), scale, zone, begin, now + 2 * DAY_S)
        if found.skipped:
            _LOG.debug("%s, %s: %d pieces of the answer are unreadable", equipment.name, scale, found.skipped)
        if stop > now:
            newest = max(found.slots, default=0)
            self._empty[equipment.key] = found.empty if found.empty > newest else 0
        # The middle of a day may lie ahead; Jeedom wants no measures of the future.
        return replace(found, slots={label: values for label, values in found.slots.items() if label <= now})

    # The past, in slices.

    def behind(self) -> list[tuple[Equipment, LineState]]:
        """The lines of which a part of the past is still to be read."""
        members = [(each, self.state(each)) for each in self.members()]
        return [(each, state) for each, state in members if state.behind()]

    def days_left(self) -> float:
        """Days of measures that are still to be read, over all lines."""
        spans = (c.until - (c.next or 0) for _, state in self.behind() for c in state.behind().values())
        return sum(spans) / DAY_S

    def slice(self, equipment: Equipment, state: LineState) -> int | None:
        """Reads one slice of the past of a line; returns where it ended, None if it is to be read once more."""
        behind = state.behind()
        scale = next(iter(behind.values())).scale
        counters = {name: each for name, each in behind.items() if each.scale == scale}
        rows = {name: row for name, row in self.rows(equipment).items() if name in counters}
        begin = min(each.next for each in counters.values() if each.next is not None)
        start, stop = next(time_slots.pages(begin, begin + 1, scale, self._context.timezone))
        stop = min(stop, time_slots.midnight(self.now(), self._context.timezone, 1))
        types = self._types(equipment, rows.values())
        answer = self._fetch(equipment, types, scale, start, stop, "import") if types else Measures({})
        believed = not types or self._doubts.believed(
            equipment, scale, (start, stop), answer, self.now(), self._setup(equipment)
        )
        found = answer.slots
        members = {name: each for name, each in counters.items() if each.next is not None and each.next < stop}
        series = {}
        times = LocalTimes.of(found, self._context.timezone)
        for name, row in rows.items():
            if name in members:
                chosen = self._own(found, state, name, scale)
                series[name] = mapping.points(row, types, found, chosen, times)

        def commit() -> None:
            for each in members.values() if believed else ():
                each.next = stop if stop < each.until else None
            self.keep(equipment)

        self._deliver(equipment, series, commit)
        return stop if believed else None
