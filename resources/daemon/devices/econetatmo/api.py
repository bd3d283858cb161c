"""Data calls with a token that is good: a refused one is replaced and the call repeated, once."""

from __future__ import annotations

import logging
from typing import Any

from ..base import Context, Phrase, RateLimited, VendorError
from ..common.endpoints import Endpoints, Shapes
from ..common.vendor_clock import VendorClock
from .budget import Budget
from .client import Answer, CredentialRefused, MethodGone, Overloaded, Service, TokenRefused
from .tokens import TokenKeeper

_LOG = logging.getLogger(__name__)

OVERLOAD_PAUSES_S = (2.0, 5.0, 10.0)
"""Pauses before a request is repeated while the service protects itself (code 11)."""
ACCOUNT = "account"
"""All devices of an account are asked by the same calls."""
FAR_OFF = 2 * 86400.0
"""Seconds between the two clocks from which on the service's is not believed either."""


LOOK_S = 3600.0
"""Seconds between two looks at the keys of one kind of answer: each change of them is a write of the disk."""
NEEDED = {
    "homesdata": ("homes[].id", "homes[].modules[].id", "homes[].modules[].type", "homes[].modules[].bridge"),
    "homestatus": ("home.modules[].id",),
    "getmeasure": ("[].beg_time", "[].value"),
}
"""The keys of each answer that lines and measures are found by."""
WITHOUT = {
    "homesdata": Phrase("les nouvelles lignes ne sont plus trouvées ; les mesures continuent"),
    "homestatus": Phrase("la puissance des compteurs manque ; les mesures continuent"),
    "getmeasure": Phrase("il n'y a plus de nouvelles mesures ; l'historique reste"),
}
"""What a user misses, and what goes on, while a call is gone for everybody."""


class Api:
    """Netatmo as one account sees it. Calls go one at a time."""

    def __init__(self, context: Context, service: Service, keeper: TokenKeeper, budget: Budget) -> None:
        self._context = context
        self._service = service
        self._keeper = keeper
        self._budget = budget
        self._time = VendorClock(context.clock)
        self._endpoints = Endpoints(context.memory, context.clock)
        self._shapes = Shapes(context.memory)
        self._looked: dict[str, float] = {}

    def now(self) -> float:
        """Unix time by the service's clock, as far as it has told."""
        return self._time.now()

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
        self._endpoints.answered(method, ACCOUNT)
        self._look(method, answer.body)
        if answer.time is not None:
            if abs(answer.time - self._context.clock.time()) < FAR_OFF:
                self._time.note(answer.time)
            else:
                self._time.forget()
        return answer.body

    def _look(self, method: str, body: Any) -> None:
        now = self._context.clock.monotonic()
        if now - self._looked.get(method, float("-inf")) >= LOOK_S:
            self._looked[method] = now
            # The other shape of measures has dates as keys: there is nothing to miss in it.
            self._shapes.look(
                method, body, NEEDED.get(method, ()) if isinstance(body, list) == (method == "getmeasure") else ()
            )

    def _gone(self, method: str) -> None:
        """The service does not have a call; after a day of that, reports to the user what still works."""
        if self._endpoints.gone(method, ACCOUNT, [ACCOUNT]):
            self._context.message(
                "warning",
                "Depuis plus d'un jour, Netatmo ne répond plus à une demande dont le plugin a besoin : le service a "
                "sans doute changé. En attendant, {without}. Installez la prochaine mise à jour du plugin",
                without=WITHOUT.get(method, Phrase("le reste continue")),
            )

    def _once(self, method: str, purpose: str, token: str, form: dict[str, str]) -> Answer:
        self._budget.take(purpose)
        try:
            with self._keeper.turn:
                return self._service.ask(method, token, form)
        except MethodGone:
            self._gone(method)
            raise
        except CredentialRefused as error:
            raise self._keeper.refused(error) from error
        except RateLimited as error:
            pause = self._budget.refused(error.retry)
            raise RateLimited(
                "La limite de requêtes de Netatmo est atteinte : prochaine requête dans {minutes} min",
                retry=pause,
                minutes=max(1, round(pause / 60)),
            ) from error
