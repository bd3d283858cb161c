"""Asks the local network who offers a service, as a program of its own.

    python mdns.py SECONDS INTERFACE|all SERVICE...

Prints one JSON object: `services`, a list of {"service", "name", "address" (IPv4), "port", "properties" (texts)},
and `networks`, the IPv4 networks of this machine as "192.168.1.12/24". Only the standard library and zeroconf are used;
the latter is imported here and nowhere else.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import ifaddr
from zeroconf import IPVersion, ServiceBrowser, ServiceListener, Zeroconf

MAX_FOUND = 50
"""Answers that are kept: who sends more is no device."""
MAX_TEXT = 64
"""Characters of a property or a name that are kept."""
ANSWER_WAIT_MS = 2000


class Collector(ServiceListener):
    """Gathers what is offered, by name."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}

    def add_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """Called by the library, in its own thread."""
        if len(self.found) >= MAX_FOUND:
            return
        info = zc.get_service_info(type_, name, ANSWER_WAIT_MS)
        addresses = info.parsed_addresses(IPVersion.V4Only) if info is not None else []
        if info is not None and addresses:
            self.found[name] = {
                "service": type_,
                "name": _text(name),
                "address": addresses[0],
                "port": info.port,
                "properties": {_text(key): _text(value) for key, value in info.properties.items()},
            }

    def update_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """A changed answer replaces the former one."""
        self.add_service(zc, type_, name)

    def remove_service(self, zc: Zeroconf, type_: str, name: str) -> None:
        """A service that says goodbye while it is looked for is not offered."""
        self.found.pop(name, None)


def services(names: list[str], seconds: float, interface: str) -> list[dict[str, Any]]:
    """What answers within `seconds`; `interface` is an address of this machine, or "all". Raises OSError."""
    # Typed loosely: "all" is the library's own default.
    chosen: dict[str, Any] = {} if interface == "all" else {"interfaces": [interface]}
    network = Zeroconf(ip_version=IPVersion.V4Only, **chosen)
    collector = Collector()
    try:
        ServiceBrowser(network, names, collector)
        time.sleep(seconds)
    finally:
        network.close()
    return list(collector.found.values())


def networks() -> list[str]:
    """Each IPv4 address of this machine with the length of its network's prefix."""
    return [f"{ip.ip}/{ip.network_prefix}" for card in ifaddr.get_adapters() for ip in card.ips if ip.is_IPv4]


def _text(raw: Any) -> str:
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw or "")
    return "".join(each for each in text[:MAX_TEXT] if each.isprintable())


def main(arguments: list[str]) -> int:
    """Prints what answers; see above."""
    seconds, interface, *names = arguments
    found = services(names, float(seconds), interface) if names else []
    print(json.dumps({"services": found, "networks": networks()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
