"""Errors of the site; `mark` is the value of the command `etat`."""

from __future__ import annotations

from typing import ClassVar

from ...base import AuthenticationFailed, DeviceError, RateLimited, Refused, Unreachable, VendorError


class CredentialsRefused(AuthenticationFailed):
    """The site does not accept this e-mail with this password."""

    mark: ClassVar[str] = "CREDENTIALS"


class AccountBlocked(AuthenticationFailed):
    """The account is disabled, or must be confirmed by its owner."""

    mark: ClassVar[str] = "ACCOUNT_BLOCKED"


class ExtraStep(AuthenticationFailed):
    """The site requires a manual check at login."""

    mark: ClassVar[str] = "EXTRA_STEP"


class TooManyLogins(RateLimited):
    """Logins are blocked for a while, by the site or by our own limit."""

    mark: ClassVar[str] = "TOO_MANY_LOGINS"


class Limited(RateLimited):
    """The site answered 429; no request for `retry` seconds."""

    mark: ClassVar[str] = "RATE"


class OverBudget(RateLimited):
    """The requests of a day are used up."""

    mark: ClassVar[str] = "BUDGET"


class CsrfRefused(VendorError):
    """The CSRF token of the login was refused."""

    mark: ClassVar[str] = "CSRF"


class LoginUnconfirmed(VendorError):
    """The login was answered, but did not open a working session."""

    mark: ClassVar[str] = "LOGIN_UNCONFIRMED"


class SiteDown(Unreachable):
    """No answer, a 5xx, or a maintenance page."""

    mark: ClassVar[str] = "SITE_DOWN"


class NoAnswer(SiteDown):
    """Nothing came back at all, so that each further request would wait as long."""


class NotJson(VendorError):
    """The site returned HTML where data was expected."""

    mark: ClassVar[str] = "NOT_JSON"


class LayoutChanged(VendorError):
    """A part of the page or of the data is missing; `item` names it.

    Once, it may be an incomplete answer, a proxy's page or a cache; only if it lasts the site has changed.
    """

    mark: ClassVar[str] = "LAYOUT"

    def __init__(self, item: str, lasting: bool = False) -> None:
        super().__init__(_CHANGED if lasting else _UNEXPECTED, item=item)

    def lasting(self) -> LayoutChanged:
        """Returns the same error after many repetitions: the site must have changed."""
        return LayoutChanged(str(self.values["item"]), lasting=True)


_UNEXPECTED = "Réponse inattendue de helloWatt ({item} absent) : nouvel essai automatique"
_CHANGED = (
    "Le site helloWatt semble avoir changé : {item} reste introuvable. Mettez le plugin à jour ; s'il l'est déjà, "
    "signalez-le."
)


class NotAccepted(VendorError):
    """The request was answered with another unsuccessful status."""

    mark: ClassVar[str] = "ERROR"


class AccessRefused(Refused):
    """403 with a new session, or before login: the data, or this internet access, is refused."""

    mark: ClassVar[str] = "FORBIDDEN"


class Missing(Refused):
    """The site does not have these data for this account."""

    mark: ClassVar[str] = "NO_DATA"


class NoHome(Refused):
    """An account without a home."""

    mark: ClassVar[str] = "NO_HOME"


class NoGas(Refused):
    """A home without gas, for which the site answers 500."""

    mark: ClassVar[str] = "NO_GAS"


STOPPING_ERRORS = (AuthenticationFailed, RateLimited, CsrfRefused, LoginUnconfirmed)
"""After these errors no more requests are sent in the same round."""


def mark_of(error: DeviceError) -> str:
    """Returns the value of the command `etat` for an error."""
    return str(getattr(error, "mark", "ERROR"))
