"""What every backend is made of: its errors, its settings, and what it may ask of the daemon."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any, Callable, ClassVar, Protocol

from jeedom_bridge.clock import Clock
from jeedom_bridge.contract import Catalogue
from jeedom_bridge.http import is_loopback
from jeedom_bridge.outbox import Delivery, Point
from jeedom_bridge.templates import fill
from jeedom_bridge.worker import Job


class Phrase(str):
    """A French text that is a value of another text, and translated with it."""

    __slots__ = ()


class Moment(str):
    """A day, or a day and its time, that is a value of a text: in French as it stands, elsewhere as `iso`.

    04/05 is one day to a Frenchman and another to an American; ISO 8601 is the same to both.
    """

    iso: str

    def __new__(cls, when: date, pattern: str = "") -> Moment:
        """`when`: a datetime in the user's time zone, or a date; `pattern`: the French way, if not the usual one."""
        time = " %H:%M" if isinstance(when, datetime) else ""
        made = super().__new__(cls, when.strftime(pattern or "%d/%m/%Y" + time))
        made.iso = when.strftime("%Y-%m-%d" + time)
        return made


class DeviceError(Exception):
    """An error for the user: a French template and its values, translated where it is shown."""

    code: ClassVar[str] = "vendor_error"
    state: ClassVar[str] = "error"
    elsewhere: ClassVar[bool] = False
    """Whether another system answers at the address of this one: its own is looked for at once."""

    silent_s: float = 0.0
    """For how many seconds nothing had come when it was raised, where its backend knows."""

    def __init__(self, template: str, *, retry: float | None = None, **values: object) -> None:
        """`retry`: seconds until the next try makes sense, when that is known."""
        super().__init__(fill(template, values))
        self.template = template
        self.values = values
        self.retry = retry


class AuthenticationFailed(DeviceError):
    """The account, password or token is refused: only the user can mend it."""

    code = "authentication_failed"
    state = "authentication_failed"


class Unreachable(DeviceError):
    """Nobody answers, or not in time."""

    code = "unreachable"
    state = "unreachable"


class Refused(DeviceError):
    """The request was understood and turned down (a right is missing, a value is out of range, ...)."""

    code = "refused"


class RateLimited(DeviceError):
    """The service asks to wait; `retry` says how long."""

    code = "rate_limited"
    state = "waiting"


class NoData(DeviceError):
    """An equipment answers, or its service does, but it has told nothing new for longer than it may."""

    code = "no_data"
    state = "no_data"


class VendorError(DeviceError):
    """An answer came that is not what the protocol promises."""


@dataclass(frozen=True)
class Equipment:
    """One equipment of Jeedom; `commands`: those Jeedom has, with their settings."""

    id: str
    type: str
    key: str
    name: str
    config: Mapping[str, Any]
    commands: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Connection:
    """One connection of Jeedom with its equipment; `config` has the defaults filled in."""

    id: str
    backend: str
    name: str
    config: Mapping[str, Any]
    commands: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    equipment: tuple[Equipment, ...] = ()

    def of_type(self, kind: str) -> list[Equipment]:
        """The equipment of one type."""
        return [each for each in self.equipment if each.type == kind]

    @property
    def equipment_ids(self) -> frozenset[str]:
        """The ids of its equipment."""
        return frozenset(each.id for each in self.equipment)

    def find(self, identifier: str) -> Equipment | None:
        """The equipment with that id; the connection itself counts as one, of type ''."""
        if identifier == self.id:
            return Equipment(self.id, "", "", self.name, self.config, self.commands)
        return next((each for each in self.equipment if each.id == identifier), None)


@dataclass(frozen=True)
class Found:
    """An equipment that a connection offers; `active`: it carries data, so that the user will want it."""

    type: str
    key: str
    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    active: bool = True


@dataclass(frozen=True)
class Identity:
    """Who answered a test: figures for programs, a sentence for the user."""

    data: Mapping[str, Any]
    text: str


