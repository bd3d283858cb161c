"""Energies of today and of the seven days before, of everything that has an index.

The counters are our own, anchored at local midnight: the gateway's figures restart late, lose their store or are
always zero. They are used only on the first day, before our counters have passed a midnight, and for the week until
seven days are known, and only if they are plausible.

Facts made here, with `<meter>` as in mapping.py: `<meter>.todayEnergy`, `<meter>.weekEnergy`, `<meter>.apparentToday`,
`<meter>.lagToday`, `<meter>.leadToday`, `net.importToday`, `net.exportToday`, `net.importAtMidnight`,
`net.exportAtMidnight`, `storage.chargedToday`, `storage.dischargedToday`, and `storage.chargedEstimateToday`,
`storage.dischargedEstimateToday`, which are integrated from the batteries' power. Energies in Wh, times in Unix time.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Callable, Optional

from .counters import Began, Day, DayCounters, Integrator, midnight
from .lifetimes import is_counter
from .mapping import Facts, put
from .plant_limits import PlantLimits

_LOG = logging.getLogger(__name__)

SUFFIXES = ("", ".1", ".2", ".3")
DAYS_OF_WEEK = 7
GATEWAY_DAY_SETTLED_S = 3 * 3600.0
"""Seconds after midnight at which the gateway's own day has begun too, at any time of the year."""
MIN_BEFORE_TODAY_WH = 1000.0
"""Wh that must have been counted before today to tell a figure of today from the lifetime."""
STALE_S = 180.0
RESET_STORE_MARGIN_WH = 2000.0
"""Wh by which today plus week may differ from the lifetime and still be all of it: the gateway has lost its days.
Energy since its last write counts in both (99 to 995 Wh in recordings)."""
MIN_WEEK_WH = 1680.0
"""Wh that every house uses in a week; a gateway with an empty store shows a few hundred at most."""
KEPT_DAYS = 9
MIN_GAP_S = 300.0
"""Shortest gap between readings in seconds, however short the period."""
PERIODS_TO_GAP = 2.5
"""Periods without a reading from which on it is a gap: one reading may fail, and answers may be slow."""

_SIMPLE = {
    "storage.chargedToday": "storage.chargedIndex",
    "storage.dischargedToday": "storage.dischargedIndex",
    "storage.chargedEstimateToday": "estimate.chargedIndex",
    "storage.dischargedEstimateToday": "estimate.dischargedIndex",
    **{f"production{suffix}.todayEnergy": f"production{suffix}.lifetimeEnergy" for suffix in SUFFIXES},
    **{
        f"{meter}{suffix}.{kind}Today": f"{meter}{suffix}.{kind}Energy"
        for meter in ("production", "total", "net")
        for suffix in SUFFIXES
        for kind in ("apparent", "lag", "lead")
    },
}
"""Figures of the day that are the energy of one counter."""

Get = Callable[[str], Optional[float]]


