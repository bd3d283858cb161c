"""The user's way to a first pair of tokens: the link to Netatmo's page, and the code that its answer holds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ..base import Context, Refused, vendor_url
from .client import SCOPE


class Authorization:
    """Makes links and reads what comes back; the link's state is kept until its code was used."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def link(self, config: Mapping[str, Any]) -> str:
        """Returns the text with the link. Raises Refused without a client ID."""
        if not config.get("clientId"):
            raise Refused("Indiquez d'abord le client ID de votre application Netatmo")
        state = secrets.token_hex(8)
        self._context.memory.keep("state", state)
        form = {"client_id": config["clientId"], "redirect_uri": config["redirectUri"], "scope": SCOPE, "state": state}
        url = f"{vendor_url(str(config['apiUrl']))}/oauth2/authorize?{urlencode(form)}"
        return self._context.translate(
            "Ouvrez cette adresse dans un navigateur, acceptez, puis copiez l'adresse de la page d'arrivée dans "
            "« Utiliser un code d'autorisation » : {url}",
            url=url,
        )

    def code(self, pasted: str) -> str:
        """Returns the code of a pasted address, or the code itself. Raises Refused if there is none, or another's."""
        if "?" not in pasted and "=" not in pasted:
            code = pasted
        else:
            parts = urlsplit(pasted)
            fields = parse_qs(parts.query or parts.path.lstrip("?"))
            if fields.get("error"):
                raise Refused("L'autorisation a été refusée sur la page de Netatmo : recommencez et acceptez")
            state = fields.get("state", [""])[0]
            if state and state != self._context.memory.get("state"):
                raise Refused("Cette adresse vient d'un autre lien d'autorisation : demandez un nouveau lien")
            code = fields.get("code", [""])[0]
        if not code:
            raise Refused("Il n'y a pas de code dans ce texte : copiez toute l'adresse de la page d'arrivée")
        return code

    def forget(self) -> None:
        """The code was used: its link is over."""
        self._context.memory.delete("state")
