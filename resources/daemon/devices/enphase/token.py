"""The gateway's token: a JWT, from the user's clipboard or from Enlighten."""

from __future__ import annotations

import base64
import math
from dataclasses import dataclass
from urllib.parse import quote

import requests

from jeedom_bridge.http import HttpError, Response, fetch
from jeedom_bridge.json_reader import loads

from ..base import AuthenticationFailed, RateLimited, Unreachable, VendorError

DAY = 86400.0
LONG_LIVED = 2 * DAY
"""Owner tokens live a year, installer tokens twelve hours: the lifetime tells which it is."""
NO_TOKEN = "Le service de token d'Enphase répond autre chose qu'un token, il est sans doute en panne"


@dataclass(frozen=True)
class Token:
    """Times are Unix time; `audience` is the serial number of the gateway it is for."""

    text: str
    audience: str
    issued: float
    expires: float

    @classmethod
    def parse(cls, pasted: str) -> Token:
        """Accepts the token alone, in quotes, or Enphase's whole JSON answer. Raises AuthenticationFailed."""
        text = "".join(pasted.split()).strip("'\"")  # line breaks within a token come from the mail or the page
        try:
            if text.startswith("{"):
                text = "".join(str(loads(text)["token"]).split())
            if not text.isascii():
                raise ValueError("not all of it can stand in a header")
            _, payload, _ = text.split(".")
            claims = loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            audience = claims["aud"]
            audience = audience[0] if isinstance(audience, list) else audience
            issued, expires = float(claims.get("iat", 0)), float(claims["exp"])
            if not (math.isfinite(issued) and math.isfinite(expires)):
                raise ValueError("times without end")
            return cls(text, str(audience), issued, expires)
        except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError, RecursionError) as error:
            raise AuthenticationFailed(
                "Ce token n'en est pas un : collez le texte entier donné par Enphase (trois parties séparées par "
                "des points), ou toute la réponse."
            ) from error

    @property
    def long_lived(self) -> bool:
        """Whether it is an owner's."""
        return self.expires - self.issued > LONG_LIVED

    def renewal(self) -> float:
        """When a new one should be asked for: 30 days before the end, an hour for short-lived ones."""
        margin = 30 * DAY if self.long_lived else 3600.0
        return self.expires - min(margin, (self.expires - self.issued) / 2)


def obtain(session: requests.Session, login_url: str, token_url: str, user: str, password: str, serial: str) -> str:
    """Signs in to Enlighten and asks for a token; returns what should be one (`Token.parse`).

    Raises AuthenticationFailed (only the user can help), RateLimited, Unreachable or VendorError.
    """
    form = {"user[email]": user, "user[password]": password}
    login = _call(session, "POST", f"{login_url}/login/login.json", data=form)
    if login.status in (401, 403, 422):
        raise AuthenticationFailed(
            "Enphase refuse cet utilisateur ou ce mot de passe : vérifiez-les en vous connectant sur "
            "https://enlighten.enphaseenergy.com, puis corrigez la connexion"
        )
    identifier = _session_id(login)
    answer = _call(
        session,
        "POST",
        f"{token_url}/tokens",
        json={"session_id": identifier, "serial_num": serial, "username": user},
    )
    if answer.status not in (200, 429):
        answer = _other_way(session, login_url, identifier, serial) or answer  # which says more than a bare 500
    if answer.status in (401, 403):
        raise AuthenticationFailed(
            "Enphase refuse un token pour la passerelle {serial} : ce compte n'y a pas accès, ou le numéro de série "
            "est faux",
            serial=serial,
        )
    _healthy(answer)
    return answer.text


def _other_way(session: requests.Session, login_url: str, identifier: str, serial: str) -> Response | None:
    """The page that a signed-in customer sees gives tokens too, or says that there is no right; else None."""
    try:
        answer = _call(
            session,
            "GET",
            f"{login_url}/entrez-auth-token?serial_num={quote(serial)}",
            headers={"Cookie": f"_enlighten_4_session={identifier}"},
        )
    except Unreachable:
        return None
    helps = answer.status in (401, 403) or (answer.status == 200 and answer.text.lstrip().startswith("{"))
    return answer if helps else None


def _session_id(login: Response) -> str:
    _healthy(login)
    try:
        content = login.json()
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise VendorError("Le service de connexion d'Enphase répond autre chose que prévu, il est sans doute en panne")
    identifier = content.get("session_id")
    if not isinstance(identifier, str) or not identifier:
        raise AuthenticationFailed(
            "Enphase demande une seconde étape de connexion : désactivez la double authentification du compte, ou "
            "passez en token manuel"
        )
    return identifier


def _healthy(answer: Response) -> None:
    if answer.status == 429:
        wait = answer.headers.get("retry-after", "")
        seconds = float(wait) if wait.isascii() and wait.isdigit() else 900.0
        raise RateLimited("Enphase demande d'attendre avant une nouvelle connexion", retry=min(max(seconds, 60.0), DAY))
    if answer.status != 200:
        raise Unreachable("Le service d'Enphase est indisponible (statut {status})", status=answer.status)


def _call(session: requests.Session, method: str, url: str, **arguments: object) -> Response:
    try:
        return fetch(session, method, url, connect=10, read=30, deadline=40, max_bytes=1_000_000, **arguments)
    except HttpError as error:
        raise Unreachable(
            "Le service d'Enphase ne répond pas ({error}) : est-ce que Jeedom a accès à Internet ?", error=error
        ) from error
