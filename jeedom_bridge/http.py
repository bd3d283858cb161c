"""HTTP calls that end: a limit on each wait, on the whole call and on the size of the answer."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from typing import Any, Callable
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .http_errors import BadAnswer, BrokenOff, DeadlineExceeded, FingerprintRefused, TooLong, classified
from .http_errors import HttpError as HttpError
from .json_reader import loads

_DAY_S = 86400.0
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


@dataclass(frozen=True)
class Response:
    """A whole answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; bytes that are no UTF-8 are shown as replacement characters."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none, or beyond the limits of `json_reader`."""
        return loads(self.body)


Answer = Response


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: to prepare a redirect that nobody follows, requests would read its whole body, however long."""


def new_session() -> requests.Session:
    """A session that takes nothing from the environment: no proxy and no .netrc of the web user."""
    session = _Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "gzip, deflate"
    return session


def is_loopback(url: str) -> bool:
    """Whether an address leads to this machine only, by its name."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sendable(text: Any) -> str:
    """A vendor's token, when it can stand in a header, a form or an address; '' for any other."""
    return text if isinstance(text, str) and text.isascii() and text.isprintable() else ""


def retry_after(headers: Mapping[str, str], now: float, most: float = _DAY_S) -> float | None:
    """Seconds that a peer asks to wait (Retry-After, RFC 9110 section 10.2.3), from 0 to `most`.

    The header holds seconds or a date; `now` is Unix time. `headers`: names in lower case, as of `Response`. None
    without the header, or if it makes no sense.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), most) if len(text) < 16 else most
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:  # "-0000": a time whose zone is not told, UTC all the same (RFC 9110 section 5.6.7)
            moment = moment.replace(tzinfo=timezone.utc)
        return min(max(0.0, moment.timestamp() - now), most)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def fetch(
    session: requests.Session,
    method: str,
    url: str,
    *,
    connect: float = 10.0,
    read: float = 30.0,
    deadline: float | None = None,
    max_bytes: int = 16 * 1024 * 1024,
    **arguments: Any,
) -> Response:
    """One request, redirects not followed, the answer read whole.

    `connect`, `read` (the longest silence) and `deadline` (the whole call, default 2 x `read`) in seconds.
    `arguments` go to requests (headers, data, json, params, ...). Raises HttpError; its text holds no part
    of the answer and no address, only what went wrong.
    """
    return _answer(
        session,
        url,
        lambda: session.request(method, url, timeout=(connect, read), allow_redirects=False, stream=True, **arguments),
        (connect, read),
        deadline,
        max_bytes,
    )


def send(
    session: requests.Session,
    request: requests.PreparedRequest,
    *,
    connect: float,
    read: float,
    deadline: float,
    max_bytes: int,
) -> Response:
    """As `fetch`, for a request that was prepared before."""
    return _answer(
        session,
        str(request.url),
        lambda: session.send(request, timeout=(connect, read), allow_redirects=False, stream=True),
        (connect, read),
        deadline,
        max_bytes,
    )


class Address:
    """One address that is posted to again and again, over a new connection each time.

    For the call that a daemon makes most often: around it, requests does as much work again as the call itself.
    The certificate of a loopback address is not checked: it names another host.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Raises ValueError for an address that is none."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an address: {url!r}")
        self._host, self._port = parts.hostname, parts.port
        self._target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
        self._headers = {**headers, "Connection": "close"}
        if parts.username is not None:
            account = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            self._headers["Authorization"] = "Basic " + base64.b64encode(account.encode()).decode()
        self._tls: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._tls = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
            if is_loopback(url):
                self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    def post(self, body: bytes, *, connect: float, read: float, deadline: float, max_bytes: int) -> Response:
        """One request, redirects not followed, the answer read whole. Limits and HttpError as of `fetch`."""
        return self.request("POST", body, connect=connect, read=read, deadline=deadline, max_bytes=max_bytes)

    def request(
        self, method: str, body: bytes | None, *, connect: float, read: float, deadline: float, max_bytes: int
    ) -> Response:
        """The same by another method."""
        call = _Call(time.monotonic() + deadline)
        connection = self._connection(connect)
        answered = False
        _WATCH.begin(call)
        try:
            connection.connect()
            call.connection, call.sent = connection, True
            connection.sock.settimeout(read)
            connection.request(method, self._target, body, self._headers)
            with connection.getresponse() as answer:
                answered = True
                content = _read(answer.read1, call.end, max_bytes)
            if call.cut:  # the end that was read is our own doing
                raise DeadlineExceeded(_LATE)
            if answer.length:
                raise BrokenOff("the answer breaks off")
            return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
        except (http.client.HTTPException, OSError, ValueError) as error:
            if call.cut:
                raise DeadlineExceeded(_LATE) from error
            raise classified(error, sent=call.sent, answered=answered, connect=connect, read=read) from error
        finally:
            _WATCH.finish(call)
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)


