"""HTTP client of the site: its paths, the session cookies, and the errors its answers mean."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from jeedom_bridge.http import HttpError, Response, fetch, is_loopback, new_session, retry_after
from jeedom_bridge.http.errors import TooLong

from ...base import Context, DeviceError, VendorError
from ...common.endpoints import Shapes
from ..mapping import PARIS
from .budget import Budget
from .errors import (
    AccessRefused,
    LayoutChanged,
    Limited,
    LoginUnconfirmed,
    Missing,
    NoAnswer,
    NotAccepted,
    NotJson,
    SiteDown,
)
from .html_page import HtmlPage

_LOG = logging.getLogger(__name__)

PATHS = {
    "login": "/accounts/login/",
    "user": "/api/user",
    "homes": "/api/homes",
    "contracts": "/api/homes/{home}/contracts",
    "electricity": "/api/homes/{home}/sge_measures/conso_daily",
    "gas": "/api/homes/{home}/adict_measures/conso_daily",
}
"""All paths that are requested."""
LOGGED_PATHS = {key: path.replace("{home}", "…") for key, path in PATHS.items()}
"""The same for logs, without the identifiers of homes."""

USER_AGENT = "JeedomHelloWatt/1.0"
API_VERSION = "1.54"
RETRY_PAUSES_S = (5.0, 10.0)
"""Pauses before the second and third try after a 5xx, in seconds."""
MAX_BYTES = 4 * 1024 * 1024


class SessionLost(VendorError):
    """The session may have ended. `counts_as`: the error if it has just been opened."""

    def __init__(self, counts_as: DeviceError) -> None:
        super().__init__("La session helloWatt a expiré")
        self.counts_as = counts_as


class Site:
    """Sends the requests of one account: cookies, headers, one at a time, each counted before it is sent."""

    def __init__(self, base: str, context: Context, budget: Budget) -> None:
        self.base = base
        self.budget = budget
        self._context = context
        self._session = new_session()
        self._session.headers["User-Agent"] = USER_AGENT
        self._slashed: set[str] = set()
        self._shapes = Shapes(context.memory)
        self._version = str(context.memory.get("version", API_VERSION))

    # The session.

    def cookie(self, name: str) -> str:
        """Returns a cookie's value, or ''."""
        return next((c.value or "" for c in self._session.cookies if c.name == name), "")

    def cookies(self) -> dict[str, str]:
        """Cookies to persist."""
        return {c.name: c.value or "" for c in self._session.cookies if c.name in ("sessionid", "csrftoken")}

    def use_cookies(self, cookies: Mapping[str, str]) -> None:
        """Replaces all cookies by persisted ones, or by none."""
        self._session.cookies.clear()
        host = urlsplit(self.base).hostname or ""
        for name, value in cookies.items():
            self._context.mask(value)
            # Never over plain http, as the site sets them; except to a simulator on this machine.
            secure = not is_loopback(self.base)
            self._session.cookies.set(
                name, value, domain="localhost.local" if host == "localhost" else host, path="/", secure=secure
            )

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    # Requests.

    def send(
        self, method: str, key: str, home: str = "", query: Mapping[str, str] | None = None, **more: Any
    ) -> Response:
        """Requests an entry of PATHS; follows no redirect except to the same path with a slash.

        Raises SiteDown, Limited, LayoutChanged, SessionLost, or an error of the budget.
        """
        url = self.base + PATHS[key].replace("{home}", home) + ("/" if key in self._slashed else "")
        for _ in range(2):
            answer = self._once(method, key, url, query, **more)
            if not 300 <= answer.status < 400:
                return answer
            target = _target(url, answer.headers.get("location", ""))
            if target.split("?")[0] != url + "/" or method != "GET":
                break
            url = target.split("?")[0]
            self._slashed.add(key)
        if method == "POST":
            return answer
        if "login" in target or "me-connecter" in target:
            raise SessionLost(LoginUnconfirmed(UNCONFIRMED))
        _LOG.warning("helloWatt redirects %s elsewhere (status %d)", LOGGED_PATHS[key], answer.status)
        raise LayoutChanged(f"redirection {answer.status}")

    def visit(self, key: str) -> Response:
        """Requests an entry of PATHS for its cookies: returns any status, follows no redirect."""
        return self._once("GET", key, self.base + PATHS[key], None, headers=self._headers() if key != "login" else None)

    def _once(self, method: str, key: str, url: str, query: Mapping[str, str] | None, **more: Any) -> Response:
        if not self.budget.spend():
            raise SiteDown("La connexion s'arrête")
        before = set(self.cookies().values())
        try:
            answer = fetch(
                self._session,
                method,
                url,
                connect=10.0,
                read=45.0,
                deadline=90.0,
                max_bytes=MAX_BYTES,
                params=query,
                **more,
            )
        except HttpError as error:
            _LOG.info("no usable answer to %s: %s", LOGGED_PATHS[key], error)
            if isinstance(error, TooLong):
                raise NotJson(UNREADABLE) from error
            raise NoAnswer(_DOWN, error=error) from error
        finally:
            self.budget.finished()
            self._context.mask(*(set(self.cookies().values()) - before))
        if answer.status >= 400:
            _LOG.info("helloWatt answers %d to %s", answer.status, LOGGED_PATHS[key])
        if answer.status == 429:
            wait = self.budget.block(retry_after(answer.headers, self._context.clock.time()))
            raise Limited(
                "helloWatt demande d'attendre (trop de requêtes) : aucune requête avant {time}",
                time=self.budget.hour(wait),
                retry=wait,
            )
        if answer.status < 400:
            self.budget.passed()
        return answer

    # Data.

    def homes(self) -> Any:
        """Returns the answer for the account's homes. Raises DeviceError."""
        return self._data("homes")

    def contracts(self, home: str) -> Any:
        """Returns the answer for the contracts of a home. Raises DeviceError."""
        return self._data("contracts", home)

    def daily(
        self, energy: str, home: str, first: date, last: date, retries: tuple[float, ...] = RETRY_PAUSES_S
    ) -> Any:
        """Returns the answer for the days from `first` to `last`; it may include others. Raises DeviceError."""
        query = {"startDate": _midnight(first), "endDate": _midnight(last + timedelta(days=1))}
        return self._data(energy, home, query, retries)

    def _data(
        self,
        key: str,
        home: str = "",
        query: Mapping[str, str] | None = None,
        retries: tuple[float, ...] = RETRY_PAUSES_S,
    ) -> Any:
        for wait in (*retries, None):
            answer = self._get(key, home, query)
            if answer.status < 500:
                break
            if wait is None or answer.status == 503:
                rest = retry_after(answer.headers, self._context.clock.time())
                raise SiteDown(DOWN, retry=rest, status=answer.status)
            self._context.pause(wait)
        return self._understood(key, answer)

    def _get(self, key: str, home: str, query: Mapping[str, str] | None) -> Response:
        answer = self.send("GET", key, home, query, headers=self._headers())
        if answer.status == 406 and self._version:
            self._version = ""
            self._context.memory.keep("version", "")
            answer = self.send("GET", key, home, query, headers=self._headers())
        return answer

    def _headers(self) -> dict[str, str]:
        version = f"; version={self._version}" if self._version else ""
        return {
            "Accept": f"application/json{version}",
            "X-Requested-With": "XMLHttpRequest",
            "X-CSRFToken": self.cookie("csrftoken"),
            "Referer": f"{self.base}/mon-compte/",
        }

    def _understood(self, key: str, answer: Response) -> Any:
        try:
            data = answer.json()
            if isinstance(data, str):
                data = Response(200, {}, data.encode()).json()
        except ValueError:
            data = None
        if answer.status == 401 or (answer.status == 403 and _asks_for_login(data)):
            raise SessionLost(LoginUnconfirmed(UNCONFIRMED))
        if answer.status == 403:
            # Whatever the body says: an ended session may be refused like this, too.
            raise SessionLost(AccessRefused(_FORBIDDEN))
        if answer.status == 404:
            raise Missing(_MISSING)
        if answer.status != 200:
            raise NotAccepted(_NOT_ACCEPTED, status=answer.status)
        if data is None:
            self._no_data(answer)
        self._shapes.look(key, data, _needed(key, data))
        return data

    def _no_data(self, answer: Response) -> None:
        kind = answer.headers.get("content-type", "").split(";")[0].strip()[:60]
        _LOG.info("helloWatt answers %s where data was expected", kind or "nothing known")
        if "html" in kind or answer.body.lstrip()[:1] == b"<":
            page = HtmlPage(answer.body)
            if page.maintenance:
                raise SiteDown(MAINTENANCE)
            if page.asks_password:
                raise SessionLost(LoginUnconfirmed(UNCONFIRMED))
            raise NotJson("helloWatt a répondu par une page au lieu de données : nouvel essai automatique")
        raise NotJson(UNREADABLE)


