"""The account survives: rotation, crashes, lost answers, full disks, newly pasted tokens, revocation."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.request import HTTPErrorProcessor, build_opener

import pytest
from jeenergied.connections.runner import Runner
from jeenergied.devices.base import AuthenticationFailed, DeviceError, Unreachable, VendorError
from jeenergied.devices.econetatmo.tokens import NotDurable, NotNow, pasted_token

from jeedom_bridge import Store, StoreError
from jeedom_bridge.clock import ManualClock
from simulators.econetatmo.cloud import NetatmoCloud
from simulators.econetatmo.oauth import Issued
from simulators.jeedom.daemon import DaemonRefusal
from tests.econetatmo.renewer import keeper, runner
from tests.econetatmo.world import FULL, World, small_home
from tests.support.callback_server import CallbackServer
from tests.support.clocks import noon
from tests.support.process import ROOT, DaemonProcess
from tests.support.waiting import until

KILLS = 100 if FULL else 5
TOKEN = "/oauth2/token"
MakeWorld = Callable[..., World]


@pytest.fixture
def cloud() -> Iterator[NetatmoCloud]:
    """A service whose clock is the machine's."""
    with NetatmoCloud([small_home()]) as running:
        yield running


class Account:
    """A keeper, its context and its service."""

    def __init__(self, cloud: NetatmoCloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder
        self.clock = ManualClock(noon())
        cloud.clock = cloud.authority.clock = self.clock.time
        self.pasted = cloud.authority.generate().refresh
        self.restart()

    def context(self, pasted: str, name: str = "1", secret: str = "") -> Runner:
        authority = self.cloud.authority
        secret = secret or authority.client_secret
        store = self.folder / "store.sqlite"
        return runner(store, self.cloud.url, authority.client_id, secret, pasted, self.clock, name)

    def restart(self, pasted: str = "") -> None:
        """A new life with what is on the disk."""
        self.pasted = pasted or self.pasted
        self.runner = self.context(self.pasted)
        self.keeper = keeper(self.runner)

    def stored(self) -> list[str]:
        """The refresh tokens on the disk."""
        scope = Store(self.folder / "store.sqlite").scope("1")
        return [value["refresh"] for name, value in scope.items() if name.startswith("tokens:")]

    def works(self) -> bool:
        """Whether the service takes the access token."""
        return self.cloud.authority.check(self.keeper.current()) == 0

    def messages(self) -> list[str]:
        """What the user was told."""
        batch = self.runner.context.services.outbox.take()
        return [] if batch is None else [part for part in batch.parts if '"message"' in part and '"level"' in part]


@pytest.fixture
def account(cloud: NetatmoCloud, tmp_path: Path) -> Account:
    """An account with a pasted token."""
    return Account(cloud, tmp_path)


def current(cloud: NetatmoCloud) -> Issued:
    found = cloud.authority.current
    assert found is not None
    return found


def test_a_new_pair_is_on_the_disk_and_outlives_a_restart(account: Account) -> None:
    assert account.works()
    assert account.stored() == [current(account.cloud).refresh]
    account.restart()
    assert account.works()
    assert account.cloud.authority.rotations == 1, "a start renewed a token that was good"


def test_a_pair_is_renewed_half_an_hour_before_its_end(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800 - 1801)
    account.keeper.current()
    assert account.cloud.authority.rotations == 1
    account.clock.advance(2)
    assert account.works()
    assert account.cloud.authority.rotations == 2
    assert account.cloud.authority.used_after_voiding == 0


def refusing(account: Account, failures: set[int]) -> list[int]:
    """Makes the n-th writes fail as a full disk does; returns the count of writes."""
    store, count = account.runner.context.services.store, [0]
    write = store._flush

    def flush() -> None:
        count[0] += 1
        if count[0] in failures:
            raise StoreError("disk full")
        write()

    store._flush = flush  # type: ignore[method-assign]
    return count


def test_nothing_is_rotated_while_the_disk_takes_no_writes(account: Account) -> None:
    refusing(account, {1, 2})
    with pytest.raises(NotDurable):
        account.keeper.current()
    assert account.cloud.authority.rotations == 0


def test_a_pair_that_could_not_be_written_is_not_used_before_it_is(account: Account) -> None:
    refusing(account, {2, 3})
    with pytest.raises(NotDurable):
        account.keeper.current()
    assert account.cloud.authority.rotations == 1
    with pytest.raises(NotDurable):
        account.keeper.current()
    assert account.works()
    assert account.stored() == [current(account.cloud).refresh]
    assert account.cloud.authority.rotations == 1


@pytest.mark.parametrize(
    ("kind", "value"), [("drop", None), ("status", 503), ("html", None), ("garbage", None), ("answer", {})]
)
def test_a_failed_renewal_is_tried_again_with_the_same_token(account: Account, kind: str, value: Any) -> None:
    account.cloud.fault(kind, TOKEN, value, count=1)
    with pytest.raises(Unreachable):
        account.keeper.current()
    assert account.works()
    assert account.messages() == []


def test_the_access_token_is_used_to_its_end_while_the_token_service_is_down(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800 - 300)
    account.cloud.fault("status", TOKEN, 502)
    assert account.works()
    asked = len(account.cloud.requests)
    assert account.works()
    assert len(account.cloud.requests) == asked, "no pause between two tries"
    account.clock.advance(301)
    with pytest.raises(Unreachable):
        account.keeper.current()


WAITS = (60, 300, 900, 3600)


def tries(account: Account, seconds: float, step: float = 30.0) -> list[float]:
    """Asks for a token again and again; returns when the token endpoint was asked."""
    begin, found = account.clock.time(), []
    for _ in range(int(seconds / step)):
        before = len(account.cloud.requests)
        with contextlib.suppress(DeviceError):
            account.keeper.current()
        found += [account.clock.time() - begin] * (len(account.cloud.requests) - before)
        account.clock.advance(step)
    return found


def test_one_refusal_of_a_good_pair_is_not_noticed(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800 - 1790)
    account.cloud.fault("grant", TOKEN, "invalid_grant", count=3)
    assert tries(account, 1700) == [0, 60, 360, 1260]
    assert account.works()
    assert account.cloud.authority.rotations == 2
    assert account.messages() == []


@pytest.mark.parametrize("word", ["invalid_grant", "invalid_client", "unauthorized_client"])
def test_a_refusal_that_lasts_is_told_after_the_fifth_and_tried_each_hour(account: Account, word: str) -> None:
    account.keeper.current()
    account.clock.advance(10800)
    account.cloud.fault("grant", TOKEN, word)
    for wait in WAITS:
        with pytest.raises(NotNow, match="rien n'est à faire") as now:
            account.keeper.current()
        assert now.value.retry == wait
        account.clock.advance(wait - 1)
        asked = len(account.cloud.requests)
        with pytest.raises(NotNow):
            account.keeper.current()
        assert len(account.cloud.requests) == asked
        account.clock.advance(1.5)
    with pytest.raises(AuthenticationFailed, match=r"révoqué|client"):
        account.keeper.current()
    assert tries(account, 5 * 3600, 60) == [3600 * n for n in range(1, 5)]
    account.cloud.clear()
    account.clock.advance(3600)
    assert account.works(), "the same pair is good"
    assert account.messages() == [], "the state of the connection tells it"


def test_the_user_gets_a_real_try_at_once(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800)
    account.cloud.fault("grant", TOKEN, "invalid_grant", count=1)
    with pytest.raises(NotNow):
        account.keeper.current()
    account.keeper.try_again()
    assert account.works()


def test_a_restart_neither_forgets_a_refusal_nor_makes_it_longer(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800)
    account.cloud.fault("grant", TOKEN, "invalid_grant")
    tries(account, 400)
    asked = len(account.cloud.requests)
    account.restart()
    assert tries(account, 800) == []
    assert tries(account, 120) == [90]
    assert len(account.cloud.requests) == asked + 1


def test_a_pasted_token_that_was_never_good_is_told_at_once(account: Account) -> None:
    account.restart("0" * 24 + "|" + "1" * 32)
    with pytest.raises(AuthenticationFailed, match="collez-le"):
        account.keeper.current()


def test_a_lost_answer_is_told_as_what_it_is(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800)
    account.cloud.fault("lost", TOKEN, count=1)
    with pytest.raises(Unreachable):
        account.keeper.current()
    account.clock.advance(60)
    tries(account, 6000)
    with pytest.raises(AuthenticationFailed, match="jamais arrivée"):
        account.keeper.current()
    account.restart()
    with pytest.raises(AuthenticationFailed, match="collez-le"):
        account.keeper.current()
    assert account.messages() == [], "the state of the connection tells it"
    account.restart(account.cloud.authority.generate().refresh)
    assert account.works()


def test_revoked_access_asks_thirteen_times_in_the_first_ten_hours(account: Account) -> None:
    account.keeper.current()
    account.cloud.authority.revoke()
    account.clock.advance(10800)
    assert len(tries(account, 36000, 60)) == 13


def test_a_token_endpoint_that_asks_to_wait_stops_renewals_only(account: Account) -> None:
    account.keeper.current()
    account.clock.advance(10800 - 1790)
    account.cloud.fault("grant", TOKEN, "too_many_connections", count=1)
    assert tries(account, 400) == [0, 300]
    assert not account.keeper._budget.blocked()
    assert account.works()


def test_a_missing_scope_that_passes_is_not_noticed(world: MakeWorld) -> None:
    running = world([small_home(1)])
    connection = running.connect()
    running.launch()
    running.ready(connection)
    running.cloud.fault("api", "/api/getmeasure", 13, count=2)
    running.step(600, 3)
    told = [each["event"]["state"] for each in running.jeedom.applied("connection")]
    assert set(told) == {"connecting", "online"}
    assert running.jeedom.state(connection) == "online"


def test_a_newly_pasted_token_wins_and_the_same_one_goes_on(account: Account) -> None:
    first = account.pasted
    account.keeper.current()
    account.restart(account.cloud.authority.generate().refresh)
    assert account.works()
    account.clock.advance(10800)
    assert account.works()
    rotations = account.cloud.authority.rotations
    account.restart(account.pasted)
    assert account.works()
    assert account.cloud.authority.rotations == rotations
    account.restart(first)
    account.clock.advance(10800)
    with pytest.raises(NotNow):
        account.keeper.current()


def test_a_test_before_saving_leaves_its_tokens_to_the_saved_connection(account: Account) -> None:
    trial = keeper(account.context(account.pasted, name="new"))
    trial.current()
    account.restart()
    assert account.works()
    assert account.cloud.authority.rotations == 1
    assert not [name for name in Store(account.folder / "store.sqlite").scope("new") if name.startswith("tokens:")]


def test_two_users_of_one_pair_renew_it_once(account: Account) -> None:
    account.cloud.delays = lambda: (0.05, 0.05)
    other = keeper(account.runner)
    found: list[str] = []
    threads = [threading.Thread(target=lambda k=each: found.append(k.current())) for each in (account.keeper, other)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert found[0] == found[1]
    assert account.cloud.authority.rotations == 1


def test_a_refused_token_is_replaced_once_and_a_fresh_one_is_not_wasted(account: Account) -> None:
    token = account.keeper.current()
    account.clock.advance(400)
    fresh = account.keeper.replaced(token)
    assert fresh != token
    assert account.keeper.replaced(token) == fresh, "somebody else had renewed it"
    with pytest.raises(VendorError, match="vient de donner"):
        account.keeper.replaced(fresh)
    assert account.cloud.authority.rotations == 2


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        ({"error": "invalid_client"}, AuthenticationFailed, "client secret"),
        ({"error": "unauthorized_client"}, AuthenticationFailed, "refuse la connexion"),
        ({"error": "too_many_connections"}, NotNow, "automatique"),
        ({"error": {"code": 30, "message": "x"}}, AuthenticationFailed, "collez"),
        ([], DeviceError, "pas donné de jetons"),
        ({"access_token": "a|b", "refresh_token": 5}, DeviceError, "pas donné de jetons"),
    ],
)
def test_each_refusal_says_what_to_do(account: Account, answer: Any, kind: type, words: str) -> None:
    account.cloud.fault("answer", TOKEN, answer)
    with pytest.raises(kind, match=words):
        account.keeper.current()


