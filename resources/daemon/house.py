"""The house among the connections: what joins `energy`, which knows no backend, to the rest of the daemon.

`HouseDevice` is the device of its connection: it hands the house readings, moments and ways out. What the daemon has of
it without such a connection is `house_hub`.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Callable
from zoneinfo import ZoneInfo

from jeedom_bridge.contract import finite
from jeedom_bridge.json_reader import loads
from jeedom_bridge.store.errors import Newer

from .devices.base import Connection, Context, Equipment, Found, Identity, NoData, Refused
from .devices.base import Moment as BaseMoment
from .driving import CAR_LEVEL, LOAD, POINT, DrivingDevice, drivable
from .energy.device import House
from .energy.ledger.store import Book
from .energy.money.comparison import Bill
from .energy.money.contract import Wishes, parse_dated_prices, parse_hours, parse_prices
from .energy.money.offers import PriceGrid
from .energy.ports import Measure, Reading, Source, Value
from .energy.report import Report, of_now
from .energy.topology import ADDED, CONFIRMED, IGNORED, Rules
from .house_hub import BOOK, OWNER, HouseHub
from .house_pace import SOON_S, LookPace
from .house_past import KILO, OTHER, Past, command_of
from .house_ports import HOME, Ports
from .readings import Measure as BoardMeasure

_LOG = logging.getLogger(__name__)

TEMPERATURE_OLD_S = 7200.0
"""A thermostat that has told nothing for so long has no say."""
AMOUNTS = ("energy", "money", "emission", "volume", "size")
PARTS_OF_A_PLANT = "inverter."
IDLE_S = 5.0
"""Without news the house looks all the same: what is old must be found to be so."""
COPY_S = 86400.0
"""Between two copies of the book; Jeedom's own backup asks for one besides."""
MOST_LIMITS = 50
LONGEST_STEP_S = 3 * 3600.0
"""A dated measure stands until the next one, but no longer than so."""
DECISIONS = {**{each: each for each in (ADDED, IGNORED, CONFIRMED)}, "accepted": "accepted"}
OWN_PRICES = "tariffs.json"
"""In the data folder: the user's own grid of prices, of the form of core/contract/tariffs.json."""


class MeterSilent(NoData):
    """A meter on which the powers of the house depend tells nothing; its own connection says why."""

    code = "unreachable"