@dataclass(frozen=True)
class Neighbour:
    """A system that answers on the local network and calls itself `serial`; its word alone proves nothing."""

    address: str
    serial: str


@dataclass(frozen=True)
class LevelState:
    """What a load is wanted to be and what it is proved to be: names as `Context.want` takes them, '' for none.

    `pending`: Jeedom has not said yet that the command for `wanted` ran. `since`: Unix time of the wish.
    """

    wanted: str = ""
    proved: str = ""
    pending: bool = False
    since: float = 0.0


class Memory(Protocol):
    """The part of the durable store that belongs to one connection."""

    def get(self, key: str, default: Any = None) -> Any: ...

    def put(self, key: str, value: Any) -> None:
        """Durable on return, or raises StoreError (the value is then kept in memory)."""

    def keep(self, key: str, value: Any) -> bool:
        """The same for what can be lost: whether it is durable. A failed write is logged once."""

    def delete(self, key: str) -> None: ...


class Context(Protocol):
    """What the core does for a device.

    `draft_memory` is the memory of connections that were tried before they had an id: what a trial has used up and
    replaced (a token good for one use) is found there by the connection that is saved afterwards.
    """

    @property
    def clock(self) -> Clock:
        """Where a device takes its time from."""
        ...

    @property
    def catalogue(self) -> Catalogue:
        """That of its backend."""
        ...

    @property
    def memory(self) -> Memory:
        """What the connection keeps over restarts."""
        ...

    @property
    def draft_memory(self) -> Memory:
        """See above."""
        ...

    @property
    def shared_memory(self) -> Memory:
        """What all connections of a backend share and keep over restarts: a block of this machine's address, say."""
        ...

    @property
    def timezone(self) -> str:
        """Of Jeedom: a name of the IANA database."""
        ...

    def translate(self, template: str, **values: object) -> str:
        """A text in the user's language."""
        ...

    def describe(self, error: DeviceError) -> str:
        """An error in the user's language, as it belongs into the log, too."""
        ...

    def every(self, name: str, period: float, job: Callable[[], None], first: float = 0.0) -> Job:
        """Runs a job each `period` s in the connection's own thread. An exception is shown as its state."""
        ...

    def online(self) -> None:
        """Data came: the connection works."""
        ...

    def publish(self, equipment: str, facts: Mapping[str, Any], at: float | None = None) -> None:
        """Facts of an equipment, by the names that the `source` of its rows uses.

        `at`: Unix time of the data if the vendor dates it, default now. A fact that is not known now is left out (or
        None): its last value keeps its date.
        """
        ...

    def confirm(self, equipment: str, facts: Iterable[str] | None = None, at: float | None = None) -> None:
        """These facts (default: all that were published) still hold as of `at` (default now).

        For a backend that publishes changes only: a value is not re-sent with a newer date, nor called fresh, unless
        it is published again or confirmed.
        """
        ...

    def history(self, equipment: str, series: Mapping[str, Sequence[Point]]) -> Delivery:
        """Dated measures, by logicalId."""
        ...

    def report_equipment_error(self, equipment: str, error: DeviceError | None) -> None:
        """One equipment alone does not work (`error`), or works again (None); told once."""
        ...

    def message(self, level: str, template: str, **values: object) -> None:
        """For Jeedom's message centre."""
        ...

    def progress(self, operation: str, percent: float, template: str, **values: object) -> None:
        """How far a long operation is."""
        ...

    def trigger(self, equipment: str, name: str, value: Any, expires: float) -> None:
        """Something has happened once; not to be acted on after `expires` seconds. For a state see `want`."""
        ...

    def ask_past(self, wanted: Mapping[str, Any]) -> None:
        """Asks for points of Jeedom's history, in place of what was asked for before; see `past` in callback.json."""
        ...

    def want(self, equipment: str, name: str, value: Any = None, lifetime: float | None = None) -> None:
        """The load of an equipment is to be in the state that the command chosen in its setting `name` brings about.

        Jeedom is asked again until that command ran, over restarts of either; a load is not asked to be what it was
        last wanted to be. `value` is for a command that can make use of one. A request that Jeedom finds older than
        `lifetime` seconds is not carried out; without it, however late it is. Only in the connection's own thread.
        """
        ...

    def level(self, equipment: str) -> LevelState:
        """What is wanted of the load of an equipment, and what of it is proved."""
        ...

    def mask(self, *values: object) -> None:
        """Tokens and cookies as they are received: never to be seen in a log."""
        ...

    def count(self, counter: str, by: int = 1) -> None:
        """Adds to a counter that `status` shows."""
        ...

    @property
    def stopping(self) -> bool:
        """Whether the connection is to end: long work looks at it between steps."""
        ...

    def pause(self, seconds: float) -> bool:
        """Waits; False at once when the connection is to end."""
        ...

    def quiet_period(self) -> float:
        """Seconds during which nothing new can leave for Jeedom: what a stream brings meanwhile is read together."""
        ...


