"""The token pair: every renewal voids both former tokens, so the new pair is durable before it is used.

A pair belongs to the token that the user pasted (its hash names it): a newly pasted one begins a new line of
pairs and so wins over the stored one, and pasting the same one again goes on with its newest successor.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from jeedom_bridge.json_reader import loads
from jeedom_bridge.store import StoreError
from jeedom_bridge.worker import Backoff

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, VendorError
from .budget import Budget
from .client import SCOPE, AnswerLost, Grant, GrantRefused, Service

_LOG = logging.getLogger(__name__)

MARGIN = 900.0
"""Seconds before its end that an access token is renewed: time for several tries."""
DAY = 86400.0
KEPT_LINES = 4

_LOCKS: dict[str, tuple[threading.Lock, threading.Lock]] = {}
_LOCKS_GUARD = threading.Lock()
# A test of a form runs beside the connection that is saved, with the same tokens: one renewal at a time, and one
# data call, since the service refuses those that overlap.


class NotDurable(DeviceError):
    """The new tokens cannot be written to the disk."""

    code = "internal"


@dataclass(frozen=True)
class Pair:
    """`expires` and `obtained` are Unix time; `access` is empty for a refresh token that was only pasted."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires: float = 0.0
    obtained: float = 0.0

    def left(self, now: float) -> float:
        """Seconds that the access token is still good for."""
        return self.expires - now if self.access else 0.0

    def margin(self) -> float:
        """When it should be renewed, in seconds before its end."""
        return min(MARGIN, (self.expires - self.obtained) / 4)


