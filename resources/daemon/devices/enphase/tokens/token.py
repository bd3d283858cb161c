"""The gateway's token: a JWT, from the user's clipboard or from Enlighten."""

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
"""Owner tokens live a year, installer tokens twelve hours: the lifetime tells which it is."""
_MAX_PASTED_CHARS = 20_000
"""Characters of a pasted text that are looked at."""
# A signature by ES256 has 86 characters: what was pasted behind it is left out.
_FORMS = tuple(re.compile(rf"eyJ[\w-]+\.[\w-]+\.[\w-]{length}", re.ASCII) for length in ("{86}", "+"))


@dataclass(frozen=True)
class Token:
    """Times are Unix time; `audience` is the serial number of the gateway it is for, `role` owner or installer."""

    text: str
    audience: str
    issued: float
    expires: float
    role: str = ""

    @classmethod
    def parse(cls, pasted: str) -> Token:
        """Finds the token in what was pasted: alone, in quotes, behind `Bearer`, within JSON or a page.

        Raises AuthenticationFailed if there is none.
        """
        text = "".join(pasted[:_MAX_PASTED_CHARS].split())  # line breaks within a token come from the mail or the page
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
        """Whether it lives for months."""
        return self.expires - self.issued > LONG_LIVED_S

    @property
    def of_installer(self) -> bool:
        """Whether it was made with an installer's account."""
        return self.role == "installer" or not self.long_lived

    def renewal(self) -> float:
        """When a new one should be asked for: 30 days before the end, an hour for short-lived ones."""
        margin = 30 * DAY_S if self.long_lived else 3600.0
        return self.expires - min(margin, (self.expires - self.issued) / 2)


def span(seconds: float, say: Callable[..., str]) -> str:
    """How long a token lasts, as the user reads it: in days, hours or minutes, whichever says enough."""
    seconds = max(0.0, seconds)
    if seconds >= 2 * DAY_S:
        return say("{days} jours", days=int(seconds // DAY_S))
    if seconds >= 2 * 3600:
        return say("{hours} heures", hours=int(seconds // 3600))
    return say("{minutes} minutes", minutes=int(seconds // 60))


def obtain(session: requests.Session, login_url: str, token_url: str, user: str, password: str, serial: str) -> str:
    """Signs in to Enlighten and asks for a token; returns what holds one (`Token.parse`). Raises NoToken."""
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
        answer = _other_way(session, login_url, identifier, serial) or answer  # which says more than a bare 500
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
    """The page that a signed-in customer sees gives tokens too, or says that there is no right; else None."""
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
        # Too many logins end at a page of the site, with status 200, for up to a day.
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
