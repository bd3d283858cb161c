"""Which address gets the callback, and with it the api key: the configured one, or a proven Jeedom of this machine."""

from __future__ import annotations

import hashlib
import hmac
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from jeedom_bridge.addresses import API, LOOK_AFTER_S, LOOK_EVERY_S, Addresses, Proof, listens_for_us
from jeedom_bridge.clock import ManualClock
from jeedom_bridge.http import Response
from jeedom_bridge.http.errors import BadAnswer, BadStatus, HttpError
from simulators.server import LoopbackServer, Request
from simulators.server import Response as Answer
from tests.support.certificates import certificate

BODY = b"apikey=the-secret-key"
LIMITS: Any = {"connect": 2.0, "read": 2.0, "deadline": 2.0, "max_bytes": 10_000}
PAGE = "/plugins/demo/core/ajax/demoProof.ajax.php"


class Host(LoopbackServer):
    """A web server of this machine: a Jeedom that shares the file, or a stranger without a key. Counts what it got."""

    def __init__(self, key: Path | None = None, tls: ssl.SSLContext | None = None, base: str = "") -> None:
        super().__init__(self._answer, tls=tls)
        self._key = key
        self._base = base
        self.posted: list[bytes] = []
        self.redirect = ""
        self.status = 200
        self.text = ""

    @property
    def api(self) -> str:
        return f"{self.url}{self._base}{API}"

    def _answer(self, request: Request) -> Answer:
        if self.redirect:
            self.posted += [request.body] if request.body else []
            return Answer(301, headers=[("Location", self.redirect + request.target)])
        if request.method == "GET" and request.path == self._base + PAGE and self._key is not None:
            digest = hmac.new(self._key.read_bytes().strip(), request.query["challenge"].encode(), hashlib.sha256)
            return Answer.of_text(digest.hexdigest())
        if request.method != "POST":
            return Answer.of_html("<h1>It works!</h1>")
        self.posted.append(request.body)
        return Answer.of_text(self.text or '{"ok": true}', self.status)


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "proof.key"


@pytest.fixture
def proof(key: Path) -> Proof:
    return Proof(key, "demo")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def jeedom(key: Path, proof: Proof) -> Iterator[Host]:
    with Host(key) as host:
        yield host


@pytest.fixture
def stranger() -> Iterator[Host]:
    with Host() as host:
        yield host


@contextmanager
def secured(folder: Path, key: Path | None) -> Iterator[Host]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(folder, x509.DNSName("elsewhere.example"))[1])
    with Host(key, tls=context) as host:
        yield host


def nobody() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}{API}"


def attempt(addresses: Addresses) -> bool:
    """As the callback does; True if the answer is an acknowledgement."""
    answer: Response | None = None
    try:
        answer = addresses.post(BODY, **LIMITS)
        if answer.status != 200:
            raise BadStatus(f"status {answer.status}")
        if answer.text != '{"ok": true}':
            raise BadAnswer(f"not an acknowledgement: {answer.text[:200]!r}")
    except HttpError as error:
        addresses.failed(error, answer)
        return False
    addresses.succeeded()
    return True


def until_looked(addresses: Addresses, clock: ManualClock) -> bool:
    """Fails until others are looked for, and tries again."""
    assert not attempt(addresses)
    clock.advance(LOOK_AFTER_S)
    assert not attempt(addresses)
    return attempt(addresses)


class TestRedirect:
    def test_http_to_https_of_the_same_host_is_followed_and_remembered(
        self, tmp_path: Path, clock: ManualClock
    ) -> None:
        with secured(tmp_path, None) as safe, Host() as plain:
            plain.redirect = safe.url
            addresses = Addresses(plain.api, clock)
            assert attempt(addresses)
            assert attempt(addresses)
            assert (len(plain.posted), len(safe.posted)) == (1, 2)
            assert addresses.in_use == safe.api
            assert addresses.detour is None

    def test_one_that_is_given_up_again_is_forgotten(self, tmp_path: Path, clock: ManualClock) -> None:
        with Host() as plain:
            with secured(tmp_path, None) as safe:
                plain.redirect = safe.url
                addresses = Addresses(plain.api, clock)
                assert attempt(addresses)
            plain.redirect = ""
            assert not attempt(addresses)
            assert attempt(addresses)
            assert addresses.in_use == plain.api

    @pytest.mark.parametrize("target", ["https://localhost:{port}", "http://127.0.0.1:{port}", "https://x.example"])
    def test_no_other_is_followed(self, stranger: Host, clock: ManualClock, target: str) -> None:
        with Host() as plain:
            plain.redirect = target.format(port=stranger.url.rsplit(":", 1)[1])
            addresses = Addresses(plain.api, clock)
            assert not attempt(addresses)
            assert stranger.connections == 0
            assert addresses.trouble is not None
            assert addresses.trouble.code == "redirect"
            assert addresses.trouble.error.detail == plain.redirect.format() + API
            assert addresses.in_use == plain.api

    def test_another_path_is_not_followed(self, tmp_path: Path, clock: ManualClock) -> None:
        with secured(tmp_path, None) as safe, Host() as plain:
            plain.redirect = safe.url + "/other"
            assert not attempt(Addresses(plain.api, clock))
            assert safe.posted == []

    def test_a_chain_is_not_followed(self, tmp_path: Path, clock: ManualClock, stranger: Host) -> None:
        with secured(tmp_path, None) as safe, Host() as plain:
            plain.redirect, safe.redirect = safe.url, stranger.url
            assert not attempt(Addresses(plain.api, clock))
            assert stranger.connections == 0


