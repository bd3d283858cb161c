"""Keeps the token: pasted by the user or obtained from Enlighten, renewed in good time, stored, never hammered for."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping
from typing import Any

from jeedom_bridge.worker import Backoff

from ..base import AuthenticationFailed, Context, DeviceError, RateLimited, VendorError, vendor_url
from . import token
from .client import cloud_session
from .token import DAY, Token

_LOG = logging.getLogger(__name__)

HOUR = 3600.0
SETTLE = 600.0
"""Seconds after a new token within which another one would not help: the gateway refuses for another reason."""
WARNINGS = (30, 7, 1)
"""Days before the end of a token at which the user is told; the first only when nobody but him can renew it."""


class TokenKeeper:
    """The token in use. `renew` is called from the connection's thread and from one of its own."""

    def __init__(self, config: Mapping[str, Any], context: Context) -> None:
        self._config = config
        self._context = context
        self._backoff = Backoff(60.0, HOUR)
        self._lock = threading.Lock()
        self._renewing = False
        self._fingerprint: str | None = None
        self._background_from = float("-inf")
        self._failure: DeviceError | None = None
        self._not_before = float("-inf")
        self._obtained = float("-inf")

    @property
    def automatic(self) -> bool:
        """Whether Enlighten is asked for tokens."""
        return bool(self._config.get("tokenMode", "auto") == "auto")

    def current(self, serial: str) -> Token:
        """A token for this gateway, asked for if need be. Raises DeviceError."""
        if not self.automatic:
            return self._pasted(serial)
        found = self._stored(serial)
        return found if found is not None else self.renew(serial)

    def renew(self, serial: str, refused: str = "") -> Token:
        """Another token than the one that the gateway has refused. Raises DeviceError.

        After a failure Enlighten is left alone for a while: until then the same error is raised again.
        """
        if not self.automatic:
            raise AuthenticationFailed(
                "La passerelle refuse le token collé : générez-en un nouveau sur le site d'Enphase et collez-le",
                retry=SETTLE,
            )
        with self._lock:
            stored = self._stored(serial)
            if refused and stored is not None and stored.text != refused:
                return stored  # renewed in the background meanwhile
            now = self._context.clock.monotonic()
            if self._failure is not None and now < self._not_before:
                raise repeated(self._failure, self._not_before - now)
            if refused and now - self._obtained < SETTLE:
                raise AuthenticationFailed("La passerelle refuse même un token neuf : redémarrez-la", retry=SETTLE)
            try:
                fresh = self._obtain(serial)
            except DeviceError as error:
                self._failed(error, now)
                raise
            self._failure, self._obtained = None, now
            self._backoff.reset()
            return fresh

    def ask_again(self) -> None:
        """The user is there and may have mended what was wrong: do not wait any longer."""
        self._failure = None

    def watch(self, found: Token, serial: str) -> None:
        """Renews the token in use in the background when its end is near, and warns when that does not happen."""
        if self.automatic and self._context.clock.time() >= found.renewal():
            self._renew_in_background(found, serial)
        left = (found.expires - self._context.clock.time()) / DAY
        limits = [days for days in WARNINGS[1 if self.automatic else 0 :] if left <= days]
        if limits and found.long_lived:
            told = {"expires": found.expires, "days": min(limits)}
            if self._context.memory.get("tokenWarning") != told:
                self._context.memory.keep("tokenWarning", told)
                text = _NOT_RENEWED if self.automatic else _ENDS
                self._context.message("warning", text, days=max(0, round(left)))

    def _failed(self, error: DeviceError, now: float) -> None:
        if isinstance(error, AuthenticationFailed):
            pause = HOUR
        elif isinstance(error, RateLimited) and error.retry is not None:
            pause = error.retry
        else:
            pause = self._backoff.next()
        error.retry = pause
        self._failure, self._not_before = error, now + pause

    def _obtain(self, serial: str) -> Token:
        user, password = str(self._config.get("user", "")), str(self._config.get("password", ""))
        if not user or not password:
            raise AuthenticationFailed("Indiquez l'utilisateur et le mot de passe Enphase, ou passez en token manuel")
        login_url = vendor_url(str(self._config.get("loginUrl", "")))
        token_url = vendor_url(str(self._config.get("tokenUrl", "")))
        with cloud_session() as session:
            text = token.obtain(session, login_url, token_url, user, password, serial)
        self._context.hide(text)
        try:
            fresh = Token.parse(text)
        except AuthenticationFailed as error:
            raise VendorError(token.NO_TOKEN) from error
        if not self._context.stopping:
            self._context.memory.keep(f"token {serial}", {"text": fresh.text, "account": self._account()})
        self._context.count("tokens")
        _LOG.info("a new token for the gateway, valid for %.1f days", (fresh.expires - fresh.issued) / DAY)
        return fresh

    def _pasted(self, serial: str) -> Token:
        found = Token.parse(str(self._config.get("token", "")))
        self._context.hide(found.text)
        if found.audience != serial:
            raise AuthenticationFailed(
                "Ce token est celui de la passerelle {other}, pas de {serial}", other=found.audience, serial=serial
            )
        if found.expires <= self._context.clock.time():
            raise AuthenticationFailed("Le token a expiré : générez-en un nouveau sur le site d'Enphase et collez-le")
        return found

    def _stored(self, serial: str) -> Token | None:
        """The token that Enlighten gave for this gateway, while it is valid."""
        kept = self._context.memory.get(f"token {serial}")
        if not isinstance(kept, dict) or kept.get("account") != self._account():
            return None
        try:
            found = Token.parse(str(kept.get("text", "")))
        except AuthenticationFailed:
            return None
        self._context.hide(found.text)
        return found if found.expires > self._context.clock.time() else None

    def _account(self) -> str:
        """Which login a stored token was made with: another password is tried, not covered by an old token."""
        if self._fingerprint is None:
            user, password = (str(self._config.get(key, "")).encode() for key in ("user", "password"))
            # Slow on purpose: what is kept must not help to guess the password.
            self._fingerprint = hashlib.pbkdf2_hmac("sha256", password, user, 100_000).hex()[:32]
        return self._fingerprint

    def _renew_in_background(self, found: Token, serial: str) -> None:
        now = self._context.clock.monotonic()
        if self._renewing or now < self._background_from:
            return
        self._renewing = True
        # Once a day while there is time; a service that gives the same token again is not asked at every poll.
        left = found.expires - self._context.clock.time()
        self._background_from = now + (DAY if left > 2 * DAY else SETTLE)
        threading.Thread(target=self._renew_aside, args=(found, serial), name="token", daemon=True).start()

    def _renew_aside(self, found: Token, serial: str) -> None:
        try:
            self.renew(serial)
        except DeviceError as error:
            _LOG.warning("the token could not be renewed (%s); the present one is good until its end", error)
        except Exception:
            _LOG.exception("renewing the token")
        finally:
            self._renewing = False


def repeated(error: DeviceError, retry: float | None) -> DeviceError:
    """The same error once more (an exception object that is raised again and again grows with each traceback)."""
    return type(error)(error.template, retry=retry, **error.values)


_ENDS = (
    "Le token de la passerelle Enphase expire dans {days} jour(s) : générez-en un nouveau sur le site d'Enphase et "
    "collez-le"
)
_NOT_RENEWED = (
    "Le token de la passerelle Enphase expire dans {days} jour(s) et n'a pas pu être renouvelé : vérifiez le compte "
    "Enphase et l'accès de Jeedom à Internet"
)
