"""The control endpoint of a simulator: JSON over plain HTTP, on a port of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable

from simulators.server import LoopbackServer, Request, Response

Action = Callable[[dict[str, Any]], Any]
"""Takes the JSON object of the body (or the query of a GET) and returns what is answered as JSON."""


def control_server(actions: Mapping[str, Action], port: int = 0) -> LoopbackServer:
    """A server of `actions`, keyed by method and path such as `POST /fault`.

    200 with the action's result; 400 with `{"error": ...}` when it raises ValueError, TypeError or
    KeyError; 404 with the list of actions for anything else.
    """

    def answer(request: Request) -> Response:
        action = actions.get(f"{request.method} {request.path}")
        if action is None:
            return Response.of_json({"error": "unknown", "actions": sorted(actions)}, 404)
        try:
            fields = dict(request.query) if request.method == "GET" else request.json() or {}
            if not isinstance(fields, dict):
                raise TypeError("a JSON object is expected")
            return Response.of_json(action(fields) or {})
        except (ValueError, TypeError, KeyError) as error:
            return Response.of_json({"error": f"{type(error).__name__}: {error}"}, 400)

    return LoopbackServer(answer, port=port, name="control")
