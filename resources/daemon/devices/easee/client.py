"""Easee's REST service: one request at a time leaves here, and each failure says what it was."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

from jeedom_bridge.http import HttpError, Response, fetch, new_session, sendable

from ... import __version__
from ..base import AuthenticationFailed, RateLimited, Refused, Unreachable, VendorError

USER_AGENT = f"jeenergie/{__version__}"
FIREWALL_PAUSE = 1800.0
LIMIT_PAUSE = 300.0
_MAX_BYTES = 4 * 1024 * 1024


class TokenRefused(VendorError):
    """The access token has expired or was revoked; another one may do."""


class NotThere(Refused):
    """What was asked for does not exist, or not for this account."""


@dataclass(frozen=True)
class Tokens:
    """One login's pair; `lifetime` in seconds from now."""

    access: str
    refresh: str
    lifetime: float


class Cloud:
    """The service at one address. Thread-safe. Raises the errors of devices/base.py and those above."""

    def __init__(self, api_url: str, stream_url: str) -> None:
        self._api = api_url
        self.stream_url = stream_url
        self._session = new_session()
        # A command must not die on a kept connection that the service has closed meanwhile.
        self._session.headers.update({"Accept": "application/json", "User-Agent": USER_AGENT, "Connection": "close"})

    def close(self) -> None:
        """Ends the connections."""
        self._session.close()

    def login(self, user: str, password: str) -> Tokens:
        """A new pair of tokens. Raises AuthenticationFailed when user or password are wrong."""
        body = {"userName": user, "password": password}
        answer = self._send("POST", f"{self._api}/api/accounts/login", None, body, 20.0)
        if answer.status == 401 or (answer.status == 400 and reason(answer)):
            raise AuthenticationFailed(
                "Easee refuse ce login ou ce mot de passe ({reason}) : vérifiez-les dans l'application Easee",
                reason=reason(answer) or f"statut {answer.status}",
            )
        return _tokens(self._checked(answer, "/api/accounts/login"))

    def refresh(self, access: str, refresh: str) -> Tokens:
        """The next pair. Raises TokenRefused when only a login can help."""
        body = {"accessToken": access, "refreshToken": refresh}
        answer = self._send("POST", f"{self._api}/api/accounts/refresh_token", None, body, 20.0)
        if answer.status in (400, 401, 404):
            raise TokenRefused("Easee refuse de renouveler le jeton (statut {status})", status=answer.status)
        return _tokens(self._checked(answer, "/api/accounts/refresh_token"))

    def call(self, method: str, path: str, token: str, body: Any = None, read: float = 15.0) -> Response:
        """One request with a token; an answer of 200, 202 or 204."""
        return self._checked(self._send(method, self._api + path, token, body, read), path)

    def negotiate(self, token: str) -> tuple[str, str, str]:
        """Opens the way to the stream: the websocket's address, the cookies to send along, and the token for it."""
        url, cookies = self.stream_url, ""
        for _ in range(3):
            answer = self._checked(self._send("POST", _negotiation(url), token, None, 15.0), "/negotiate")
            content = _object(answer)
            cookies = _cookies(answer.headers.get("set-cookie", "")) or cookies
            if content.get("error"):
                raise VendorError("Easee refuse d'ouvrir le flux : {reason}", reason=str(content["error"])[:200])
            if isinstance(content.get("url"), str):
                other = sendable(content.get("accessToken"))
                if content.get("accessToken") and not other:
                    break
                after = _redirected(url, content["url"], bool(other))
                if urlsplit(after).netloc != urlsplit(url).netloc:
                    cookies = ""  # they belong to the host that gave them
                url, token = after, other or token
                continue
            identifier = sendable(content.get("connectionToken") or content.get("connectionId"))
            if not identifier:
                break
            separator = "&" if "?" in url else "?"
            return f"ws{url[4:]}{separator}id={quote(identifier, safe='')}", cookies, token
        raise VendorError("Easee répond autre chose que prévu à l'ouverture du flux")

    def _send(self, method: str, url: str, token: str | None, body: Any, read: float) -> Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        arguments: dict[str, Any] = {}
        if body is not None:
            arguments["json"] = body
        elif method == "POST":
            headers["Content-Length"] = "0"
        try:
            return fetch(
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

    def _checked(self, answer: Response, path: str) -> Response:
        if answer.status in (200, 202, 204):
            return answer
        raise status_error(answer, path)


def status_error(answer: Response, path: str) -> Exception:
    """What a status other than success means; also of the websocket's upgrade."""
    status, text = answer.status, reason(answer)
    if status == 401:
        return TokenRefused("Easee refuse le jeton du compte ({path}, statut 401)", path=path)
    if status == 429:
        return RateLimited(
            "Easee demande d'attendre : trop de requêtes depuis cette adresse (statut 429)",
            retry=_seconds(answer.headers.get("retry-after")) or LIMIT_PAUSE,
        )
    if status == 403 and _is_firewall(answer):
        return RateLimited("Easee bloque les requêtes de cette adresse (statut 403)", retry=FIREWALL_PAUSE)
    if status in (404, 405):
        return NotThere(
            "Easee ne connaît pas {path} pour ce compte ({reason})", path=path, reason=text or f"statut {status}"
        )
    if status == 403:
        return Refused(
            "Ce compte Easee n'en a pas le droit : {path} ({reason})", path=path, reason=text or "statut 403"
        )
    if status >= 500:
        return Unreachable(
            "Le service Easee est indisponible (statut {status}), nouvel essai automatique",
            retry=_seconds(answer.headers.get("retry-after")),
            status=status,
        )
    if 300 <= status < 400:
        return VendorError("Easee redirige {path} ailleurs (statut {status})", path=path, status=status)
    return Refused("Easee refuse {path} : {reason}", path=path, reason=text or f"statut {status}")


def reason(answer: Response) -> str:
    """The service's own words of a failure, in one short line; nothing when it has none."""
    try:
        content = answer.json()
    except ValueError:
        return ""
    if not isinstance(content, dict):
        return ""
    words = next((content[key] for key in ("title", "detail", "message", "error") if content.get(key)), "")
    return re.sub(r"[\s{}]+", " ", str(words)).strip()[:200]


def _is_firewall(answer: Response) -> bool:
    try:
        content = answer.json()
    except ValueError:
        return True  # a page of the gateway, not an answer of the service
    return isinstance(content, dict) and content.get("message") == "Forbidden" and "errorCode" not in content


def _seconds(text: str | None) -> float | None:
    return min(float(text), 86400.0) if text and text.isascii() and text.strip().isdigit() else None


def _object(answer: Response) -> dict[str, Any]:
    try:
        content = answer.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise VendorError("Easee répond autre chose que prévu, le service est sans doute en panne")
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
    """Another address of the stream: as safe as before, and of the same host unless it has a token of its own."""
    try:
        old, new = urlsplit(before), urlsplit(after)
    except ValueError as error:
        raise VendorError("Easee redirige le flux vers une adresse inattendue") from error
    if new.scheme != old.scheme or not new.hostname or not (own_token or new.hostname == old.hostname):
        raise VendorError("Easee redirige le flux vers une adresse inattendue")
    return after


def _cookies(header: str) -> str:
    # requests joins several headers with commas, which dates contain as well: only `name=value` at a start counts.
    pairs = re.findall(r"(?:^|,\s*)([\w.-]+=[^;,\s]+)", header)
    return "; ".join(pairs)


def parsed(answer: Response) -> Any:
    """The JSON of an answer; None for an empty one. Raises VendorError."""
    if not answer.body.strip():
        return None
    try:
        return answer.json()
    except ValueError as error:
        raise VendorError("Easee répond autre chose que du JSON, le service est sans doute en panne") from error
