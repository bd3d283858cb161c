"""Whether values reach Jeedom: at which address, and, when they do not, why, in words for the user."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from jeedom_bridge import Callback, Masker
from jeedom_bridge.addresses import Trouble, shown

from ..texts import Texts

_LOG = logging.getLogger(__name__)


class Reach:
    """Takes Jeedom's addresses and tells how they do."""

    def __init__(self, callback: Callback, texts: Texts, masker: Masker) -> None:
        self._callback = callback
        self._texts = texts
        self._masker = masker

    def adopt(self, urls: Sequence[str]) -> None:
        """Uses these addresses from now on, the configured one first; one that is not valid changes nothing."""
        try:
            changed = self._callback.addresses.set(urls)
        except ValueError as error:
            _LOG.error("Jeedom's address stays as it was: %s", error)
            return
        if changed:
            _LOG.info("Jeedom's address: %s", shown(urls[0]))
            self._callback.nudge()

    def status(self) -> dict[str, Any]:
        """What `status` tells: {addresses, inUse, failingFor: seconds, error: sentence or None, detour}."""
        addresses = self._callback.addresses
        return {
            "addresses": addresses.configured,
            "inUse": addresses.in_use,
            "failingFor": round(self._callback.failing_s, 1),
            "error": self._words(self._callback.trouble),
            "detour": self._words(addresses.detour),
        }

    def _words(self, trouble: Trouble | None) -> str | None:
        if trouble is None:
            return None
        error = str(trouble.error) if trouble.code in QUOTING else trouble.error
        text = self._texts(TEMPLATES.get(trouble.code, _OTHER), url=trouble.url, error=error)
        return self._masker.mask(text)  # a stranger may have quoted the request


_OTHER = "{url} ne donne pas de réponse utilisable ({error})"
TEMPLATES = {
    "connect": "{url} est hors d'atteinte ({error})",
    "timeout": "{url} n'a pas répondu à temps ({error})",
    "tls": "la connexion HTTPS à {url} échoue ({error})",
    "protocol": _OTHER,
    "size": _OTHER,
    "redirect": "{url} renvoie vers une autre adresse, {error}",
    "status": "le serveur web de {url} répond par une erreur",
    "stranger": "ce n'est pas ce Jeedom qui répond à {url} (« {error} »)",
    "jeedom": "Jeedom répond à {url}, mais par une erreur (« {error} »)",
}
"""What the user reads, by the code of a Trouble."""
QUOTING = ("redirect", "stranger", "jeedom")
"""Codes whose error quotes what the peer itself has answered."""
