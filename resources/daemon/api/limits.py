"""How long the socket's commands may take."""

from __future__ import annotations

LIMITS = {
    "test": 60.0,
    "discover": 60.0,
    "refresh": 30.0,
    "action": 25.0,
    "run": 300.0,
    "house": 10.0,
    "balance": 20.0,
    "outlook": 10.0,
}
"""Seconds until a command is answered `timeout`; the others need none, since they wait for nobody."""
