"""What can go wrong with the site; `mark` is what the command `etat` shows."""

from __future__ import annotations

from typing import ClassVar

from ...base import AuthenticationFailed, DeviceError, RateLimited, Refused, Unreachable, VendorError


class CredentialsRefused(AuthenticationFailed):
    """The site does not accept this e-mail with this password."""

    mark: ClassVar[str] = "CREDENTIALS"


class AccountBlocked(AuthenticationFailed):
    """Disabled, or to be confirmed by its owner."""

    mark: ClassVar[str] = "ACCOUNT_BLOCKED"


class ExtraStep(AuthenticationFailed):
    """The site wants to see a person."""

    mark: ClassVar[str] = "EXTRA_STEP"


class TooManyLogins(RateLimited):
    """Logins are blocked for a while, by the site or by our own rule."""

    mark: ClassVar[str] = "TOO_MANY_LOGINS"


class Limited(RateLimited):
    """The site answered 429; nothing may be asked until `retry` seconds have passed."""

    mark: ClassVar[str] = "RATE"


class OverBudget(RateLimited):
    """As many requests as one day may have were made."""

    mark: ClassVar[str] = "BUDGET"


class CsrfRefused(VendorError):
    """The token of the login form was not accepted."""

    mark: ClassVar[str] = "CSRF"


class LoginUnconfirmed(VendorError):
    """The login was answered, but there is no session that works."""

    mark: ClassVar[str] = "LOGIN_UNCONFIRMED"


class SiteDown(Unreachable):
    """No answer, 5xx, or the page of a maintenance."""

    mark: ClassVar[str] = "SITE_DOWN"


class NotJson(VendorError):
    """A page where data was expected."""

    mark: ClassVar[str] = "NOT_JSON"


class LayoutChanged(VendorError):
    """A part of the page or of the data is not where it was; `item` names it.

    Once it may be half an answer, a proxy's page, or a cache: that the site has changed is said when it lasts.
    """

    mark: ClassVar[str] = "LAYOUT"

    def __init__(self, item: str, lasting: bool = False) -> None:
        super().__init__(_CHANGED if lasting else _UNEXPECTED, item=item)

    def lasting(self) -> LayoutChanged:
        """The same, met so often that the site must have changed."""
        return LayoutChanged(str(self.values["item"]), lasting=True)


_UNEXPECTED = "Réponse inattendue de helloWatt ({item} absent) : nouvel essai automatique"
_CHANGED = (
    "Le site helloWatt semble avoir changé : {item} reste introuvable. Mettez le plugin à jour ; s'il l'est déjà, "
    "signalez-le."
)


class NotAccepted(VendorError):
    """The request was answered with a status that says nothing else."""

    mark: ClassVar[str] = "ERROR"


class AccessRefused(Refused):
    """403 although the session is new, or before any login: these data, or this internet access, are refused."""

    mark: ClassVar[str] = "FORBIDDEN"


class Missing(Refused):
    """The site says that there is no such thing for this account."""

    mark: ClassVar[str] = "NO_DATA"


class NoHome(Refused):
    """An account without a home."""

    mark: ClassVar[str] = "NO_HOME"


class NoGas(Refused):
    """A home that has no gas, told by the site with an error 500."""

    mark: ClassVar[str] = "NO_GAS"


STOPPING_ERRORS = (AuthenticationFailed, RateLimited, CsrfRefused, LoginUnconfirmed)
"""After these nothing more is asked of the site in the same run."""


def mark_of(error: DeviceError) -> str:
    """What the command `etat` shows for an error."""
    return str(getattr(error, "mark", "ERROR"))
