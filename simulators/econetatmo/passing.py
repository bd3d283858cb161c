"""Refusals that pass: a part of all answers, at random, and answers of which one piece is spoilt."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from typing import Any, Optional

from simulators.faults import Fault
from simulators.server import Response

TOKEN = (("grant", "invalid_grant"), ("grant", "invalid_client"), ("status", 502), ("html", None), ("drop", None))
DATA = (
    ("api", 11), ("api", 13), ("api", 9), ("api", 2), ("api", 27), ("api", 22), ("api", [26, 429]), ("status", 500),
    ("status", 502), ("html", None), ("garbage", None), ("drop", None), ("no_body", None), ("piece", "no_value"),
    ("piece", "null_value"), ("piece", "text"), ("piece", "null_row"), ("piece", "short_row"), ("partial", 1),
)  # fmt: skip


class Passing:
    """Spoils answers with probability `rate`, by kinds of `token` or `data`. `met`: how often each was."""

    def __init__(
        self,
        rate: float,
        seed: int = 1,
        token: Sequence[tuple[str, Any]] = TOKEN,
        data: Sequence[tuple[str, Any]] = DATA,
    ) -> None:
        self.rate, self.token, self.data = rate, token, data
        self.met: Counter[str] = Counter()
        self._chance = random.Random(seed)

    def fault(self, path: str) -> Optional[Fault]:
        """What becomes of a request."""
        kinds = self.token if path.startswith("/oauth2/") else self.data
        if not kinds or self._chance.random() >= self.rate:
            return None
        kind, value = self._chance.choice(list(kinds))
        self.met[f"{kind} {value}"] += 1
        return Fault(kind, path, value)


def without_line(response: Response, ending: str) -> Response:
    """A list of homes without the modules whose id ends so."""
    content = json.loads(response.body)
    for home in content["body"].get("homes", []) if isinstance(content.get("body"), dict) else []:
        home["modules"] = [each for each in home.get("modules", []) if not each["id"].endswith(ending)]
    return Response.of_json(content)


def with_spoilt_piece(response: Response, how: str) -> Response:
    """Measures whose first series, or last row, is spoilt."""
    content = json.loads(response.body)
    body = content.get("body")
    if not isinstance(body, list) or not body:
        return response
    rows = body[-1]["value"]
    if how == "no_value":
        del body[0]["value"]
    elif how == "null_value":
        body[0]["value"] = None
    elif how == "text":
        rows[-1] = [None if each is None else str(each) for each in rows[-1]]
    elif how == "null_row":
        rows[-1] = None
    else:
        rows[-1] = rows[-1][:1]
    return Response.of_json(content)
