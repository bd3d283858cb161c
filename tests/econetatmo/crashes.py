"""A connection that can be killed at each of its steps, and whose store can fail at each of its writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from jeedom_bridge.outbox import Delivery, Outbox, Point, Value
from jeedom_bridge.store import Store, StoreError
from simulators.econetatmo.model import Home
from tests.econetatmo.months import Account


class Killed(BaseException):
    """The process ends here: nothing in it may handle this."""


class Steps:
    """Counts what is done; kills at step `kill_at`, lets the store fail from step `fail_from` on, `fails` times."""

    def __init__(self, kill_at: Optional[int] = None, fail_from: Optional[int] = None, fails: int = 1) -> None:
        self.kill_at, self.fail_from, self.fails = kill_at, fail_from, fails
        self.done: list[str] = []
        self.counting = False

    def step(self, what: str) -> None:
        """One step; raises Killed if it is the last."""
        if not self.counting:
            return
        self.done.append(what)
        if len(self.done) - 1 == self.kill_at:
            self.counting = False
            raise Killed(what)

    def write_fails(self) -> bool:
        """Whether the store cannot write now."""
        if not self.counting or self.fail_from is None or len(self.done) < self.fail_from or self.fails <= 0:
            return False
        self.fails -= 1
        return True


class FragileStore(Store):
    """A store whose writes are steps."""

    def __init__(self, path: Path, steps: Steps) -> None:
        self._steps = steps
        super().__init__(path)

    def _flush(self) -> None:
        self._steps.step("write")
        if self._steps.write_fails():
            raise StoreError(f"{self.path}: no space left")
        super()._flush()
        self._steps.step("written")

    def lose(self) -> None:
        """The process is gone: what is not on the disk is lost."""
        self._close_database()


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
