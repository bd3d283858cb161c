"""Logging in, and keeping the session for as long as the site does."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Callable, TypeVar
from urllib.parse import urlsplit

from jeedom_bridge.http import Response

from ..base import Context, DeviceError
from ..common.refusals import Policy, Refusals, Scope
from .client import DOWN, MAINTENANCE, PATHS, UNCONFIRMED, SessionLost, Site
from .errors import (
    AccessRefused,
    AccountBlocked,
    CredentialsRefused,
    CsrfRefused,
    ExtraStep,
    LayoutChanged,
    LoginUnconfirmed,
    NotAccepted,
    SiteDown,
    TooManyLogins,
)
from .login_page import CHALLENGES, Page

_LOG = logging.getLogger(__name__)

LOGIN = PATHS["login"]
WELCOME = "/login/redirect/"
HOUR = 3600.0
DAY = 86400.0
AGAIN = HOUR
"""Seconds after which a user may try a refused password again: the account may have been mended."""
FRESH_S = 600.0
"""Seconds for which a new session is not taken for a lost one."""
POLICIES = {
    Scope.REQUEST: Policy((DAY,)),
    Scope.CREDENTIAL: Policy((HOUR, 4 * HOUR, DAY)),
}
"""An address that refuses a working session is worth one login a day; logins that lead to no session become rarer."""
ACCUSATIONS = ("mot de passe", "password", "mail", "identifiant", "adresse", "incorrect", "credential")
"""Words by which the site says that it is e-mail or password that it does not accept."""
T = TypeVar("T")


class Session:
    """The account's session. `asked_for` is set while the user waits for the answer."""

    def __init__(self, site: Site, context: Context, user: str, password: str) -> None:
        self.site = site
        self.asked_for = False
        self._context = context
        self._user = user.strip()
        self._password = password
        self._mark = ""
        self._restored = False
        self._opened = float("-inf")
        self._refusals = Refusals(context.memory, context.clock, POLICIES)

    def forget(self) -> None:
        """The next request begins with a login."""
        self._restored = False
        self._context.memory.delete("session")
        self.site.use_cookies({})

    def with_session(self, ask: Callable[[], T], endpoint: str) -> T:
        """What `ask` returns. If the session may be lost, it is forgotten, opened once more and the same asked again.

        Raises what the second refusal means; also the first one, when a new login would prove nothing.
        """
        fresh = self._restore()
        try:
            return self._answered(ask(), endpoint)
        except SessionLost as lost:
            if fresh or self._proves_nothing(endpoint):
                raise self._counted(lost.counts_as, endpoint) from None
        self.forget()
        self.log_in()
        try:
            return self._answered(ask(), endpoint)
        except SessionLost as lost:
            raise self._counted(lost.counts_as, endpoint) from None

    def _answered(self, answer: T, endpoint: str) -> T:
        self._refusals.over(Scope.REQUEST, endpoint)
        self._refusals.over(Scope.CREDENTIAL, self.mark)
        return answer

    def _proves_nothing(self, endpoint: str) -> bool:
        """Whether another login would only repeat the refusal: the session is new, or refused there alone today."""
        fresh = 0 <= self._context.clock.time() - self._opened < FRESH_S
        return fresh or (not self.asked_for and self._refusals.wait_s(Scope.REQUEST, endpoint) > 0)

    def _counted(self, error: DeviceError, endpoint: str) -> DeviceError:
        """Takes note of what a new session does not change. Returns what to tell."""
        if isinstance(error, LoginUnconfirmed):
            self._refusals.note(Scope.CREDENTIAL, self.mark, "session")
            self.forget()
        elif not self._refusals.wait_s(Scope.REQUEST, endpoint):
            try:
                self.site.homes()
            except DeviceError:
                self._refusals.note(Scope.CREDENTIAL, self.mark, "403")  # nothing at all can be read
            else:
                self._refusals.note(Scope.REQUEST, endpoint, "403")
        return error

    def _restore(self) -> bool:
        """Takes over the kept session, or logs in: True for a new one."""
        if self._restored and self.site.cookie("sessionid"):
            return False
        kept = self._context.memory.get("session") or {}
        if kept.get("of") == self.mark and kept.get("cookies"):
            self.site.use_cookies(kept["cookies"])
            self._opened = float(kept.get("at") or 0.0)
            self._restored = True
            return False
        self.site.use_cookies({})
        self.log_in()
        return True

    @property
    def kept(self) -> bool:
        """Whether these credentials have opened the session that is kept."""
        return bool((self._context.memory.get("session") or {}).get("of") == self.mark)

    @property
    def mark(self) -> str:
        """Tells these credentials from others without holding them."""
        if not self._mark:
            salt = self._context.memory.get("salt")
            if not salt:
                salt = secrets.token_hex(16)
                self._context.memory.keep("salt", salt)
            text = "\0".join((self.site.base, self._user.lower(), self._password))
            self._mark = hashlib.pbkdf2_hmac("sha256", text.encode(), str(salt).encode(), 20000).hex()
        return self._mark

    def check_refused(self) -> None:
        """Raises what the site answered to these credentials before; they are not shown to it again."""
        refused = self._context.memory.get("refused") or {}
        if refused.get("of") != self.mark:
            return
        age = self._context.clock.time() - float(refused.get("at", 0.0))
        if self.asked_for and not 0 <= age < AGAIN:
            return
        if refused.get("kind") == "credentials":
            raise self._refused()
        if 0 <= age < 24 * AGAIN:
            raise (ExtraStep(_EXTRA) if refused.get("kind") == "extra" else AccountBlocked(_BLOCKED))

    def _refused(self) -> CredentialsRefused:
        if self.hint():
            return CredentialsRefused(_REFUSED_BY_RULE)
        return CredentialsRefused(_REFUSED)

    def hint(self) -> str:
        """A word on a password that the site would not accept today."""
        good = len(self._password) >= 12 and any(not c.isalnum() for c in self._password)
        return "" if good else _RULE

    def log_in(self) -> None:
        """Two or three requests: a token, and the form. Raises AuthenticationFailed, RateLimited, VendorError, Refused,
        Unreachable."""
        if not self._user or not self._password:
            raise CredentialsRefused("Indiquez l'email et le mot de passe du compte helloWatt")
        self.check_refused()
        self.site.budget.check()
        self._check_pause()
        self.site.budget.check_login(self.asked_for)
        self.site.use_cookies({})
        token = self._token()
        self.site.budget.note_login(self.asked_for)
        try:
            self._verdict(self._post(token))
        except (CredentialsRefused, AccountBlocked, ExtraStep) as error:
            kinds = {CredentialsRefused: "credentials", ExtraStep: "extra"}
            self._remember(kinds.get(type(error), "blocked"))
            raise
        except (CsrfRefused, LoginUnconfirmed, LayoutChanged, NotAccepted) as error:
            noted = self._refusals.note(Scope.CREDENTIAL, self.mark, type(error).__name__)
            error.retry = noted.until - noted.last
            raise
        self._context.memory.delete("refused")
        self._opened = self._context.clock.time()
        self._restored = True
        self._keep_session()
        _LOG.info("logged in, cookies: %s", ", ".join(sorted(self.site.cookies())))

    def _check_pause(self) -> None:
        """Logins that were answered without a session are repeated ever more seldom, unless the user asks."""
        rest = self._refusals.wait_s(Scope.CREDENTIAL, self.mark)
        if rest and not self.asked_for:
            raise LoginUnconfirmed(_LATER, time=self.site.budget.hour(rest), retry=rest)

    def _remember(self, kind: str) -> None:
        self._context.memory.keep("refused", {"of": self.mark, "at": self._context.clock.time(), "kind": kind})

    def _keep_session(self) -> None:
        self._context.memory.keep("session", {"of": self.mark, "cookies": self.site.cookies(), "at": self._opened})

    def keep(self) -> None:
        """Writes cookies that the site has renewed."""
        kept = self._context.memory.get("session") or {}
        if self._restored and kept.get("of") == self.mark and kept.get("cookies") != self.site.cookies():
            self._keep_session()

    def _token(self) -> str:
        """The token that a login needs: a cookie, which comes with whatever stands at the login address."""
        answer = self.site.visit("login")
        _raise_down(answer)
        if not self.site.cookie("csrftoken"):
            _raise_down(self.site.visit("user"))
        page = Page(answer.body)
        if page.challenged:
            self._remember("extra")
            raise ExtraStep(_EXTRA)
        token = self.site.cookie("csrftoken")
        if token:
            return token
        if page.maintenance:
            raise SiteDown(MAINTENANCE)
        if answer.status in (401, 403) or (page.guarded and answer.status >= 400):
            raise AccessRefused(_KEPT_OUT)
        raise LayoutChanged("cookie csrftoken")

    def _post(self, token: str) -> Response:
        headers = {
            "X-Requested-With": "XMLHttpRequest",
            "X-CSRFToken": self.site.cookie("csrftoken"),
            "Referer": self.site.base + LOGIN,
            "Origin": self.site.base,
            "Accept": "application/json",
        }
        form = {"login": self._user, "password": self._password, "csrfmiddlewaretoken": token, "remember": "on"}
        return self.site.send("POST", "login", data=form, headers=headers)

    def _verdict(self, answer: Response) -> None:
        """What the site says of the login. Its body can hold the password: nothing of it is shown."""
        _raise_down(answer)
        if answer.status == 403:
            raise CsrfRefused("helloWatt a refusé le jeton de sécurité de la connexion, nouvel essai automatique")
        if answer.status == 401:
            raise self._doubtful()
        data = _json(answer)
        location = answer.headers.get("location") or (data or {}).get("location")
        if location and isinstance(location, str):
            self._arrived(location)
            return
        if data is None:
            page = Page(answer.body)
            if page.maintenance:
                raise SiteDown(MAINTENANCE)
            if page.asks_password and answer.status == 200:
                raise self._doubtful()
            raise LoginUnconfirmed(UNCONFIRMED)
        self._refusal(data)

    def _doubtful(self) -> DeviceError:
        """A refusal in other words than those of the form: the password is called wrong when it comes again."""
        standing = self._refusals.standing(Scope.CREDENTIAL, self.mark)
        if standing is not None and standing.reason == _Doubt.__name__:
            return self._refused()
        return _Doubt(UNCONFIRMED)

    def _arrived(self, location: str) -> None:
        try:
            parts = urlsplit(location)
            own = parts.netloc in ("", urlsplit(self.site.base).netloc)
        except ValueError:
            own = False
        if not own:
            raise LoginUnconfirmed(UNCONFIRMED)  # it leads nowhere, or away: nothing that the account has done
        path = parts.path
        if path != WELCOME:
            if any(word in path.lower() for word in CHALLENGES):
                raise ExtraStep(_EXTRA)
            raise AccountBlocked(_BLOCKED)
        if not self.site.cookie("sessionid"):
            raise LoginUnconfirmed(UNCONFIRMED)

    def _refusal(self, data: Mapping[str, Any]) -> None:
        form = data.get("form")
        if not isinstance(form, dict):
            raise LayoutChanged("form")
        errors = " ".join(str(each) for each in _list(form.get("errors"))).lower()
        fields = form.get("fields")
        fields = fields if isinstance(fields, dict) else {}
        own = [str(e).lower() for f in fields.values() if isinstance(f, dict) for e in _list(f.get("errors"))]
        if "trop de tentatives" in errors or "too many" in errors:
            wait = self.site.budget.block(None)
            raise TooManyLogins(
                "helloWatt bloque temporairement les connexions : prochain essai à {time}",
                time=self.site.budget.hour(wait),
                retry=wait,
            )
        if "sactiv" in errors or "inactive" in errors:
            raise AccountBlocked(_BLOCKED)
        if any(word in errors for word in CHALLENGES):
            raise ExtraStep(_EXTRA)
        if any("obligatoire" in each or "required" in each for each in own):
            raise LayoutChanged("form.fields")
        if any(word in each for each in (errors, *own) for word in ACCUSATIONS):
            raise self._refused()
        if errors or own:
            raise self._doubtful()
        raise LoginUnconfirmed(UNCONFIRMED)


