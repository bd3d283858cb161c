"""The backends, one package each: `devices/<backend>/device.py` has a class named `Device`.

A new system is a catalogue file and a package here; nothing else names it.
"""

from __future__ import annotations

import importlib
import re

from .base import Device


def device_class(backend: str) -> type[Device] | None:
    """The class that runs connections of a backend; None when there is no such backend."""
    if not re.fullmatch(r"[a-z][a-z0-9]*", backend) or backend == "base":
        return None
    try:
        module = importlib.import_module(f"{__name__}.{backend}.device")
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith(f"{__name__}.{backend}"):
            return None
        raise
    found: type[Device] = module.Device
    return found
