"""The gateway's token in use: pasted by the user or obtained from Enlighten, stored, and renewed before it expires."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...base import AuthenticationFailed, Context, DeviceError, vendor_url
from ...common import tokens
from ...common.refusals import Policy, Refusal, Scope
from ...common.tokens import SETTLE_S, Judgement, Owner
from ..gateway.client import cloud_session
from . import token
from .token import DAY_S, LONG_LIVED_S, Token
from .token_refusals import NoToken, TokenRefusals

_LOG = logging.getLogger(__name__)

HOUR_S = 3600.0
RENEW_PAUSE_S = SETTLE_S
"""Seconds after a new token before another one is requested: the gateway refuses for another reason."""
WARNINGS_S = (30 * DAY_S, 7 * DAY_S, DAY_S)
"""Seconds before expiry at which the user is warned; the first only for a token that the user must renew."""
SHORT_WARNINGS_S = (LONG_LIVED_S, 2 * HOUR_S)
"""The same for a pasted installer token: at once, and near its expiry."""
UNRENEWED_SHARE = 0.5
"""Share of the renewal margin left when the user is warned that an installer token was not renewed."""
USER_REQUEST_VALID_S = 60.0
"""Seconds for which a request of the user may cause a login."""
_KEY_PREFIX = "token "
REFRESH_LOGIN_PERIOD_S = HOUR_S
"""Shortest time between two logins caused by refreshes, in seconds: a scenario may refresh every minute."""


class Enlighten(tokens.TokenKeeper):
    """The token that Enlighten issues for one gateway: obtained by a login, carries its own dates."""

    policies: ClassVar[Mapping[Scope, Policy]] = {}
    """None here: TokenRefusals has them, since some concern all connections of this machine."""

    def __init__(self, config: Mapping[str, Any], context: Context, serial: str, refusals: TokenRefusals) -> None:
        self._user, self._password = (str(config.get(key, "")) for key in ("user", "password"))
        owner = Owner(context.memory, self._user, self._password)
        super().__init__(context.memory, context.clock, owner, _KEY_PREFIX + serial)
        self._config = config
        self._context = context
        self._serial = serial
        self._refusals = refusals
        self.tried = float("-inf")

    def obtain(self, asked: bool) -> tokens.Token:
        if not self._user or not self._password:
            raise AuthenticationFailed("Indiquez l'utilisateur et le mot de passe Enphase, ou passez en jeton manuel")
        login_url = vendor_url(str(self._config.get("loginUrl", "")))
        token_url = vendor_url(str(self._config.get("tokenUrl", "")))
        self.tried = self._clock.monotonic()
        try:
            with cloud_session() as session:
                text = token.obtain(session, login_url, token_url, self._user, self._password, self._serial)
        except NoToken as error:
            _LOG.debug("no token: %s", error)
            raise self._refusals.note(error, self.owner.mark, self._serial) from error
        fresh = Token.parse(text)
        self._context.mask(fresh.text)
        self._context.count("tokens")
        _LOG.info("a new token for the gateway, valid for %.1f days", (fresh.expires - fresh.issued) / DAY_S)
        return tokens.Token({"text": fresh.text}, self._clock.time(), fresh.expires)

    def judge(self, error: DeviceError) -> Judgement | None:
        return None  # already noted by `obtain`

    def told(self, refusal: Refusal) -> DeviceError:
        return AuthenticationFailed(refusal.reason)  # never called: no policy is defined here

    def forbidden(self, asked: bool = False) -> DeviceError | None:
        return self._refusals.standing(self.owner.mark, self._serial, asked)

    def proved(self) -> None:
        self._refusals.over()

    def early_s(self, token: tokens.Token) -> float:
        return 0.0  # in the background, long before (`TokenStore.watch`)

    def parsed(self, found: tokens.Token | None) -> Token | None:
        """Returns the token as the gateway expects it; None if it is not valid or has expired."""
        try:
            known = Token.parse(str(found.data.get("text", ""))) if found is not None else None
        except AuthenticationFailed:
            return None
        if known is None or known.expires <= self._clock.time():
            return None
        self._context.mask(known.text)
        return known


class TokenStore:
    """Provides the token in use. `renew` is called by the connection's thread and by one of its own."""

    def __init__(self, config: Mapping[str, Any], context: Context) -> None:
        self._config = config
        self._context = context
        self._refusals = TokenRefusals(context)
        self._accounts: dict[str, Enlighten] = {}
        self._asked = float("-inf")
        self._renewing = False
        self._background_from = float("-inf")

    @property
    def automatic(self) -> bool:
        """True if tokens are obtained from Enlighten."""
        return bool(self._config.get("tokenMode", "auto") == "auto")

    def _account(self, serial: str) -> Enlighten:
        if serial not in self._accounts:
            self._accounts[serial] = Enlighten(self._config, self._context, serial, self._refusals)
        return self._accounts[serial]

    def current(self, serial: str) -> Token:
        """Returns a valid token for this gateway, obtained if necessary. Raises DeviceError."""
        if not self.automatic:
            return self._pasted(serial)
        account = self._account(serial)
        found = account.parsed(account.kept())
        return found if found is not None else self.renew(serial)

    def renew(self, serial: str, refused: str = "") -> Token:
        """Returns another token than `refused`. Raises DeviceError.

        After a failure no login is tried for a while: until then the same error is raised again.
        """
        if not self.automatic:
            raise AuthenticationFailed(
                "La passerelle refuse le jeton collé : générez-en un nouveau sur le site d'Enphase et collez-le",
                retry=RENEW_PAUSE_S,
            )
        account = self._account(serial)
        kept = account.kept()
        asked, self._asked = self._context.clock.monotonic() - self._asked < USER_REQUEST_VALID_S, float("-inf")
        if not refused or kept is None or account.parsed(kept) is None:
            found: tokens.Token | None = account.anew(asked)
        else:
            mine = kept.data.get("text") == refused
            found = account.replaced(kept if mine else tokens.Token({}, float("-inf")), asked)
        fresh = account.parsed(found)
        if fresh is None:
            raise AuthenticationFailed("La passerelle refuse même un jeton neuf : redémarrez-la", retry=RENEW_PAUSE_S)
        return fresh

    def ask_again(self, least_s: float = 0.0) -> None:
        """Lets the next renewal log in on behalf of the user, where Enphase allows it.

        `least_s`: shortest time since the last try, in seconds.
        """
        now = self._context.clock.monotonic()
        tried = max((each.tried for each in self._accounts.values()), default=float("-inf"))
        if now - tried >= least_s:
            self._asked = now

    def watch(self, found: Token, serial: str) -> None:
        """Renews the token in use in the background before it expires, and warns the user if that fails."""
        if self.automatic and self._context.clock.time() >= found.renewal():
            self._renew_in_background(found, serial)
        left = found.expires - self._context.clock.time()
        limits = [seconds for seconds in self._warnings(found) if left <= seconds]
        if limits:
            told = {"expires": found.expires, "limit": min(limits)}
            if self._context.memory.get("tokenWarning") != told:
                self._context.memory.keep("tokenWarning", told)
                text = _NOT_RENEWED if self.automatic else _INSTALLER if found.of_installer else _ENDS
                self._context.message("warning", text, left=token.span(left, self._context.translate))

    def _warnings(self, found: Token) -> Sequence[float]:
        """Seconds before expiry at which the user is warned."""
        if not self.automatic:
            return WARNINGS_S if found.long_lived else SHORT_WARNINGS_S
        return WARNINGS_S[1:] if found.long_lived else (UNRENEWED_SHARE * (found.expires - found.renewal()),)

    def _pasted(self, serial: str) -> Token:
        found = Token.parse(str(self._config.get("token", "")))
        self._context.mask(found.text)
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

    def _renew_in_background(self, found: Token, serial: str) -> None:
        now = self._context.clock.monotonic()
        if self._renewing or now < self._background_from:
            return
        self._renewing = True
        # Once a day while there is time: a service may return the same token again.
        left = found.expires - self._context.clock.time()
        self._background_from = now + (DAY_S if left > 2 * DAY_S else RENEW_PAUSE_S)
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
    """Returns a copy of the error: an exception object raised repeatedly grows with each traceback."""
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
