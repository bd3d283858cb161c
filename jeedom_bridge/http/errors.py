"""Why an HTTP call has brought no usable answer, as a tree of exceptions.

    HttpError
    ├── InvalidRequest          no request can be made of this URL or these headers
    ├── ConnectFailed           no connection to that address
    │   ├── NameNotFound        no such host name on this network
    │   ├── PortClosed          the host is there, nothing listens on the port
    │   └── HostUnreachable     no route to the host, or no host at the address
    ├── TlsRefused              connected, but the TLS handshake failed
    │   ├── NotTls              what answers there does not speak TLS
    │   ├── CertificateRefused  the certificate is not valid for this host and time
    │   └── FingerprintRefused  the certificate is not the pinned one
    ├── NoAnswer                a time limit has passed
    │   ├── ConnectTimeout      ... before there was a connection
    │   ├── ReadTimeout         ... without a byte from the peer
    │   └── DeadlineExceeded    ... before the answer was whole
    ├── BrokenOff               the connection ended in the middle of the answer
    │   └── ClosedUnanswered    ... before the first byte of it
    ├── BadAnswer               what came is not the HTTP that was asked for
    ├── TooLong                 the answer exceeds the limit of bytes
    └── BadStatus               the answer's status says that the request failed

Decisions are made by class (or by the two attributes below), never by an error's text: that is the system's or a
library's, and changes with both. `classified` finds the class of what they raise, by type and error number.
"""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import sys
from collections.abc import Iterator
from typing import ClassVar


class HttpError(Exception):
    """No usable answer. The text says what went wrong and holds no part of the answer and no URL.

    `kind`: the class in one word (`connect`, `timeout`, `tls`, `protocol`, `size`, `status`).
    `sent`: whether any of the request may have reached the peer. If not, it has certainly not been carried out.
    """

    kind: ClassVar[str] = "protocol"
    sent: bool = True

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidRequest(HttpError):
    """Raised before anything is sent if the URL, a header or the body cannot be put into an HTTP request."""

    kind = "connect"
    sent = False


class ConnectFailed(HttpError):
    """Raised if no connection could be made, for another reason than those below (no free port, no descriptor)."""

    kind = "connect"
    sent = False


class NameNotFound(ConnectFailed):
    """Raised if the host's name cannot be resolved: it is misspelt, or the name server does not answer."""


class PortClosed(ConnectFailed):
    """Raised if the host refuses the connection: nothing listens on that port."""


class HostUnreachable(ConnectFailed):
    """Raised if the network has no way to the host, or nobody has that address."""


class TlsRefused(HttpError):
    """Raised if the TLS handshake fails for another reason than those below; the request was not sent."""

    kind = "tls"
    sent = False


class NotTls(TlsRefused):
    """Raised if the peer answers the handshake with something that is not TLS: an HTTP port, as a rule."""


class CertificateRefused(TlsRefused):
    """Raised if the certificate is not trusted, has expired, or is for another name."""


class FingerprintRefused(TlsRefused):
    """Raised if the certificate is not the one that was pinned (`assert_fingerprint`)."""


class NoAnswer(HttpError):
    """Raised if time is over. The request may have been carried out, unless `sent` is False."""

    kind = "timeout"


class ConnectTimeout(NoAnswer):
    """Raised if there is no connection within the limit for that; the request was not sent."""

    sent = False


class ReadTimeout(NoAnswer):
    """Raised if the peer sends no byte for the longest silence allowed."""


class DeadlineExceeded(NoAnswer):
    """Raised if the answer is not whole when the time of the whole call is over."""


class BrokenOff(HttpError):
    """Raised if the connection ends, or is reset, before the answer is whole."""


class ClosedUnanswered(BrokenOff):
    """Raised if the connection ends, or is reset, before the first byte of an answer.

    On a connection that was kept from an earlier call the peer may have closed it just as the request left.
    """


class BadAnswer(HttpError):
    """Raised if what the peer sends is not HTTP, or not in an encoding that was asked for."""


class TooLong(HttpError):
    """Raised if the answer is longer than the caller's limit."""

    kind = "size"


