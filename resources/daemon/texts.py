"""What the user reads: French in the source, other languages from core/i18n, as everywhere in Jeedom."""

from __future__ import annotations

import json
import logging
from pathlib import Path

_LOG = logging.getLogger(__name__)


class Texts:
    """Translates templates; `language` can change at any time."""

    def __init__(self, directory: Path, language: str = "fr_FR") -> None:
        self._directory = directory
        self._known: dict[str, dict[str, str]] = {"fr_FR": {}}
        self.language = language

    def __call__(self, template: str, **values: object) -> str:
        """The template in the user's language, with `{names}` filled in."""
        translated = self._table(self.language).get(template) or template
        try:
            return translated.format(**values)
        except (KeyError, IndexError, ValueError):
            return template.format(**values)

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
