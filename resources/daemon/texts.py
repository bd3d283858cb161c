"""What the user reads: French in the source, other languages from core/i18n, as everywhere in Jeedom."""

from __future__ import annotations

import json
import logging
from pathlib import Path

from jeedom_bridge.http.errors import HttpError
from jeedom_bridge.store.errors import Damage, StoreError
from jeedom_bridge.templates import fill

from .devices.base import Moment, Phrase

_LOG = logging.getLogger(__name__)


class Texts:
    """Translates templates; `language` and `timezone` are Jeedom's, and can change at any time."""

    def __init__(self, directory: Path, language: str = "fr_FR") -> None:
        self._directory = directory
        self._known: dict[str, dict[str, str]] = {"fr_FR": {}}
        self._reasons = _reasons(directory.parent / "contract" / "common.json")
        self.language = language
        self.timezone = "Europe/Paris"
        """A name of the IANA database: dates in texts are local ones."""

    def __call__(self, template: str, **values: object) -> str:
        """The template in the user's language, filled in."""
        table = self._table(self.language)
        translated = table.get(template) or template
        for name, value in values.items():
            if isinstance(value, Phrase):
                values[name] = table.get(value) or str(value)
            elif isinstance(value, Moment):
                values[name] = str(value) if self.language == "fr_FR" else value.iso
            elif isinstance(value, float) and self.language.startswith("fr"):
                values[name] = str(value).replace(".", ",")
            elif isinstance(value, (HttpError, StoreError)):
                classes = [each.__name__ for each in type(value).__mro__]  # from the class itself up
                words = next((self._reasons[each] for each in classes if each in self._reasons), None)
                _LOG.debug("%s: %s", classes[0], value)
                values[name] = value if words is None else table.get(words) or words
        try:
            return fill(translated, values, self.language if template in table else "fr_FR")
        except (KeyError, IndexError, ValueError):
            return fill(template, values)

    def mistake(self, error: Exception) -> str:
        """An error of the daemon itself."""
        if isinstance(error, StoreError):
            return self(
                "Le démon ne peut pas garder ses données ({error}). Vérifiez l'espace disque et les droits du dossier "
                "data du plugin.",
                error=error,
            )
        return self("Erreur interne : {error}", error=f"{type(error).__name__}: {error}")

    def damage(self, found: Damage) -> str:
        """Describes the damage that the store found at its start."""
        if found.error is not None:
            return self(
                "Les données internes du démon ne peuvent pas être écrites ({error}), "
                "{count:valeur a été lue|valeurs ont été lues}. Vérifiez l'espace disque et les droits du dossier "
                "data du plugin.",
                error=found.error,
                count=found.values,
            )
        if found.newer:
            return self(
                "Les données internes du démon ont été écrites par une version plus récente du plugin : "
                "{count:valeur a pu être lue|valeurs ont pu être lues}, le fichier est gardé sous data/daemon/{file}. "
                "Vérifiez les connexions : certaines peuvent demander un nouveau jeton.",
                count=found.values,
                file=found.aside,
            )
        return self(
            "Les données internes du démon étaient endommagées : {count:valeur a été retrouvée|valeurs ont été "
            "retrouvées}, l'ancien fichier est data/daemon/{file}. Vérifiez l'espace disque, puis les connexions : "
            "certaines peuvent demander un nouveau jeton.",
            count=found.values,
            file=found.aside,
        )

    def _table(self, language: str) -> dict[str, str]:
        if language not in self._known:
            self._known[language] = self._load(language)
        return self._known[language]

    def _load(self, language: str) -> dict[str, str]:
        # The language comes over the wire: it must not become a path.
        if not language.replace("_", "").isalnum():
            return {}
        path = self._directory / f"{language}.json"
        try:
            sections = json.loads(path.read_text(encoding="utf-8"))
            return {key: text for section in sections.values() for key, text in section.items() if text}
        except (OSError, ValueError, AttributeError) as error:
            _LOG.debug("no translations for %s: %s", language, error)
            return {}


def _reasons(path: Path) -> dict[str, str]:
    """The user's words for why a call or a write failed, by the error's class."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["reasons"])
    except (OSError, ValueError, KeyError) as error:
        _LOG.debug("no words for failed calls: %s", error)
        return {}
