"""jeenergied: the daemon that reads energy systems for Jeedom."""

from __future__ import annotations

__version__ = "1.0.0"
