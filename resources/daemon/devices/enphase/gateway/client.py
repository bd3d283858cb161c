"""The gateway's local HTTPS API: one request at a time, to the pinned certificate only."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from jeedom_bridge.http import Response, new_session, send
from jeedom_bridge.http.errors import ClosedUnanswered, FingerprintRefused, HttpError, TooLong

from ...base import AuthenticationFailed, Refused, Unreachable, VendorError
from .paths import CHECK, INFO, words_for

_LOG = logging.getLogger(__name__)

REFUSED_RETRY_S = 60.0
"""Seconds until sign-in is tried again after the gateway refused a token."""
READ_TIMEOUT_S = 15.0
"""Default read timeout in seconds; slow endpoints have their own."""
_MAX_BYTES = 8 * 1024 * 1024


class CertificateChanged(VendorError):
    """The gateway presents another certificate than the pinned one; nothing was sent."""


class EndpointRefused(Refused):
    """The gateway does not offer this endpoint, or not to this token; others may still work.

    `had_answered`: it did before, so that this may pass.
    """

    had_answered = False


class _PinnedAdapter(HTTPAdapter):
    """Checks the certificate's fingerprint right after the handshake, before a request leaves."""

    def __init__(self, sha256: str) -> None:
        self._sha256 = sha256
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:
        # Some firmware offers only ciphers that Python's shorter default list leaves out.
        context = create_urllib3_context(cert_reqs=ssl.CERT_NONE, ciphers="DEFAULT")
        super().init_poolmanager(
            *arguments, assert_fingerprint=self._sha256, assert_hostname=False, ssl_context=context, **keywords
        )


