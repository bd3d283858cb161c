"""A connection that can be killed at each of its steps, and whose store can fail at each of its writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from jeedom_bridge.outbox import Delivery, Outbox, Point, Value
from jeedom_bridge.store import Store
from simulators.econetatmo.model import Home
from tests.econetatmo.months import Account
from tests.support.crashing import FragileStore, Killed, Steps


class StraightOutbox(Outbox):
    """Jeedom takes measures at once; before and after it has them are steps."""

    def __init__(self, account: CrashingAccount) -> None:
        super().__init__(account.clock)
        self._account = account

    def history(
        self, equipment: str, series: Mapping[str, Sequence[Point]], given_up: Callable[[], bool] = lambda: False
    ) -> Delivery:
        steps = self._account.steps
        steps.step("hand over")
        for command, points in series.items():
            self._account.history.setdefault((equipment, command), {}).update(points)
        steps.step("not acknowledged")
        delivery = Delivery(0)
        delivery.acknowledge(0)
        return delivery

    def values(
        self,
        equipment: str,
        values: Mapping[str, Optional[Value]],
        at: Optional[float] = None,
        cadence: Optional[Mapping[str, float]] = None,
    ) -> None:
        if "index" in values:
            self._account.indexes.setdefault(equipment, []).append(float(values["index"] or 0))


class CrashingAccount(Account):
    """An account whose life ends at a step of `steps`, and goes on from what was durable by then."""

    def __init__(self, folder: Path, home: Home, steps: Steps, **config: Any) -> None:
        super().__init__(folder, home, **config)
        self.steps = steps
        self.lives = 1
        self.indexes: dict[str, list[float]] = {}
        self.outbox = StraightOutbox(self)

    def _opened(self) -> Store:
        return FragileStore(self._folder / "store.sqlite", self.steps)

    def _begin(self) -> None:
        super()._begin()
        ask = self.device._service.ask

        def stepping(method: str, token: str, form: Mapping[str, str]) -> Any:
            self.steps.step(f"ask {method}")
            answer = ask(method, token, dict(form))
            self.steps.step(f"answered {method}")
            return answer

        self.device._service.ask = stepping  # type: ignore[method-assign]

    def attempt(self, work: Callable[[], object]) -> None:
        """Does some work as the worker would, and starts anew if it was killed."""
        try:
            try:
                work()
            except Killed:
                raise
            except Exception as error:
                self.failed.append(error)
        except Killed:
            assert isinstance(self.store, FragileStore)
            self.store.lose()
            self.lives += 1
            self._begin()
