"""The circuit of a charger, from the answer for its site; no input or output."""

from __future__ import annotations

from typing import Any


def circuit_path(site: Any, serial: str) -> str | None:
    """Returns the path of the circuit of a charger, from the answer for its site; None if missing."""
    found = _circuit_of(site, serial)
    if found is None or not isinstance(site, dict):
        return None
    place, identifier = found.get("siteId") or site.get("id"), found.get("id")
    if isinstance(place, int) and isinstance(identifier, int):
        return f"/api/sites/{place}/circuits/{identifier}"
    return None


def is_alone(site: Any, serial: str) -> bool:
    """True if the answer for its site shows no other charger on the circuit of this one."""
    found = _circuit_of(site, serial)
    return found is not None and len(found["chargers"]) == 1


def _circuit_of(site: Any, serial: str) -> dict[str, Any] | None:
    circuits = site.get("circuits") if isinstance(site, dict) else None
    for circuit in circuits if isinstance(circuits, list) else []:
        chargers = circuit.get("chargers") if isinstance(circuit, dict) else None
        if not isinstance(chargers, list):
            continue
        if isinstance(circuit, dict) and any(isinstance(e, dict) and e.get("id") == serial for e in chargers):
            return circuit
    return None
