"""The products of one account: publishes their values with their own dates, and persists sessions and meters."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ..base import Connection, Context, Refused
from ..common.vendor_clock import VendorClock
from . import equalizer, mapping
from .charger import Charger
from .equalizer import Equalizer
from .product import NEVER, Product
from .rest_reader import silence

PERSIST_PERIOD_S = 600.0
"""Shortest time between two writes of a product's meter, in seconds."""
CHARGER, EQUALIZER = "charger", "equalizer"
"""Types of equipment, as in the catalogue."""


class Fleet:
    """Thread-safe by `lock`, which callers hold while they use a product."""

    def __init__(self, context: Context, time: VendorClock) -> None:
        self.lock = threading.RLock()
        self._context = context
        self._clock = context.clock
        rows = context.catalogue.all_rows
        self.tables = {
            CHARGER: mapping.Table(rows(CHARGER)),
            EQUALIZER: mapping.Table(rows(EQUALIZER), equalizer.VOCABULARY),
        }
        self._time = time
        self._products: dict[str, Product] = {}
        self._equipment: dict[str, list[str]] = {}
        self._unseen: set[str] = set()
        self._kept: dict[str, tuple[float, dict[str, object]]] = {}

    def adopt(self, connection: Connection) -> list[str]:
        """Sets the products of the desired state; known ones keep their values. Returns their serial numbers."""
        equipment: dict[str, list[str]] = {}
        kinds: dict[str, str] = {}
        for kind in (CHARGER, EQUALIZER):
            for each in connection.of_type(kind):
                serial = each.key.strip()
                if kinds.setdefault(serial, kind) == kind:
                    equipment.setdefault(serial, []).append(each.id)
        equipment.pop("", None)
        with self.lock:
            self._products = {serial: self._known(serial, kinds[serial]) for serial in equipment}
            new = [product for s, product in self._products.items() if equipment[s] != self._equipment.get(s)]
            self._equipment = equipment
            for product in new:
                self.publish(product, set(product.values))
        return list(equipment)

    def get(self, serial: str) -> Product | None:
        """Returns the product with this serial number, or None."""
        return self._products.get(serial)

    def charger(self, serial: str) -> Charger | None:
        """Returns the charger with this serial number, or None."""
        found = self._products.get(serial)
        return found if isinstance(found, Charger) else None

    def all(self) -> list[Product]:
        """Returns all products."""
        with self.lock:
            return list(self._products.values())

    def observe(self, record: mapping.Observation) -> bool:
        """Takes a record of the stream; True if it changed a value."""
        with self.lock:
            product = self._products.get(record.serial)
            if product is None:
                return False
            dropped = product.dropped
            changed = product.observe(record, self._clock.monotonic(), self._time.now())
            self.publish(product, changed)
            if record.id not in changed and record.at is not None:
                self._confirm(product, product.confirmed(record), record.at)
            self._keep(product)
        self.seen(product)
        self._context.online()
        self._context.count("observations")
        if product.dropped != dropped:
            self._context.count("observationsTooOld")
        return bool(changed)

    def take(self, product: Product, found: Sequence[mapping.Observation], asked: float) -> bool:
        """Takes an answer to a request of `asked` (monotonic); True if the stream should have sent a value of it."""
        with self.lock:
            differs = product.differs(found, asked)
            self.publish(product, product.take(found, asked, self._clock.monotonic(), self._time.now()))
            self._keep(product)
        self.seen(product)
        return differs

    def judge(self, product: Product, settled: bool) -> None:
        """Publishes that a product has become silent, or is no longer."""
        with self.lock:
            self.publish(product, product.judge(self._time.now(), settled))

    def confirm_lasting(self) -> None:
        """Confirms values that are sent on change only, as of the product's last sign of life."""
        for product in self.all():
            if product.judged and not product.away:
                for facts, at in product.standing(self._clock.monotonic()):
                    self._confirm(product, facts, at)

    def publish(self, product: Product, changed: set[int]) -> None:
        """Publishes the facts that changed, each with its own date."""
        for at, facts in product.facts(changed).items() if changed else ():
            for equipment in self._equipment.get(product.serial, ()):
                self._context.publish(equipment, facts, None if at == NEVER else self._time.local(at))

    def tell(self, product: Product, facts: dict[str, object]) -> None:
        """Publishes facts that are no observations, as of now."""
        for equipment in self._equipment.get(product.serial, ()):
            self._context.publish(equipment, facts)

    def ids(self, product: Product) -> list[int]:
        """The observations of a product that are read."""
        return self.tables[CHARGER if isinstance(product, Charger) else EQUALIZER].ids

    def _confirm(self, product: Product, facts: set[str] | frozenset[str], at: float) -> None:
        for equipment in self._equipment.get(product.serial, ()) if facts and at > NEVER else ():
            self._context.confirm(equipment, facts, self._time.local(at))

    def missing(self, product: Product) -> None:
        """Reports that the account does not have this product."""
        self._unseen.add(product.serial)
        told = Refused(
            "Le compte Easee ne voit pas le chargeur {serial} : vérifiez son numéro de série et son compte",
            serial=product.serial,
        )
        if isinstance(product, Equalizer):
            told = Refused(
                "Le compte Easee ne voit pas l'Equalizer {serial} : ajoutez-le aux produits de l'application Easee, "
                "et vérifiez son numéro de série",
                serial=product.serial,
            )
        for equipment in self._equipment.get(product.serial, ()):
            self._context.report_equipment_error(equipment, told)

    def is_missing(self, product: Product) -> bool:
        """True if the account did not have it at the last check."""
        return product.serial in self._unseen

    def seen(self, product: Product) -> None:
        """Ends the report of a missing product: data has arrived."""
        if product.serial in self._unseen:
            self._unseen.discard(product.serial)
            for equipment in self._equipment.get(product.serial, ()):
                self._context.report_equipment_error(equipment, None)

    # Persistence.

    def _known(self, serial: str, kind: str) -> Product:
        make = Charger if kind == CHARGER else Equalizer
        known = self._products.get(serial)
        if isinstance(known, make):
            return known
        product = make(serial, self.tables[kind], silence(self._context, kind))
        product.restore(self._context.memory.get(f"{kind}.{serial}"))
        return product

    def _keep(self, product: Product, now: bool = False) -> None:
        """Persists meters periodically, all else at once; reports restarts of a meter."""
        kind = CHARGER if isinstance(product, Charger) else EQUALIZER
        for before, after in product.restarts:
            told = {"serial": product.serial, "before": f"{before:g}", "after": f"{after:g}"}
            if kind == CHARGER:
                self._context.message(
                    "warning",
                    "Le compteur du chargeur {serial} repart de {after} kWh (il était à {before} kWh) : "
                    "a-t-il été remplacé ou réinitialisé ?",
                    **told,
                )
            else:
                self._context.message(
                    "warning",
                    "Un index lu par l'Equalizer {serial} repart de {after} kWh (il était à {before} kWh) : "
                    "le compteur de la maison a-t-il été remplacé ?",
                    **told,
                )
        product.restarts.clear()
        state = product.state()
        at, kept = self._kept.get(product.serial, (NEVER, {}))
        clock = self._clock.monotonic()
        urgent = any(state[each] != kept.get(each) for each in product.kept_at_once)
        if urgent or (state != kept and (now or clock - at >= PERSIST_PERIOD_S)):
            self._kept[product.serial] = (clock, state)
            self._context.memory.keep(f"{kind}.{product.serial}", state)

    def keep(self) -> None:
        """Persists all products."""
        for product in self.all():
            self._keep(product, now=True)
