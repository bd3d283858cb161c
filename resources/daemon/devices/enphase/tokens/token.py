"""The gateway's token, a JWT: parses a pasted one, obtains one from Enlighten."""

from __future__ import annotations

import base64
import logging
import math
import re
import time
from dataclasses import dataclass
from typing import Callable
from urllib.parse import quote

import requests

from jeedom_bridge.http import HttpError, Response, fetch, retry_after
from jeedom_bridge.json_reader import loads

from ...base import AuthenticationFailed
from .token_refusals import NoToken, Reason, no_token

_LOG = logging.getLogger(__name__)

DAY_S = 86400.0
LONG_LIVED_S = 2 * DAY_S
"""Lifetime in seconds above which a token is an owner's (a year); an installer's is valid for twelve hours."""
_MAX_PASTED_CHARS = 20_000
"""Length of a pasted text that is examined."""
# An ES256 signature has 86 characters: whatever was pasted behind it is cut off.
_FORMS = tuple(re.compile(rf"eyJ[\w-]+\.[\w-]+\.[\w-]{length}", re.ASCII) for length in ("{86}", "+"))


@dataclass(frozen=True)
class Token:
    """`issued`, `expires`: Unix time; `audience`: serial number of its gateway; `role`: owner or installer."""

    text: str
    audience: str
    issued: float
    expires: float
    role: str = ""

    @classmethod
    def parse(cls, pasted: str) -> Token:
        """Finds the token in a pasted text: alone, quoted, behind `Bearer`, within JSON or HTML.

        Raises AuthenticationFailed if there is none.
        """
        text = "".join(pasted[:_MAX_PASTED_CHARS].split())  # mail programs and web pages break tokens into lines
        found = next((match for match in (form.search(text) for form in _FORMS) if match), None)
        text = found.group() if found else text.strip("'\"")
        try:
            if not text.isascii():
                raise ValueError("not all of it can stand in a header")
            _, payload, _ = text.split(".")
            claims = loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            audience = claims["aud"]
            audience = audience[0] if isinstance(audience, list) else audience
            issued, expires = float(claims.get("iat", 0)), float(claims["exp"])
            if not (math.isfinite(issued) and math.isfinite(expires)):
                raise ValueError("times without end")
            return cls(text, str(audience), issued, expires, str(claims.get("enphaseUser", "")))
        except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
            raise AuthenticationFailed(
                "Ce jeton n'en est pas un : collez le texte entier donné par Enphase (trois parties séparées par "
                "des points), ou toute la réponse."
            ) from error

    @property
    def long_lived(self) -> bool:
        """True if it is valid for months."""
        return self.expires - self.issued > LONG_LIVED_S

    @property
    def of_installer(self) -> bool:
        """True if it was issued to an installer's account."""
        return self.role == "installer" or not self.long_lived

    def renewal(self) -> float:
        """Unix time of its renewal: 30 days before expiry, an hour before for short-lived ones."""
        margin = 30 * DAY_S if self.long_lived else 3600.0
        return self.expires - min(margin, (self.expires - self.issued) / 2)


def span(seconds: float, say: Callable[..., str]) -> str:
    """Formats a duration in seconds for the user: in days, hours or minutes."""
    seconds = max(0.0, seconds)
    if seconds >= 2 * DAY_S:
        return say("{days} jours", days=int(seconds // DAY_S))
    if seconds >= 2 * 3600:
        return say("{hours} heures", hours=int(seconds // 3600))
    return say("{minutes:minute|minutes}", minutes=int(seconds // 60))


def obtain(session: requests.Session, login_url: str, token_url: str, user: str, password: str, serial: str) -> str:
    """Signs in to Enlighten and obtains a token; returns a text for `Token.parse`. Raises NoToken."""
    form = {"user[email]": user, "user[password]": password}
    login = _call(session, Reason.AWAY, "POST", f"{login_url}/login/login.json", data=form)
    if login.status in (401, 403, 422):
        raise no_token(Reason.PASSWORD)
    _healthy(login, Reason.AWAY)
    identifier = _session_id(login)
    answer = _call(
        session,
        Reason.NO_TOKEN,
        "POST",
        f"{token_url}/tokens",
        json={"session_id": identifier, "serial_num": serial, "username": user},
    )
    if answer.status != 429 and not _is_token(answer):
        answer = _other_way(session, login_url, identifier, serial) or answer  # it says more than a bare 500
    if answer.status in (401, 403):
        raise no_token(Reason.NO_RIGHT, serial=serial)
    _healthy(answer, Reason.NO_TOKEN)
    if not _is_token(answer):
        raise no_token(Reason.NO_TOKEN)
    return answer.text


def _is_token(answer: Response) -> bool:
    try:
        Token.parse(answer.text if answer.status == 200 else "")
    except AuthenticationFailed:
        return False
    return True


def _other_way(session: requests.Session, login_url: str, identifier: str, serial: str) -> Response | None:
    """Tries the page for signed-in customers, which gives tokens or refuses access too; None if it does neither."""
    try:
        answer = _call(
            session,
            Reason.NO_TOKEN,
            "GET",
            f"{login_url}/entrez-auth-token?serial_num={quote(serial)}",
            headers={"Cookie": f"_enlighten_4_session={identifier}"},
        )
    except NoToken:
        return None
    return answer if answer.status in (401, 403, 429) or _is_token(answer) else None


def _session_id(login: Response) -> str:
    try:
        content = login.json()
    except ValueError as error:
        # After too many logins the site answers by an HTML page with status 200, for up to a day.
        raise no_token(Reason.WALL if login.text.lstrip().startswith("<") else Reason.AWAY) from error
    if not isinstance(content, dict):
        raise no_token(Reason.AWAY)
    identifier = content.get("session_id")
    if isinstance(identifier, str) and identifier:
        return identifier
    raise no_token(Reason.BLOCKED if content.get("isBlocked") is True else Reason.SECOND_FACTOR)


def _healthy(answer: Response, reason: Reason) -> None:
    if answer.status == 429:
        raise no_token(Reason.TOO_MANY, wait_s=retry_after(answer.headers, time.time()))
    if answer.status != 200:
        raise no_token(reason)


def _call(session: requests.Session, reason: Reason, method: str, url: str, **arguments: object) -> Response:
    try:
        return fetch(session, method, url, connect=10, read=30, deadline=40, max_bytes=1_000_000, **arguments)
    except HttpError as error:
        _LOG.debug("%s: %s", reason.value, error)
        raise no_token(reason, error=error) from error
