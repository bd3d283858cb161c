"""Looks on the local network for a system that has stopped answering at its address.

A router gives out other addresses after a power cut. Who answers where is found by `services.nearby`; whether it is
the same system is decided by its device (`Device.relocate`). The address in the settings belongs to Jeedom: it is
changed there, by the event `moved`, and comes back with the next desired state, which starts the connection anew.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from jeedom_bridge.clock import Clock
from jeedom_bridge.worker import Worker, in_thread

from ..devices.base import Device, DeviceError, Neighbour
from .health import Health
from .reports import Reports
from .services import Nearby

_LOG = logging.getLogger(__name__)

SEARCHES_S = (180.0, 900.0, 3600.0)
"""Seconds of failure after which the first searches are made."""
ANSWERS_OTHERWISE = ("unreachable", "untrusted", "error")
"""States of errors behind which may be another system, or none, at the address."""
RARELY_S = 21600.0
"""Seconds between two searches from then on."""


class Relocation:
    """The searches of one connection. Only in the connection's own thread."""

    def __init__(
        self,
        way: Mapping[str, Any] | None,
        nearby: Nearby | None,
        worker: Worker,
        reports: Reports,
        health: Health,
        clock: Clock,
    ) -> None:
        """`way`: `connection.nearby` of the catalogue. A system that does not announce a serial number stays put."""
        self._way = way if way is not None and "serial" in way and not reports.silent else None
        self._nearby = nearby
        self._worker = worker
        self._reports = reports
        self._health = health
        self._clock = clock
        self._since: float | None = None
        self._searches = 0
        self._next = 0.0
        self._searching = False

    def failed(self, device: Device, error: Exception) -> None:
        """A try has failed: searches when it is time."""
        since = self._health.failing_since
        if self._way is None or self._searching or since is None:
            return
        if not isinstance(error, DeviceError) or error.state not in ANSWERS_OTHERWISE:
            return
        if since != self._since:
            self._since, self._searches = since, 0
            self._next = since + (0.0 if error.elsewhere else SEARCHES_S[0])
        elif error.elsewhere and self._searches == 0:
            self._next = since
        if self._clock.monotonic() >= self._next:
            self._search(device)

    def _search(self, device: Device) -> None:
        assert self._since is not None
        self._searches += 1
        later = [self._since + pause for pause in SEARCHES_S if self._since + pause > self._clock.monotonic()]
        self._next = later[0] if later else self._clock.monotonic() + RARELY_S
        if self._nearby is None:
            self._worker.post("relocate", lambda: self._found(device, []), None)
            return
        nearby, backend = self._nearby, self._reports.connection.backend
        self._searching = True
        _LOG.info("%s does not answer as expected: the local network is searched", self._reports.label)
        try:
            search = in_thread("search", lambda: nearby(backend))
        except RuntimeError as error:  # no more threads on this machine
            self._searching = False
            _LOG.warning("the local network is not searched: %s", error)
            return

        def ended(_: object) -> None:
            found = [] if search.exception() is not None else search.result()
            self._worker.post("relocate", lambda: self._found(device, found), None)

        search.add_done_callback(ended)

    def _found(self, device: Device, found: Sequence[Neighbour]) -> None:
        self._searching = False
        if self._since is None or self._health.failing_since != self._since or not self._reports.open:
            return  # data have come meanwhile: nothing has moved
        address = device.relocate(found)
        if address is None:
            return
        assert self._way is not None
        connection = self._reports.connection
        before = str(connection.config.get(self._way["fills"], ""))
        _LOG.warning("%s has moved from %s to %s", self._reports.label, before, address)
        event = {"event": "moved", "connection": connection.id, "from": before, "address": address}
        self._reports.event(event, ("moved", connection.id))
