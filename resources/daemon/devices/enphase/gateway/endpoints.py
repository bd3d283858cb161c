"""Asking the gateway for its pages: a refused token is renewed on the way, a page that it has not is left alone."""

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
"""Seconds that the slowest pages may take."""
SHAPE_CHECK_PERIOD_S = 3600.0
"""Seconds between two looks at the keys of a page's answers."""
_READ_TIMEOUTS_S = {PRODUCTION: SLOW_READ_TIMEOUT_S}


class Endpoints:
    """The pages of one gateway. All methods raise DeviceError."""

    def __init__(
        self,
        gateway: Gateway,
        tokens: TokenStore,
        clock: Clock,
        serial: Callable[[], str],
        sign_in: Callable[[], Any],
        shapes: Shapes | None = None,
    ) -> None:
        """`serial`: the gateway's, once known; `sign_in`: makes sure anew who is there.

        `shapes`: where the keys of answers are remembered, and a needed one that is gone is named in the log.
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
        """In a row, of pages that were there before."""

    def ask(self, path: str) -> Any:
        """The JSON of a page; a refused token is renewed and a changed certificate looked at, once."""
        answer = self._ask(path)
        now = self._clock.monotonic()
        if (
            self._shapes is not None
            and path in NEEDED_KEYS
            and now - self._looked.get(path, float("-inf")) >= SHAPE_CHECK_PERIOD_S
        ):
            self._looked[path] = now
            kind, keys = NEEDED_KEYS[path]
            if answer and not (isinstance(answer, dict) and {"error", "err"} & set(answer)):  # else it has not got it
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
        """The same; one that this firmware has not, or not for this token's role, is left alone for a day.

        One that was there before for minutes at first: a gateway that starts refuses pages that it has.
        """
        try:
            answer = self.ask(path)
        except EndpointRefused:
            count = self._refusals.get(path)
            if count is not None:
                self._refusals[path] = count + 1
            self.skip(path, DAY_S if count is None else min(DAY_S, 240.0 * 4 ** min(count, 9)))
            raise
        self._refusals[path] = 0
        return answer

    def offered(self, path: str) -> Any:
        """The same, None where the gateway does not offer the page."""
        if self.skipped(path):
            return None
        try:
            return self.read(path)
        except EndpointRefused:
            return None

    def skip(self, path: str, seconds: float) -> None:
        """Leaves a page alone."""
        end = self._clock.monotonic() + seconds
        self._skipped_until[path] = max(end, self._skipped_until.get(path, end))

    def skipped(self, path: str) -> bool:
        """Whether a page is left alone at present."""
        return self._clock.monotonic() < self._skipped_until.get(path, float("-inf"))

    def try_all_again(self) -> None:
        """Another firmware, or another gateway: it may have what the former had not."""
        self._skipped_until.clear()
        self._refusals.clear()
