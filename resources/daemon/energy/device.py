"""The house as a connection: it looks at the readings, keeps the book, and says what it has found.

No thread, no clock and no wire of its own: `look` and `close_interval` are called by whoever owns it, one at a time.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any
from zlib import crc32

from jeedom_bridge.store.errors import StoreError

from . import figures
from .balance import Charge
from .ledger import periods
from .ledger.cells import slot_of
from .ledger.feeds import late_columns
from .ledger.filling import Filling
from .ledger.intervals import Ledger
from .ledger.row import Sums
from .ledger.store import Book
from .live import Contradiction, Live, Moment, Paces, live
from .money.comparison import Bill, Sessions, compare, session
from .money.contract import HouseContract, Wishes
from .money.learning import OffPeakLearner
from .money.offers import PriceGrid
from .ports import Delivers, Kept, Measure, Publishes, Reading, Readings, Source, Value
from .topology import DUPLICATE, Role, Rules, Topology, power_of

_LOG = logging.getLogger(__name__)

GONE_S = 900.0
"""Seconds without any reading after which a source is taken for gone; a connection restarts faster."""
OBSERVE_S = 20.0
"""Seconds between two samples for the comparison of meters."""
KVA_VOLTS = 200.0
"""Meters in France tell the subscribed power as a current at 200 V (Enedis-NOI-CPT_54E)."""
MOST_MEASURES = 5000
"""Dated figures that are taken in one interval; the others wait for the next."""
MOST_SENT = 200
"""Periods of which it is remembered with which figures they were sent."""


@dataclass
class Told:
    """Figures under way to Jeedom: which they are, so that they can be sent again."""

    delivery: Delivers
    digests: Mapping[str, int]
    """Of their values, by date and period."""
    days: frozenset[str]


class House:
    """One house. `kept`: small values over restarts; `published`: where figures go."""

    def __init__(
        self,
        readings: Readings,
        published: Publishes,
        kept: Kept,
        book: Book,
        rules: Rules,
        grid: PriceGrid,
        zone: tzinfo,
    ) -> None:
        self._readings = readings
        self._published = published
        self._kept = kept
        self._zone = zone
        self.topology = Topology(rules)
        self.contract = HouseContract(grid, zone, OffPeakLearner(zone))
        self.ledger = Ledger(book, self.contract, zone)
        self.filling = Filling(self.ledger, zone)
        self.sessions = Sessions()
        self.roles: list[Role] = []
        self.live = Live()
        self.silent: list[Reading] = []
        self.paces = Paces()
        self.newest: dict[str, Reading] = {}
        self._contradiction = Contradiction()
        self.contradicts = False
        self._met: dict[Source, float] = {}
        """When (monotonic) each source last had a reading, old or new."""
        self._seen: frozenset[Source] = frozenset()
        self._observed = -OBSERVE_S
        self._slot: int | None = None
        self._told: list[Told] = []
        self._changed_since: set[str] = set()
        """Days that have changed while figures were under way."""
        self._measures: list[Measure] = []
        self.pacer = figures.Pacer()
        self._margin = figures.Margin()
        self._quarantine_told: set[str] = set()
        self._filled: set[date] = set()
        self._restore()

    def _restore(self) -> None:
        self.contract.learner.restore(self._kept.get("offPeak"))
        colours = self._kept.get("colours")
        self.contract.colours = {str(k): str(v) for k, v in colours.items()} if isinstance(colours, dict) else {}
        decisions = self._kept.get("decisions")
        self.topology.decisions = dict(decisions) if isinstance(decisions, dict) else {}
        self.topology.known_apart = {str(pair) for pair in self._kept.get("apart", [])}
        self.sessions.restore(self._kept.get("sessions"))

    def wish(self, wishes: Wishes) -> None:
        """The user's settings, now and after a change."""
        self.contract.wishes = wishes

    # Every second at most.

    def look(self, now: float, monotonic: float) -> None:
        """Takes the readings of now, publishes what follows from them. `now`: Unix time."""
        self.newest = {reading.source.key: reading for reading in self._readings.newest()}
        for reading in self.newest.values():
            self._met[reading.source] = monotonic
        if self._met.keys() - self._seen:
            self._seen = frozenset(self._met)
            self._find_roles()
        believed = self.ledger.look(self.newest, self.paces, now, monotonic)
        if believed:
            self._learn(now)
        if monotonic - self._observed >= OBSERVE_S:
            self._observed = monotonic
            self.topology.observe(self.newest.values(), self.roles, now)
        moment = Moment(self.newest, self.paces, now)
        self.live = live(self.roles, moment)
        self.silent = moment.silent(self.roles)
        self.contradicts = self._contradiction.update(monotonic, self.live.base)
        facts = {**figures.of_now(self.live, self.contradicts), "now.batteryLevel": self._level()}
        facts.update(figures.of_prices(self.contract.at(now), self.contract.next_change(now), self._zone))
        facts["remark"] = self._remark()
        facts.update(self._limit(moment, monotonic))
        self._published.values(self.pacer.due(facts, monotonic), now)
        slot = slot_of(now)
        if self._slot is None:
            self._slot = slot
        elif slot != self._slot and believed:
            self._slot = slot
            self._forget(monotonic)
            self.close_interval(now)

    def _find_roles(self) -> None:
        self.roles = self.topology.roles(self._seen)
        self.ledger.adopt(self.roles)

    def _forget(self, monotonic: float) -> None:
        """Sources without a reading, however old, for a while: their equipment was removed or switched off."""
        self._met = {source: at for source, at in self._met.items() if monotonic - at < GONE_S}
        self._seen = frozenset(self._met)
        for key in self.paces.keys() - self.newest.keys():
            del self.paces[key]

    def _used(self, role: str) -> list[Role]:
        return [each for each in self.roles if each.role == role and each.used]

    def _learn(self, now: float) -> None:
        parts = [each.source for each in self._used("grid.import") if each.source.per == "counter"]
        told = [self.newest.get(source.key) for source in parts]
        if parts and all(each is not None and each.number is not None for each in told):
            indexes = {each.source.part: each.number or 0.0 for each in told if each is not None}
            self.contract.learn(indexes, now)
        for each in self._used("grid.subscribedCurrent"):
            reading = self.newest.get(each.source.key)
            if reading is not None and reading.number:
                self.contract.subscribed_kva = round(reading.number * KVA_VOLTS / 1000)
        for each in self._used("charger.session"):
            reading = self.newest.get(each.source.key)
            if reading is not None and reading.number is not None:
                self.sessions.update(each.source.equipment, reading.number, now)

    def _limit(self, moment: Moment, monotonic: float) -> dict[str, Value | None]:
        """VA left of the subscribed power, and seconds until the meter cuts off at the draw of now.

        Only of a house with one phase: the meter checks each phase alone.
        """
        kva = self.contract.wishes.kva or self.contract.subscribed_kva
        used = self._used("grid.apparentPower")
        phases = any(source.quantity.startswith("grid.phase") for source in self._seen)
        apparent = moment.power(used[0]) if used else None
        return self._margin.facts(None if phases else apparent, kva, monotonic)

    def _remark(self) -> str:
        """What the user should know about the meters, in one sentence."""
        translate = self._published.translate
        if self.contradicts:
            return translate(
                "Les compteurs se contredisent : la consommation serait de {base} W. Une pince est peut-être montée à "
                "l'envers, ou un appareil compté deux fois.",
                base=round(self.live.base or 0),
            )
        if self.ledger.quarantined:
            return translate("Un compteur a fait un saut impossible : décidez sur la page de la maison.")
        doubled = next((each for each in self.roles if each.confidence == DUPLICATE), None)
        if doubled is not None:
            why = translate(doubled.why, **doubled.values)
            return translate(
                "{name} n'est pas ajouté : il {why}.", name=doubled.source.name or doubled.source.key, why=why
            )
        if not self._used("grid.power") and not self._used("house.power"):
            return translate("Aucun compteur ne dit la puissance du réseau en direct.")
        return translate("Tout va bien")

    def _level(self) -> float | None:
        """% of all batteries, by their capacity where that is known."""
        levels = [(each, self.newest.get(each.source.key)) for each in self._used("battery.level")]
        sizes = {each.source.equipment: self._value(each) for each in self._used("battery.capacity")}
        weighted = [(sizes.get(each.source.equipment) or 1.0, r.number) for each, r in levels if r is not None]
        if not weighted or len(weighted) < len(levels) or any(number is None for _, number in weighted):
            return None
        return round(sum(size * (number or 0) for size, number in weighted) / sum(size for size, _ in weighted), 1)

    def _value(self, role: Role) -> float | None:
        return power_of(role, self.newest)

    # Every five minutes.

    def close_interval(self, now: float) -> None:
        """Writes the book and tells Jeedom what has changed in it. Raises StoreError: nothing is lost then."""
        capacity = sum(self._value(each) or 0.0 for each in self._used("battery.capacity"))
        level = self._level()
        if capacity > 0 and level is not None:
            self.ledger.level(capacity * level / 100, now - 1)
        self._take_measures()
        roles = self.topology.roles(self._seen)
        if roles != self.roles:
            self.roles = roles
            self.ledger.adopt(roles)
        days = self.ledger.flush(now) | self._filled
        self._filled = set()
        self._kept.keep("offPeak", self.contract.learner.state())
        self._kept.keep("apart", sorted(self.topology.known_apart))
        self._kept.keep("colours", self.contract.colours)
        self._kept.keep("sessions", self.sessions.state())
        self._tell_running(now)
        self._tell_dated(days, now)
        self._tell_quarantine()
        self.ledger.book.protect()

    def _take_measures(self) -> None:
        self._measures += self._readings.measures()
        taken, self._measures = self._measures[:MOST_MEASURES], self._measures[MOST_MEASURES:]
        columns = late_columns(self.roles)
        for each in taken:
            if each.source.quantity == "tariff.colour":
                self.contract.colour(periods.day_of(each.begin, self._zone), each.energy)
                continue
            column = columns.get(each.source.key)
            if column is not None and each.source.per in ("day", "measure"):
                self.ledger.late(each.source, column, each.begin, each.end, each.energy)

    def fill(self, now: float, monotonic: float) -> bool:
        """Takes in a part of Jeedom's history; whether a day was written and the next can follow. Raises StoreError."""
        days = self.filling.step(self.roles, now, monotonic, self.newest)
        self.ledger.tell_again(days, {each.source.key: each.source for each in self.roles}, late_columns(self.roles))
        self._filled |= days
        return bool(days) and not self.filling.is_done

    def _tell_running(self, now: float) -> None:
        today = periods.day_of(now, self._zone)
        facts: dict[str, Any] = {}
        for name, (first, last) in (
            ("day", (today, today)),
            ("month", periods.month(today)),
            ("year", periods.year(today)),
        ):
            facts.update(figures.of_period(name, *self._period(first, last, now)))
        self._published.values(facts, now)

    def _period(self, first: date, last: date, now: float) -> tuple[Sums, float | None]:
        book = self.ledger.book
        sums = periods.of_days(book, first, last)
        begin = periods.midnight(first, self._zone)
        end = min(periods.midnight(last + timedelta(days=1), self._zone), slot_of(now))
        return sums, periods.share_known(sums, begin, end, book.first())

    def _tell_dated(self, days: Iterable[date], now: float) -> None:
        """Days, months and years that are over, or whose sums have changed since they were sent."""
        self._settle()
        today = periods.day_of(now, self._zone)
        waiting = {str(each) for each in self._kept.get("untold", [])}
        waiting |= {each.isoformat() for each in days}
        if self._told:
            self._changed_since |= {each.isoformat() for each in days}
        if self._told or not waiting:
            self._kept.keep("untold", sorted(waiting))
            return
        over = sorted(date.fromisoformat(each) for each in waiting if each < today.isoformat())
        series: dict[str, list[tuple[str, Any]]] = {}
        spans = {("day", each, each) for each in over}
        spans |= {("month", *periods.month(each)) for each in over}
        spans |= {("year", *periods.year(each)) for each in over}
        sent, digests = self._kept.get("sent", {}), {}
        for name, first, last in sorted(spans):
            at = datetime.fromtimestamp(periods.midnight(first, self._zone), self._zone).isoformat()
            values = figures.of_period(name, *self._period(first, last, now))
            digests[f"{first.isoformat()} {name}"] = crc32(json.dumps(values).encode())
            if sent.get(f"{first.isoformat()} {name}") == digests[f"{first.isoformat()} {name}"]:
                continue  # touched, but as it was
            for fact, value in values.items():
                if value is not None:
                    series.setdefault(fact, []).append((at, value))
        if series:
            told = Told(self._published.dated(series), digests, frozenset(each.isoformat() for each in over))
            self._told.append(told)
        else:
            waiting -= {each.isoformat() for each in over}
        self._kept.keep("untold", sorted(waiting))

    def _settle(self) -> None:
        """Forgets what Jeedom has acknowledged; the rest is sent again."""
        for told in self._told:
            if told.delivery.ended and told.delivery.delivered:
                left = {each for each in self._kept.get("untold", []) if each not in told.days}
                self._kept.keep("untold", sorted(left | self._changed_since))
                sent = {**self._kept.get("sent", {}), **told.digests}
                self._kept.keep("sent", dict(sorted(sent.items())[-MOST_SENT:]))
        self._told = [each for each in self._told if not each.delivery.ended]
        if not self._told:
            self._changed_since = set()

    def _tell_quarantine(self) -> None:
        for key in set(self.ledger.quarantined) - self._quarantine_told:
            name = next((each.source.name for each in self.roles if each.source.key == key), key)
            self._published.message(
                "warning",
                "Le compteur de {name} a fait un saut impossible ({value} kWh) : ses valeurs ne sont plus comptées "
                "jusqu'à votre décision, sur la page de la maison.",
                name=name or key,
                value=round(self.ledger.quarantined[key] / 1000, 1),
            )
        self._quarantine_told = set(self.ledger.quarantined)

    # What is asked.

    def found(self, now: float) -> list[dict[str, Any]]:
        """The roles, as the page of the house shows them."""
        answer = []
        for role in self.roles:
            reading = self.newest.get(role.source.key)
            answer.append(
                {
                    "quantity": role.role,
                    "source": {each: getattr(role.source, each) for each in ("equipment", "command", "quantity")},
                    "value": None if reading is None else self._value(role) if role.less else reading.value,
                    "age": None if reading is None else round(reading.age(now), 1),
                    "confidence": role.confidence,
                    "used": role.used,
                    "decided": role.word,
                    "why": (role.why, dict(role.values)),
                    "quarantined": self.ledger.quarantined.get(role.source.key),
                }
            )
        return answer

    def decide(self, source: str, decision: str, now: float) -> bool:
        """The user's word about a source, those of `topology` or accepted (a counter's jump), or '' to take it back.

        False if there is no such source.
        """
        if not any(each.key == source for each in self._seen):
            return False
        if decision == "accepted":
            return self.ledger.accept(source, now)
        if decision:
            self.topology.decisions[source] = decision
        else:
            self.topology.decisions.pop(source, None)
        self._kept.keep("decisions", self.topology.decisions)
        self._find_roles()
        return True

    def bills(self, now: float) -> list[Bill]:
        """The last twelve months under each contract. Raises StoreError."""
        return compare(self.ledger.book.intervals(now - 365 * 86400, now), self.contract)

    def charge_cost(self, charger: str, now: float) -> Charge | None:
        """The running session of a charger; None without one. Raises StoreError."""
        begun = self.sessions.begun(charger)
        return None if begun is None else self.charge_between(charger, begun, now)

    def charge_between(self, charger: str, begin: float, end: float) -> Charge:
        """What a charger took between two moments, from where, and what it cost. Raises StoreError."""
        others = sorted(each for each in self.sessions.open if each > charger)
        return session(self.ledger.book.intervals(slot_of(begin), end, charger), charger, others)

    def stop(self, now: float) -> None:
        """Writes what waits, as far as possible, and ends."""
        try:
            self.ledger.flush(now)
        except StoreError as error:
            _LOG.error("at the end: %s", error)
        self.ledger.book.close()
