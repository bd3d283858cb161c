"""Asks each address of one network for one page, politely: one GET each, a few at a time."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from jeedom_bridge.http import Address, HttpError

AT_A_TIME = 32
CONNECT_S = 1.0
READ_S = 2.0
MAX_BYTES = 64 * 1024
SMALLEST_PREFIX = 24
"""At most 254 addresses are asked: of a larger network those beside the machine's own address."""


PRIVATE = tuple(ipaddress.IPv4Network(text) for text in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
"""RFC 1918: what any other address leads to is nobody's own device."""


def hosts(own: Iterable[str], only: str | None = None) -> list[str]:
    """The addresses to ask, for this machine's own ("192.168.1.12/24"), its own left out.

    `only` is one of the machine's own addresses: nothing but its network is asked then, whatever it is.
    """
    interfaces = []
    for text in own:
        try:
            interfaces.append(ipaddress.IPv4Interface(text))
        except ValueError:
            continue
    found: dict[ipaddress.IPv4Address, None] = {}
    for interface in interfaces:
        address = interface.ip
        if str(address) != only if only else not any(address in network for network in PRIVATE):
            continue
        prefix = max(interface.network.prefixlen, SMALLEST_PREFIX)
        found.update(dict.fromkeys(ipaddress.IPv4Network(f"{address}/{prefix}", strict=False).hosts()))
    for interface in interfaces:
        found.pop(interface.ip, None)
    return [str(each) for each in found]


def ask_for_password(addresses: Iterable[str], port: int, path: str, realm: str) -> list[str]:
    """Those addresses whose server answers `path` with 401 and a realm that contains `realm` (in any case)."""
    wanted = realm.casefold()

    def matches(address: str) -> bool:
        server = Address(f"http://{address}:{port}{path}", {})
        try:
            answer = server.request(
                "GET", None, connect=CONNECT_S, read=READ_S, deadline=2 * READ_S, max_bytes=MAX_BYTES
            )
        except HttpError:
            return False
        return answer.status == 401 and wanted in answer.headers.get("www-authenticate", "").casefold()

    asked = list(addresses)
    with ThreadPoolExecutor(AT_A_TIME, "sweep") as pool:
        return [address for address, match in zip(asked, pool.map(matches, asked)) if match]