_DOWN = "Site helloWatt injoignable ({error}) : nouvel essai automatique, rien n'est perdu"
DOWN = "Site helloWatt indisponible pour l'instant : nouvel essai automatique, rien n'est perdu"
MAINTENANCE = "helloWatt est en maintenance : nouvel essai automatique, rien n'est perdu"
UNCONFIRMED = "Connexion à helloWatt non confirmée : le site n'a pas ouvert de session, nouvel essai automatique"
UNREADABLE = "Réponse illisible de helloWatt : nouvel essai automatique"
_FORBIDDEN = (
    "helloWatt refuse de montrer ces données, même après une nouvelle connexion : vérifiez sur la page mes-donnees du "
    "site qu'elles sont visibles. Nouvel essai automatique."
)
_MISSING = (
    "helloWatt ne connaît pas ou plus ces données : vérifiez sur la page mes-donnees du site que ce compteur est "
    "toujours rattaché au compte. Nouvel essai automatique."
)
_NOT_ACCEPTED = (
    "helloWatt n'a pas accepté la demande : nouvel essai automatique. Si cela dure, mettez le plugin à jour."
)


def _needed(key: str, data: Any) -> tuple[str, ...]:
    """Returns the required keys of an answer in its usual wrapping."""
    if key == "homes":
        return ("[].id",) if isinstance(data, list) else ()
    if key in ("electricity", "gas") and isinstance(data, dict) and isinstance(data.get("values"), list):
        return ("values[].datetime", "values[].kwhDetailed", "values[].eurosDetailed")
    return ()


def _asks_for_login(data: Any) -> bool:
    detail = str(data.get("detail", "")).lower() if isinstance(data, dict) else ""
    return "authenti" in detail or "credentials" in detail


def _target(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:  # not a URL: shown unchanged
        return location


def _midnight(day: date) -> str:
    return datetime.combine(day, datetime.min.time(), PARIS).isoformat()