def _answer(
    session: requests.Session,
    url: str,
    ask: Callable[[], requests.Response],
    timeouts: tuple[float, float],
    deadline: float | None,
    max_bytes: int,
) -> Response:
    connect, read = timeouts
    answered = False
    call = _Call(time.monotonic() + (deadline if deadline is not None else 2 * read))
    _WATCH.begin(call)
    try:
        session.get_adapter(url).poolmanager.pool_classes_by_scheme = _POOLS  # type: ignore[attr-defined]
        with ask() as answer:
            answered = True
            # One layer of compression is what was asked for; several multiply, and a few bytes could fill the memory.
            if answer.headers.get("Content-Encoding", "identity").strip().lower() not in _ENCODINGS:
                raise BadAnswer("an answer in an encoding that was not asked for")
            body = _read(lambda size: answer.raw.read1(size, decode_content=True), call.end, max_bytes)
            if call.cut:  # the end that was read is our own doing
                raise DeadlineExceeded(_LATE)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, headers, body)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        if call.cut:
            raise DeadlineExceeded(_LATE) from error
        raise classified(error, sent=call.sent, answered=answered, connect=connect, read=read) from error
    finally:
        _WATCH.finish(call)


def _read(read1: Callable[[int], bytes], end: float, max_bytes: int) -> bytes:
    body = bytearray()
    while True:
        # read1 returns what is there: a peer that sends a byte now and then meets the deadline.
        chunk = read1(65536)
        if not chunk:
            return bytes(body)
        body += chunk
        if len(body) > max_bytes:
            raise TooLong(f"an answer of more than {max_bytes // 1024} kB")
        if time.monotonic() > end:
            raise DeadlineExceeded(_LATE)


class _Call:
    """One call under way: when it must have ended, the connection that it uses, whether its request is leaving."""

    def __init__(self, end: float) -> None:
        self.end = end
        self.connection: http.client.HTTPConnection | None = None
        self.cut = False
        self.sent = False


class _Watch:
    """Cuts the connections of calls whose time is over.

    A time-out of the socket starts anew with each byte: a peer that sends the head of its answer byte by byte,
    or one interim answer after the other, would hold its thread for ever.
    """

    AGAIN = 0.5
    """Seconds between two tries to cut a call that is over."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[_Call] = set()
        self._wakes = float("inf")
        self._thread: threading.Thread | None = None

    def begin(self, call: _Call) -> None:
        """From now on the connections of this thread belong to the call."""
        _LOCAL.call = call
        with self._changed:
            self._calls.add(call)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="http watch", daemon=True)
                self._thread.start()
            elif call.end < self._wakes:
                self._changed.notify()

    def finish(self, call: _Call) -> None:
        """The call has ended. The watch finds that out when it would have been cut: most end long before."""
        _LOCAL.call = None
        with self._changed:
            self._calls.discard(call)

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in self._calls:
                    if now >= call.end:
                        self._cut(call)
                ends = (call.end if call.end > now else now + self.AGAIN for call in self._calls)
                self._wakes = min(ends, default=float("inf"))
                self._changed.wait(None if self._wakes == float("inf") else self._wakes - now)

    @staticmethod
    def _cut(call: _Call) -> None:
        sock = call.connection.sock if call.connection is not None else None
        if sock is None:
            return  # still connecting, which has a limit of its own, or reading the body, which looks at the time
        call.cut = True
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the other side was faster


class _Plain(HTTPConnection):
    def putrequest(self, *arguments: Any, **more: Any) -> None:
        _belongs(self)
        super().putrequest(*arguments, **more)

    def send(self, data: Any) -> None:
        _leaves(self)
        super().send(data)


class _Secured(HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except urllib3.exceptions.SSLError as error:
            # TLS itself raises ssl.SSLError: this one is urllib3's comparison with the pinned fingerprint.
            if self.assert_fingerprint is None:
                raise
            reason = FingerprintRefused("the certificate is not the pinned one")
            raise urllib3.exceptions.SSLError(reason) from error

    def putrequest(self, *arguments: Any, **more: Any) -> None:
        _belongs(self)
        super().putrequest(*arguments, **more)

    def send(self, data: Any) -> None:
        _leaves(self)
        super().send(data)


def _belongs(connection: HTTPConnection) -> None:
    call = getattr(_LOCAL, "call", None)
    if call is not None:
        call.connection = connection


def _leaves(connection: HTTPConnection) -> None:
    if connection.sock is None:
        connection.connect()  # as the library does: what fails here has sent nothing
    call = getattr(_LOCAL, "call", None)
    if call is not None:
        call.sent = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecuredPool(HTTPSConnectionPool):
    ConnectionCls = _Secured


_POOLS = {"http": _PlainPool, "https": _SecuredPool}
_LATE = "the answer did not end in time"
_LOCAL = threading.local()
_WATCH = _Watch()
