"""Two public sources of Tempo colours, and the calendar that both know: a third party's and the grid operator's own.

What they believe, and where from:

- A colour holds from 6:00 to 6:00 (JourTempo.php of jbromain/rte-tempo, 2026).
- RTE binds itself at 10:30 on the day before; from 8:00 on it tells a colour for information (rte-tempo #10, 2024).
- The third party reads RTE a few times each morning: a colour may change until about 12:00 (JourTempo.php, 2026; 11:15
  in #5, 2024). It does not know colours while RTE is out of order, and tries once more at 17:05 (#13, 2025).
- Its bare host redirects to `www` with 301 (its .htaccess, 2026). At one user it has always answered 0 (#23, 2026; #14,
  2025, for a whole season).
- RTE's open data `tempoLight` needs no account: `{"values": {"<day>": "BLUE", "<day>-fallback": "false", ...}}`, today
  and, once known, tomorrow (hekmon/rtetempo #70, 2026; F1ATB's router and others read it; a day whose `fallback` is
  "true" is taken for unknown by a client of 2026).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Callable, Optional

from simulators.clock import Clock
from simulators.faults import FaultBox, spoiled
from simulators.hellowatt.homes import PARIS, tempo_color
from simulators.server import LoopbackServer, Request, Response, Running

Colors = Callable[[date], Optional[str]]
CODES = {"blue": (1, "Bleu"), "white": (2, "Blanc"), "red": (3, "Rouge")}


@dataclass
class Calendar:
    """The colours known at a given time.

    `published`: hour from which tomorrow is known. `revised`: colours published first, and until which hour of the day
    before. `colors`: of single days, instead of random ones.
    """

    published: float = 10.5
    revised: dict[date, tuple[float, str]] = field(default_factory=dict)
    colors: dict[date, str] = field(default_factory=dict)

    def final(self, day: date) -> str:
        """Final colour of a day."""
        return self.colors.get(day) or tempo_color(day)

    def color(self, day: date, now: datetime) -> Optional[str]:
        """Known colour of a day at `now` (in Paris); None if unknown."""
        eve = datetime(day.year, day.month, day.day, tzinfo=PARIS) - timedelta(days=1)
        hour = (now.replace(tzinfo=None) - eve.replace(tzinfo=None)).total_seconds() / 3600
        until, first = self.revised.get(day, (0.0, ""))
        if hour < until:
            return first if hour >= self.published else None
        return self.final(day) if hour >= self.published else None


class _Service(Running):
    """One source; `with` starts and stops it."""

    name = ""

    def __init__(self, *, clock: Clock = time.time, port: int = 0, calendar: Optional[Calendar] = None) -> None:
        self.clock = clock
        self.calendar = calendar or Calendar()
        self.faults = FaultBox("unknown")
        self.visits: list[tuple[float, str]] = []
        self.server = LoopbackServer(self._answer, port=port, name=self.name, server_header="nginx")

    @property
    def url(self) -> str:
        """The base address."""
        return self.server.url

    def start(self) -> None:
        """Listen."""
        self.server.start()

    def close(self) -> None:
        """Stop for good."""
        self.faults.clear()
        self.server.close()

    def now(self) -> datetime:
        """The time in Paris."""
        return datetime.fromtimestamp(self.clock(), PARIS)

    def _answer(self, request: Request) -> Response:
        self.visits.append((self.clock(), request.path))
        known: Colors = lambda day: self.calendar.color(day, self.now())  # noqa: E731
        return spoiled(
            self.faults.take(request.path),
            lambda: self._shown(request, known),
            lambda fault, _healthy: self._shown(request, lambda _day: None) if fault.kind == "unknown" else None,
        )

    def _shown(self, request: Request, color: Colors) -> Response:
        raise NotImplementedError


class TempoService(_Service):
    """The third party's: `GET /api/jourTempo/<YYYY-MM-DD>`, also `today` and `tomorrow`. Fault `unknown`: always 0."""

    name = "tempo"

    def _shown(self, request: Request, color: Colors) -> Response:
        today = self.now().date()
        name = request.path.rpartition("/")[2]
        try:
            day = {"today": today, "tomorrow": today + timedelta(days=1)}.get(name) or date.fromisoformat(name)
        except ValueError:
            return Response.of_json({"detail": "unknown"}, 404)
        code, text = CODES.get(color(day) or "", (0, "Inconnu"))
        season = day.year if day.month >= 9 else day.year - 1
        row = {"dateJour": day.isoformat(), "codeJour": code, "periode": f"{season}-{season + 1}", "libCouleur": text}
        return Response.of_json(row)


class RteService(_Service):
    """The grid operator's: `GET /cms/open_data/v1/tempoLight`. Fault `unknown`: its colours are only a fallback."""

    name = "rte"

    def _shown(self, request: Request, color: Colors) -> Response:
        if request.path != "/cms/open_data/v1/tempoLight":
            return Response.of_html("<h1>404</h1>", 404)
        today = self.now().date()
        values: dict[str, str] = {}
        for day in (today, today + timedelta(days=1)):
            known = color(day)
            if known or day == today:
                values[day.isoformat()] = (known or "blue").upper()
                values[f"{day.isoformat()}-fallback"] = "false" if known else "true"
        return Response.of_json({"values": values})
