"""Client of Easee's REST service: sends one request and turns each failure into an error.

What a refusal means beyond that request (for the account, the address) is decided by `account.py`, which sees all of
them. Errors are for the user; paths and the service's own words are in the debug log only.
"""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass
from typing import Any, Callable, Optional
from urllib.parse import quote, urlsplit

from jeedom_bridge.http import HttpError, Response, fetch, new_session, retry_after, sendable

from ... import __version__
from ..base import AuthenticationFailed, DeviceError, RateLimited, Refused, Unreachable, VendorError
from ..common.vendor_clock import date_of

_LOG = logging.getLogger(__name__)

USER_AGENT = f"jeenergie/{__version__}"
DAY_S = 86400.0
_MAX_BYTES = 4 * 1024 * 1024


class TokenRefused(VendorError):
    """The access token has expired or was revoked; another one may be accepted."""


class NotThere(Refused):
    """The resource does not exist, or not any more, or not for this account."""


class Forbidden(Refused):
    """A 403 of the gateway in front of the service: it refuses this path, or this machine's address."""


class Blocked(RateLimited):
    """Requests from this machine's address are refused. `asked`: seconds for which the service says so, or None."""

    def __init__(self, asked: float | None) -> None:
        super().__init__("Easee refuse les requêtes de cette adresse : il y en a eu trop", retry=asked or 300.0)
        self.asked = asked or None


@dataclass(frozen=True)
class Tokens:
    """A pair of tokens; `lifetime`: of the access token, in seconds."""

    access: str
    refresh: str
    lifetime: float


class Cloud:
    """The service at one address. Thread-safe. Methods raise the errors of devices/base.py and those above."""

    def __init__(
        self, api_url: str, stream_url: str, on_date: Callable[[Optional[str]], None] = lambda header: None
    ) -> None:
        """`on_date` is called with the header `Date` of each answer."""
        self._api = api_url
        self._on_date = on_date
        self.stream_url = stream_url
        self._session = new_session()
        # A command must not fail on a kept connection that the service has closed meanwhile.
        self._session.headers.update({"Accept": "application/json", "User-Agent": USER_AGENT, "Connection": "close"})

    def close(self) -> None:
        """Closes the connections."""
        self._session.close()

    def login(self, user: str, password: str) -> Tokens:
        """Logs in; returns a pair of tokens. Raises AuthenticationFailed if user or password are wrong."""
        body = {"userName": user, "password": password}
        answer = self._send("POST", f"{self._api}/api/accounts/login", None, body, 20.0)
        if answer.status == 400 and _code(answer) == NOT_VERIFIED_CODE:
            raise AuthenticationFailed(
                "Easee attend que l'adresse e-mail du compte soit confirmée : ouvrez le message reçu d'Easee"
            )
        if answer.status == 401 or (answer.status == 400 and _object_of(answer)):
            _LOG.debug("login: status %d, %s", answer.status, _words(answer))
            raise wrong_login(user)
        if answer.status >= 500 and "@" not in user:
            raise VendorError(
                "Easee ne peut rien faire de cet identifiant : essayez l'adresse e-mail du compte",
                status=answer.status,
            )
        return _tokens(self._checked(answer, "/api/accounts/login"))

    def refresh(self, access: str, refresh: str) -> Tokens:
        """Renews a pair of tokens. Raises TokenRefused if only a login can help."""
        body = {"accessToken": access, "refreshToken": refresh}
        answer = self._send("POST", f"{self._api}/api/accounts/refresh_token", None, body, 20.0)
        if answer.status in (400, 401, 404):
            raise TokenRefused("Easee refuse de renouveler le jeton", status=answer.status)
        return _tokens(self._checked(answer, "/api/accounts/refresh_token"))

    def call(self, method: str, path: str, token: str, body: Any = None, read: float = 15.0) -> Response:
        """Sends a request with a token; returns an answer of status 200, 202 or 204. `read`: timeout in seconds."""
        return self._checked(self._send(method, self._api + path, token, body, read), path)

    def negotiate(self, token: str) -> tuple[str, str, str]:
        """Negotiates the stream; returns (URL of the websocket, cookies, token)."""
        url, cookies = self.stream_url, ""
        for _ in range(3):
            answer = self._checked(self._send("POST", _negotiation(url), token, None, 15.0), "/negotiate")
            content = _object(answer)
            cookies = _cookies(answer.headers.get("set-cookie", "")) or cookies
            if content.get("error"):
                _LOG.debug("negotiation: %s", str(content["error"])[:200])
                raise VendorError("Easee refuse d'ouvrir le flux, nouvel essai automatique")
            if isinstance(content.get("url"), str):
                other = sendable(content.get("accessToken"))
                if content.get("accessToken") and not other:
                    break
                after = _redirected(url, content["url"], bool(other))
                if urlsplit(after).netloc != urlsplit(url).netloc:
                    cookies = ""  # cookies belong to the host that set them
                url, token = after, other or token
                continue
            identifier = sendable(content.get("connectionToken") or content.get("connectionId"))
            if not identifier:
                break
            separator = "&" if "?" in url else "?"
            return f"ws{url[4:]}{separator}id={quote(identifier, safe='')}", cookies, token
        raise VendorError("Réponse inattendue d'Easee à l'ouverture du flux")

    def _send(self, method: str, url: str, token: str | None, body: Any, read: float) -> Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        arguments: dict[str, Any] = {}
        if body is not None:
            arguments["json"] = body
        elif method == "POST":
            headers["Content-Length"] = "0"
        try:
            answer = fetch(
                self._session,
                method,
                url,
                connect=10.0,
                read=read,
                deadline=read + 5.0,
                max_bytes=_MAX_BYTES,
                headers=headers,
                **arguments,
            )
        except HttpError as error:
            raise Unreachable(
                "Easee ne répond pas ({error}) : est-ce que Jeedom a accès à Internet ?", error=error
            ) from error
        self._on_date(answer.headers.get("date"))
        return answer

    def _checked(self, answer: Response, path: str) -> Response:
        if answer.status in (200, 202, 204):
            return answer
        raise status_error(answer, path)


