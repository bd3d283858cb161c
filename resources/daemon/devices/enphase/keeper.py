"""Keeps the token: pasted by the user or obtained from Enlighten, renewed in good time, stored, never hammered for."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from ..base import AuthenticationFailed, Context, DeviceError, vendor_url
from . import token
from .client import cloud_session
from .token import DAY, LONG_LIVED, Token
from .token_refusals import NoToken, TokenRefusals

_LOG = logging.getLogger(__name__)

HOUR = 3600.0
SETTLE = 600.0
"""Seconds after a new token within which another one would not help: the gateway refuses for another reason."""
WARNINGS_S = (30 * DAY, 7 * DAY, DAY)
"""Seconds before the end of a token at which the user is told; the first only when nobody but him can renew it."""
SHORT_WARNINGS_S = (LONG_LIVED, 2 * HOUR)
"""The same for an installer's token that was pasted: at once, and near its end."""
UNRENEWED = 0.5
"""Share of the time for its renewal after which the user is told that an installer's token was not renewed."""
ASKED_S = 60.0
"""Seconds for which a question of the user may cause a login."""
REFRESH_S = HOUR
"""Seconds between two logins that refreshes by the user may cause: a scenario may refresh every minute."""


class TokenKeeper:
    """The token in use. `renew` is called from the connection's thread and from one of its own."""

    def __init__(self, config: Mapping[str, Any], context: Context) -> None:
        self._config = config
        self._context = context
        self._refusals = TokenRefusals(context)
        self._asked = float("-inf")
        self._lock = threading.Lock()
        self._renewing = False
        self._fingerprint: str | None = None
        self._background_from = float("-inf")
        self._tried = float("-inf")
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
                "La passerelle refuse le jeton collé : générez-en un nouveau sur le site d'Enphase et collez-le",
                retry=SETTLE,
            )
        with self._lock:
            stored = self._stored(serial)
            if refused and stored is not None and stored.text != refused:
                return stored  # renewed in the background meanwhile
            now = self._context.clock.monotonic()
            user_asks, self._asked = now - self._asked < ASKED_S, float("-inf")
            standing = self._refusals.standing(self._account(), serial, user_asks)
            if standing is not None:
                raise standing
            if refused and now - self._obtained < SETTLE:
                raise AuthenticationFailed("La passerelle refuse même un jeton neuf : redémarrez-la", retry=SETTLE)
            self._tried = now
            try:
                fresh = self._obtain(serial)
            except NoToken as error:
                _LOG.debug("no token: %s", error)
                raise self._refusals.note(error, self._account(), serial) from error
            self._refusals.over()
            self._obtained = now
            return fresh

    def ask_again(self, least_s: float = 0.0) -> None:
        """The user is there and may have mended what was wrong: the next try is a real one where Enphase allows it.

        `least_s`: seconds since the last try under which it is not.
        """
        now = self._context.clock.monotonic()
        if now - self._tried >= least_s:
            self._asked = now

    def watch(self, found: Token, serial: str) -> None:
        """Renews the token in use in the background when its end is near, and warns when that does not happen."""
        if self.automatic and self._context.clock.time() >= found.renewal():
            self._renew_in_background(found, serial)
        left = found.expires - self._context.clock.time()
        limits = [seconds for seconds in self._warnings(found) if left <= seconds]
        if limits:
            told = {"expires": found.expires, "limit": min(limits)}
            if self._context.memory.get("tokenWarning") != told:
                self._context.memory.keep("tokenWarning", told)
                text = _NOT_RENEWED if self.automatic else _INSTALLER if found.of_installer else _ENDS
                self._context.message("warning", text, left=token.span(left, self._context.say))

    def _warnings(self, found: Token) -> Sequence[float]:
        """Seconds before the end of a token at which the user is told."""
        if not self.automatic:
            return WARNINGS_S if found.long_lived else SHORT_WARNINGS_S
        return WARNINGS_S[1:] if found.long_lived else (UNRENEWED * (found.expires - found.renewal()),)

    def _obtain(self, serial: str) -> Token:
        user, password = str(self._config.get("user", "")), str(self._config.get("password", ""))
        if not user or not password:
            raise AuthenticationFailed("Indiquez l'utilisateur et le mot de passe Enphase, ou passez en jeton manuel")
        login_url = vendor_url(str(self._config.get("loginUrl", "")))
        token_url = vendor_url(str(self._config.get("tokenUrl", "")))
        with cloud_session() as session:
            text = token.obtain(session, login_url, token_url, user, password, serial)
        fresh = Token.parse(text)
        self._context.hide(fresh.text)
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
                "Ce jeton est celui de la passerelle {other}, pas de {serial}", other=found.audience, serial=serial
            )
        if found.expires <= self._context.clock.time():
            if found.of_installer:
                raise AuthenticationFailed(
                    "Le jeton collé a expiré : c'était celui d'un installateur, qui ne vaut que quelques heures. "
                    "Passez en mode automatique, ou générez un jeton avec le compte du propriétaire, valable un an."
                )
            raise AuthenticationFailed("Le jeton a expiré : générez-en un nouveau sur le site d'Enphase et collez-le")
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


_INSTALLER = (
    "Le jeton collé est celui d'un installateur, il expire dans {left}. Passez en mode automatique, ou générez un "
    "jeton avec le compte du propriétaire, valable un an."
)
_ENDS = (
    "Le jeton de la passerelle Enphase expire dans {left} : générez-en un nouveau sur le site d'Enphase et collez-le"
)
_NOT_RENEWED = (
    "Le jeton de la passerelle Enphase expire dans {left} et n'a pas pu être renouvelé : vérifiez le compte Enphase et "
    "l'accès de Jeedom à Internet"
)
