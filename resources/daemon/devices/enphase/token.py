"""The gateway's token: a JWT, from the user's clipboard or from Enlighten."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

import requests

from jeedom_bridge.http import HttpError, Response, fetch

from ..base import AuthenticationFailed, RateLimited, Unreachable, VendorError

DAY = 86400.0
LONG_LIVED = 2 * DAY
"""Owner tokens live a year, installer tokens twelve hours: the lifetime tells which it is."""


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
        text = "".join(pasted.split())
        if text.startswith("{"):
            try:
                text = str(json.loads(pasted.strip()).get("token", ""))
            except (ValueError, AttributeError):
                text = ""
        text = "".join(text.split()).strip("'\"")
        try:
            _, payload, _ = text.split(".")
            claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            audience = claims["aud"]
            audience = audience[0] if isinstance(audience, list) else audience
            return cls(text, str(audience), float(claims.get("iat", 0)), float(claims["exp"]))
        except (ValueError, KeyError, IndexError, TypeError, binascii.Error) as error:
            raise AuthenticationFailed(
                "Ce token n'en est pas un : collez le texte entier donné par Enphase (trois parties séparées par "
                "des points), ou toute la réponse."
            ) from error

    def renewal(self) -> float:
        """When a new one should be asked for: 30 days before the end, an hour for short-lived ones."""
        lifetime = self.expires - self.issued
        return self.expires - (30 * DAY if lifetime > LONG_LIVED else 3600.0)


def obtain(session: requests.Session, login_url: str, token_url: str, user: str, password: str, serial: str) -> str:
    """Signs in to Enlighten and asks for a token; returns what should be a JWT.

    Raises AuthenticationFailed (only the user can help), RateLimited, Unreachable or VendorError.
    """
    login = _call(session, f"{login_url}/login/login.json", data={"user[email]": user, "user[password]": password})
    if login.status in (401, 403, 422):
        raise AuthenticationFailed("Enphase refuse cet utilisateur ou ce mot de passe")
    identifier = _session_id(login)
    answer = _call(
        session,
        f"{token_url}/tokens",
        json={"session_id": identifier, "serial_num": serial, "username": user},
    )
    if answer.status in (401, 403):
        raise AuthenticationFailed(
            "Enphase refuse un token pour la passerelle {serial} : ce compte n'y a pas accès, ou le numéro de série "
            "est faux",
            serial=serial,
        )
    _healthy(answer)
    text = answer.text.strip().strip('"')
    if text.count(".") != 2:
        raise VendorError("Le service de token d'Enphase répond autre chose qu'un token, il est sans doute en panne")
    return text


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
        raise RateLimited(
            "Enphase demande d'attendre avant une nouvelle connexion", retry=float(wait) if wait.isdigit() else 900.0
        )
    if answer.status != 200:
        raise Unreachable("Le service d'Enphase est indisponible (statut {status})", status=answer.status)


def _call(session: requests.Session, url: str, **arguments: object) -> Response:
    try:
        return fetch(session, "POST", url, connect=10, read=30, deadline=40, max_bytes=1_000_000, **arguments)
    except HttpError as error:
        raise Unreachable(
            "Le service d'Enphase ne répond pas ({error}) : est-ce que Jeedom a accès à Internet ?", error=error
        ) from error
