"""HTTP calls that end: a limit on each wait, on the whole call and on the size of the answer.

`client` (fetch, send, new_session) is what backends call, on requests, which is loaded when one of them is first used;
`address` posts to one URL on the standard library; both under `deadlines`, with answers of `response` and `errors`.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .address import Address as Address
from .errors import HttpError as HttpError
from .response import Answer as Answer
from .response import Response as Response
from .response import is_loopback as is_loopback
from .response import retry_after as retry_after
from .response import sendable as sendable

if TYPE_CHECKING:
    from .client import fetch as fetch
    from .client import new_session as new_session
    from .client import send as send

_OF_CLIENT = ("fetch", "new_session", "send")


def __getattr__(name: str) -> Any:
    """Loads `client`, and requests with it, for the first that needs it: it is a third of a daemon's start."""
    if name not in _OF_CLIENT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.client"), name)