class Energies:
    """The counters of one gateway: `read` takes every set of facts, `take_ended` returns past days."""

    def __init__(self, plant: PlantLimits, kept: Mapping[str, Any] | None = None) -> None:
        """`kept`: from `state`, before a restart."""
        kept = kept or {}
        self._plant = plant
        self._counters = DayCounters(kept.get("counters"))
        self._integrators = {name: Integrator(**each) for name, each in kept.get("integrators", {}).items()}
        self._finals: dict[str, dict[str, float]] = dict(kept.get("finals", {}))
        self._offsets: dict[str, list[Any]] = dict(kept.get("offsets", {}))
        self._parts: dict[str, list[str]] = dict(kept.get("parts", {}))
        self._told: dict[str, list[Any]] = dict(kept.get("told", {}))
        self._weeks: tuple[str, Facts] = ("", {})
        self._due: dict[str, Facts] = {}
        self.period = 60.0
        """Period of the readings in seconds, as set by the user."""

    @property
    def integrating(self) -> bool:
        """True if an energy is integrated from powers: what is not persisted of it is lost."""
        return bool(self._integrators)

    def read(
        self,
        facts: Mapping[str, Any],
        now: float,
        zone: tzinfo,
        grid_indexes: bool = True,
        began: Mapping[str, Began] | None = None,
        stale_s: float = STALE_S,
    ) -> Facts:
        """Takes facts with indexes; returns the energies of today and of the week in Wh.

        `grid_indexes`: import and export have indexes; else they are integrated from the power. `began`: counters with
        a new origin. Energies of a counter that was not read for `stale_s` seconds are left out: they are unknown now.
        """
        today = datetime.fromtimestamp(now, zone).date()
        changed: dict[str, list[Day]] = {}
        gap_s = max(MIN_GAP_S, PERIODS_TO_GAP * self.period)
        estimates = self._storage_estimates(facts, now, gap_s)
        if not grid_indexes:
            estimates.update(self._estimates(facts, now, gap_s))
        for name, value in (*facts.items(), *estimates.items()):
            if is_counter(name):
                days = self._counters.read(name, float(value), now, zone, (began or {}).get(name))
                if days:
                    changed[name] = days
        if changed:
            self._close(changed, today)
        self._remember_told(facts, today, now - midnight(today, zone))
        return self._facts(today, now - stale_s)

    def _estimates(self, facts: Mapping[str, Any], now: float, gap_s: float) -> Facts:
        """Integrates import and export of a grid without indexes."""
        found: Facts = {}
        for suffix in SUFFIXES:
            net = facts.get(f"net{suffix}.power")
            if net is None:
                continue
            found.update(self._integrated(f"estimate{suffix}", "import", "export", net, now, gap_s))
        return found

    def _storage_estimates(self, facts: Mapping[str, Any], now: float, gap_s: float) -> Facts:
        """Integrates charge and discharge of batteries without a transformer. Their power is present only when new."""
        power = facts.get("storage.power")
        return {} if power is None else self._integrated("estimate", "discharged", "charged", power, now, gap_s)

    def _integrated(self, prefix: str, positive: str, negative: str, power: float, now: float, gap_s: float) -> Facts:
        found: Facts = {}
        for what, part in ((positive, max(power, 0.0)), (negative, max(-power, 0.0))):
            name = f"{prefix}.{what}Index"
            found[name] = self._integrators.setdefault(name, Integrator()).add(part, now, gap_s)
        return found

    # Past days.

    def _close(self, changed: Mapping[str, list[Day]], today: date) -> None:
        touched = set()
        for name, days in changed.items():
            for each in days:
                if each.estimated:
                    _LOG.info(
                        "%s of %s is split from the next day's by time: nothing was read for long", name, each.day
                    )
                self._finals.setdefault(each.day, {})[name] = each.energy
                if not each.whole:
                    self._parts.setdefault(each.day, []).append(name)
                touched.add(each.day)
        for day in touched:
            self._due[day] = self._figures(self._finals[day].get, day)
        oldest = (today - timedelta(days=KEPT_DAYS)).isoformat()
        self._finals = {day: final for day, final in self._finals.items() if day >= oldest}
        self._parts = {day: names for day, names in self._parts.items() if day >= oldest}
        self._offsets = {name: entry for name, entry in self._offsets.items() if entry[0] >= oldest}
        self._weeks = ("", {})

    def take_ended(self) -> dict[str, Facts]:
        """Returns past days with new final energies since the last call, by ISO date."""
        due, self._due = self._due, {}
        return due

    def _whole(self, day: str) -> Get:
        """Returns a getter for counters that covered a whole day."""
        final, parts = self._finals.get(day, {}), self._parts.get(day, ())
        return lambda name: None if name in parts else final.get(name)

    # Figures out of counters.

    def _facts(self, today: date, oldest: float) -> Facts:
        day = today.isoformat()

        def running(name: str) -> float | None:
            counter = self._counters.get(name)
            fresh = counter is not None and counter.day == day and counter.last_time >= oldest
            return counter.today if counter is not None and fresh else None

        facts = self._figures(running, day)
        for suffix in SUFFIXES:
            for what in ("import", "export"):
                counter = self._counters.get(f"net{suffix}.{what}Index")
                if counter is not None and counter.at_midnight is not None and counter.last_time >= oldest:
                    facts[f"net{suffix}.{what}AtMidnight"] = counter.at_midnight
        if self._weeks[0] != day:
            self._weeks = (day, self._week(today))
        facts.update(self._weeks[1])
        return facts

    def _figures(self, get: Get, day: str) -> Facts:
        facts = self._raw(get)
        for name, (offset_day, offset) in self._offsets.items():
            if offset_day == day and name in facts:
                facts[name] += offset
        return facts

    def _raw(self, get: Get) -> Facts:
        """Returns the figures of one day; `get` returns the energy of a counter on that day."""
        facts: Facts = {}
        for name, counter in _SIMPLE.items():
            put(facts, name, get(counter))
        for suffix in SUFFIXES:
            self._balance(facts, get, suffix)
        return facts

    def _balance(self, facts: Facts, get: Get, suffix: str) -> None:
        imported, exported = get(f"net{suffix}.importIndex"), get(f"net{suffix}.exportIndex")
        produced, standby = get(f"production{suffix}.lifetimeEnergy"), get(f"production{suffix}.standbyIndex") or 0.0
        total = get(f"total{suffix}.lifetimeEnergy")
        if suffix and self._counters.get(f"production{suffix}.lifetimeEnergy") is None:
            produced = 0.0 if get("production.1.lifetimeEnergy") is not None else None  # a phase without panels
        net = None
        if imported is not None and exported is not None:
            net = imported - exported
            total = net + produced - standby if produced is not None else total
        else:
            imported, exported = get(f"estimate{suffix}.importIndex"), get(f"estimate{suffix}.exportIndex")
            if total is not None and produced is not None:
                net = total - produced + standby
            elif imported is not None and exported is not None:
                net = imported - exported
        put(facts, f"net{suffix}.importToday", imported)
        put(facts, f"net{suffix}.exportToday", exported)
        put(facts, f"net{suffix}.todayEnergy", net)
        put(facts, f"total{suffix}.todayEnergy", total)

    def _week(self, today: date) -> Facts:
        """Energies of the seven days before today: ours, or the gateway's until these are known."""
        days = [(today - timedelta(days=n)).isoformat() for n in range(1, DAYS_OF_WEEK + 1)]
        known = [self._figures(self._whole(day), day) for day in days]
        facts: Facts = {}
        for suffix in SUFFIXES:
            for meter in ("production", "total", "net"):
                name = f"{meter}{suffix}.todayEnergy"
                energies = [each.get(name) for each in known]
                if None not in energies:
                    facts[f"{meter}{suffix}.weekEnergy"] = sum(energies)
                elif meter != "net":
                    day, told = self._told.get(f"{meter}{suffix}.weekEnergy", ("", None))
                    if day == today.isoformat():
                        put(facts, f"{meter}{suffix}.weekEnergy", told)
            total, produced = facts.get(f"total{suffix}.weekEnergy"), facts.get(f"production{suffix}.weekEnergy")
            if total is not None and produced is not None:
                facts.setdefault(f"net{suffix}.weekEnergy", total - produced)
        return facts

    # The gateway's own figures.

    def _remember_told(self, facts: Mapping[str, Any], today: date, elapsed: float) -> None:
        if elapsed < GATEWAY_DAY_SETTLED_S or not ("production.toldToday" in facts or "total.toldToday" in facts):
            return
        day = today.isoformat()
        told = {name: entry for name, entry in self._told.items() if entry[0] == day}
        for suffix in SUFFIXES:
            for meter in ("production", "total"):
                figures = self._sane(facts, meter, suffix, elapsed / 3600)
                if figures is None:
                    continue
                energy, week = figures
                if week is not None:
                    told[f"{meter}{suffix}.weekEnergy"] = [day, week]
                self._first_day(meter, suffix, energy, day)
        if told != self._told:
            self._told, self._weeks = told, ("", {})

    def _sane(
        self, facts: Mapping[str, Any], meter: str, suffix: str, hours: float
    ) -> tuple[float, float | None] | None:
        """Returns the gateway's (today, week or None) in Wh if plausible beside its lifetime, else None."""
        names = ("toldToday", "toldWeek", "toldLifetime")
        told, week, lifetime = (facts.get(f"{meter}{suffix}.{name}") for name in names)
        most, most_week = self._plant.most_wh(meter, hours), self._plant.most_wh(meter, 24, DAYS_OF_WEEK)
        if told is None or lifetime is None or most is None or most_week is None:
            return None
        # A gateway that lost its store shows the lifetime as today's energy.
        if not 0 <= told <= min(most, lifetime - MIN_BEFORE_TODAY_WH) or told == week:
            return None
        least = MIN_WEEK_WH if meter == "total" else 0.0
        if week is None or not least <= week <= most_week or told + week > lifetime - RESET_STORE_MARGIN_WH:
            return told, None
        return told, week

    def _first_day(self, meter: str, suffix: str, told: float, day: str) -> None:
        """On a counter's first day, takes the energy before its start from the gateway's figure.

        Nobody knows what was imported and exported before; the balance counts from their start: all three agree.
        """
        name = f"{meter}{suffix}.todayEnergy"
        counters = [f"{meter}{suffix}.lifetimeEnergy"]
        if meter == "total":
            counters.insert(0, f"net{suffix}.importIndex")
        counter = next((found for found in map(self._counters.get, counters) if found is not None), None)
        if name in self._offsets or counter is None or counter.whole or counter.day != day:
            return

        def running(counter_name: str) -> float | None:
            found = self._counters.get(counter_name)
            return found.today if found is not None else None

        own = self._raw(running).get(name)
        if own is not None:
            self._offsets[name] = [day, max(0.0, told - own)]

    def state(self) -> dict[str, Any]:
        """State to persist."""
        return {
            "counters": self._counters.state(),
            "integrators": {name: asdict(each) for name, each in self._integrators.items()},
            "finals": self._finals,
            "parts": self._parts,
            "offsets": self._offsets,
            "told": self._told,
        }
