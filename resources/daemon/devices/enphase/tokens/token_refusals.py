"""Why Enlighten gave no token, how long no login is tried after that, and the message for the user.

Refusals are persisted: a restart must not cause one more login. An account is a pair of credentials: other credentials
are tried at once. Too many logins are counted by address, for all connections of this machine.
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from jeedom_bridge.http.errors import HttpError

from ...base import AuthenticationFailed, Context, DeviceError, Moment, RateLimited, Unreachable, VendorError
from ...common.refusals import Policy, Refusal, Refusals, Scope

HOUR_S = 3600.0
DAY_S = 86_400.0


class Reason(Enum):
    """Why no token was given."""

    PASSWORD = "password"
    SECOND_FACTOR = "second factor"
    BLOCKED = "blocked"
    NO_RIGHT = "no right"
    TOO_MANY = "too many"
    WALL = "wall"
    AWAY = "away"
    """The login service does not answer, or answers unexpectedly."""
    NO_TOKEN = "no token"
    """The login succeeded, but the token service returned something else."""


_ACCOUNT_REASONS = (Reason.PASSWORD, Reason.SECOND_FACTOR, Reason.BLOCKED, Reason.NO_RIGHT)
_ADDRESS_REASONS = (Reason.TOO_MANY, Reason.WALL)
_ALL_ACCOUNTS = "*"
# Every try that reaches the service counts as a login: after a few, wait a day.
_MIN_WAIT_S = 60.0
_ACCOUNT_POLICY = Policy((HOUR_S, 4 * HOUR_S, DAY_S))
_ADDRESS_POLICY = Policy((900.0, HOUR_S, 6 * HOUR_S, DAY_S))
_AWAY_POLICY = Policy((60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, HOUR_S))
_TOKEN_POLICY = Policy((60.0, 300.0, 900.0, HOUR_S, 6 * HOUR_S))


class NoToken(DeviceError):
    """No token was given. `wait_s`: the pause in seconds that the service asked for, or None."""

    reason = Reason.AWAY
    wait_s: float | None = None


class AccountRefused(NoToken, AuthenticationFailed):
    """The account is refused: only the user can change that, at Enphase or in the settings."""


class TooManyLogins(NoToken, RateLimited):
    """Too many logins from this address: only waiting helps."""


class TokenServiceBroken(NoToken, VendorError):
    """The login succeeded, but the answer is not a token."""


class LoginServiceAway(NoToken, Unreachable):
    """The login service does not answer, or answers unexpectedly."""


def no_token(
    reason: Reason, *, serial: str = "", error: HttpError | None = None, wait_s: float | None = None, when: str = ""
) -> NoToken:
    """Returns the error for a reason. `when`: local time of the next try, as text for the user."""
    made = _worded(reason, serial, error, when)
    made.reason, made.wait_s = reason, wait_s
    return made


def _worded(reason: Reason, serial: str, error: HttpError | None, when: str) -> NoToken:
    if reason is Reason.PASSWORD:
        return AccountRefused(
            "Enphase refuse cet utilisateur ou ce mot de passe : vérifiez-les en vous connectant sur "
            "https://enlighten.enphaseenergy.com, puis corrigez la connexion"
        )
    if reason is Reason.SECOND_FACTOR:
        return AccountRefused(
            "Enphase demande une seconde étape de connexion : désactivez la double authentification du compte, ou "
            "passez en jeton manuel"
        )
    if reason is Reason.BLOCKED:
        return AccountRefused(
            "Enphase a bloqué ce compte : connectez-vous sur https://enlighten.enphaseenergy.com pour le débloquer, "
            "puis testez la connexion. Le jeton manuel marche pendant ce temps."
        )
    if reason is Reason.NO_RIGHT:
        return AccountRefused(
            "Enphase refuse un jeton pour la passerelle {serial} : ce compte n'y a pas accès, ou le numéro de série "
            "est faux",
            serial=serial,
        )
    if reason in _ADDRESS_REASONS:
        if not when:
            return TooManyLogins("Enphase a reçu trop de demandes de connexion et demande d'attendre")
        return TooManyLogins(
            "Enphase a reçu trop de demandes de connexion et demande d'attendre : prochain essai le {when}. Rien à "
            "faire d'ici là, ne relancez pas Jeedom pour cela.",
            when=when,
        )
    if reason is Reason.NO_TOKEN:
        return TokenServiceBroken("Le service de jetons d'Enphase ne donne pas de jeton, il est sans doute en panne")
    if error is not None:
        return LoginServiceAway(
            "Le service d'Enphase ne répond pas ({error}) : est-ce que Jeedom a accès à Internet ?", error=error
        )
    return LoginServiceAway("Le service de connexion d'Enphase est indisponible, il est sans doute en panne")


class TokenRefusals:
    """The refusals in force for one connection."""

    def __init__(self, context: Context) -> None:
        self._context = context
        clock = context.clock
        self._account = Refusals(context.memory, clock, {Scope.CREDENTIAL: _ACCOUNT_POLICY})
        self._address = Refusals(context.shared_memory, clock, {Scope.ADDRESS: _ADDRESS_POLICY})
        self._away = Refusals(context.memory, clock, {Scope.REQUEST: _AWAY_POLICY}, "loginRefusals")
        self._tokens = Refusals(context.memory, clock, {Scope.REQUEST: _TOKEN_POLICY}, "tokenRefusals")

    def _place(self, reason: Reason, account: str) -> tuple[Refusals, Scope, str]:
        if reason in _ACCOUNT_REASONS:
            return self._account, Scope.CREDENTIAL, account
        if reason in _ADDRESS_REASONS:
            return self._address, Scope.ADDRESS, _ALL_ACCOUNTS
        return (self._away if reason is Reason.AWAY else self._tokens), Scope.REQUEST, account

    def note(self, refused: NoToken, account: str, serial: str) -> DeviceError:
        """Records a refusal; returns the error for the user."""
        book, scope, key = self._place(refused.reason, account)
        noted = book.note(scope, key, refused.reason.value, self._told_wait_s(refused, book.standing(scope, key)))
        error = refused.values.get("error")
        return self._told(noted, serial, error if isinstance(error, HttpError) else None)

    def _told_wait_s(self, refused: NoToken, before: Refusal | None) -> float | None:
        """The wait in seconds that the service asked for; from the second time on at least our own."""
        if refused.reason is Reason.BLOCKED:
            return DAY_S
        if refused.wait_s is None or before is None:
            return None if refused.wait_s is None else max(refused.wait_s, _MIN_WAIT_S)
        waits_s = _ADDRESS_POLICY.waits_s
        return max(refused.wait_s, waits_s[min(before.count, len(waits_s) - 1)])

    def standing(self, account: str, serial: str, user_asks: bool) -> DeviceError | None:
        """Returns the error that forbids another try now, or None. `user_asks`: only waits ordered by Enphase count."""
        for reason in (Reason.TOO_MANY, *(() if user_asks else (Reason.PASSWORD, Reason.AWAY, Reason.NO_TOKEN))):
            book, scope, key = self._place(reason, account)
            refusal = book.standing(scope, key)
            if refusal is not None and book.wait_s(scope, key) > 0:
                return self._told(refusal, serial, None)
        return None

    def over(self) -> None:
        """Clears all refusals: a token was given."""
        for book, scope in (
            (self._account, Scope.CREDENTIAL),
            (self._address, Scope.ADDRESS),
            (self._away, Scope.REQUEST),
            (self._tokens, Scope.REQUEST),
        ):
            for each in book.all(scope):
                book.over(scope, each.key)

    def _told(self, refusal: Refusal, serial: str, error: HttpError | None) -> DeviceError:
        when = Moment(datetime.fromtimestamp(refusal.until, ZoneInfo(self._context.timezone)), "%d/%m à %H:%M")
        told = no_token(Reason(refusal.reason), serial=serial, error=error, when=when)
        told.retry = max(refusal.until - self._context.clock.time(), 1.0)
        return told
