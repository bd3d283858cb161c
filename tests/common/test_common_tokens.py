"""A token is obtained once at a time, kept for its credentials, renewed before its end, and not begged for."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, ClassVar, Optional

import pytest
from jeenergied.devices.base import AuthenticationFailed, DeviceError, RateLimited, Unreachable
from jeenergied.devices.common import tokens
from jeenergied.devices.common.refusals import Policy, Refusal, Scope
from jeenergied.devices.common.tokens import SETTLE_S, Ended, Judgement, Owner, Token, TokenKeeper
from test_common_refusals import Kept

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.store import StoreError

HOUR = 3600.0


class Vendor:
    """Gives numbered tokens, or raises what `fails` says; `gate` holds a login up."""

    def __init__(self) -> None:
        self.given = 0
        self.asked = 0
        self.fails: Optional[DeviceError] = None
        self.gate = threading.Event()
        self.gate.set()
        self.at_once = 0
        self.most_at_once = 0

    def give(self) -> str:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.gate.wait(10)
        self.at_once -= 1
        if self.fails is not None:
            raise self.fails
        self.given += 1
        return f"token {self.given}"


class Keeper(TokenKeeper):
    policies: ClassVar[Mapping[Scope, Policy]] = {
        Scope.CREDENTIAL: Policy((HOUR, 4 * HOUR, 24 * HOUR)),
        Scope.ADDRESS: Policy((600.0,)),
    }

    def __init__(self, vendor: Vendor, memory: Kept, clock: ManualClock, password: str = "one") -> None:
        super().__init__(memory, clock, Owner(memory, "me", password))  # type: ignore[arg-type]
        self.vendor, self.clock = vendor, clock

    def obtain(self, asked: bool) -> Token:
        text = self.vendor.give()
        return Token({"access": text}, self.clock.time(), self.clock.time() + 10 * HOUR)

    def judge(self, error: DeviceError) -> Optional[Judgement]:
        if isinstance(error, AuthenticationFailed):
            return Judgement(Scope.CREDENTIAL, "password")
        return Judgement(Scope.ADDRESS, "429", error.retry) if isinstance(error, RateLimited) else None

    def told(self, refusal: Refusal) -> DeviceError:
        return AuthenticationFailed("refused: {reason}", reason=refusal.reason)

    def binding(self, refusal: Refusal) -> bool:
        return refusal.scope is Scope.ADDRESS


class Refreshing(Keeper):
    """A token can be renewed without a login, as long as the vendor wants."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.refreshes = 0
        self.ended = False

    def refresh(self, old: Token, refused: bool) -> Optional[Token]:
        if self.ended:
            raise Ended("no more")
        self.refreshes += 1
        return Token({"access": f"refreshed {self.refreshes}"}, self.clock.time(), self.clock.time() + 10 * HOUR)


class Durable(Keeper):
    must_be_durable = True


def text(token: Optional[Token]) -> str:
    assert token is not None
    return str(token.data["access"])


def test_a_token_is_kept_over_restarts_and_for_its_credentials_alone() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    assert text(Keeper(vendor, memory, clock).current()) == "token 1"
    assert text(Keeper(vendor, memory, clock).current()) == "token 1"
    assert text(Keeper(vendor, memory, clock, password="two").current()) == "token 2"
    assert "one" not in str(memory)
    assert "two" not in str(memory)


def test_it_is_renewed_before_its_end_and_a_failure_costs_nothing_until_then() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    keeper = Keeper(vendor, memory, clock)
    keeper.current()
    clock.advance(10 * HOUR - 50)
    vendor.fails = Unreachable("away")
    for _ in range(5):
        assert text(keeper.current()) == "token 1"
    assert vendor.asked == 2
    clock.advance(51)
    with pytest.raises(Unreachable):
        keeper.current()
    vendor.fails = None
    assert text(keeper.current()) == "token 2"