class HouseDevice(DrivingDevice):
    """The house's connection. One per Jeedom: a second one says so and does nothing."""

    _hub: HouseHub

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        self._house: House | None = None
        self._ends: list[Callable[[], None]] = []
        self._pace = LookPace()
        self._measures: list[Measure] = []
        self._limits: dict[str, list[tuple[int, float]]] = {}
        """What each charger's limit has been since the last look, with its date: a look alone sees the newest."""
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._homes: set[str] = set()
        self._fluid_prices: dict[str, list[tuple[str, float]]] = {}
        self._past = Past(connection, context, self._hub.factor_of)

    # Its life.

    def start(self) -> None:
        other = self._hub.running
        if other is not None and other is not self:
            raise Refused("Une maison existe déjà : supprimez celle-ci.")
        wishes = self.wishes()
        zone = ZoneInfo(self.context.timezone)
        if self._house is None:
            book = self._open_book()
            (self._hub.folder / OWNER).write_text(self.connection.id, "utf-8")
            if book.damage:
                self.context.message(
                    "error",
                    "Le livre de la maison était endommagé : ce qui a pu être lu a été repris, l'ancien fichier est "
                    "data/daemon/{file}.",
                    file=book.damage,
                )
            ports = Ports(self)
            self._house = House(
                ports, ports, self.context.memory, book, rules_of(self._hub), prices_of(self._hub), zone
            )
            self.drive(self._house, ports, lambda: self._hub.actions)
        self._house.wish(wishes)
        self.changed()
        self._hub.runs(self)
        board = self._hub.board
        self._ends = [
            board.subscribe(lambda equipment, _quantities: self._take_limit(equipment), ("charger.current",)),
            board.subscribe(lambda equipment, _quantities: self._wake(equipment), momentary(self._hub)),
            board.on_history(self._take_history),
            self._hub.listen(lambda: self._wake("")),
        ]
        self._job = self.context.every("look", IDLE_S, self._look)
        self._past.begin(self._house)
        self.context.every("copy", COPY_S, self.back_up, first=COPY_S)

    def _open_book(self) -> Book:
        try:
            return Book(self._hub.folder / BOOK)
        except Newer as error:
            raise Refused(
                "Le livre de la maison a été écrit par une version plus récente du plugin et reste tel quel : "
                "installez de nouveau cette version, ou renommez data/daemon/house.sqlite pour commencer "
                "un autre livre."
            ) from error

    def stop(self) -> None:
        for end in self._ends:
            end()
        self._ends = []
        if self._hub.running is self:
            self._hub.runs(None)
        self.stop_driving()
        if self._house is not None:
            self._past.end()
            self._house.stop(self.context.clock.time())
            self._house = None
            self._hub.ended(self.connection.id)

    def changed(self) -> None:
        self._names = {}
        self.adopt_driven()
        homes = {each.id for each in self.connection.of_type(HOME)}
        if self._house is not None and homes - self._homes:
            # Figures that go every ten seconds may just have gone, when nobody was there to take them.
            self._house.pacer.sent_at.clear()
            if self._job is not None:
                self._job.run_in(SOON_S)
        self._homes = homes

    def _wake(self, equipment: str) -> None:
        """News. From any thread."""
        job = self._job
        if job is not None and self.connection.find(equipment) is None:
            job.run_in(self._pace.wait(self.context.clock.monotonic()))

    def _take_limit(self, equipment: str) -> None:
        """News of a charger's limit. In the thread that brings it, which brings the next one afterwards."""
        reading = self._hub.board.reading(equipment, "charger.current")
        if reading is not None and not reading.doubt and isinstance(reading.value, (int, float)):
            with self._lock:
                told = (round(reading.value), self.context.clock.time() - reading.age_s)
                self._limits[equipment] = [*self._limits.get(equipment, []), told][-MOST_LIMITS:]

    def _look(self) -> None:
        house = self._house
        if house is None:
            return
        now = self.context.clock.monotonic()
        self._pace.looked(now)
        house.look(self.context.clock.time(), now)
        with self._lock:
            passed, self._limits = self._limits, {}
        self.step_driven(house.newest.values(), self._gaps(), self._levels(), passed)
        if house.silent:
            raise self._silence(house.silent[0])
        if house.roles:
            self.context.online()

    def _silence(self, reading: Reading) -> MeterSilent:
        since = BaseMoment(datetime.fromtimestamp(reading.at, ZoneInfo(self.context.timezone)))
        return MeterSilent(
            "Les puissances de la maison ne sont pas connues : « {name} » n'a plus donné de mesure depuis le {since}. "
            "Voyez l'état de sa connexion.",
            name=reading.source.name or reading.source.equipment,
            since=since,
            retry=IDLE_S,
        )

    def take_past(self, page: Mapping[str, Any]) -> None:
        """A page of Jeedom's history (socket message `past`). From any thread."""
        self._past.take(page)

    def wishes(self) -> Wishes:
        """What the user has typed. Raises Refused if prices or hours are not understood."""
        config = self.connection.config
        try:
            for key in ("offPeak", "summerOffPeak"):
                parse_hours(str(config.get(key) or ""))
            prices = parse_prices(str(config.get("prices") or ""))
            self._fluid_prices = {
                fluid: parse_dated_prices(str(config.get(told["priceBy"]) or ""))
                for fluid, told in _json(self._hub.contract / "quantities.json")["fluids"].items()
            }
        except ValueError as error:
            raise Refused("Prix ou heures illisibles : « {error} »", error=error) from error
        numbers = {key: finite(config.get(key)) for key in ("subscribedPower", "resalePrice", "subscription", "co2")}
        return Wishes(
            str(config.get("tariff") or "auto"),
            numbers["subscribedPower"] or None,
            numbers["resalePrice"],
            numbers["subscription"],
            str(config.get("offPeak") or ""),
            str(config.get("summerOffPeak") or ""),
            prices,
            numbers["co2"] if numbers["co2"] is not None else Wishes().co2,
        )

    def back_up(self) -> None:
        """Puts a whole copy of the book beside it. Raises StoreError. In this connection's own thread."""
        if self._house is not None:
            self._house.ledger.book.back_up()

    # What it is asked.

    def refresh(self) -> None:
        self._look()

    def test(self) -> Identity:
        self.wishes()
        found = len({each.equipment for each in self._hub.board.readings()})
        return Identity(
            {"equipment": found},
            self.context.translate("{count:équipement mesure|équipements mesurent} quelque chose.", count=found),
        )

    def discover(self) -> list[Found]:
        equipment = {each.equipment for each in self._hub.board.readings()}
        home = Found(HOME, HOME, self.context.translate("Maison"))
        return [home, *drivable(self._hub.actions, equipment, self._name, self.context.translate)]

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        house = self._house
        if house is None:
            raise Refused("La maison n'est pas active.")
        if operation == "decide":
            decision = DECISIONS.get(str(options.get("decision")), "")
            if not house.decide(str(options.get("source")), decision, self.context.clock.time()):
                raise Refused("Cette source n'existe plus : rechargez la page.")
            return self.context.translate("C'est noté.")
        if operation == "fill":
            house.filling.again()
            return self.context.translate("L'historique de Jeedom va être repris : cela prend quelques minutes.")
        if operation == "compare":
            return "\n".join(self._line(bill) for bill in house.bills(self.context.clock.time()))
        return super().run(operation, options)

    def _line(self, bill: Bill) -> str:
        if bill.whole:
            return self.context.translate("{kind} : {cost} €", kind=bill.kind, cost=round(bill.cost))
        share = round(100 * bill.unpriced / max(bill.energy, 1e-9))
        return self.context.translate("{kind} : le prix de {share} % n'est pas connu", kind=bill.kind, share=share)

    def roles(self) -> list[dict[str, Any]]:
        """For the socket's `house`, as `now` and `balance` in this connection's own thread."""
        found = [] if self._house is None else self._house.found(self.context.clock.time())
        for each in found:
            template, values = each["why"]
            each["why"] = self.context.translate(template, **values) if template else ""
        return found

    def now(self) -> dict[str, Any]:
        """The powers of now, also what is not known, for the socket's `house`. In this connection's own thread."""
        return {} if self._house is None else of_now(self._house, self.context.clock.time())

    def balance(self, first: str | None, last: str | None, per: str) -> dict[str, Any]:
        """For the socket's `balance`: local days (ISO), both included. In this connection's own thread.

        `fluidPrices`: of gas and water by the day from which they hold, as the user has typed them.
        """
        if self._house is None:
            raise Refused("La maison n'est pas active.")
        report = Report(self._house.ledger.book, ZoneInfo(self.context.timezone), self.context.clock.time())
        try:
            return {**report.asked(first, last, per), "fluidPrices": self._fluid_prices}
        except (ValueError, OverflowError) as error:
            raise Refused("Ces dates ne sont pas celles d'un bilan : {error}", error=error) from error

    # What it reads and says (the ports of `energy`).

    def readings(self) -> Iterable[Reading]:
        """All readings of the board but its own, dated by their age, and the values of other plugins' commands."""
        now, own = self.context.clock.time(), {self.connection.id, *self.connection.equipment_ids}
        for each in self._hub.board.readings():
            if each.equipment not in own and each.per not in ("day", "month", "year", "measure"):
                source = Source(
                    each.equipment, each.command, each.quantity, each.per, each.part, self._name(each.equipment)
                )
                yield Reading(source, each.value, now - each.age_s, bool(each.doubt))
        for equipment in self.connection.of_type(OTHER):
            told = self._hub.foreign(command_of(equipment))
            if told is not None:
                yield self._foreign(equipment, *told)

    def _gaps(self) -> dict[str, float]:
        """What the rooms of loads lack of their set temperatures, in K, where a thermostat's commands are chosen."""
        found, now = {}, self.context.clock.time()
        for load in self.connection.of_type(LOAD):
            told = [self._hub.foreign(command_of(load, key)) for key in ("setpoint", "temperature")]
            known = [each for each in told if each is not None and now - each[1] <= TEMPERATURE_OLD_S]
            if len(known) == len(told):
                found[load.id] = float(known[0][0]) - float(known[1][0])
        return found

    def _levels(self) -> dict[str, tuple[float, float]]:
        """The charge states of cars: (%, Unix time), where a command is chosen and has told one."""
        told = {each.id: self._hub.foreign(command_of(each, CAR_LEVEL)) for each in self.connection.of_type(POINT)}
        return {name: (float(each[0]), each[1]) for name, each in told.items() if each is not None}

    def _foreign(self, equipment: Equipment, value: Value, at: float) -> Reading:
        quantity = str(equipment.config.get("quantity"))
        per = "counter" if quantity.split(".")[-1] in ("import", "export", "energy", "charged", "discharged") else "now"
        factor = KILO if equipment.config.get("unit") == "kilo" else 1.0
        source = Source(equipment.id, "value", quantity, per, "", equipment.name)
        return Reading(source, float(value) * factor, at)

    def _name(self, equipment: str) -> str:
        if equipment not in self._names:
            self._names[equipment] = self._hub.name_of(equipment)
        return self._names[equipment]

    def _take_history(
        self, equipment: str, measure: BoardMeasure, command: str, points: Sequence[tuple[float, Value]]
    ) -> None:
        """Dated measures of any equipment, as they are sent to Jeedom. From any thread."""
        if self.connection.find(equipment) is not None or measure.per not in ("day", "measure"):
            return
        source = Source(equipment, command, measure.quantity, measure.per, measure.part, self._name(equipment))
        zone = ZoneInfo(self.context.timezone)
        numbers = sorted((at, float(value)) for at, value in points if isinstance(value, (int, float)))
        found = []
        for place, (at, value) in enumerate(numbers):
            if measure.per == "day":
                day = datetime.fromtimestamp(at, zone).replace(hour=0, minute=0, second=0, microsecond=0)
                end = (day + timedelta(days=1)).timestamp()
                found.append(Measure(source, day.timestamp(), end, value))
            elif place + 1 < len(numbers):
                found.append(Measure(source, at, min(numbers[place + 1][0], at + LONGEST_STEP_S), value))
            elif place:
                step = min(at - numbers[place - 1][0], LONGEST_STEP_S)
                found.append(Measure(source, at, at + step, value))
        with self._lock:
            self._measures += found

    def measures(self) -> list[Measure]:
        """The dated energies that came since the last call."""
        with self._lock:
            found, self._measures = self._measures, []
        return found


def rules_of(hub: HouseHub) -> Rules:
    """By which parts are given to meters."""
    return Rules.parse(_json(hub.contract / "roles.json"))


def momentary(hub: HouseHub) -> set[str]:
    """Quantities whose news the house looks at at once: those of this moment. Amounts can wait for the next look."""
    quantities = _json(hub.contract / "quantities.json")["quantities"]
    return {
        name
        for name, told in quantities.items()
        if told["kind"] not in AMOUNTS and not name.startswith(PARTS_OF_A_PLANT) and "of" not in told
    }


def prices_of(hub: HouseHub) -> PriceGrid:
    """The published prices, and the user's own after them."""
    published, own = _json(hub.contract / "tariffs.json"), hub.folder / OWN_PRICES
    try:
        return PriceGrid(published, *([_json(own)] if own.is_file() else []))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        _LOG.error("%s is of no use: %s", own, error)
        return PriceGrid(published)


def _json(path: Path) -> Any:
    return loads(path.read_bytes())
