"""What the simulators' programs share: print the addresses, then serve until a signal stops them."""

from __future__ import annotations

import json
import signal
import threading
from typing import Any


def serve_until_told(addresses: dict[str, Any]) -> None:
    """Print `addresses` as one line of JSON on standard output and wait for SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    print(json.dumps(addresses), flush=True)
    stop.wait()
