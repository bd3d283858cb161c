"""A client secret that was changed is tried at once: a saved token that is still good must not hide a mistyped one."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.devices.base import AuthenticationFailed, Unreachable
from jeenergied.devices.econetatmo.tokens import TokenKeeper

from jeedom_bridge import Store
from tests.econetatmo.renewer import keeper
from tests.econetatmo.test_econetatmo_tokens import TOKEN, Account, account, cloud, current

__all__ = ["account", "cloud"]
MISTYPED = "mistyped-secret-00000000"


def saved(account: Account, secret: str) -> TokenKeeper:
    """The same connection with another secret, in the daemon that is running."""
    running = account.runner
    config = {**running.connection.config, **({"clientSecret": secret} if secret else {})}
    connection = replace(running.connection, config=config)
    context = running.context
    return keeper(Runner(connection, type(running.device), context.catalogue, context.services))


def form(account: Account, secret: str) -> TokenKeeper:
    """What the button *Test* tries, beside the connection that is saved."""
    made = saved(account, secret)
    made.try_again()
    return made


def test_a_mistyped_secret_is_refused_while_the_saved_token_is_good(account: Account) -> None:
    account.keeper.current()
    with pytest.raises(AuthenticationFailed, match="client secret"):
        form(account, MISTYPED).current()
    assert account.stored() == [current(account.cloud).refresh], "the saved token is lost"


def test_the_saved_connection_does_not_suffer_from_the_test_of_a_mistyped_secret(account: Account) -> None:
    account.keeper.current()
    for _ in range(6):
        with pytest.raises(AuthenticationFailed):
            form(account, MISTYPED).current()
    asked = len(account.cloud.requests)
    assert account.works()
    assert len(account.cloud.requests) == asked
    account.clock.advance(10800 - 1790)
    assert account.works()
    assert account.cloud.authority.rotations == 2, "a refusal of the other secret holds the renewal back"
    account.clock.advance(10800 - 1790)
    account.restart()
    assert account.works()
    assert account.cloud.authority.used_after_voiding == 0


def test_a_new_secret_that_is_right_renews_the_token_once_and_keeps_it(account: Account) -> None:
    account.keeper.current()
    account.cloud.authority.client_secret = "new-secret-0000000000000"
    trial = form(account, "new-secret-0000000000000")
    assert account.cloud.authority.check(trial.current()) == 0
    assert account.stored() == [current(account.cloud).refresh]
    form(account, "new-secret-0000000000000").current()
    account.restart()
    assert account.works()
    assert account.cloud.authority.rotations == 2
    assert account.cloud.authority.used_after_voiding == 0


def test_the_same_secret_is_tested_without_a_renewal(account: Account) -> None:
    account.keeper.current()
    form(account, "").current()
    form(account, f" {account.cloud.authority.client_secret} ").current()
    assert account.cloud.authority.rotations == 1


def test_a_mistyped_secret_that_was_saved_is_told_at_once_and_tried_at_growing_intervals(account: Account) -> None:
    account.keeper.current()
    wrong = saved(account, MISTYPED)
    asked = len(account.cloud.requests)
    for pause in (60, 300):
        with pytest.raises(AuthenticationFailed, match="client secret") as told:
            wrong.current()
        assert told.value.retry == pause
        with pytest.raises(AuthenticationFailed, match="client secret"):
            wrong.current()
        account.clock.advance(pause + 1)
    assert len(account.cloud.requests) == asked + 2
    assert account.works(), "corrected, it goes on with the same token"
    assert account.cloud.authority.rotations == 1


def test_while_the_token_service_is_down_a_test_says_so_and_the_connection_goes_on(account: Account) -> None:
    account.keeper.current()
    account.cloud.fault("status", TOKEN, 502)
    with pytest.raises(Unreachable):
        form(account, MISTYPED).current()
    wrong = saved(account, MISTYPED)
    asked = len(account.cloud.requests)
    tokens = {wrong.current() for _ in range(5)}
    assert tokens == {current(account.cloud).access}
    assert len(account.cloud.requests) == asked + 1, "no pause between two tries"


def test_a_pair_of_a_version_that_noted_no_secret_is_renewed_once(account: Account) -> None:
    account.keeper.current()
    memory = account.runner.context.memory
    (key,) = [name for name in Store(account.folder / "store.sqlite").scope("1") if name.startswith("tokens:")]
    memory.put(key, {name: value for name, value in memory.get(key).items() if name != "secret"})
    account.restart()
    assert account.works()
    assert account.works()
    assert account.cloud.authority.rotations == 2


def test_a_test_and_the_connection_prove_a_new_secret_together_by_one_renewal(account: Account) -> None:
    account.keeper.current()
    account.cloud.authority.client_secret = "new-secret-0000000000000"
    account.cloud.delays = lambda: (0.05, 0.05)
    keepers = [form(account, "new-secret-0000000000000") for _ in range(2)]
    found: list[str] = []
    threads = [threading.Thread(target=lambda k=each: found.append(k.current())) for each in keepers]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert found[0] == found[1] == current(account.cloud).access
    assert account.cloud.authority.rotations == 2