GOOD = "a" * 24 + "|" + "0" * 31 + "1"
OTHER = "a" * 24 + "|" + "f" * 32


@pytest.mark.parametrize(
    "text",
    [
        GOOD, f' "{GOOD}"\n', GOOD.replace("|", "%7C"), GOOD.replace("|", "%7c"), f"Refresh token: {GOOD}",
        f"Access Token\n{OTHER}\nRefresh Token\n{GOOD}", f"Refresh Token\n{GOOD}\nAccess Token\n{OTHER}",
        f'{{"access_token": "{OTHER}", "refresh_token": "{GOOD}", "scope": []}}',
        f'{{"refresh_token": "{GOOD}", "access_token": "{OTHER}"}}', GOOD.replace("|", "|\n "), f"{OTHER}\n{GOOD}",
        f"Access Token\n{'a' * 24}|1\nRefresh Token\n{GOOD}", GOOD[:40] + "\n" + GOOD[40:],
    ],
)  # fmt: skip
def test_a_pasted_token_is_found_in_what_surrounds_it(text: str) -> None:
    assert pasted_token(text) == GOOD


@pytest.mark.parametrize("text", ["", "hello", '{"x"', "a" * 24, "a" * 24 + "|" + "0" * 31, "5f00000000|123"])
def test_what_holds_no_token_has_none(text: str) -> None:
    assert pasted_token(text) == ""


