"""Reads the gateway's self-signed certificate and the few fields of it that are needed."""

from __future__ import annotations

import hashlib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from jeedom_bridge.http.errors import classified

from ...base import Unreachable, VendorError

_COMMON_NAME = bytes.fromhex("550403")  # object identifier 2.5.4.3, X.520
_UTC_TIME = re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
_GENERALIZED_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z")
_CONNECT_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Certificate:
    """`expires`: Unix time; `sha256`, `key`: SHA-256 in hex of the certificate and of its public key."""

    sha256: str
    name: str
    expires: float
    key: str

    @classmethod
    def parse(cls, der: bytes) -> Certificate:
        """Parses an X.509 certificate (RFC 5280, section 4.1). Raises VendorError if it is malformed."""
        try:
            fields = list(_items(_only(_only(der))))
            if fields[0][0] == 0xA0:  # the version, optional
                fields = fields[1:]
            validity, subject = fields[3][1], fields[4][1]
            expires = list(_items(validity))[1]
            key = hashlib.sha256(fields[5][1]).hexdigest()
            return cls(hashlib.sha256(der).hexdigest(), _common_name(subject), _moment(*expires), key)
        except (IndexError, ValueError) as error:
            raise VendorError("Le certificat de la passerelle est illisible") from error


def read(host: str, port: int) -> Certificate:
    """Returns the certificate that a server presents; sends nothing. Raises Unreachable or VendorError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT")
    try:
        with socket.create_connection((host, port), _CONNECT_TIMEOUT_S) as plain, context.wrap_socket(plain) as secured:
            der = secured.getpeercert(binary_form=True)
    except (OSError, ValueError) as error:
        raise Unreachable(
            "La passerelle {host}:{port} ne répond pas ({error}). Vérifiez son adresse et qu'elle est allumée.",
            host=host,
            port=port,
            error=classified(error, sent=False, connect=_CONNECT_TIMEOUT_S),
        ) from error
    if not der:
        raise VendorError("La passerelle ne présente pas de certificat")
    return Certificate.parse(der)


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields the (tag, content) pairs of a DER sequence. Raises ValueError if it is truncated."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        if at + length > len(data):
            raise ValueError("cut")
        yield tag, data[at : at + length]
        at += length


def _only(data: bytes) -> bytes:
    for _, content in _items(data):
        return content
    raise ValueError("empty")


def _common_name(subject: bytes) -> str:
    for _, group in _items(subject):
        for _, pair in _items(group):
            (_, kind), (_, text) = list(_items(pair))[:2]
            if kind == _COMMON_NAME:
                return text.decode("utf-8", "replace")
    return ""


def _moment(tag: int, text: bytes) -> float:
    # UTCTime has two digits for the year (1950 to 2049), GeneralizedTime four. Not by strptime: it loads the names of
    # days and months.
    found = (_UTC_TIME if tag == 0x17 else _GENERALIZED_TIME).fullmatch(text)
    if found is None:
        raise ValueError("no moment")
    year, month, day, hour, minute, second = map(int, found.groups())
    if tag == 0x17:
        year += 2000 if year < 50 else 1900
    return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc).timestamp()