def wrong_login(user: str) -> AuthenticationFailed:
    """Returns the error for refused credentials. Phone numbers work as a login for some accounts only."""
    if "@" in user:
        return AuthenticationFailed(
            "Easee refuse cet identifiant ou ce mot de passe : vérifiez-les dans l'application Easee"
        )
    return AuthenticationFailed(
        "Easee refuse cet identifiant ou ce mot de passe : essayez l'adresse e-mail du compte comme identifiant"
    )


def status_error(answer: Response, path: str) -> DeviceError:
    """Returns the error for an unsuccessful status, also of the websocket's upgrade."""
    status = answer.status
    _LOG.debug("%s: status %d, %s", path, status, _words(answer))
    told = _asked(answer)
    if status == 429 or _is_block(answer):
        return Blocked(_hours(answer) or told)
    if status == 401:
        return TokenRefused("Easee refuse le jeton du compte, nouvel essai automatique")
    if status == 403 and _is_gateway(answer):
        return Forbidden("Easee refuse cette demande pour l'instant : réessayez plus tard, le reste continue")
    if status == 403:
        return Refused("Ce compte Easee n'en a pas le droit : voyez ses droits dans l'application Easee")
    if status in (404, 405, 410):
        return NotThere("Easee ne connaît pas, ou plus, cette demande", status=status)
    if status >= 500:
        return Unreachable("Le service Easee est indisponible, nouvel essai automatique", retry=told, status=status)
    if 300 <= status < 400:
        return VendorError("Easee renvoie vers une autre adresse, ce qui n'est pas suivi", status=status)
    return Refused("Easee n'accepte pas cette demande", status=status)


NOT_VERIFIED_CODE = 727
"""`errorCode` of a login whose e-mail address was never confirmed."""
_BLOCK = re.compile(r"too\W*many\W*requests|rate\W*limit|ip\b.{0,60}\bblocked", re.IGNORECASE | re.DOTALL)
_HOURS = re.compile(r"blocked for (\d{1,3}) hours?", re.IGNORECASE)


def _is_block(answer: Response) -> bool:
    """True if a refusal says, by its text or redirect, that there were too many requests."""
    if answer.status == 403:
        return bool(_BLOCK.search(_words(answer)))
    return 300 <= answer.status < 400 and bool(_BLOCK.search(answer.headers.get("location") or ""))


def _hours(answer: Response) -> float | None:
    """Seconds that a block lasts from the last request on, if its page says so; else None."""
    match = _HOURS.search(_words(answer))
    return int(match[1]) * 3600.0 if match else None


def _is_gateway(answer: Response) -> bool:
    content = _object_of(answer)
    return not content or (content.get("message") == "Forbidden" and "errorCode" not in content)


def _words(answer: Response) -> str:
    """Returns the text of an error's body in one line, without HTML tags."""
    text = answer.body[:4000].decode("utf-8", "replace")
    return " ".join(re.sub(r"<[^<>]*>", " ", text).split())[:500]


def _code(answer: Response) -> Any:
    return _object_of(answer).get("errorCode")


def _object_of(answer: Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


def _asked(answer: Response) -> float | None:
    """Seconds of `Retry-After`; a date counts from the answer's own date."""
    return retry_after(answer.headers, date_of(answer.headers.get("date")) or math.inf)


def _object(answer: Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise VendorError("Réponse inattendue d'Easee, le service est sans doute en panne")
    return content


def _tokens(answer: Response) -> Tokens:
    content = _object(answer)
    access, refresh = sendable(content.get("accessToken")), content.get("refreshToken")
    lifetime = content.get("expiresIn")
    if not access:
        raise VendorError("Easee accepte la connexion mais ne donne pas de jeton, le service est sans doute en panne")
    if not isinstance(lifetime, (int, float)) or isinstance(lifetime, bool) or not 1 <= lifetime <= 1e8:
        lifetime = 3600.0
    return Tokens(access, refresh if isinstance(refresh, str) else "", float(lifetime))


def _negotiation(url: str) -> str:
    address, _, query = url.partition("?")
    return f"{address.rstrip('/')}/negotiate?negotiateVersion=1" + (f"&{query}" if query else "")


def _redirected(before: str, after: str, own_token: bool) -> str:
    """Returns the URL of a redirect. Raises VendorError if its scheme differs, or its host without own token."""
    try:
        old, new = urlsplit(before), urlsplit(after)
    except ValueError as error:
        raise VendorError("Easee redirige le flux vers une adresse inattendue") from error
    if new.scheme != old.scheme or not new.hostname or not (own_token or new.hostname == old.hostname):
        raise VendorError("Easee redirige le flux vers une adresse inattendue")
    return after


def _cookies(header: str) -> str:
    # requests joins headers with commas, which dates contain as well: only `name=value` at a start counts.
    pairs = re.findall(r"(?:^|,\s*)([\w.-]+=[^;,\s]+)", header)
    return "; ".join(pairs)


def parsed(answer: Response) -> Any:
    """Returns the JSON of an answer; None if it is empty. Raises VendorError if it is not JSON."""
    if not answer.body.strip():
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise VendorError("La réponse d'Easee est illisible, le service est sans doute en panne") from error
