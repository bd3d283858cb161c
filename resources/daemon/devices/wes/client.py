"""HTTP to one WES: one request at a time, one connection per request, limits on everything."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from weakref import WeakValueDictionary

from jeedom_bridge.http import HttpError

from ..base import AuthenticationFailed, Refused, Unreachable, VendorError
from . import wire
from .page import Page, Truncated, parse

CONNECT = 5.0
READ = 12.0
"""Seconds without a byte: the page is made in pieces while the WES serves its inputs."""
TOTAL = 15.0
MAX_BYTES = 256 * 1024
TURN = 40.0
"""Seconds that a request waits for another one to the same WES."""


class PageMissing(VendorError):
    """404: the WES has no such page."""


class Forbidden(Refused):
    """403: the account is right, but must not see this page."""


class _Turn:
    """Who talks to a WES: its few sessions are also its user's."""

    def __init__(self) -> None:
        self.lock = threading.RLock()


_turns: WeakValueDictionary[tuple[str, int], _Turn] = WeakValueDictionary()
_turns_lock = threading.Lock()


def _turn(address: tuple[str, int]) -> _Turn:
    # Shared by all that lead to the same box: the poll, a test of the form, an upload, a second connection.
    with _turns_lock:
        found = _turns.get(address)
        if found is None:
            found = _turns[address] = _Turn()
        return found


class Wes:
    """One WES. Every call raises the errors of devices/base.py."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.host = re.sub(r"^https?://", "", str(config.get("host") or "").strip()).rstrip("/")
        self.port = int(config.get("port") or 80)
        self._user = str(config.get("user") or "")
        self._password = str(config.get("password") or "")
        self._headers = f"Authorization: {_basic(self._user, self._password)}\r\nAccept: */*\r\n"
        self._turn = _turn((self.host, self.port))

    def check(self) -> None:
        """Raises Refused when a setting is missing or cannot be an address."""
        if not self.host or not self._user or not self._password:
            raise Refused("Veuillez renseigner les informations de connexion HTTP pour accéder au serveur Wes.")
        if not re.fullmatch(r"[A-Za-z0-9._:%-]{1,255}", self.host):
            raise Refused(
                "« {host} » n'est pas une adresse IP ni un nom : vérifiez l'adresse du Wes", host=self.host[:60]
            )

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else of this program talks to the WES meanwhile. Raises Unreachable when its turn does not come."""
        if not self._turn.lock.acquire(timeout=TURN):
            raise Unreachable("Le Wes {host} est occupé par une autre demande de Jeedom", host=self.host)
        try:
            yield
        finally:
            self._turn.lock.release()

    def page(self, path: str) -> Page:
        """A whole page; one that was cut is asked for once more."""
        try:
            return parse(self.get(path), path)
        except Truncated:
            return parse(self.get(path), path)

    def get(self, path: str) -> bytes:
        """The body at `path`. Raises PageMissing and Forbidden beside the usual."""
        status, body = self._request(path)
        if status == 200:
            return body
        if status == 401:
            raise AuthenticationFailed(
                "Le Wes {host} refuse l'identifiant ou le mot de passe HTTP : ils sont visibles dans le Wes, menu "
                "Configuration, Accès sécurisé",
                host=self.host,
            )
        if status == 403:
            raise Forbidden(
                "Ce compte HTTP n'a pas le droit de lire {path} sur le Wes : utilisez le compte administrateur",
                path=path,
            )
        if status == 404:
            raise PageMissing(
                "Ce qui répond à {host}:{port} n'a pas de page {path} : est-ce bien l'adresse et le port du Wes ?",
                host=self.host,
                port=self.port,
                path=path,
            )
        if 300 <= status < 400:
            raise VendorError(
                "{host} redirige vers une autre adresse : ce n'est pas un Wes, vérifiez l'adresse", host=self.host
            )
        raise Unreachable(
            "Le Wes {host} ne peut pas répondre à {path} pour le moment (statut {status})",
            host=self.host,
            path=path,
            status=status,
        )

    def order(self, request: str, repeatable: bool) -> None:
        """Sends an action. One that a repetition would undo is sent once only, whatever becomes of it."""
        try:
            self.get(request)
        except Unreachable:
            if not repeatable:
                raise
            self.get(request)

    def reboot(self) -> None:
        """Restarts the WES; the connection drops without an answer, which is the answer."""
        with self.alone():
            try:
                self._fetch("AJAX.cgx?reset=yes")
            except HttpError as error:
                if error.kind in ("connect", "tls"):
                    raise self._failure(error, "AJAX.cgx") from error

    def _request(self, path: str) -> tuple[int, bytes]:
        with self.alone():
            try:
                return self._fetch(path)
            except HttpError as error:
                raise self._failure(error, path) from error

    def _fetch(self, path: str) -> tuple[int, bytes]:
        self.check()
        limits = wire.Limits(CONNECT, READ, TOTAL, MAX_BYTES)
        return wire.get(self.host, self.port, path, self._headers, limits)

    def _failure(self, error: HttpError, path: str) -> Exception:
        if error.kind == "size":
            return VendorError(
                "La réponse de {host} à {path} est trop longue ({error})", host=self.host, path=path, error=error
            )
        if error.kind == "timeout":
            return Unreachable(
                "Le Wes {host}:{port} n'a pas répondu à temps à {path} ({error}). Vérifiez son adresse et qu'il est "
                "allumé ; s'il est lent, allongez la fréquence de rafraîchissement.",
                host=self.host,
                port=self.port,
                path=path,
                error=error,
            )
        if error.kind == "connect":
            return Unreachable(
                "Le Wes {host}:{port} ne répond pas ({error}). Vérifiez son adresse, son port et qu'il est allumé.",
                host=self.host,
                port=self.port,
                error=error,
            )
        return Unreachable(
            "Le Wes {host}:{port} a coupé la connexion à {path} ({error}) : il redémarre, ses connexions sont "
            "toutes prises par d'autres, ou ce n'est pas un Wes.",
            host=self.host,
            port=self.port,
            path=path,
            error=error,
        )


def _basic(user: str, password: str) -> str:
    # In the header any character is safe; in an address it would not be.
    pair = f"{user}:{password}"
    try:
        data = pair.encode("latin-1")
    except UnicodeEncodeError:
        data = pair.encode("utf-8")
    return "Basic " + base64.b64encode(data).decode("ascii")
