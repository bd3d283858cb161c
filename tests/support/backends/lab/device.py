"""Does what its settings say. Every step can be told to a UDP port, with the time at which it happened."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Mapping
from typing import Any, Optional

from ..base import (
    AuthenticationFailed,
    Connection,
    Context,
    DeviceError,
    Equipment,
    Found,
    Identity,
    RateLimited,
    Refused,
    Unreachable,
    VendorError,
)
from ..base import Device as Base
from .measures import measure

_LOG = logging.getLogger(__name__)

OVERLAP = 5
"""Measures that are fetched again each time, as the real backends do."""
FAILURES: dict[str, DeviceError] = {
    "authentication": AuthenticationFailed("Mot de passe refusé"),
    "unreachable": Unreachable("Personne ne répond"),
    "refused": Refused("Refusé"),
    "limited": RateLimited("Trop de demandes", retry=30.0),
    "vendor": VendorError("Réponse incompréhensible"),
}


class Device(Base):
    """One laboratory."""

    def __init__(self, connection: Connection, context: Context) -> None:
        super().__init__(connection, context)
        config = connection.config
        if config.get("broken"):
            raise ValueError(str(config["broken"]))
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._polls = 0
        self._tested = False
        self._measures = int(config["measures"])

    def start(self) -> None:
        self.tell("start")
        self.context.every("poll", float(self.connection.config["pollInterval"]), self.poll)

    def stop(self) -> None:
        self.tell("stop")
        self._socket.close()

    def changed(self) -> None:
        self.tell("changed", equipment=[each.id for each in self.connection.equipment])

    def poll(self) -> None:
        """One reading."""
        config = self.connection.config
        self.tell("poll", due=None)
        if config["hang"]:
            time.sleep(float(config["hang"]))  # as a vendor that does not answer: it heeds no stop
        if config["failing"] == "until tested":
            if not self._tested:
                raise FAILURES["authentication"]
        elif config["failing"]:
            raise FAILURES.get(str(config["failing"])) or RuntimeError(str(config["failing"]))
        self._polls += 1
        self.context.count("polls")
        self.context.online()
        if config["tokens"]:
            self.renew()
        self.context.publish(self.connection.id, {"polls": self._polls})
        number = self._polls if config["moving"] else 1
        facts: dict[str, Any] = {f"value{n}": number * 100 + n for n in range(int(config["values"]))}
        facts.update(power=number, voltage=230 + number % 10, label=f"n° {number}")
        for each in self.connection.equipment:
            self.tell("publish", number=number)
            self.context.publish(each.id, facts)
        if self._measures:
            self.fetch()

    def renew(self) -> None:
        """A token that is good for one use, as refresh tokens are: the next one must be kept before it is used."""
        number = int(self.context.memory.get("token", 0)) + 1
        self.context.memory.put("token", number)
        self.tell("token", number=number)

    def fetch(self) -> None:
        """Dated measures from the watermark on, which moves when Jeedom has acknowledged them."""
        mark = int(self.context.memory.get("mark", 0))
        last = mark + self._measures
        points = [measure(number) for number in range(max(0, mark - OVERLAP), last)]
        for each in self.connection.equipment:
            delivery = self.context.history(each.id, {"energy": points})
            while not delivery.ended:
                if self.context.stopping:
                    return
                delivery.wait(0.2)
            if not delivery.delivered:
                self.tell("refused", equipment=each.id)
                return
        self.context.memory.put("mark", last)
        self.tell("mark", number=last)

    def refresh(self) -> None:
        self._tested = True
        self.poll()

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> Optional[bool]:
        self.tell("act", command=command, options=dict(options))
        if command == "set":
            self.tell("publish", number=options["slider"])
            self.context.publish(equipment.id, {"power": options["slider"], "extra": options.get("extra")})
            return True
        if command == "explode":
            raise RuntimeError(f"exploded with {self.connection.config.get('password')}")
        if command == "warn":
            self.context.trigger(equipment.id, "alarm", str(options.get("message", "")), expires=60)
        elif command == "want":
            self.context.want(equipment.id, str(options["name"]), options.get("value"), options.get("lifetime"))
        else:
            super().act(equipment, command, options)
        return None

    def switched(self, equipment: str) -> None:
        state = self.context.level(equipment)
        self.tell("switched", equipment=equipment, proved=state.proved, pending=state.pending)

    def test(self) -> Identity:
        config = self.connection.config
        if config["hang"]:
            time.sleep(float(config["hang"]))
        if config["failing"] == "until tested":
            self._tested = True
        elif config["failing"]:
            raise FAILURES[str(config["failing"])]
        return Identity({"serial": "L1"}, "Le laboratoire répond")

    def discover(self) -> list[Found]:
        return [Found("meter", str(number), f"Meter {number}", {"number": str(number)}) for number in range(3)]

    def run(self, operation: str, options: Mapping[str, Any]) -> str:
        if operation == "import":
            for percent in (0, 50, 100):
                self.context.progress(operation, percent, "{n} %", n=percent)
            return self.context.translate("{days} jours importés", days=options.get("days", 1))
        if operation == "leak":
            return self.leak(options)
        if operation == "crash":
            raise RuntimeError("crashed as asked")
        return super().run(operation, options)

    def leak(self, options: Mapping[str, Any]) -> str:
        """Brings what must not be seen into the log: its settings, and a token as vendors hand them out."""
        from tests.support import leaks

        secrets = [str(self.connection.config[name]) for name in ("user", "password")]
        for token in options["tokens"]:
            token = token[::-1]  # they came backwards: nobody could know them from the message
            self.context.mask(token)
            secrets.append(token)
        for secret in secrets:
            for number, way in enumerate(leaks.WAYS):
                logger = leaks.LOGGERS[number % len(leaks.LOGGERS)]
                leaks.leak(secret, way, logger, int(options["level"]))
        return f"{len(secrets) * len(leaks.WAYS)}"

    def tell(self, what: str, **facts: Any) -> None:
        """Reports a step."""
        port = int(self.connection.config["report"])
        if port:
            note = {"what": what, "id": self.connection.id, "at": time.monotonic(), **facts}
            try:
                self._socket.sendto(json.dumps(note).encode(), ("127.0.0.1", port))
            except OSError as error:
                _LOG.debug("nobody is told: %s", error)
