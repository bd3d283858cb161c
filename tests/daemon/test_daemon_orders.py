"""One way to act: by command or by capability, with the device's own proof, and every ending told."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from jeenergied.actions import Actions, Order, Outcome, Result
from jeenergied.devices.base import AuthenticationFailed, Equipment, RateLimited, Refused
from jeenergied.texts import Texts

from tests.support.core import Core, Quiet, named


class Charger(Quiet):
    """Does what `deed` says; `asked` are the orders that reached it."""

    deed: Optional[Callable[[], Optional[bool]]] = None

    def act(self, equipment: Equipment, command: str, options: Mapping[str, Any]) -> Optional[bool]:
        self.asked = [*getattr(self, "asked", []), (equipment.id, command, dict(options))]
        return self.deed() if self.deed is not None else None


@pytest.fixture
def core(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Core]:
    made = Core(tmp_path, monkeypatch, Charger)
    made.configure(named("A"))
    made.settle()
    yield made
    made.close()


@pytest.fixture
def actions(core: Core) -> Actions:
    return Actions(core.supervisor.owner, core.shared.texts, core.shared.outgoing)


def raising(error: Exception) -> Callable[[], Optional[bool]]:
    def deed() -> Optional[bool]:
        raise error

    return deed


SET = Order.by_command("10", "set", {"slider": 16})


def test_a_command_and_a_capability_are_the_same_action(core: Core, actions: Actions) -> None:
    assert actions.act(SET, 5.0) == Outcome(Result.ACCEPTED)
    assert actions.act(Order.by_capability("10", "charger.current", 16), 5.0).done
    assert core.device.asked == [("10", "set", {"slider": 16})] * 2
    assert list(actions.capabilities("10")) == ["charger.current"]
    assert actions.capabilities("99") == {}


def test_what_the_device_has_proved_is_told_from_what_was_accepted(core: Core, actions: Actions) -> None:
    core.device.deed = lambda: True
    assert actions.act(SET, 5.0) == Outcome(Result.PROVED)


@pytest.mark.parametrize(
    ("error", "result", "code", "message", "retry"),
    [
        (Refused("Non : {why}", why="trop"), Result.REFUSED, "refused", "Non : trop", None),
        (RateLimited("Patience", retry=90.0), Result.REFUSED, "rate_limited", "Patience", 90.0),
        (AuthenticationFailed("Mot de passe"), Result.REFUSED, "authentication_failed", "Mot de passe", None),
        (TimeoutError("late"), Result.UNKNOWN, "internal", "Erreur interne : TimeoutError: late", None),
    ],
)
def test_an_action_that_fails_says_why_and_when_to_try_again(
    core: Core, actions: Actions, error: Exception, result: Result, code: str, message: str, retry: Optional[float]
) -> None:
    core.device.deed = raising(error)
    assert actions.act(SET, 5.0) == Outcome(result, code, message, retry)


def test_the_words_are_in_the_users_language(core: Core) -> None:
    english = Texts(Path(__file__).resolve().parents[2] / "core" / "i18n", "en_US")
    actions = Actions(core.supervisor.owner, english, core.shared.outgoing)
    outcome = actions.act(Order.by_capability("10", "load.off"), 5.0)
    assert (outcome.code, outcome.message) == ("unknown_action", "This equipment cannot do that: load.off")


@pytest.mark.parametrize(
    ("order", "code"),
    [
        (Order.by_command("99", "set"), "unknown_equipment"),
        (Order.by_command("10", "power"), "unknown_action"),
        (Order.by_capability("99", "charger.current", 6), "unknown_equipment"),
    ],
)
def test_an_order_that_nobody_can_carry_out_is_refused(actions: Actions, order: Order, code: str) -> None:
    outcome = actions.act(order, 5.0)
    assert (outcome.result, outcome.code) == (Result.REFUSED, code)
    assert outcome.message


def test_an_action_that_has_not_begun_in_time_never_does(core: Core, actions: Actions) -> None:
    busy = threading.Event()
    core.runner.call(lambda: busy.wait(10))
    outcome = actions.act(SET, 0.05)
    assert (outcome.result, outcome.code) == (Result.REFUSED, "timeout")
    busy.set()
    core.settle()
    assert not hasattr(core.device, "asked")


def test_an_action_that_hangs_may_have_been_done(core: Core, actions: Actions) -> None:
    busy = threading.Event()
    core.device.deed = lambda: busy.wait(10)
    outcome = actions.act(SET, 0.05)
    assert (outcome.result, outcome.code) == (Result.UNKNOWN, "timeout")
    busy.set()


def test_an_order_is_begun_without_waiting_and_calls_back(core: Core, actions: Actions) -> None:
    busy = threading.Event()
    heard: list[Outcome] = []
    core.device.deed = lambda: busy.wait(10)
    action = actions.begin(SET)
    action.when_over(heard.append)
    assert not action.over
    with pytest.raises(TimeoutError):
        action.outcome(0.0)
    busy.set()
    assert action.outcome(5.0) == Outcome(Result.PROVED)
    core.settle()
    assert heard == [Outcome(Result.PROVED)]


def test_a_connection_that_ends_refuses_what_waits(core: Core, actions: Actions) -> None:
    busy = threading.Event()
    core.runner.call(lambda: busy.wait(10))
    action = actions.begin(SET)
    core.configure()
    assert action.outcome(5.0).code == "unknown_connection"
    busy.set()


def test_a_refresh_that_takes_long_is_accepted_and_its_failure_reported(core: Core, actions: Actions) -> None:
    busy = threading.Event()

    def refresh() -> None:
        busy.wait(10)
        raise Refused("Plus tard")

    core.device.refresh = refresh
    assert actions.act(Order.by_command("10", "refresh"), 0.05) == Outcome(Result.ACCEPTED)
    busy.set()
    core.settle()
    assert core.supervisor.status()["1"]["lastError"] == "Plus tard"
