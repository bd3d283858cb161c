"""jeenergied: the daemon that reads energy systems for Jeedom."""

from __future__ import annotations

__version__ = "0.1.0"
