"""Login: the CSRF token, the form, and the verdict on its answer. The session is kept while it works."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from jeedom_bridge.http import Response

from ...base import Context, DeviceError
from ...common.refusals import LONGEST_S, Policy, Refusal, Scope
from ...common.tokens import Judgement, Owner, Token, TokenKeeper
from .client import DOWN, MAINTENANCE, PATHS, UNCONFIRMED, Site
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
from .html_page import CHALLENGES, HtmlPage

_LOG = logging.getLogger(__name__)

LOGIN_PATH = PATHS["login"]
WELCOME_PATH = "/login/redirect/"
HOUR_S = 3600.0
DAY_S = 86400.0
USER_RETRY_S = 60.0
"""Seconds after which a user may try refused credentials again: the account may have been corrected."""
CREDENTIAL_WORDS = ("mot de passe", "password", "mail", "identifiant", "adresse", "incorrect", "credential")
"""Words by which the site refuses e-mail or password."""
UNUSABLE_ACCOUNT_PATHS = ("inactive", "confirm", *CHALLENGES)
"""Parts of paths to which the site redirects an account that is not usable."""
CSRF_COOKIE = "cookie csrftoken"
CREDENTIALS, BLOCKED, EXTRA, LIMITED = "credentials", "blocked", "extra", "limited"
DOUBT, NOTHING = "doubt", "nothing"
"""Why a login opened no session. DOUBT: refused in unknown words; NOTHING: without effect."""
_WAITS_S = {CREDENTIALS: LONGEST_S, BLOCKED: DAY_S, EXTRA: DAY_S}


class _Doubt(LoginUnconfirmed):
    """The credentials may be refused, in unknown words."""


class _Blocking(TooManyLogins):
    """The site reports too many attempts."""


class Login(TokenKeeper):
    """The session of one account: its token is the site's cookies."""

    policies: ClassVar[Mapping[Scope, Policy]] = {Scope.CREDENTIAL: Policy((HOUR_S, 4 * HOUR_S, DAY_S))}
    proved_by_use = True

    def __init__(self, site: Site, context: Context, user: str, password: str) -> None:
        self.site = site
        self._context = context
        self._user = user.strip()
        self._password = password
        owner = Owner(context.memory, site.base, self._user.lower(), password)
        super().__init__(context.memory, context.clock, owner, "session")

    # Called by TokenKeeper.

    def obtain(self, asked: bool) -> Token:
        """Sends two or three requests: for the CSRF token, and the form."""
        self.site.budget.check()
        self.site.budget.check_login(asked)
        self.site.use_cookies({})
        csrf = self._csrf()
        self.site.budget.note_login(asked)
        try:
            self._verdict(self._post(csrf))
        except DeviceError:
            self.site.use_cookies({})
            raise
        _LOG.info("logged in, cookies: %s", ", ".join(sorted(self.site.cookies())))
        return Token(self.site.cookies(), self._context.clock.time())

    def judge(self, error: DeviceError) -> Judgement | None:
        reason = self._reason(error)
        return None if reason is None else Judgement(Scope.CREDENTIAL, reason, _WAITS_S.get(reason))

    def _reason(self, error: DeviceError) -> str | None:
        if isinstance(error, CredentialsRefused):
            return CREDENTIALS
        if isinstance(error, AccountBlocked):
            return BLOCKED
        if isinstance(error, ExtraStep):
            return EXTRA
        if isinstance(error, _Blocking):
            return LIMITED
        if isinstance(error, LayoutChanged) and error.values["item"] == CSRF_COOKIE:
            return None  # no login was tried
        if isinstance(error, (CsrfRefused, LoginUnconfirmed, LayoutChanged, NotAccepted)):
            return DOUBT if isinstance(error, _Doubt) else NOTHING
        return None

    def told(self, refusal: Refusal) -> DeviceError:
        if refusal.reason == CREDENTIALS:
            return self._refused()
        if refusal.reason == BLOCKED:
            return AccountBlocked(_BLOCKED)
        if refusal.reason == EXTRA:
            return ExtraStep(_EXTRA)
        time = self.site.budget.hour(refusal.until - self._context.clock.time())
        if refusal.reason == LIMITED:
            return TooManyLogins("helloWatt bloque temporairement les connexions : prochain essai à {time}", time=time)
        return LoginUnconfirmed(_LATER, time=time)

    def binding(self, refusal: Refusal) -> bool:
        return refusal.reason in _WAITS_S and self._context.clock.time() - refusal.last < USER_RETRY_S

    # Used by Session.

    def check(self, asked: bool) -> None:
        """Raises the error that forbids a login, before any request."""
        if not self._user or not self._password:
            raise CredentialsRefused("Indiquez l'adresse e-mail et le mot de passe du compte helloWatt")
        error = self.forbidden(asked)
        if error is not None:
            raise error

    def shows_nothing(self) -> None:
        """Records that a new session is refused for every request."""
        self.book.note(Scope.CREDENTIAL, self.owner.mark, NOTHING)

    def hint(self) -> str:
        """Returns a hint if the password breaks the site's present rule, else ''."""
        good = len(self._password) >= 12 and any(not c.isalnum() for c in self._password)
        return "" if good else _RULE

    def _refused(self) -> CredentialsRefused:
        return CredentialsRefused(_REFUSED_BY_RULE if self.hint() else _REFUSED)

    # The two steps.

    def _csrf(self) -> str:
        """Returns the CSRF token: a cookie that comes with any answer at the login path. Raises DeviceError."""
        answer = self.site.visit("login")
        _raise_down(answer)
        if not self.site.cookie("csrftoken"):
            _raise_down(self.site.visit("user"))
        page = HtmlPage(answer.body)
        if page.challenged:
            raise ExtraStep(_EXTRA)
        token = self.site.cookie("csrftoken")
        if token:
            return token
        if page.maintenance:
            raise SiteDown(MAINTENANCE)
        if answer.status in (401, 403) or (page.guarded and answer.status >= 400):
            raise AccessRefused(_KEPT_OUT)
        raise LayoutChanged(CSRF_COOKIE)

    def _post(self, token: str) -> Response:
        headers = {
            "X-Requested-With": "XMLHttpRequest",
            "X-CSRFToken": self.site.cookie("csrftoken"),
            "Referer": self.site.base + LOGIN_PATH,
            "Origin": self.site.base,
            "Accept": "application/json",
        }
        form = {"login": self._user, "password": self._password, "csrfmiddlewaretoken": token, "remember": "on"}
        return self.site.send("POST", "login", data=form, headers=headers)

    def _verdict(self, answer: Response) -> None:
        """Raises DeviceError unless the login succeeded. The body can contain the password: it is never logged."""
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
            page = HtmlPage(answer.body)
            if page.maintenance:
                raise SiteDown(MAINTENANCE)
            if page.asks_password and answer.status == 200:
                raise self._doubtful()
            raise LoginUnconfirmed(UNCONFIRMED)
        self._refusal(data)

    def _doubtful(self) -> DeviceError:
        """Returns the error for a refusal in unknown words: refused credentials if it is the second one."""
        standing = self.book.standing(Scope.CREDENTIAL, self.owner.mark)
        return self._refused() if standing is not None and standing.reason == DOUBT else _Doubt(UNCONFIRMED)

    def _arrived(self, location: str) -> None:
        try:
            parts = urlsplit(location)
            own = parts.netloc in ("", urlsplit(self.site.base).netloc)
        except ValueError:
            own = False
        if not own:
            raise LoginUnconfirmed(UNCONFIRMED)  # to nowhere or another host: not caused by the account
        path = parts.path
        if self.site.cookie("sessionid") and not any(word in path.lower() for word in UNUSABLE_ACCOUNT_PATHS):
            return  # wherever it leads: the first use shows whether the session works
        if path != WELCOME_PATH:
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
            raise _Blocking("helloWatt bloque temporairement les connexions : nouvel essai automatique")
        if "sactiv" in errors or "inactive" in errors:
            raise AccountBlocked(_BLOCKED)
        if any(word in errors for word in CHALLENGES):
            raise ExtraStep(_EXTRA)
        if any("obligatoire" in each or "required" in each for each in own):
            raise LayoutChanged("form.fields")
        if any(word in each for each in (errors, *own) for word in CREDENTIAL_WORDS):
            raise self._refused()
        if errors or own:
            raise self._doubtful()
        if self.site.cookie("sessionid"):
            return
        raise LoginUnconfirmed(UNCONFIRMED)


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
    "Adresse e-mail ou mot de passe refusé par helloWatt. Vérifiez-les en vous connectant sur le site, puis "
    "corrigez-les ici ; sans changement, ils sont essayés de nouveau dans une semaine."
)
_REFUSED_BY_RULE = (
    "Adresse e-mail ou mot de passe refusé par helloWatt. Vérifiez-les en vous connectant sur le site, puis "
    "corrigez-les ici ; sans changement, ils sont essayés de nouveau dans une semaine. Ce mot de passe ne suit pas la "
    "règle du site (12 caractères au moins, avec des caractères spéciaux) : un nouveau mot de passe est peut-être à "
    "choisir sur le site."
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
