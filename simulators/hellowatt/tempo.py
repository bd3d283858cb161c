"""A public service of Tempo colours: `GET /api/jourTempo/<YYYY-MM-DD>`, tomorrow's from eleven on."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta

from simulators.clock import Clock
from simulators.faults import FaultBox, spoiled
from simulators.hellowatt.homes import PARIS, tempo_color
from simulators.server import LoopbackServer, Request, Response, Running

CODES = {"blue": (1, "Bleu"), "white": (2, "Blanc"), "red": (3, "Rouge")}


class TempoService(Running):
    """The service; `with` starts and stops it. `late`: hours after eleven at which tomorrow is known."""

    def __init__(self, *, clock: Clock = time.time, port: int = 0) -> None:
        self.clock = clock
        self.late = 0.0
        self.faults = FaultBox()
        self.visits: list[tuple[float, str]] = []
        self.server = LoopbackServer(self._answer, port=port, name="tempo", server_header="nginx")

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

    def _answer(self, request: Request) -> Response:
        self.visits.append((self.clock(), request.path))
        return spoiled(self.faults.take(request.path), lambda: self._healthy(request), lambda _fault, _ok: None)

    def _healthy(self, request: Request) -> Response:
        now = datetime.fromtimestamp(self.clock(), PARIS)
        name = request.path.rpartition("/")[2]
        try:
            day = {"today": now.date(), "tomorrow": now.date() + timedelta(days=1)}.get(name) or date.fromisoformat(
                name
            )
        except ValueError:
            return Response.of_json({"detail": "unknown"}, 404)
        hour = now.hour + now.minute / 60
        known = day <= now.date() or (day == now.date() + timedelta(days=1) and hour >= 11 + self.late)
        code, text = CODES[tempo_color(day)] if known else (0, "Inconnu")
        season = day.year if day.month >= 9 else day.year - 1
        row = {"dateJour": day.isoformat(), "codeJour": code, "periode": f"{season}-{season + 1}", "libCouleur": text}
        return Response.of_json(row)