def test_what_is_no_token_is_refused_without_asking_netatmo(account: Account) -> None:
    account.restart("my password")
    with pytest.raises(AuthenticationFailed, match="n'est pas un refresh token"):
        account.keeper.current()
    assert account.cloud.requests == []


def test_kills_at_random_points_of_a_renewal_lose_nothing_that_the_protocol_lets_be_kept(
    cloud: NetatmoCloud, tmp_path: Path
) -> None:
    chance = random.Random(11)
    cloud.delays = lambda: (chance.random() * 0.004, chance.random() * 0.001)
    store, authority = tmp_path / "store.sqlite", cloud.authority
    pasted = authority.generate().refresh
    kept = lost = late = rotations = 0
    while kept + lost < KILLS:
        arguments = [sys.executable, "-m", "tests.econetatmo.renewer", str(store), cloud.url]
        arguments += [authority.client_id, authority.client_secret, pasted]
        with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            if process.stdout.readline() != "kept\n":
                # The dead process had sent a request that the service carried out only after it was looked at below.
                assert authority.rotations > rotations, "the account was lost although the store had its token"
                kept, lost, late, pasted = kept - 1, lost + 1, late + 1, authority.generate().refresh
                continue
            time.sleep(chance.random() * 0.05)
            process.kill()
        for _ in range(3):
            time.sleep(0.005)  # a request that the machine has taken may not have reached the service yet
            until(lambda: not cloud.server.open_connections, what="the end of the last request")
        with authority.lock:
            rotations, newest = authority.rotations, current(cloud).refresh
        scope = Store(store).scope("1")
        if newest in [value["refresh"] for name, value in scope.items() if name.startswith("tokens:")]:
            kept += 1
        else:
            lost += 1  # the service had rotated and the answer was not read yet: nobody can know the new token
            assert scope[scope["lines"][-1]]["lost"] == 1, "the loss will not be told as what it is"
            pasted = authority.generate().refresh
    print(f"{KILLS} kills: {kept} went on, {lost} came between a rotation and its answer ({late} rotated late)")
    assert kept or KILLS < 20


