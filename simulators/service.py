"""What every simulated system is beside its answers: a server, a control address, faults, a beginning and an end."""

from __future__ import annotations

from typing import Any, Optional

from simulators.faults import Fault, FaultBox
from simulators.server import LoopbackServer, Running, Seen


class Service(Running):
    """`with` starts and ends it. Who takes over makes the three parts when it is made."""

    server: LoopbackServer
    control: LoopbackServer
    faults: FaultBox

    @property
    def url(self) -> str:
        """The base address."""
        return self.server.url

    @property
    def port(self) -> int:
        """Its port."""
        return self.server.port

    @property
    def control_url(self) -> str:
        """The base address of the control endpoint, which no fault touches."""
        return self.control.url

    @property
    def requests(self) -> list[Seen]:
        """What was asked, in order."""
        return self.server.requests

    def fault(self, kind: str, path: str = "*", value: Any = None, count: Optional[int] = None) -> Fault:
        """Put a fault in force. Raises ValueError for an unknown kind."""
        return self.faults.add(kind, path, value, count)

    def clear(self) -> None:
        """End all faults."""
        self.faults.clear()

    def start(self) -> None:
        """Listen."""
        self.server.start()
        self.control.start()

    def close(self) -> None:
        """Stop for good."""
        self.faults.clear()
        self.server.close()
        self.control.close()
