"""Answers recorded from a real gateway, played back byte for byte, or brought up to date and moving.

A folder holds one file per endpoint: its path with `/` turned into `_`; a query is added as `_name_value`.
`<name>_log.json`, where it exists, tells the status code and headers of that answer.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from simulators.enphase.moving import TIMES, Movement, newest, shifted
from simulators.server import Response


class RecordedSource:
    """One recorded folder.

    Exact bytes by default. `current` brings every time of a reading up to the gateway's clock; `moving`
    does so too and lets every value change at each request (`moving.py`).
    """

    def __init__(self, folder: Path, *, current: bool = False, moving: bool = False) -> None:
        self.folder = Path(folder)
        if not (self.folder / "info").is_file():
            raise ValueError(f"{self.folder} holds no recorded gateway (no file 'info')")
        text = (self.folder / "info").read_text()
        self.serial = _tag(text, "sn")
        self.firmware = _tag(text, "software")
        self.current = current or moving
        self.movement = Movement() if moving else None
        self._parsed: dict[str, Any] = {}

    def answer(self, path: str, query: Mapping[str, str], now: float) -> Optional[Response]:
        """The recorded answer to a GET of `path`, or None where nothing was recorded."""
        name = self._name(path, query)
        if name is None:
            return None
        body = (self.folder / name).read_bytes()
        log = self._log(name)
        headers = {key.lower(): value for key, value in log.get("headers", {}).items()}
        response = Response(
            int(log.get("code", 200)),
            body,
            headers.get("content-type") or ("text/xml" if name == "info" else None),
            chunked=headers.get("transfer-encoding") == "chunked",
        )
        if self.current and response.status == 200:
            response.body = self._refreshed(name, body, now)
        return response

    def set(self, _values: dict[str, Any]) -> None:
        """Recordings are what they are."""
        raise ValueError("values of a recorded gateway cannot be set")

    def reset_index(self, _meter: str, _value: Any) -> None:
        """Recordings are what they are."""
        raise ValueError("indexes of a recorded gateway cannot be reset")

    def truth(self, _since: Optional[float] = None) -> dict[str, float]:
        """Recordings have no plant behind them."""
        raise ValueError("a recorded gateway has no ground truth")

    def state(self) -> dict[str, Any]:
        """Which folder, and how many moving answers were given."""
        return {
            "source": "recorded",
            "folder": self.folder.name,
            "steps": self.movement.steps if self.movement else 0,
        }

    def _name(self, path: str, query: Mapping[str, str]) -> Optional[str]:
        name = path.strip("/").replace("/", "_")
        name = "info" if name == "info.xml" else name
        suffix = "".join(f"_{key}_{value}" for key, value in query.items())
        for candidate in (name + suffix, name):
            if candidate and not candidate.endswith("_log.json") and (self.folder / candidate).is_file():
                return candidate
        return None

    def _log(self, name: str) -> dict[str, Any]:
        path = self.folder / f"{name}_log.json"
        log = json.loads(path.read_text()) if path.is_file() else {}
        return log if isinstance(log, dict) else {}

    def _refreshed(self, name: str, body: bytes, now: float) -> bytes:
        if name == "info":
            return re.sub(rb"<time>\d+</time>", b"<time>%d</time>" % now, body)
        if name not in self._parsed:
            try:
                self._parsed[name] = json.loads(body)
            except ValueError:
                self._parsed[name] = None
        value = self._parsed[name]
        if value is None:
            return body
        last = newest(value, TIMES)
        if last:
            # inverters report every five minutes; the meter every second
            age = 0 if self.movement or "inverters" not in name else int(now) % 300
            value = shifted(value, TIMES, int(now) - age - last)
        if self.movement is not None:
            value = self.movement.moved(name, value)
        return json.dumps(value).encode()


def _tag(text: str, tag: str) -> str:
    found = re.search(rf"<{tag}>([^<]*)</{tag}>", text)
    return found.group(1).strip() if found else ""
