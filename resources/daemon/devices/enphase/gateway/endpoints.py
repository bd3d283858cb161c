"""Requests the gateway's endpoints: renews a refused token on the way, skips endpoints that the gateway lacks."""

from __future__ import annotations

from typing import Any, Callable

from jeedom_bridge.clock import Clock

from ...base import AuthenticationFailed
from ...common.endpoints import Shapes
from ..tokens.token import DAY_S
from ..tokens.token_store import TokenStore
from .client import CertificateChanged, EndpointRefused, Gateway
from .paths import NEEDED_KEYS, PRODUCTION

SLOW_READ_TIMEOUT_S = 45.0
"""Read timeout of the slowest endpoints, in seconds."""
SHAPE_CHECK_PERIOD_S = 3600.0
"""Period of checking the keys of an endpoint's answers, in seconds."""
_READ_TIMEOUTS_S = {PRODUCTION: SLOW_READ_TIMEOUT_S}


class Endpoints:
    """The endpoints of one gateway. All methods that request raise DeviceError."""

    def __init__(
        self,
        gateway: Gateway,
        tokens: TokenStore,
        clock: Clock,
        serial: Callable[[], str],
        sign_in: Callable[[], Any],
        shapes: Shapes | None = None,
    ) -> None:
        """`serial` returns the gateway's serial number, once known; `sign_in` verifies its identity again.

        `shapes`: remembers the keys of answers and logs a required one that has disappeared.
        """
        self.gateway = gateway
        self._tokens = tokens
        self._clock = clock
        self._serial = serial
        self._sign_in = sign_in
        self._shapes = shapes
        self._looked: dict[str, float] = {}
        self._skipped_until: dict[str, float] = {}
        self._refusals: dict[str, int] = {}
        """Consecutive refusals of endpoints that had answered before."""

    def ask(self, path: str) -> Any:
        """Returns the JSON of an endpoint; renews a refused token and examines a changed certificate, once."""
        answer = self._ask(path)
        now = self._clock.monotonic()
        if self._shapes is not None and now - self._looked.get(path, float("-inf")) >= SHAPE_CHECK_PERIOD_S:
            self._looked[path] = now
            kind, keys = NEEDED_KEYS.get(path, (path, ()))
            if answer and not (isinstance(answer, dict) and {"error", "err"} & set(answer)):  # else it has no data
                self._shapes.look(kind, answer, keys)
        return answer

    def _ask(self, path: str) -> Any:
        read = _READ_TIMEOUTS_S.get(path)
        try:
            return self.gateway.get(path, read)
        except AuthenticationFailed:
            fresh = self._tokens.renew(self._serial(), refused=self.gateway.token)
            self.gateway.use_token(fresh.text)
        except CertificateChanged:
            self._sign_in()
        return self.gateway.get(path, read)

    def read(self, path: str) -> Any:
        """Like `ask`, but skips a refused endpoint for a day: it is not in this firmware, or not for this role.

        One that had answered before is skipped for minutes at first: a starting gateway refuses what it has.
        """
        try:
            answer = self.ask(path)
        except EndpointRefused as error:
            count = self._refusals.get(path)
            error.had_answered = count is not None
            if count is not None:
                self._refusals[path] = count + 1
            self.skip(path, DAY_S if count is None else min(DAY_S, 240.0 * 4 ** min(count, 9)))
            raise
        self._refusals[path] = 0
        return answer

    def offered(self, path: str) -> Any:
        """Like `read`, but returns None if the gateway does not offer the endpoint."""
        if self.skipped(path):
            return None
        try:
            return self.read(path)
        except EndpointRefused:
            return None

    def skip(self, path: str, seconds: float) -> None:
        """Skips an endpoint for this many seconds."""
        end = self._clock.monotonic() + seconds
        self._skipped_until[path] = max(end, self._skipped_until.get(path, end))

    def skipped(self, path: str) -> bool:
        """True while an endpoint is skipped."""
        return self._clock.monotonic() < self._skipped_until.get(path, float("-inf"))

    def try_all_again(self) -> None:
        """Stops skipping: another firmware, or another gateway, may have more endpoints."""
        self._skipped_until.clear()
        self._refusals.clear()