def test_an_orderly_stop_waits_for_the_answer_of_a_renewal(cloud: NetatmoCloud, tmp_path: Path) -> None:
    cloud.delays = lambda: (0.0, 2.5)
    config = {
        "clientId": cloud.authority.client_id,
        "clientSecret": cloud.authority.client_secret,
        "refreshToken": cloud.authority.generate().refresh,
        "apiUrl": cloud.url,
    }
    with CallbackServer() as server:
        daemon = DaemonProcess(tmp_path / "d", server.url, module="jeenergied").ready()
        definition = {"id": "1", "backend": "econetatmo", "name": "N", "config": config, "commands": {}}
        daemon.configure({**definition, "equipment": []})
        until(lambda: cloud.authority.rotations == 1, what="the renewal")
        assert daemon.stop() == 0
        assert not any(token in daemon.log for token in cloud.authority.issued)
    scope = Store(daemon.datadir / "store.sqlite").scope("1")
    assert current(cloud).refresh in [v["refresh"] for k, v in scope.items() if k.startswith("tokens:")]


class _NoRedirect(HTTPErrorProcessor):
    def http_response(self, request: Any, response: Any) -> Any:
        return response


def test_an_authorization_code_signs_in_step_by_step(world: MakeWorld) -> None:
    running = world()
    connection = running.connect(token="")
    running.launch()
    running.jeedom.wait(lambda: running.jeedom.state(connection) == "authentication_failed")
    text = running.jeedom.run(connection, "authorizationLink")["text"]
    link = text[text.index("http://127") :]
    landed = build_opener(_NoRedirect).open(link).headers["Location"]
    foreign = landed.replace("state=", "state=0")
    with pytest.raises(DaemonRefusal, match="autre lien"):
        running.jeedom.run(connection, "authorizationCode", code=foreign)
    with pytest.raises(DaemonRefusal, match="refuse ce jeton ou ce code"):
        running.jeedom.run(connection, "authorizationCode", code="0123456789")
    running.jeedom.run(connection, "authorizationCode", code=landed)
    running.ready(connection, 2)
    assert running.jeedom.state(connection) == "online"
    assert running.history("00:04:74:aa:bb:cc#0", "total_energy")


def test_no_token_reaches_the_log_or_an_address(capsys: pytest.CaptureFixture[str], world: MakeWorld) -> None:
    running = world()
    connection = running.connect()
    running.launch()
    running.ready(connection, 2)
    running.cloud.fault("api", "/api/getmeasure", 3, count=1)
    running.step(600, 20)
    running.cloud.fault("html", TOKEN, count=2)
    running.cloud.fault("garbage", "/api", count=2)
    running.step(600, 20)
    running.cloud.authority.revoke()
    running.step(600, 20)
    output = "".join(capsys.readouterr())
    assert len(running.cloud.authority.issued) > 4
    secrets = [part for token in running.cloud.authority.issued for part in token.split("|")[1:]]
    assert not [each for each in [*secrets, running.cloud.authority.client_secret] if each in output]
    assert running.cloud.tokens_in_urls == 0
    assert "renewed" in output
