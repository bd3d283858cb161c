"""The Jeedom of a soak: what the run asks of it, and the stand-in as one."""

from __future__ import annotations

import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from simulators.demo.__main__ import free_port, missing
from simulators.enphase.gateway import EnphaseGateway
from simulators.jeedom import DaemonRefusal, DaemonUnreachable, JeedomStandIn
from simulators.soak.process import Daemon, OwnDaemon, small_disk
from simulators.soak.systems import Rule
from simulators.soak.watch import Log

Fault = tuple[str, Any]


class Host(ABC):
    """`open` before the systems are set up in `jeedom`, `begin` afterwards; from then on there is a `daemon`.

    `faults`: what can be wrong with Jeedom itself, `rare` in long runs only. `refusals`: what a user's request may
    raise. `disk`: whether the daemon's data lies on a small disk. `patience`: seconds until first values must be there.
    """

    jeedom: Any
    daemon: Daemon
    faults: tuple[Fault, ...] = ()
    rare: tuple[Fault, ...] = ()
    refusals: tuple[type[Exception], ...] = ()
    disk = False
    patience = 30.0

    @abstractmethod
    def open(self, stack: ExitStack, thorough: bool) -> None:
        """Jeedom is there; `stack` ends it. `thorough`: a long run, with stepped clocks."""

    @abstractmethod
    def begin(self, stack: ExitStack) -> None:
        """The systems are known to Jeedom: the daemon runs."""

    @abstractmethod
    def missing(self) -> list[str]:
        """Names of what has no value yet."""

    @abstractmethod
    def hasten(self, rules: Iterable[Rule]) -> None:
        """What is compared in the end leaves the daemon without long pauses, where that is to be had."""

    @abstractmethod
    def inject(self, kind: str, value: Any) -> None:
        """Put a fault of Jeedom in force."""

    @abstractmethod
    def clear(self) -> None:
        """End it."""

    @abstractmethod
    def states(self, connections: Sequence[str]) -> dict[str, str]:
        """The states of connections, in the contract's words."""

    @abstractmethod
    def values(self, equipment: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The current values of equipment, by command."""

    @abstractmethod
    def journal(self, point: str) -> list[dict[str, Any]]:
        """The newest decisions about a charge point; none if nobody answers."""

    def logs(self) -> list[Log]:
        """What is written from now on, to be read while it grows."""
        return []

    @contextmanager
    def announced(self, gateway: EnphaseGateway, address: str) -> Iterator[bool]:
        """Announces a gateway at another address on the network; False where that cannot be."""
        yield False

    def setting(self, connection: str, key: str) -> Any:
        """A setting of a connection, as Jeedom has it."""
        return None

    @abstractmethod
    def checks(self) -> dict[str, list[str]]:
        """What else must be empty in the end, by its name in the report."""


class StandIn(Host):
    """The stand-in, with a daemon run by `python`."""

    faults = (
        ("down", None), ("delay", 2.0), ("half", None), ("lost", None), ("endless", None), ("html", None),
        ("status", 500), ("hang", 30.0), ("garbage", None), ("truncated", None), ("drop", None), ("latency", 1.0),
    )  # fmt: skip
    rare = (
        ("redirect", None), ("status", 401), ("status", 503), ("delay", 40.0), ("refuse_key", None), ("reject", None),
    )  # fmt: skip
    refusals = (DaemonRefusal, DaemonUnreachable)

    def __init__(self, python: str) -> None:
        self.python = python

    def open(self, stack: ExitStack, thorough: bool) -> None:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="jeenergie-soak-")))
        self.jeedom: JeedomStandIn = stack.enter_context(JeedomStandIn())
        self.jeedom.daemon_port = free_port()
        self.daemon: OwnDaemon = OwnDaemon(self.python, self.jeedom, folder, thorough)
        self.disk = small_disk(stack, self.daemon.data)

    def begin(self, stack: ExitStack) -> None:
        stack.callback(self.daemon.stop)
        self.daemon.ensure()

    def missing(self) -> list[str]:
        return missing(self.jeedom)

    def hasten(self, rules: Iterable[Rule]) -> None:
        for rule in rules:
            self.jeedom.house.set_command(rule.equipment, rule.command, {"cadence": 1})
        self.jeedom.desired_changed()

    def inject(self, kind: str, value: Any) -> None:
        self.jeedom.fault(kind, value)

    def clear(self) -> None:
        self.jeedom.clear()

    def states(self, connections: Sequence[str]) -> dict[str, str]:
        return {each: self.jeedom.state(each) or "" for each in connections}

    def values(self, equipment: Sequence[str]) -> dict[str, dict[str, Any]]:
        return {each: self.jeedom.values(each) for each in equipment}

    def journal(self, point: str) -> list[dict[str, Any]]:
        with suppress(*self.refusals, OSError):
            entries: list[dict[str, Any]] = self.jeedom.ask("journal", limit=500, equipment=point)["entries"]
            return entries
        return []

    def logs(self) -> list[Log]:
        return [Log.from_now(self.daemon.folder / "jeenergie_daemon.log")]

    def checks(self) -> dict[str, list[str]]:
        return {"breaches of the callback's contract": self.jeedom.complaints}
