"""Which systems answer on the local network, by what their catalogues say of them."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jeedom_bridge.contract import Catalogue
from jeedom_bridge.json_reader import loads

from . import sweep

_LOG = logging.getLogger(__name__)

LISTEN_S = 4.0
"""Time for answers over mDNS; devices answer within one second, slow ones at the second question."""
START_S = 15.0
"""Time for the program to start and end, on the smallest machine."""
PROGRAM = Path(__file__).with_name("mdns.py")


@dataclass(frozen=True)
class Nearby:
    """A system that answers: `config` is what the form of a new connection is filled with."""

    backend: str
    address: str
    serial: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


class Finder:
    """Searches when asked to."""

    def __init__(
        self,
        wanted: Mapping[str, Mapping[str, Any]],
        interface: str = "all",
        port: int | None = None,
        listen: float = LISTEN_S,
    ) -> None:
        """`wanted`: `connection.nearby` of the catalogues that have one, by backend. `listen`: seconds for answers.

        `interface` is the one address of this machine from which to search; `port` replaces the catalogue's.
        """
        self._wanted = wanted
        self._interface = interface
        self._only = None if interface == "all" else interface
        self._port = port
        self._listen_s = listen
        self._one = threading.Lock()

    @classmethod
    def of(cls, catalogues: Mapping[str, Catalogue]) -> Finder:
        """Of all catalogues that say how their system is found."""
        ways = {name: catalogue.data["connection"].get("nearby") for name, catalogue in catalogues.items()}
        return cls({name: how for name, how in ways.items() if how})

    @property
    def backends(self) -> list[str]:
        """Those that can be found."""
        return list(self._wanted)

    def search(self, backend: str | None = None) -> list[Nearby]:
        """All that answer within some ten seconds, of one backend or of all; empty if nothing can be asked.

        One search at a time: a second one waits.
        """
        with self._one:
            return self._search(backend)

    def _search(self, backend: str | None) -> list[Nearby]:
        wanted = {name: how for name, how in self._wanted.items() if backend in (None, name)}
        if not wanted:
            return []
        heard = self._listen([how["mdns"] for how in wanted.values() if "mdns" in how])
        found = [each for name, how in wanted.items() if "mdns" in how for each in _offered(name, how, heard)]
        realms = {name: how for name, how in wanted.items() if "realm" in how}
        if realms:
            own = heard.get("networks")
            addresses = sweep.hosts(own if isinstance(own, list) else [], self._only)
            for name, how in realms.items():
                port = self._port or how["port"]
                for address in sweep.ask_for_password(addresses, port, how["path"], how["realm"]):
                    found.append(Nearby(name, address, config={how["fills"]: address}))
        return found

    def _listen(self, services: Iterable[str]) -> dict[str, Any]:
        command = [sys.executable, str(PROGRAM), str(self._listen_s), self._interface, *services]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=self._listen_s + START_S, check=False
            )
            heard = loads(done.stdout) if done.returncode == 0 else None
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            _LOG.warning("the local network cannot be searched: %s", type(error).__name__)
            return {}
        if not isinstance(heard, dict):
            _LOG.warning(
                "the local network cannot be searched: %s", done.stderr.strip().splitlines()[-1:] or "no answer"
            )
            return {}
        return heard


def _offered(backend: str, how: Mapping[str, Any], heard: Mapping[str, Any]) -> list[Nearby]:
    """What was heard of one backend's service, once for each serial number."""
    found: dict[str, Nearby] = {}
    for each in heard.get("services", ()):
        if each["service"] == how["mdns"]:
            serial = each["properties"].get(how["serial"], "")
            found[serial or each["address"]] = Nearby(backend, each["address"], serial, {how["fills"]: each["address"]})
    return list(found.values())
