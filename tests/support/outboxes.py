"""What tests of the outbox take out of it, and how they acknowledge it."""

from __future__ import annotations

import json
from typing import Any, Optional

from jeedom_bridge.outbox import Batch, Outbox


def events(batch: Optional[Batch]) -> list[dict[str, Any]]:
    return [json.loads(part) for part in batch.parts] if batch else []


def values(batch: Optional[Batch]) -> dict[str, Any]:
    """All values of a batch, `equipment.command` to value."""
    found = {}
    for event in events(batch):
        if event["event"] == "values":
            found.update({f"{event['equipment']}.{name}": value for name, value in event["values"].items()})
    return found


def deliver(outbox: Outbox, **answer: Any) -> dict[str, Any]:
    """Takes the next request and acknowledges it; its values."""
    batch = outbox.take()
    assert batch is not None
    outbox.acknowledged(batch, {"ok": True, **answer})
    return values(batch)


def due(outbox: Outbox) -> Optional[float]:
    with outbox.changed:
        return outbox.due()
