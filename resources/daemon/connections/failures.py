"""The newest failures of a connection for diagnostics: the user's sentences without names, and the causes."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import Any

from jeedom_bridge.clock import moment

from ..devices.base import DeviceError, Moment, Phrase
from ..texts import Texts

MOST_KEPT = 5
MAX_CAUSES = 6


@dataclass(frozen=True)
class _Failure:
    first: float
    last: float
    times: int
    job: str
    code: str
    text: str
    cause: str


class Failures:
    """Keeps the newest ones; one that repeats itself is counted. Its owner's lock guards it."""

    def __init__(self) -> None:
        self._kept: deque[_Failure] = deque(maxlen=MOST_KEPT)

    def note(self, at: float, job: str, code: str, text: str, error: BaseException) -> None:
        """Takes a failure. `at`: Unix time; `text`: see `public`."""
        cause = chain(error)
        for each in self._kept:
            if (each.job, each.code, each.text) == (job, code, text):
                self._kept.remove(each)
                self._kept.append(replace(each, last=at, times=each.times + 1, cause=cause))
                return
        self._kept.append(_Failure(at, at, 1, job, code, text, cause))

    def listed(self) -> list[dict[str, Any]]:
        """Oldest first, not masked: {first, last, times, job, code, text, cause}."""
        return [{**vars(each), "first": moment(each.first), "last": moment(each.last)} for each in self._kept]


TECHNICAL = ("error", "says")
"""Values of sentences that are worth reading and name nobody: a cause, a sentence of the catalogue."""


def public(texts: Texts, error: DeviceError) -> str:
    """The user's sentence with `<host>` for a host and so on: what a vendor or the user has named stays out of it."""
    values = {
        name: value
        if name in TECHNICAL or isinstance(value, (int, float, Phrase, Moment)) or value is None
        else f"<{name}>"
        for name, value in error.values.items()
    }
    return texts(error.template, **values)


def chain(error: BaseException) -> str:
    """An exception and what caused it: "Unreachable < HttpError: connection refused < ...".

    Of the first its class alone: its text is the user's sentence.
    """
    names = [type(error).__name__]
    cause = error.__cause__ or error.__context__
    while cause is not None and len(names) < MAX_CAUSES:
        names.append(f"{type(cause).__name__}: {cause}"[:200])
        cause = cause.__cause__ or cause.__context__
    return " < ".join(names)