class TokenKeeper:
    """The pair in use. Thread-safe; every method raises DeviceError. `turn` is held during a data call."""

    def __init__(self, config: Mapping[str, Any], context: Context, service: Service, budget: Budget) -> None:
        self._client = str(config.get("clientId", ""))
        self._secret = str(config.get("clientSecret", "")).strip()
        self._redirect = str(config.get("redirectUri", ""))
        self._pasted = pasted_token(str(config.get("refreshToken", "")))
        self._context = context
        self._service = service
        self._budget = budget
        self._backoff = Backoff(30.0, 600.0)
        self._not_before = 0.0
        self._durable = ""
        # A pair that ended is tried once more when the user pastes or authorizes anew, not at each start.
        line = hashlib.sha256(f"{self._client}\n{self._pasted}".encode()).hexdigest()[:16]
        self._key = f"tokens:{line}"
        with _LOCKS_GUARD:
            self._lock, self.turn = _LOCKS.setdefault(line, (threading.Lock(), threading.Lock()))
        context.hide(self._pasted)

    def current(self) -> str:
        """An access token that should be good, renewed in time."""
        with self._lock:
            pair = self._load()
            now = self._context.clock.time()
            left = pair.left(now)
            if left > pair.margin() or (left > 0 and self._context.clock.monotonic() < self._not_before):
                return pair.access
            try:
                return self._renew(pair).access
            except (AuthenticationFailed, NotDurable):
                raise
            except DeviceError as error:
                if left <= 0:
                    raise
                _LOG.warning("the token could not be renewed (%s), the present one is good for %.0f s", error, left)
                return pair.access

    def replaced(self, refused: str) -> str:
        """Another access token than the one that was just refused."""
        with self._lock:
            pair = self._load()
            if pair.access and pair.access != refused:
                return pair.access  # renewed meanwhile
            if pair.access and 0 <= self._context.clock.time() - pair.obtained < 300:
                # Each renewal is a small risk: a service that refuses fresh tokens is not asked for more.
                raise VendorError("Netatmo refuse un jeton d'accès tout neuf : le service est sans doute en panne")
            return self._renew(pair).access

    def try_again(self) -> None:
        """The user asks for it: a pair that was refused before is tried once more."""
        with self._lock:
            kept = self._kept()
            if kept and kept.get("refused"):
                self._put({**kept, "refused": 0})

    def authorize(self, code: str) -> None:
        """Exchanges an authorization code for a pair, which takes the place of the stored one."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": self._redirect, "scope": SCOPE}
        with self._lock:
            self._put(self._kept())
            self._context.hide(code)
            self._accept(self._request(form))

    def settle(self, timeout: float) -> None:
        """Waits for a renewal under way: its answer must not be lost because the daemon stops."""
        if self._lock.acquire(timeout=timeout):
            self._lock.release()

    # What is stored.

    def _kept(self) -> dict[str, Any]:
        kept = self._context.memory.get(self._key)
        if kept is None:
            kept = self._context.unsaved.get(self._key)
            if isinstance(kept, dict):
                self._put(kept)
                self._context.unsaved.delete(self._key)
        return kept if isinstance(kept, dict) else {}

    def _load(self) -> Pair:
        if not self._client or not self._secret:
            raise AuthenticationFailed("Indiquez le client ID et le client secret de votre application Netatmo")
        kept = self._kept()
        pair = _stored_pair(kept)
        if pair is None:
            if not self._pasted:
                raise AuthenticationFailed(
                    "Aucun jeton : collez un refresh token généré sur https://dev.netatmo.com/apps/, ou utilisez "
                    "« Obtenir le lien d'autorisation »"
                )
            return Pair("", self._pasted)
        self._context.hide(pair.access, pair.refresh)
        if self._durable != pair.refresh:
            self._put(kept)  # a write that failed before is made good before the pair is used
            self._durable = pair.refresh
        return pair

    def _put(self, kept: dict[str, Any]) -> None:
        try:
            self._context.memory.put(self._key, kept)
        except StoreError as error:
            raise NotDurable(
                "Les jetons de Netatmo ne peuvent pas être enregistrés ({error}) : vérifiez l'espace disque et les "
                "droits du dossier data du plugin",
                error=error,
            ) from error

    def _remember_line(self) -> None:
        """Lines of tokens that were replaced long ago are erased."""
        lines = self._context.memory.get("lines")
        lines = lines if isinstance(lines, list) else []
        if not lines or lines[-1] != self._key:
            lines = [each for each in lines if each != self._key]
            for old in lines[:-KEPT_LINES]:
                self._context.memory.delete(str(old))
            self._context.memory.keep("lines", [*lines[-KEPT_LINES:], self._key])

    # Renewing.

    def _renew(self, pair: Pair) -> Pair:
        kept = self._kept()
        refused = kept.get("refused") or 0
        if refused and 0 <= self._context.clock.time() - refused < DAY:
            raise self._refusal(bool(kept.get("lost")))
        # Tries the disk before a token is used up, and tells a next life that an answer may have been lost.
        self._put({**kept, **_described(pair), "lost": 1})
        try:
            fresh = self._accept(self._request({"grant_type": "refresh_token", "refresh_token": pair.refresh}))
        except GrantRefused as error:
            raise self._ended(kept, pair) from error
        except (AnswerLost, NotDurable):
            self._later()
            raise
        except DeviceError:
            self._later()
            self._put({**kept, **_described(pair)})
            raise
        _LOG.info("the tokens were renewed")
        self._context.count("renewals")
        return fresh

    def _later(self) -> None:
        self._not_before = self._context.clock.monotonic() + self._backoff.next()

    def _request(self, form: dict[str, str]) -> Grant:
        self._budget.take("user")
        try:
            return self._service.token({**form, "client_id": self._client, "client_secret": self._secret})
        except RateLimited as error:
            self._budget.refused(error.retry)
            raise

    def _accept(self, grant: Grant) -> Pair:
        self._context.hide(grant.access, grant.refresh)
        now = self._context.clock.time()
        fresh = Pair(grant.access, grant.refresh, now + grant.lifetime, now)
        self._put(_described(fresh))
        self._durable = fresh.refresh
        self._remember_line()
        self._backoff.reset()
        self._not_before = 0.0
        return fresh

    def _ended(self, kept: Mapping[str, Any], pair: Pair) -> AuthenticationFailed:
        """The service refuses the newest refresh token: only the user can help, and the error says how."""
        lost = bool(kept.get("lost"))
        error = self._refusal(lost)
        record = {**_described(pair), "refused": self._context.clock.time(), "lost": int(lost)}
        self._put(record)
        return error

    def _refusal(self, lost: bool) -> AuthenticationFailed:
        if lost:
            return AuthenticationFailed(
                "L'accès à Netatmo est perdu : la réponse à un renouvellement des jetons n'est jamais arrivée et "
                "Netatmo n'accepte plus l'ancien. Générez un nouveau refresh token sur https://dev.netatmo.com/apps/ "
                "(autorisation read_magellan) et collez-le dans la connexion."
            )
        return AuthenticationFailed(
            "Netatmo refuse le refresh token : l'accès a été révoqué, ou un autre programme utilise le même jeton, ou "
            "il avait déjà servi. Générez-en un nouveau sur https://dev.netatmo.com/apps/ (autorisation "
            "read_magellan) et collez-le dans la connexion."
        )


def pasted_token(text: str) -> str:
    """The refresh token in what the user pasted: it alone, in quotes, or the service's whole answer."""
    text = text.strip()
    if text.startswith("{"):
        try:
            text = str(loads(text).get("refresh_token", ""))
        except (ValueError, AttributeError):
            return ""
    return "".join(text.split()).strip("'\"")


def _described(pair: Pair) -> dict[str, Any]:
    return {"access": pair.access, "refresh": pair.refresh, "expires": pair.expires, "obtained": pair.obtained}


def _stored_pair(kept: Mapping[str, Any]) -> Pair | None:
    try:
        pair = Pair(str(kept["access"]), str(kept["refresh"]), float(kept["expires"]), float(kept["obtained"]))
    except (KeyError, TypeError, ValueError):
        return None
    return pair if pair.refresh else None
