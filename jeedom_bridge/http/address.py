"""One address that is posted to again and again, on the standard library's client."""

from __future__ import annotations

import base64
import http.client
import ssl
import time
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from .deadlines import DEADLINES, LATE, Call, read_whole
from .errors import BrokenOff, DeadlineExceeded, classified
from .response import Response, is_loopback


class Address:
    """One address that is posted to again and again, over a new connection each time.

    For the call that a daemon makes most often: around it, requests does as much work again as the call itself.
    The certificate of a loopback address is not checked: it names another host.
    """

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        """Raises ValueError if the URL is not valid."""
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
            self._tls = ssl.create_default_context(cafile=_authorities())
            if is_loopback(url):
                self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE

    def post(self, body: bytes, *, connect: float, read: float, deadline: float, max_bytes: int) -> Response:
        """One request, redirects not followed, the answer read whole. Limits and HttpError as of `fetch`."""
        return self.request("POST", body, connect=connect, read=read, deadline=deadline, max_bytes=max_bytes)

    def request(
        self, method: str, body: bytes | None, *, connect: float, read: float, deadline: float, max_bytes: int
    ) -> Response:
        """The same by another method."""
        call = Call(time.monotonic() + deadline)
        connection = self._connection(connect)
        answered = False
        DEADLINES.begin(call)
        try:
            connection.connect()
            call.connection, call.sent = connection, True
            connection.sock.settimeout(read)
            connection.request(method, self._target, body, self._headers)
            with connection.getresponse() as answer:
                answered = True
                content = read_whole(answer.read1, call.end, max_bytes)
            if call.cut:  # the end that was read is our own doing
                raise DeadlineExceeded(LATE)
            if answer.length:
                raise BrokenOff("the answer breaks off")
            return Response(answer.status, {name.lower(): value for name, value in answer.getheaders()}, content)
        except (http.client.HTTPException, OSError, ValueError) as error:
            if call.cut:
                raise DeadlineExceeded(LATE) from error
            raise classified(error, sent=call.sent, answered=answered, connect=connect, read=read) from error
        finally:
            DEADLINES.finish(call)
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._tls is not None:
            return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(self._host, self._port, timeout=timeout)


def _authorities() -> str:
    """Those that requests trusts; it is loaded for a Jeedom behind HTTPS alone."""
    from requests.adapters import DEFAULT_CA_BUNDLE_PATH

    return str(DEFAULT_CA_BUNDLE_PATH)