class Device(ABC):
    """The life of one connection.

    All methods but `__init__` run in the connection's own thread, one at a time; `act` may be excepted.
    """

    grace: ClassVar[float] = 0.0
    """Seconds for which a working connection may fail before the user is informed."""

    daily_pause: ClassVar[tuple[time, time] | None] = None
    """Local times between which all such systems pause each day, so that their short silence says nothing."""

    acts_aside: ClassVar[bool] = False
    """Whether `act` need not wait for the connection's own thread: it is then called in others, several at a time."""

    def __init__(self, connection: Connection, context: Context) -> None:
        """No input or output here."""
        self.connection = connection
        self.context = context

    @abstractmethod
    def start(self) -> None:
        """Prepares and registers the jobs. Raises DeviceError: it is then called again after a pause."""

    def stop(self) -> None:  # noqa: B027  # many devices hold nothing
        """Frees what is held."""

    def changed(self) -> None:  # noqa: B027
        """`self.connection` has other equipment or commands than before (its settings are the same)."""

    def switched(self, equipment: str) -> None:  # noqa: B027
        """`context.level` of an equipment tells something new: Jeedom has run a command."""

    def hurry(self, period: float) -> None:  # noqa: B027
        """Readings are wanted at least every `period` s while it is asked again: within minutes it ends by itself.

        What the system bears goes before it; who hears of changes at once has nothing to do.
        """

    @abstractmethod
    def refresh(self) -> None:
        """Reads everything now and publishes it."""

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> bool | None:
        """Does what was asked; returns once the vendor has accepted it. True: the device has proved that it obeyed."""
        raise Refused("Cette commande n'est pas prise en charge : {command}", command=command)

    @abstractmethod
    def test(self) -> Identity:
        """Asks who is there, with the settings as they stand. Also called on a device that was not started."""

    def discover(self) -> list[Found]:
        """The equipment on offer. Also called on a device that was not started."""
        return []

    def relocate(self, found: Sequence[Neighbour]) -> str | None:
        """Returns the address of the one that is proved to be this system; None if it is at none of them.

        Asked when the connection fails, with what a search has found, also if that is nothing. Secrets may go only to
        who is proved.
        """
        return None

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        """Carries out an operation of the catalogue; returns what to tell the user."""
        raise Refused("Opération inconnue : {operation}", operation=operation)


def vendor_url(address: str) -> str:
    """The base address of a vendor's service, without the last slash. Raises Refused.

    Passwords and tokens go there: plain http is for a simulator or a proxy on this machine only.
    """
    url = address.strip().rstrip("/")
    if url.startswith("https://") or (url.startswith("http://") and is_loopback(url)):
        return url
    raise Refused("Adresse refusée, elle doit commencer par https:// : {url}", url=url or "''")
