"""Requests by the library `requests`, under the same limits: what every backend uses."""

from __future__ import annotations

import time
from typing import Any, Callable

import requests
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from .deadlines import DEADLINES, LATE, LOCAL, Call, read_whole
from .errors import BadAnswer, DeadlineExceeded, FingerprintRefused, classified
from .response import Response

_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None: to prepare a redirect that nobody follows, requests would read its whole body, however long."""


def new_session() -> requests.Session:
    """A session that takes nothing from the environment: no proxy and no .netrc of the web user."""
    session = _Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "gzip, deflate"
    return session


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
    call = Call(time.monotonic() + (deadline if deadline is not None else 2 * read))
    DEADLINES.begin(call)
    try:
        session.get_adapter(url).poolmanager.pool_classes_by_scheme = _POOLS  # type: ignore[attr-defined]
        with ask() as answer:
            answered = True
            # One layer of compression is what was asked for; several multiply, and a few bytes could fill the memory.
            if answer.headers.get("Content-Encoding", "identity").strip().lower() not in _ENCODINGS:
                raise BadAnswer("an answer in an encoding that was not asked for")
            body = read_whole(lambda size: answer.raw.read1(size, decode_content=True), call.end, max_bytes)
            if call.cut:  # the end that was read is our own doing
                raise DeadlineExceeded(LATE)
            headers = {name.lower(): value for name, value in answer.headers.items()}
            return Response(answer.status_code, headers, body)
    except (requests.exceptions.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        if call.cut:
            raise DeadlineExceeded(LATE) from error
        raise classified(error, sent=call.sent, answered=answered, connect=connect, read=read) from error
    finally:
        DEADLINES.finish(call)


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
    call = getattr(LOCAL, "call", None)
    if call is not None:
        call.connection = connection


def _leaves(connection: HTTPConnection) -> None:
    if connection.sock is None:
        connection.connect()  # as the library does: what fails here has sent nothing
    call = getattr(LOCAL, "call", None)
    if call is not None:
        call.sent = True


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecuredPool(HTTPSConnectionPool):
    ConnectionCls = _Secured


_POOLS = {"http": _PlainPool, "https": _SecuredPool}