class BadStatus(HttpError):
    """Raised by callers for which every status but success is an error."""

    kind = "status"


_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}
_CLOSED = (ConnectionResetError, ConnectionAbortedError, BrokenPipeError)
_NOT_TLS = {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL", "RECORD_LAYER_FAILURE"}
"""OpenSSL's mnemonics (`SSLError.reason`) for bytes that are no TLS record."""


def classified(
    error: BaseException,
    *,
    sent: bool,
    answered: bool = False,
    connect: float | None = None,
    read: float | None = None,
) -> HttpError:
    """The HttpError for what the socket, TLS and HTTP layers have raised.

    `sent`: whether the request had begun to leave; `answered`: whether the head of the answer had come; `connect`,
    `read`: the limits in seconds, for the text of a time-out.
    """
    chain = list(_chain(error))
    found = next((each for each in chain if isinstance(each, HttpError)), None)
    if found is not None:
        return found
    kind = _class(chain, sent, answered)
    if kind is ConnectTimeout and connect is not None:
        return ConnectTimeout(f"no connection within {connect:g} s")
    if kind is ReadTimeout and read is not None:
        return ReadTimeout(f"no answer within {read:g} s")
    made = kind(_words(chain[-1]))
    made.sent = kind.sent and sent
    return made


def _class(chain: list[BaseException], sent: bool, answered: bool) -> type[HttpError]:
    for each in reversed(chain):  # the innermost is what happened
        found = _of_system(each, sent, answered)
        if found is not None:
            return found
    for each in chain:  # what the libraries raise of their own, without a cause
        found = _of_library(each, sent)
        if found is not None:
            return found
    if isinstance(chain[-1], OSError) and not isinstance(chain[-1], _types("requests", "RequestException")):
        return _broken(answered) if sent else ConnectFailed
    return BadAnswer


def _of_system(error: BaseException, sent: bool, answered: bool) -> type[HttpError] | None:
    if isinstance(error, (socket.timeout, TimeoutError)):
        return ReadTimeout if sent else ConnectTimeout
    if isinstance(error, http.client.IncompleteRead):
        return BrokenOff
    if isinstance(error, ssl.SSLError) and not sent:
        if isinstance(error, ssl.SSLCertVerificationError):
            return CertificateRefused
        return NotTls if error.reason in _NOT_TLS else TlsRefused
    if isinstance(error, (ssl.SSLError, *_CLOSED)):
        return _broken(answered)
    if isinstance(error, socket.gaierror):
        return NameNotFound
    if isinstance(error, ConnectionRefusedError):
        return PortClosed
    if isinstance(error, OSError) and error.errno in _UNREACHABLE:
        return HostUnreachable
    if isinstance(error, (http.client.InvalidURL, UnicodeError)):
        return InvalidRequest
    return None


def _of_library(error: BaseException, sent: bool) -> type[HttpError] | None:
    if isinstance(error, _types("urllib3", "ReadTimeoutError") + _types("requests", "ReadTimeout")):
        return ReadTimeout
    if sent:
        return None
    if isinstance(error, _types("urllib3", "SSLError")):
        return CertificateRefused  # urllib3 compares the name by itself in some cases
    return InvalidRequest if isinstance(error, ValueError) else None


def _types(library: str, *names: str) -> tuple[type[BaseException], ...]:
    """Exceptions of a library; none if it has not been loaded, since then it cannot have raised any."""
    module = sys.modules.get(f"{library}.exceptions")
    return tuple(getattr(module, name) for name in names) if module else ()


def _broken(answered: bool) -> type[HttpError]:
    return BrokenOff if answered else ClosedUnanswered


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what caused it, outermost first; requests and urllib3 wrap one reason several times."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        inner = [getattr(current, "reason", None), *reversed(current.args), current.__cause__, current.__context__]
        current = next((each for each in inner if isinstance(each, BaseException)), None)


def _words(error: BaseException) -> str:
    """The system's words for the log. What http.client says of an answer is a part of it, and is left out."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, http.client.HTTPException) or not str(error):
        return type(error).__name__
    return f"{type(error).__name__}: {error}"
