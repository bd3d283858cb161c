"""Logging in, and keeping the session for as long as the site does."""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from typing import Any, Callable, TypeVar
from urllib.parse import urlsplit

from jeedom_bridge.http import Response

from ..base import Context
from .client import PATHS, SessionLost, Site
from .errors import (
    AccountBlocked,
    CredentialsRefused,
    CsrfRefused,
    ExtraStep,
    LayoutChanged,
    LoginUnconfirmed,
    SiteDown,
    TooManyLogins,
)
from .pages import CHALLENGES, Page

_LOG = logging.getLogger(__name__)

LOGIN = PATHS["login"]
WELCOME = "/login/redirect/"
AGAIN = 3600.0
"""Seconds after which a user may try a refused password again: the account may have been mended."""
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

    def forget(self) -> None:
        """The next request begins with a login."""
        self._context.memory.delete("session")
        self.site.use_cookies({})

    def with_session(self, ask: Callable[[], T]) -> T:
        """What `ask` returns; a lost session is renewed once, and the same asked once more."""
        fresh = self._restore()
        try:
            return ask()
        except SessionLost:
            if fresh:
                raise LoginUnconfirmed(_UNCONFIRMED) from None
        self.log_in()
        try:
            return ask()
        except SessionLost:
            self.forget()
            raise LoginUnconfirmed(_UNCONFIRMED) from None

    def _restore(self) -> bool:
        """Takes over the kept session, or logs in: True for a new one."""
        if self._restored and self.site.cookie("sessionid"):
            return False
        kept = self._context.memory.get("session") or {}
        if kept.get("of") == self.mark and kept.get("cookies"):
            self.site.use_cookies(kept["cookies"])
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
        """Two requests: the form and its answer. Raises AuthenticationFailed, RateLimited, VendorError, Unreachable."""
        if not self._user or not self._password:
            raise CredentialsRefused("Indiquez l'email et le mot de passe du compte helloWatt")
        self.check_refused()
        self.site.budget.check()
        self.site.budget.spend_login(self.asked_for)
        self.site.use_cookies({})
        try:
            self._verdict(self._post(self._form_token()))
        except (CredentialsRefused, AccountBlocked, ExtraStep) as error:
            kinds = {CredentialsRefused: "credentials", ExtraStep: "extra"}
            kind = kinds.get(type(error), "blocked")
            self._context.memory.keep("refused", {"of": self.mark, "at": self._context.clock.time(), "kind": kind})
            raise
        self._context.memory.delete("refused")
        self._context.memory.keep("session", {"of": self.mark, "cookies": self.site.cookies()})
        self._restored = True
        _LOG.info("logged in, cookies: %s", ", ".join(sorted(self.site.cookies())))

    def keep(self) -> None:
        """Writes cookies that the site has renewed."""
        kept = self._context.memory.get("session") or {}
        if self._restored and kept.get("of") == self.mark and kept.get("cookies") != self.site.cookies():
            self._context.memory.keep("session", {"of": self.mark, "cookies": self.site.cookies()})

    def _form_token(self) -> str:
        answer = self.site.send("GET", "login")
        _raise_down(answer)
        page = Page(answer.body)
        if page.maintenance:
            raise SiteDown("helloWatt est en maintenance, nouvel essai automatique")
        if page.challenged:
            raise ExtraStep(_EXTRA)
        for name in ("login", "password"):
            if not page.has(name):
                raise LayoutChanged(f"input[name={name}]", LOGIN)
        token = page.token() or self.site.cookie("csrftoken")
        if not self.site.cookie("csrftoken"):
            raise LayoutChanged("cookie csrftoken", LOGIN)
        self._context.hide(token)
        return token

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
            raise self._refused()
        data = _json(answer)
        location = answer.headers.get("location") or (data or {}).get("location")
        if location and isinstance(location, str):
            self._arrived(location)
            return
        if data is None:
            page = Page(answer.body)
            if page.maintenance:
                raise SiteDown("helloWatt est en maintenance, nouvel essai automatique")
            if page.asks_password and answer.status == 200:
                raise self._refused()
            raise LoginUnconfirmed(_UNCONFIRMED)
        self._refusal(data)

    def _arrived(self, location: str) -> None:
        try:
            path = urlsplit(location).path
        except ValueError:
            raise LoginUnconfirmed(_UNCONFIRMED) from None  # it leads nowhere: nothing that the account has done
        if path != WELCOME:
            if any(word in path.lower() for word in CHALLENGES):
                raise ExtraStep(_EXTRA)
            raise AccountBlocked(_BLOCKED)
        if not self.site.cookie("sessionid"):
            raise LoginUnconfirmed(_UNCONFIRMED)

    def _refusal(self, data: Mapping[str, Any]) -> None:
        form = data.get("form")
        if not isinstance(form, dict):
            raise LayoutChanged("form", LOGIN)
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
            raise LayoutChanged("form.fields", LOGIN)
        if errors or own:
            raise self._refused()
        raise LoginUnconfirmed(_UNCONFIRMED)


def _raise_down(answer: Response) -> None:
    if answer.status >= 500:
        raise SiteDown(
            "Site helloWatt indisponible (statut {status} à {endpoint}), nouvel essai automatique",
            status=answer.status,
            endpoint=LOGIN,
        )


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
_UNCONFIRMED = "Connexion à helloWatt non confirmée : le site n'a pas ouvert de session, nouvel essai automatique"
