"""Data calls with a token that is good: a refused one is replaced and the call repeated, once."""

from __future__ import annotations

import logging
from typing import Any

from ..base import Context, RateLimited, VendorError
from .budget import Budget
from .client import Answer, CredentialRefused, Overloaded, Service, TokenRefused
from .tokens import TokenKeeper

_LOG = logging.getLogger(__name__)

OVERLOAD_PAUSES_S = (2.0, 5.0, 10.0)
"""Pauses before a request is repeated while the service protects itself (code 11)."""
FAR_OFF = 2 * 86400.0
"""Seconds between the two clocks from which on the service's is not believed either."""


class Api:
    """Netatmo as one account sees it. Calls go one at a time."""

    def __init__(self, context: Context, service: Service, keeper: TokenKeeper, budget: Budget) -> None:
        self._context = context
        self._service = service
        self._keeper = keeper
        self._budget = budget
        self._offset = 0.0

    def now(self) -> float:
        """Unix time by the service's clock, as far as it has told."""
        return self._context.clock.time() + self._offset

    def ask(self, method: str, purpose: str, **form: str) -> Any:
        """The body of the answer. `purpose` (of the budget) says how urgent it is. Raises DeviceError."""
        for pause in OVERLOAD_PAUSES_S:
            try:
                return self._ask(method, purpose, form)
            except Overloaded as error:
                _LOG.debug("%s: %s, again in %g s", method, error, pause)
                if not self._context.pause(pause):
                    raise
        return self._ask(method, purpose, form)

    def _ask(self, method: str, purpose: str, form: dict[str, str]) -> Any:
        token = self._keeper.current()
        try:
            answer = self._once(method, purpose, token, form)
        except TokenRefused:
            token = self._keeper.replaced(token)
            try:
                answer = self._once(method, purpose, token, form)
            except TokenRefused as error:
                raise VendorError("Netatmo refuse un accès qu'il vient de donner, nouvel essai automatique") from error
        self._budget.accepted()
        self._keeper.proved()
        if answer.time is not None:
            offset = answer.time - self._context.clock.time()
            self._offset = offset if abs(offset) < FAR_OFF else 0.0
        return answer.body

    def _once(self, method: str, purpose: str, token: str, form: dict[str, str]) -> Answer:
        self._budget.take(purpose)
        try:
            with self._keeper.turn:
                return self._service.ask(method, token, form)
        except CredentialRefused as error:
            raise self._keeper.refused(error) from error
        except RateLimited as error:
            pause = self._budget.refused(error.retry)
            raise RateLimited(
                "La limite de requêtes de Netatmo est atteinte : prochaine requête dans {minutes} min",
                retry=pause,
                minutes=max(1, round(pause / 60)),
            ) from error
