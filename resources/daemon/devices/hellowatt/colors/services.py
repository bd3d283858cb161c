"""Services for Tempo colours: a third party's, and the open data of RTE, the grid operator. No account needed."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar
from urllib.parse import SplitResult, urljoin, urlsplit

from jeedom_bridge.http import HttpError, Response, fetch, is_loopback, new_session, retry_after

from ...base import Context
from ..site.client import USER_AGENT
from . import answers

_LOG = logging.getLogger(__name__)

MAX_BYTES = 65536


class NotTold(Exception):
    """A service returned nothing usable. `reason`: for the log; `wait_s`: pause it asked for, or None."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class TempoService(ABC):
    """A public service. `name` is shown to the user."""

    name: ClassVar[str]
    key: ClassVar[str]

    def __init__(self, context: Context, base: str) -> None:
        self.base = base
        self._context = context
        self._session = new_session()
        self._session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})

    def close(self) -> None:
        """Closes the connection."""
        self._session.close()

    @abstractmethod
    def ask(self, days: Sequence[date]) -> dict[date, int]:
        """Returns the known colour codes of these days. Raises NotTold."""

    def _get(self, path: str) -> Any:
        answer = self._fetch(self.base + path)
        if 300 <= answer.status < 400:
            target = _target(self.base + path, answer.headers.get("location", ""))
            if target is None:
                raise NotTold(f"status {answer.status} to another service")
            answer = self._fetch(target)
            if answer.status == 200:
                self.base = target[: len(target) - len(path)]
        if answer.status != 200:
            raise NotTold(f"status {answer.status}", retry_after(answer.headers, self._context.clock.time()))
        try:
            return answer.json()
        except ValueError:
            raise NotTold("no JSON") from None

    def _fetch(self, url: str) -> Response:
        self._context.count("tempoRequests")
        try:
            return fetch(self._session, "GET", url, connect=10.0, read=20.0, deadline=30.0, max_bytes=MAX_BYTES)
        except HttpError as error:
            raise NotTold(str(error)) from error


class ColorService(TempoService):
    """api-couleur-tempo.fr, which reads RTE a few times each morning: one request per day."""

    name = "api-couleur-tempo.fr"
    key = "public"

    def ask(self, days: Sequence[date]) -> dict[date, int]:
        found = {}
        for day in days:
            code = answers.tempo_color(self._get(f"/api/jourTempo/{day.isoformat()}"), day)
            if code is not None:
                found[day] = code
        return found


class OpenData(TempoService):
    """RTE's `tempoLight`: today and, once published, tomorrow in one answer."""

    name = "RTE"
    key = "rte"

    def ask(self, days: Sequence[date]) -> dict[date, int]:
        known = answers.rte_colors(self._get("/cms/open_data/v1/tempoLight"))
        return {day: known[day] for day in days if day in known}


def _target(asked: str, location: str) -> str | None:
    """Where a redirect leads; None if it is not a valid URL, or another service."""
    try:
        target = urljoin(asked, location)
    except ValueError:
        return None
    return target if same_service(asked, target) else None


def same_service(asked: str, target: str) -> bool:
    """True if a redirect leads to the same path of the same service: with or without `www.`, from http to https."""
    try:
        before, after = urlsplit(asked), urlsplit(target)
        safe = after.scheme == "https" or (after.scheme == before.scheme and is_loopback(target))
        return safe and _place(before) == _place(after) and after.username is None
    except ValueError:
        return False


def _place(parts: SplitResult) -> tuple[str, int | None, str]:
    host = (parts.hostname or "").lower()
    default = parts.port in (None, 80, 443)
    return host[4:] if host.startswith("www.") else host, None if default else parts.port, parts.path