class TestOtherAddress:
    def test_a_proven_one_is_used_once_the_configured_one_has_failed_for_long(
        self, jeedom: Host, proof: Proof, clock: ManualClock
    ) -> None:
        wrong = nobody()
        addresses = Addresses(wrong, clock, [jeedom.api], proof)
        assert not attempt(addresses)
        clock.advance(LOOK_AFTER_S - 1)
        assert not attempt(addresses)
        assert jeedom.connections == 0
        clock.advance(1)
        assert not attempt(addresses)
        assert attempt(addresses)
        assert jeedom.posted == [BODY]
        assert addresses.in_use == jeedom.api
        assert addresses.trouble is None
        assert addresses.detour is not None
        assert (addresses.detour.url, addresses.detour.code) == (wrong, "connect")

    @pytest.mark.parametrize("status", [200, 404, 502])
    def test_a_stranger_at_the_configured_one_is_left_for_it(
        self, jeedom: Host, stranger: Host, proof: Proof, clock: ManualClock, status: int
    ) -> None:
        stranger.text, stranger.status = "<html>hello</html>", status
        assert until_looked(Addresses(stranger.api, clock, [jeedom.api], proof), clock)

    def test_an_unproven_one_never_gets_the_key(self, stranger: Host, proof: Proof, clock: ManualClock) -> None:
        addresses = Addresses(nobody(), clock, [stranger.api], proof)
        assert not until_looked(addresses, clock)
        for _ in range(5):
            clock.advance(LOOK_EVERY_S)
            assert not attempt(addresses)
        assert stranger.posted == []
        assert len(stranger.requests) == 6

    def test_a_jeedom_with_another_file_is_not_this_one(self, tmp_path: Path, proof: Proof, clock: ManualClock) -> None:
        (tmp_path / "other").write_text("0" * 64)
        with Host(tmp_path / "other") as other:
            assert not until_looked(Addresses(nobody(), clock, [other.api], proof), clock)
            assert other.posted == []

    def test_a_listener_of_another_user_is_not_even_asked(self, jeedom: Host, proof: Proof, clock: ManualClock) -> None:
        addresses = Addresses(nobody(), clock, [jeedom.api], proof, is_trusted=lambda url: False)
        assert not until_looked(addresses, clock)
        assert jeedom.connections == 0

    def test_a_port_that_another_user_takes_over_gets_nothing(
        self, jeedom: Host, proof: Proof, clock: ManualClock
    ) -> None:
        trusted = [True]
        addresses = Addresses(nobody(), clock, [jeedom.api], proof, is_trusted=lambda url: trusted[0])
        assert until_looked(addresses, clock)
        trusted[0] = False
        assert not attempt(addresses)
        assert len(jeedom.posted) == 1
        assert addresses.detour is None

    def test_one_that_redirects_to_https_is_proven_there(
        self, tmp_path: Path, key: Path, proof: Proof, clock: ManualClock
    ) -> None:
        with secured(tmp_path, key) as safe, Host() as plain:
            plain.redirect = safe.url
            addresses = Addresses(nobody(), clock, [plain.api], proof)
            assert until_looked(addresses, clock)
            assert (plain.posted, safe.posted) == ([], [BODY])

    def test_https_with_a_certificate_of_nobody_is_left_for_it(
        self, tmp_path: Path, jeedom: Host, proof: Proof, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("jeedom_bridge.http.address.is_loopback", lambda url: False)
        with secured(tmp_path, None) as safe, Host() as plain:
            plain.redirect = safe.url
            addresses = Addresses(plain.api, clock, [jeedom.api], proof)
            assert not attempt(addresses)
            assert addresses.trouble is not None
            assert (addresses.trouble.code, addresses.trouble.url) == ("tls", safe.api)
            assert until_looked(addresses, clock)
            assert safe.posted == []

    def test_it_is_below_the_same_folder(self, key: Path, proof: Proof, clock: ManualClock) -> None:
        with Host(key, base="/jeedom") as host:
            assert until_looked(Addresses(nobody(), clock, [host.api], proof), clock)

    def test_an_error_of_jeedom_itself_is_no_reason_to_leave(
        self, key: Path, jeedom: Host, proof: Proof, clock: ManualClock
    ) -> None:
        with Host(key) as other:
            jeedom.text = "<p>Vous n'êtes <b>pas</b> autorisé</p>"
            addresses = Addresses(jeedom.api, clock, [other.api], proof)
            assert not until_looked(addresses, clock)
            assert other.connections == 0
            assert addresses.trouble is not None
            assert (addresses.trouble.code, str(addresses.trouble.error)) == (
                "jeedom",
                "Vous n'êtes pas autorisé",
            )

    def test_when_it_fails_the_configured_one_has_its_turn_again(
        self, key: Path, jeedom: Host, proof: Proof, clock: ManualClock
    ) -> None:
        addresses = Addresses(nobody(), clock, [jeedom.api], proof)
        assert until_looked(addresses, clock)
        jeedom.close()
        assert not attempt(addresses)
        assert addresses.detour is None
        assert addresses.in_use == addresses.configured[0]

    def test_only_this_machine_may_stand_beside(self, clock: ManualClock) -> None:
        with pytest.raises(ValueError, match="loopback"):
            Addresses("http://jeedom.example/", clock, ["http://192.168.1.2/"])

    def test_without_a_proof_there_is_none(self, jeedom: Host, clock: ManualClock) -> None:
        assert not until_looked(Addresses(nobody(), clock, [jeedom.api]), clock)
        assert jeedom.connections == 0


class TestChange:
    def test_a_corrected_address_is_used_at_once(self, stranger: Host, clock: ManualClock) -> None:
        addresses = Addresses(nobody(), clock)
        assert not attempt(addresses)
        assert addresses.set([stranger.api])
        assert attempt(addresses)
        assert addresses.configured == [stranger.api]

    def test_the_same_once_more_changes_nothing(self, jeedom: Host, proof: Proof, clock: ManualClock) -> None:
        urls = [nobody(), jeedom.api]
        addresses = Addresses(urls[0], clock, urls[1:], proof)
        assert until_looked(addresses, clock)
        assert not addresses.set(urls)
        assert addresses.in_use == jeedom.api

    @pytest.mark.parametrize("urls", [[], ["ftp://127.0.0.1/"], ["http://127.0.0.1/", "http://192.0.2.1/"]])
    def test_what_is_not_valid_changes_nothing(self, urls: list[str], clock: ManualClock) -> None:
        addresses = Addresses("http://127.0.0.1:81/x", clock)
        with pytest.raises(ValueError, match="address"):
            addresses.set(urls)
        assert addresses.configured == ["http://127.0.0.1:81/x"]

    def test_an_account_is_used_and_not_shown(self, stranger: Host, clock: ManualClock) -> None:
        addresses = Addresses(stranger.api.replace("://", "://me:word@"), clock)
        assert attempt(addresses)
        assert addresses.in_use == stranger.api
        assert addresses.configured == [stranger.api]


class TestProof:
    def test_its_file_is_for_its_owner_and_another_at_each_start(self, tmp_path: Path, key: Path, proof: Proof) -> None:
        first = key.read_text()
        assert len(first) == 64
        assert key.stat().st_mode & 0o777 == 0o600
        key.unlink()
        (tmp_path / "elsewhere").write_text("precious")
        key.symlink_to(tmp_path / "elsewhere")
        Proof(key, "demo")
        assert key.read_text() != first
        assert (tmp_path / "elsewhere").read_text() == "precious"

    def test_a_page_that_echoes_is_no_proof(self, proof: Proof) -> None:
        with LoopbackServer(lambda request: Answer.of_text(request.query.get("challenge", ""))) as echo:
            assert proof(echo.url + API) is None

    def test_a_file_that_cannot_be_made_yet_is_made_later(self, tmp_path: Path) -> None:
        late = tmp_path / "late" / "proof.key"
        proof = Proof(late, "demo")
        with Host(late) as host:
            assert proof(host.api) is None
            late.parent.mkdir()
            assert proof(host.api) == host.api

    def test_an_empty_file_proves_nothing(self, key: Path, proof: Proof) -> None:
        key.write_text("")
        with Host(key) as host:
            assert proof(host.api) is None


ROW = "   0: {local}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:5d}        0 1 1\n"


@pytest.mark.parametrize(
    ("rows", "trusted"),
    [
        ([("0100007F", "0A", 0)], True),
        ([("00000000", "0A", os.geteuid())], True),
        ([("00000000000000000000000000000000", "0A", 0)], True),
        ([("0100007F", "0A", 65534)], False),
        ([("00000000", "0A", 0), ("0100007F", "0A", 65534)], False),
        ([("0100007F", "01", 0)], False),
        ([("0200007F", "0A", 0)], False),
        ([], False),
    ],
)
def test_a_listener_is_trusted_by_its_user(rows: list[tuple[str, str, int]], trusted: bool) -> None:
    table = "".join(ROW.format(local=local, port=80, state=state, uid=uid) for local, state, uid in rows)
    assert listens_for_us("http://127.0.0.1/x", {"tcp": table}) is trusted
    assert listens_for_us("https://127.0.0.1/x", {"tcp": table}) is False


def test_a_listener_of_ours_is_found_by_the_system() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/"
        assert listens_for_us(url)
    assert not listens_for_us(url)
