"""Answers one mDNS question as a device does, packet by packet, without any library.

What an Enphase gateway answers: a pointer from `_enphase-envoy._tcp.local.` to its instance, whose text record has
`serialnum` and `protovers`, and whose host is `envoy.local.` (RFC 6762 and 6763; names and keys: pyenphase and Home
Assistant's integration enphase_envoy, manifest `zeroconf` and config_flow.py, read 2026-11).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping

GROUP = "224.0.0.251"
PORT = 5353
_A, _PTR, _TXT, _SRV = 1, 12, 16, 33
_FLUSH_IN = 0x8001
_TTL_S = 120


class Responder:
    """One service instance on the loopback interface; a context manager."""

    def __init__(self, service: str, instance: str, address: str, port: int, properties: Mapping[str, str]) -> None:
        self._service = service
        self._answer = _packet(service, instance, address, port, properties)
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("", PORT))
        lo = socket.inet_aton("127.0.0.1")
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(GROUP) + lo)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, lo)
        self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        self._socket.settimeout(0.1)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mdns responder", daemon=True)

    def __enter__(self) -> Responder:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        name = _name(self._service)
        while not self._over.is_set():
            with contextlib.suppress(socket.timeout):
                packet, _ = self._socket.recvfrom(9000)
                if not packet[2] & 0x80 and name in packet:  # a question, for this service
                    self.asked += 1
                    self._socket.sendto(self._answer, (GROUP, PORT))


def _packet(service: str, instance: str, address: str, port: int, properties: Mapping[str, str]) -> bytes:
    full, host = f"{instance}.{service}", f"{instance}.local."
    text = b"".join(bytes([len(part)]) + part for part in (f"{k}={v}".encode() for k, v in properties.items()))
    records = (
        _record(service, _PTR, 1, _name(full)),
        _record(full, _SRV, _FLUSH_IN, struct.pack("!HHH", 0, 0, port) + _name(host)),
        _record(full, _TXT, _FLUSH_IN, text or b"\0"),
        _record(host, _A, _FLUSH_IN, socket.inet_aton(address)),
    )
    return struct.pack("!HHHHHH", 0, 0x8400, 0, len(records), 0, 0) + b"".join(records)


def _record(name: str, kind: int, group: int, content: bytes) -> bytes:
    return _name(name) + struct.pack("!HHIH", kind, group, _TTL_S, len(content)) + content


def _name(name: str) -> bytes:
    return b"".join(bytes([len(part)]) + part.encode() for part in name.rstrip(".").split(".")) + b"\0"
