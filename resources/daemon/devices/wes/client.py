"""HTTP client of one WES: one request at a time, one connection per request, limits on time and size."""

from __future__ import annotations

import base64
import logging
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

from jeedom_bridge.http import HttpError

from ..base import AuthenticationFailed, Refused, Unreachable, VendorError
from . import http_get
from .cgx_page import CgxPage, Truncated, parse

_LOG = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 12.0
"""Seconds without a byte: the WES generates a page in pieces while it serves its inputs."""
DEADLINE_S = 15.0
MAX_BYTES = 256 * 1024
MAX_QUEUE_S = 40.0
"""Longest wait in seconds for another request to the same WES."""
REFUSALS_TO_CONFIRM = 3
"""Refusals in a row of a password that has worked until it is called wrong: a WES that starts refuses it, too."""


class PageMissing(VendorError):
    """404: the WES does not have this page."""


class Forbidden(Refused):
    """403: the account is valid, but may not read this page."""


class _Turn:
    """A lock per WES: its few sessions are shared with its users."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


_turns: WeakValueDictionary[tuple[str, int], _Turn] = WeakValueDictionary()
_turns_lock = threading.Lock()


def _turn(address: tuple[str, int]) -> _Turn:
    # Shared by all requests to the same WES: poll, test of the form, upload, a second connection.
    with _turns_lock:
        found = _turns.get(address)
        if found is None:
            found = _turns[address] = _Turn()
        return found


class Wes:
    """One WES. Methods raise the errors of devices/base.py."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.host, self.port = _address(str(config.get("host") or ""), int(config.get("port") or 80))
        self._user = str(config.get("user") or "")
        self._password = str(config.get("password") or "")
        self._headers = f"Authorization: {_basic(self._user, self._password)}\r\nAccept: */*\r\n"
        self._turn = _turn((self.host, self.port))
        self._refusals_left = 0
        """How many more refusals of the password are taken for passing ones."""
        self._parsed: tuple[str, bytes, CgxPage] | None = None
        """The newest page by its path and bytes: at short intervals most pages are the one before."""

    def check(self) -> None:
        """Raises Refused if a setting is missing or the address is not valid."""
        if not self.host or not self._user or not self._password:
            raise Refused("Veuillez renseigner les informations de connexion HTTP pour accéder au serveur WES.")
        if not re.fullmatch(r"[A-Za-z0-9._:%-]{1,255}", self.host):
            raise Refused(
                "« {host} » n'est pas une adresse IP ni un nom : vérifiez l'adresse du WES", host=self.host[:60]
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Context manager with exclusive access to the WES. Raises Unreachable after MAX_QUEUE_S."""
        if not self._turn.lock.acquire(timeout=MAX_QUEUE_S):
            raise Unreachable("Le WES {host} est occupé par une autre demande de Jeedom", host=self.host)
        try:
            yield
        finally:
            self._turn.lock.release()

    def page(self, path: str) -> CgxPage:
        """Returns a complete page, the same object while its bytes are the same; requests a truncated one once more.

        Raises DeviceError.
        """
        try:
            return self._page(path)
        except Truncated:
            return self._page(path)

    def _page(self, path: str) -> CgxPage:
        body, last = self.get(path), self._parsed
        if last is None or last[:2] != (path, body):
            self._parsed = last = (path, body, parse(body, path))
        return last[2]

    def get(self, path: str) -> bytes:
        """Returns the body at `path`. Raises PageMissing, Forbidden, or another DeviceError."""
        status, body = self._request(path)
        if status == 200:
            self._refusals_left = REFUSALS_TO_CONFIRM - 1
            return body
        if status == 401 and self._refusals_left <= 0:
            raise AuthenticationFailed(
                "Le WES {host} refuse l'identifiant ou le mot de passe HTTP : ils sont visibles dans le WES, menu "
                "Configuration, Accès sécurisé",
                host=self.host,
            )
        self._refusals_left -= status == 401
        _LOG.debug("%s:%d answered %s with status %d", self.host, self.port, path, status)
        if status == 403:
            raise Forbidden(
                "Le compte HTTP « {user} » n'a pas le droit de lire les mesures du WES {host} : utilisez le compte "
                "administrateur (menu Configuration, Accès sécurisé du WES)",
                user=self._user,
                host=self.host,
            )
        if status == 404:
            raise PageMissing(
                "Ce qui répond à {host}:{port} n'a pas les pages d'un WES : vérifiez l'adresse et le port du WES",
                host=self.host,
                port=self.port,
            )
        if 300 <= status < 400:
            raise VendorError(
                "{host} redirige vers une autre adresse : ce n'est pas un WES, vérifiez l'adresse", host=self.host
            )
        raise Unreachable(
            "Le WES {host} ne peut pas répondre pour le moment, nouvel essai automatique",
            host=self.host,
            status=status,
        )

    def order(self, request: str, repeatable: bool) -> None:
        """Sends an action, again after a failure if `repeatable`: a repetition must not undo it. Raises DeviceError."""
        try:
            self._order(request)
        except Unreachable:
            if not repeatable:
                raise
            self._order(request)

    def _order(self, request: str) -> None:
        try:
            self.get(request)
        except Forbidden as error:
            raise Forbidden(
                "Le compte HTTP « {user} » n'a pas le droit de commander les sorties du WES {host} : mettez dans la "
                "connexion le compte administrateur (menu Configuration, Accès sécurisé du WES)",
                user=self._user,
                host=self.host,
            ) from error
        except PageMissing as error:
            raise Refused(
                "Le WES {host} ne connaît pas cette commande : son firmware est sans doute trop ancien pour cette "
                "sortie, mettez-le à jour",
                host=self.host,
            ) from error

    def reboot(self) -> None:
        """Restarts the WES, which closes the connection without an answer. Raises Unreachable if it cannot connect."""
        with self.alone():
            try:
                self._fetch("AJAX.cgx?reset=yes")
            except HttpError as error:
                if error.kind in ("connect", "tls"):
                    raise self._failure(error) from error

    def _request(self, path: str) -> tuple[int, bytes]:
        with self.alone():
            try:
                return self._fetch(path)
            except HttpError as error:
                _LOG.debug("%s:%d, asked for %s: %s", self.host, self.port, path, error)
                raise self._failure(error) from error

    def _fetch(self, path: str) -> tuple[int, bytes]:
        self.check()
        limits = http_get.Limits(CONNECT_TIMEOUT_S, READ_TIMEOUT_S, DEADLINE_S, MAX_BYTES)
        return http_get.get(self.host, self.port, path, self._headers, limits)

    def _failure(self, error: HttpError) -> Exception:
        if error.kind == "size":
            return VendorError(
                "La réponse de {host}:{port} est trop longue pour un WES ({error}) : vérifiez l'adresse et le port du "
                "WES",
                host=self.host,
                port=self.port,
                error=error,
            )
        if error.kind == "timeout":
            return Unreachable(
                "Le WES {host}:{port} n'a pas répondu à temps ({error}). Vérifiez son adresse et qu'il est allumé ; "
                "s'il est lent, augmentez l'intervalle d'actualisation.",
                host=self.host,
                port=self.port,
                error=error,
            )
        if error.kind == "connect":
            return Unreachable(
                "Le WES {host}:{port} ne répond pas ({error}). Vérifiez son adresse, son port et qu'il est allumé.",
                host=self.host,
                port=self.port,
                error=error,
            )
        return Unreachable(
            "Le WES {host}:{port} a coupé la connexion ({error}) : il redémarre, ses connexions sont toutes prises par "
            "d'autres, ou ce n'est pas un WES.",
            host=self.host,
            port=self.port,
            error=error,
        )


def _address(text: str, port: int) -> tuple[str, int]:
    """Returns (host, port) of the user's input: a name, `ip:port`, or the URL of a browser.

    A port in the address wins over the field beside it, whose default is 80.
    """
    host = re.sub(r"^https?://", "", text.strip(), flags=re.I).partition("/")[0]
    found = re.fullmatch(r"([^:]+):(\d{1,5})", host)
    if found is not None and 0 < int(found.group(2)) < 65536:
        return found.group(1), int(found.group(2))
    return host, port


def _basic(user: str, password: str) -> str:
    # Any character is safe in the header, unlike in a URL.
    pair = f"{user}:{password}"
    try:
        data = pair.encode("latin-1")
    except UnicodeEncodeError:
        data = pair.encode("utf-8")
    return "Basic " + base64.b64encode(data).decode("ascii")