class Gateway:
    """HTTP client of one gateway. Methods raise the errors of devices/base.py."""

    def __init__(self, host: str, port: int) -> None:
        self._base = f"https://{f'[{host}]' if ':' in host else host}:{port}"
        self.host = host
        self.port = port
        self._token = ""
        self._pinned: str | None = None
        self._session = new_session()
        self._session.verify = False  # self-signed; verified by the pin below
        self._session.headers["Accept"] = "application/json"
        self._made: dict[str, tuple[object, requests.PreparedRequest]] = {}

    def pin(self, sha256: str) -> None:
        """Accepts only the certificate with this SHA-256 (hex) from now on."""
        if sha256 == self._pinned:
            return
        # A session cookie is worth a token: the next server must not receive it.
        self._session.cookies.clear()
        self._session.close()
        self._session.mount("https://", _PinnedAdapter(sha256))
        self._pinned = sha256

    @property
    def token(self) -> str:
        """The token in use, or ''."""
        return self._token

    def use_token(self, token: str) -> None:
        """Sets the token of the next requests; ends a session that was opened with another one."""
        if token != self._token:
            self._token = token
            self._session.cookies.clear()

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    def info(self) -> dict[str, str]:
        """Returns `sn`, `software` (firmware), `imeter` and `time` of the gateway; sends no token.

        Raises Unreachable, or VendorError if something else answers.
        """
        answer = self._request(INFO, {})
        if answer.status >= 500:
            raise self._status(INFO, answer)
        if answer.status != 200:
            raise self._somebody_else()
        try:
            # Entities can expand without limit in older parsers, and a wide encoding could hide them.
            if b"<!" in answer.body or b"\0" in answer.body:
                raise ValueError("not the plain page of a gateway")
            root = ElementTree.fromstring(answer.body)
            found = {name: (root.findtext(f"device/{name}") or "").strip() for name in ("sn", "software", "imeter")}
        except (ElementTree.ParseError, ValueError, LookupError):
            found = {"sn": ""}
        if not found["sn"]:
            raise self._somebody_else()
        found["time"] = (root.findtext("time") or "").strip()
        return found

    def _somebody_else(self) -> VendorError:
        return VendorError(
            "{host} répond, mais pas comme une passerelle Enphase : est-ce la bonne adresse ?", host=self.host
        )

    def check_token(self) -> bool:
        """True if the gateway accepts the token; opens a session that makes later requests cheaper."""
        answer = self._request(CHECK, self._authorization())
        if answer.status in (401, 403):
            return False
        if answer.status != 200:
            raise self._status(CHECK, answer)
        return True

    def get(self, path: str, read: float | None = None) -> Any:
        """Returns the JSON at `path`. `read`: read timeout in seconds (default: READ_TIMEOUT_S).

        Raises AuthenticationFailed if the token is refused, EndpointRefused if only this endpoint is (the role is too
        low, or the firmware does not have it), Unreachable or VendorError.
        """
        answer = self._request(path, self._authorization(), read)
        if answer.status == 401:
            # A lost session (reboot, firmware update) does not make the token invalid: open a new one. An endpoint
            # that is refused even then is not for the role of this token.
            self._session.cookies.clear()
            if not self.check_token():
                # Soon: a starting gateway refuses valid tokens too, and asking it costs little.
                raise AuthenticationFailed(
                    "La passerelle refuse le jeton (expiré, révoqué ou d'un autre compte)", retry=REFUSED_RETRY_S
                )
            answer = self._request(path, self._authorization(), read)
        if answer.status in (401, 403, 404, 405, 410) or 300 <= answer.status < 400:
            raise EndpointRefused(
                "La passerelle n'offre pas {what} : son firmware ne l'a pas, ou pas pour ce compte. "
                "Le reste n'est pas touché.",
                what=words_for(path),
                status=answer.status,
            )
        if answer.status != 200:
            raise self._status(path, answer)
        try:
            return answer.json()
        except ValueError as error:
            raise VendorError(
                "La passerelle ne donne pas {what} sous une forme lisible : elle démarre, ou son firmware a changé. "
                "Si cela dure, redémarrez-la.",
                what=words_for(path),
            ) from error

    def _authorization(self) -> dict[str, str]:
        if self._pinned is None or not self._token:
            raise AuthenticationFailed("Aucun jeton pour la passerelle")
        return {"Authorization": f"Bearer {self._token}"}

    def _status(self, path: str, answer: Response) -> Unreachable:
        return Unreachable(
            "La passerelle ne peut pas donner {what} pour le moment : elle démarre ou est surchargée",
            what=words_for(path),
            status=answer.status,
            retry=30.0 if answer.status == 503 else None,
        )

    def _request(self, path: str, headers: Mapping[str, str], read: float | None = None) -> Response:
        if self._pinned is None:
            raise RuntimeError("no certificate is pinned")
        try:
            return self._once(path, headers, read or READ_TIMEOUT_S)
        except ClosedUnanswered:
            pass  # the gateway may have closed the kept connection as the request left: it was not served
        except HttpError as error:
            raise self._failure(error, path) from error
        try:
            return self._once(path, headers, read or READ_TIMEOUT_S)
        except HttpError as error:
            raise self._failure(error, path) from error

    def _once(self, path: str, headers: Mapping[str, str], read: float) -> Response:
        try:
            answer = send(
                self._session,
                self._prepared(path, headers),
                connect=10.0,
                read=read,
                deadline=read + 15.0,
                max_bytes=_MAX_BYTES,
            )
        except HttpError as error:
            _LOG.debug("%s%s: %s", self.host, path, error)
            raise
        if answer.status != 200:
            _LOG.debug("%s%s: status %d", self.host, path, answer.status)
        return answer

    def _prepared(self, path: str, headers: Mapping[str, str]) -> requests.PreparedRequest:
        """The prepared request of a path, kept until token or cookies change: preparing costs as much as sending."""
        cookies = [(each.name, each.value) for each in self._session.cookies if not each.is_expired()]
        mark = (dict(headers), cookies)
        known = self._made.get(path)
        if known is None or known[0] != mark:
            request = requests.Request("GET", self._base + path, headers=dict(headers))
            known = self._made[path] = (mark, self._session.prepare_request(request))
        return known[1]

    def _failure(self, error: HttpError, path: str) -> Exception:
        if isinstance(error, FingerprintRefused):
            return CertificateChanged("La passerelle présente un autre certificat que celui attendu")
        if isinstance(error, TooLong):
            return VendorError("La passerelle répond trop long quand on lui demande {what}", what=words_for(path))
        return Unreachable(
            "La passerelle {host} ne répond pas ({error}). Vérifiez son adresse et qu'elle est allumée.",
            host=self.host,
            error=error,
        )


def cloud_session() -> requests.Session:
    """Returns a session for Enlighten; certificates are verified as usual."""
    return new_session()
