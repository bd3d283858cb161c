"""What a hostile vendor, or whoever stands in its place, could answer; and what stops it."""

from __future__ import annotations

import gzip
import json
import resource
import socket
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Callable

import pytest
from jeenergied.devices.base import Unreachable, VendorError
from jeenergied.devices.easee.client import Cloud
from jeenergied.devices.easee.client import status_error as easee_error
from jeenergied.devices.econetatmo.client import AnswerLost, Service
from jeenergied.devices.enphase.gateway.client import Gateway, cloud_session
from jeenergied.devices.enphase.tokens import token
from jeenergied.devices.wes import ftp
from jeenergied.devices.wes.cgx_page import parse

from jeedom_bridge.http import HttpError, Response, fetch, new_session, retry_after
from tests.support.memory import forget_peak, peak_mib

Serve = Callable[[bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Servers that answer each connection with the same bytes, then close; `heard` collects what they were sent."""
    with_sockets: list[socket.socket] = []

    def start(answer: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        with_sockets.append(listener)

        def run() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with closing(peer):
                    HEARD.append(peer.recv(65536))
                    try:
                        peer.sendall(answer)
                    except OSError:
                        continue  # the client had enough

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    HEARD.clear()
    yield start
    for each in with_sockets:
        each.shutdown(socket.SHUT_RDWR)
        each.close()


HEARD: list[bytes] = []


def http(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    head = "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, f"Content-Length: {len(body)}", ""))
    return head.encode() + body


def bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(megabytes)) + packer.flush()


def test_a_decompression_bomb_ends_at_the_limit(serve: Serve) -> None:
    url = serve(http(bomb(400), "Content-Encoding: gzip"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HttpError) as caught:
        fetch(new_session(), "GET", url, max_bytes=1 << 20)
    assert caught.value.kind == "size"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 150 * 1024


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,gzip,gzip", "br", "zstd", "deflate, gzip"])
def test_layers_of_compression_are_not_unpacked(serve: Serve, encoding: str) -> None:
    url = serve(http(gzip.compress(bomb(64)), f"Content-Encoding: {encoding}"))
    with pytest.raises(HttpError, match="not asked for") as caught:
        fetch(new_session(), "GET", url)
    assert caught.value.kind == "protocol"


def test_one_layer_is_unpacked(serve: Serve) -> None:
    assert fetch(new_session(), "GET", serve(http(gzip.compress(b"{}"), "Content-Encoding: gzip"))).json() == {}


CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def test_bytes_after_the_end_of_a_compressed_body_hold_no_thread(serve: Serve) -> None:
    """They do in urllib3 2.6.2 to 2.7 where a body is streamed (CVE-2026-97688): a loop that reads nothing."""
    packed = zlib.compress(b"x" * 500_000) + b"trailing" * 10
    url = serve(f"{CHUNKED}Content-Encoding: deflate\r\n\r\n{len(packed):x}\r\n".encode() + packed + b"\r\n0\r\n\r\n")
    found: list[object] = []

    def ask() -> None:
        try:
            found.append(fetch(new_session(), "GET", url, read=5, deadline=5).body)
        except HttpError as error:
            found.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(30)
    assert found


def test_a_size_of_a_chunk_without_an_end_does_not_fill_the_memory(serve: Serve) -> None:
    """It does below urllib3 2.8 where a body is streamed (CVE-2026-97689)."""
    url = serve(f"{CHUNKED}\r\n".encode() + b"1" * (300 << 20))
    before = forget_peak()
    with pytest.raises(HttpError):
        fetch(new_session(), "GET", url, max_bytes=1 << 20)
    assert peak_mib() - before < 50


def test_an_answer_without_end_is_cut() -> None:
    """Its head comes byte by byte: no wait of the socket ever ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            peer, _ = listener.accept()
            with closing(peer):
                try:
                    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000:
                        peer.sendall(bytes([byte]))
                        time.sleep(0.05)
                except OSError:
                    return

        threading.Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(HttpError) as caught:
            fetch(new_session(), "GET", f"http://127.0.0.1:{listener.getsockname()[1]}", read=5, deadline=1)
        assert caught.value.kind == "timeout"
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize("name", ["easee login", "easee data", "netatmo token", "netatmo data", "enlighten"])
def test_nothing_follows_a_redirect_to_another_host(serve: Serve, name: str) -> None:
    other = serve(http(b"{}"))
    url = serve(http(b"", f"Location: {other}/take", status="307 Temporary Redirect"))
    calls: dict[str, Callable[[], Any]] = {
        "easee login": lambda: Cloud(url, url).login("me", "secret-word"),
        "easee data": lambda: Cloud(url, url).call("GET", "/api/chargers", "secret-word"),
        "netatmo token": lambda: Service(url).token({"refresh_token": "secret-word"}),
        "netatmo data": lambda: Service(url).ask("homesdata", "secret-word", {}),
        "enlighten": lambda: token.obtain(cloud_session(), url, url, "me", "secret-word", "1"),
    }
    with pytest.raises((VendorError, Unreachable)):
        calls[name]()
    assert len(HEARD) == 1
    assert b"/take" not in HEARD[0]


@pytest.mark.parametrize("packed", [False, True])
def test_the_body_of_a_redirect_meets_the_limit_as_any_other(serve: Serve, packed: bool) -> None:
    """To prepare what nobody follows, requests would read all of it, and unpack it."""
    lines = ["Location: /x", *(["Content-Encoding: gzip"] if packed else [])]
    url = serve(http(bomb(300) if packed else bytes(50 << 20), *lines, status="302 Found"))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HttpError) as caught:
        fetch(new_session(), "GET", url, max_bytes=1 << 20)
    assert caught.value.kind == "size"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024
    assert fetch(new_session(), "GET", serve(http(b"moved", "Location: /x", status="302 Found"))).body == b"moved"


@pytest.mark.parametrize("where", ["http://[", "//[x]:y/", "http://[::1/hub"])
def test_an_address_that_is_none_is_an_error_in_words(serve: Serve, where: str) -> None:
    body = json.dumps({"url": where, "accessToken": "other"}).encode()
    with pytest.raises(VendorError, match="adresse inattendue"):
        Cloud("http://x", f"{serve(http(body))}/hub").negotiate("token")


def test_a_stream_token_that_no_header_can_hold_is_not_used(serve: Serve) -> None:
    body = json.dumps({"url": "https://other/hub", "accessToken": "a\nX-Y: z"}).encode()
    with pytest.raises(VendorError, match="ouverture du flux"):
        Cloud("http://x", f"{serve(http(body))}/hub").negotiate("token")


@pytest.mark.parametrize("access", ["a\nb", "é", "\u2028", "\ud800"])
def test_an_access_token_that_no_header_can_hold_counts_as_a_lost_answer(serve: Serve, access: str) -> None:
    body = json.dumps({"access_token": access, "refresh_token": "r", "expires_in": 10800}).encode()
    with pytest.raises(AnswerLost):
        Service(serve(http(body))).token({"refresh_token": "x"})


def test_cookies_of_one_stream_host_are_not_sent_to_another(serve: Serve) -> None:
    end = serve(http(b'{"connectionToken": "x"}')).replace("127.0.0.1", "localhost")
    body = f'{{"url": "{end}/hub", "accessToken": "other"}}'.encode()
    first = serve(http(body, "Set-Cookie: affinity=abcdef; Path=/"))
    address, cookies, own = Cloud(first, f"{first}/hub").negotiate("account-token")
    assert address.startswith("ws" + end[4:])
    assert (cookies, own) == ("", "other")
    assert not any(b"account-token" in each or b"affinity" in each for each in HEARD[1:])


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]><envoy_info><device><sn>&c;</sn></device></envoy_info>',
        '<!DOCTYPE a [<!ENTITY b "1">]><envoy_info><device><sn>&b;</sn></device></envoy_info>'.encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><envoy_info><device><sn>&b;</sn></device></envoy_info>',
    ],
    ids=["multiplied", "utf-16", "file"],
)
def test_entities_of_a_page_are_not_read(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    gateway = Gateway("127.0.0.1", 1)
    monkeypatch.setattr(gateway, "_request", lambda *_: Response(200, {}, body))
    with pytest.raises(VendorError):
        gateway.info()
    with pytest.raises(VendorError):
        parse(body.replace(b"envoy_info", b"data"), "DATA.CGX")


@pytest.mark.parametrize("told", ["²", "\u0663", "-5", "1e9", "nan", "9" * 5000, "", " "])
def test_an_odd_pause_is_no_crash(told: str) -> None:
    answer = Response(429, {"retry-after": told}, b"")
    assert 0 < getattr(easee_error(answer, "/x"), "retry", 0) <= 86400
    found = retry_after(answer.headers, 1.8e9)
    assert found is None or 0 <= found <= 86400


@pytest.mark.parametrize("told", ["²", "9" * 5000, "-5"])
def test_an_odd_pause_of_netatmo_is_no_crash(serve: Serve, told: str) -> None:
    url = serve(
        http(b"{}", "Retry-After: ", status="429 x").replace(b"Retry-After: ", f"Retry-After: {told}".encode("latin-1"))
    )
    with pytest.raises(Exception, match="Netatmo") as caught:
        Service(url).ask("homesdata", "secret-word", {})
    assert getattr(caught.value, "code", "") == "rate_limited"


def test_a_file_goes_to_the_server_that_asked_for_it() -> None:
    """A passive answer may name any machine of the house."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            peer, _ = listener.accept()
            with closing(peer):
                peer.sendall(b"220 hello\r\n")
                peer.recv(100)
                peer.sendall(b"227 entering passive mode (192,0,2,1,4,210)\r\n")
                peer.recv(100)

        threading.Thread(target=talk, daemon=True).start()
        session = ftp._Ftp(timeout=5)
        # What an older Python does by itself.
        session.trust_server_pasv_ipv4_address = True
        session.connect("127.0.0.1", listener.getsockname()[1])
        assert session.makepasv() == ("127.0.0.1", 1234)
        session.close()