def test_many_threads_and_a_test_beside_cause_one_login() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    refused = Keeper(vendor, memory, clock).current()
    clock.advance(SETTLE_S + 1)
    vendor.gate.clear()
    found: list[Optional[Token]] = []
    keepers = [Keeper(vendor, memory, clock) for _ in range(2)]
    threads = [
        threading.Thread(target=lambda each=keeper: found.append(each.replaced(refused)))  # type: ignore[misc]
        for keeper in keepers
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    vendor.gate.set()
    for thread in threads:
        thread.join(30)
    assert {text(token) for token in found} == {"token 2"}
    assert (vendor.asked, vendor.most_at_once) == (2, 1)


def test_a_token_that_is_refused_fresh_is_not_replaced() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    keeper = Keeper(vendor, memory, clock)
    first = keeper.current()
    assert keeper.replaced(first) is None
    clock.advance(SETTLE_S)
    assert text(keeper.replaced(first)) == "token 2"


def test_refusals_grow_outlive_a_restart_and_let_a_user_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "ROUNDS", 1)  # 720 restarts: what it costs to guess a password is not the matter
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    vendor.fails = AuthenticationFailed("no")
    tries = 0
    for _ in range(30 * 24):
        before = vendor.asked
        with pytest.raises(AuthenticationFailed) as caught:
            Keeper(vendor, memory, clock).current()
        assert (caught.value.retry or 0) > 0
        tries += vendor.asked - before
        clock.advance(HOUR)
    assert tries == 32  # 1 h, 4 h, then a day each
    with pytest.raises(AuthenticationFailed):
        Keeper(vendor, memory, clock).current(asked=True)
    assert vendor.asked == 33
    vendor.fails = None
    assert text(Keeper(vendor, memory, clock, password="corrected").current()) == "token 1"


def test_what_the_vendor_has_ordered_also_holds_a_user_back() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    vendor.fails = RateLimited("slowly", retry=7200.0)
    keeper = Keeper(vendor, memory, clock)
    for _ in range(3):
        with pytest.raises(DeviceError):
            keeper.current(asked=True)
    assert vendor.asked == 1
    vendor.fails = None
    clock.advance(7200.0)
    assert text(keeper.current()) == "token 1"
    assert keeper.forbidden() is None


def test_what_says_nothing_about_the_account_is_tried_again_at_once() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    vendor.fails = Unreachable("no network")
    for _ in range(3):
        with pytest.raises(Unreachable):
            Keeper(vendor, memory, clock).current()
    assert vendor.asked == 3


def test_a_token_that_cannot_be_written_is_not_used_where_the_next_one_hangs_on_it() -> None:
    class Full(Kept):
        def put(self, key: str, value: Any) -> None:
            raise StoreError("disk is full")

    vendor, memory, clock = Vendor(), Full(), ManualClock()
    with pytest.raises(StoreError):
        Durable(vendor, memory, clock).current()


def test_a_stepped_clock_does_not_make_a_token_young_again() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    keeper = Keeper(vendor, memory, clock)
    keeper.current()
    clock.step(-86400.0)
    assert text(keeper.current()) == "token 1"  # who has seen it knows its age
    assert text(Keeper(vendor, memory, clock).current()) == "token 2"


def test_a_token_that_can_be_renewed_costs_no_login() -> None:
    vendor, memory, clock = Vendor(), Kept(), ManualClock()
    keeper = Refreshing(vendor, memory, clock)
    first = keeper.current()
    clock.advance(11 * HOUR)
    assert text(keeper.current()) == "refreshed 1"
    clock.advance(SETTLE_S)
    assert text(keeper.replaced(keeper.current())) == "refreshed 2"
    assert text(keeper.replaced(first)) == "refreshed 2"
    assert vendor.asked == 1
    vendor.fails = AuthenticationFailed("no")
    clock.advance(11 * HOUR)
    assert text(keeper.current()) == "refreshed 3"  # a refused login does not stand in its way
    keeper.ended, vendor.fails = True, None
    clock.advance(11 * HOUR)
    assert text(keeper.current()) == "token 2"
    assert text(keeper.anew(asked=True)) == "token 3"


@pytest.mark.parametrize("kept", [None, [], {"of": "x"}, {"data": 5}])
def test_what_cannot_be_understood_is_no_token(kept: object) -> None:
    clock = ManualClock()
    memory = Kept(token=kept)
    assert text(Keeper(Vendor(), memory, clock).current()) == "token 1"
