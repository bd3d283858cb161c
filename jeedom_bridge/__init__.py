"""Everything a Jeedom daemon needs, and nothing about what the daemon is for."""

from __future__ import annotations

from .app import App
from .callback import Callback
from .clock import Clock, ManualClock, SystemClock
from .contract import Catalogue, Contract, ContractError
from .http import Answer, HttpError, Response, retry_after
from .listener import CommandError, Listener
from .logs import Logs, Masker
from .options import Options, UsageError
from .outbox import Outbox
from .process import AlreadyRunning, PidFile
from .store import Store, StoreError
from .worker import Worker

__all__ = [
    "AlreadyRunning",
    "Answer",
    "App",
    "Callback",
    "Catalogue",
    "Clock",
    "CommandError",
    "Contract",
    "ContractError",
    "HttpError",
    "Listener",
    "Logs",
    "ManualClock",
    "Masker",
    "Options",
    "Outbox",
    "PidFile",
    "Response",
    "Store",
    "StoreError",
    "SystemClock",
    "UsageError",
    "Worker",
    "retry_after",
]