class _Doubt(LoginUnconfirmed):
    """Perhaps the credentials are refused; not in words that are known."""


def _raise_down(answer: Response) -> None:
    if answer.status >= 500:
        raise SiteDown(DOWN, status=answer.status)


def _json(answer: Response) -> dict[str, Any] | None:
    try:
        data = answer.json()
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


_REFUSED = (
    "Email ou mot de passe refusé par helloWatt. Vérifiez-les en vous connectant sur le site ; ils ne seront plus "
    "essayés avant d'être changés."
)
_REFUSED_BY_RULE = (
    "Email ou mot de passe refusé par helloWatt. Vérifiez-les en vous connectant sur le site ; ils ne seront plus "
    "essayés avant d'être changés. Ce mot de passe ne suit pas la règle du site (12 caractères au moins, avec des "
    "caractères spéciaux) : un nouveau mot de passe est peut-être à choisir sur le site."
)
_RULE = (
    " Ce mot de passe ne suit pas la règle du site (12 caractères au moins, avec des caractères spéciaux) : un nouveau "
    "mot de passe est peut-être à choisir sur le site."
)
_BLOCKED = "Compte helloWatt désactivé ou à confirmer : connectez-vous sur le site et suivez ce qu'il demande."
_EXTRA = "helloWatt demande une vérification manuelle à la connexion : connectez-vous une fois sur le site."
_KEPT_OUT = (
    "helloWatt n'ouvre pas sa page de connexion au plugin pour l'instant : nouvel essai automatique. Si cela dure, "
    "vérifiez que le site s'ouvre dans un navigateur depuis la même connexion internet."
)
_LATER = (
    "La dernière connexion à helloWatt n'a pas donné accès aux données : prochain essai à {time}, ou par le bouton "
    "Tester"
)
