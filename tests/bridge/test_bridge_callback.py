"""The client that posts the outbox: never gives up, never loses, never hammers."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import pytest

from jeedom_bridge import callback as module
from jeedom_bridge.clock import ManualClock
from tests.support import callback_server as answers
from tests.support.callback_rig import APIKEY, Make
from tests.support.callback_server import CallbackServer
from tests.support.waiting import until


def warnings(caplog: Any) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING and r.name == module.__name__]


class TestRequest:
    def test_it_is_a_form_with_the_key_in_its_body(self, make: Make, server: CallbackServer) -> None:
        rig = make()
        rig.outbox.values("1", {"power": 5})
        received = server.wait_for(lambda: server.requests)[0]
        assert received.path == "/core/api/jeeApi.php"
        assert received.headers["content-type"] == "application/x-www-form-urlencoded"
        assert {key: received.form[key] for key in ("type", "plugin", "apikey")} == {
            "type": "event",
            "plugin": "demo",
            "apikey": APIKEY,
        }
        payload = received.payload
        assert payload["sequence"] == 1
        assert len(payload["boot"]) >= 8
        assert payload["events"][0]["values"] == {"power": 5}

    def test_every_start_has_a_boot_of_its_own(self, make: Make, server: CallbackServer) -> None:
        for _ in range(2):
            make().say("x")
        server.wait_for(lambda: len(server.requests) == 2)
        assert len({received.payload["boot"] for received in server.requests}) == 2

    def test_text_of_any_kind_arrives(self, make: Make, server: CallbackServer) -> None:
        odd = "é&=%+ \"\\' \n\x00 \U0001f600 \u2028"
        make().outbox.values("1", {"label": odd})
        server.wait_events("values")
        assert server.value("1", "label") == odd

    def test_no_proxy_of_the_environment_is_used(
        self, make: Make, server: CallbackServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        make().say("x")
        server.wait_events("message")


class TestCycle:
    @pytest.mark.alone
    def test_the_first_change_after_a_pause_leaves_at_once(self, make: Make, server: CallbackServer) -> None:
        rig = make()
        taken = []
        for number in range(10):
            begun = time.monotonic()
            rig.outbox.values("1", {"power": number})
            server.wait_events("values", number + 1)
            taken.append(server.requests[-1].at - begun)
            time.sleep(0.21)
        assert sorted(taken)[5] < 0.01

    def test_changes_gather_during_the_cycle(self, make: Make, server: CallbackServer) -> None:
        rig = make(ManualClock(), cycle=5.0)
        rig.outbox.values("1", {"power": 0})
        server.wait_events("values")
        for number in range(1, 50):
            rig.outbox.values("1", {"power": number})
        assert 4.9 < rig.pause() <= 5.0
        assert server.count == 1
        rig.next_request()
        server.wait_events("values", 2)
        assert server.value("1", "power") == 49

    def test_a_first_change_waits_for_what_follows_from_it(self, make: Make, server: CallbackServer) -> None:
        rig = make(ManualClock(), cycle=5.0)
        rig.callback.lead = lambda: 0.5
        rig.outbox.values("1", {"power": 1})
        assert 0.4 < rig.pause() <= 0.5
        rig.outbox.values("2", {"power": 2})
        assert server.count == 0
        rig.next_request()
        assert [each["equipment"] for each in server.wait_events("values", 2)] == ["1", "2"]
        assert server.count == 1

    def test_changes_gather_while_a_request_is_under_way(self, make: Make, server: CallbackServer) -> None:
        release = threading.Event()
        server.script = [answers.held(release)]
        rig = make(cycle=0.0)
        rig.outbox.values("1", {"power": 0})
        server.wait_for(lambda: server.count == 1)
        for number in range(1, 50):
            rig.outbox.values("1", {"power": number})
        release.set()
        server.wait_events("values", 2)
        assert [each["values"]["power"] for each in server.of("values")] == [0, 49]

    def test_nothing_to_send_is_no_request(self, make: Make, server: CallbackServer) -> None:
        rig = make(cycle=0.0)
        rig.outbox.values("1", {"power": 1})
        server.wait_events("values")
        for _ in range(50):
            rig.outbox.values("1", {"power": 1, "other": None})
        rig.say("end")
        server.wait_events("message")
        assert server.count == 2

    def test_a_value_leaves_when_its_cadence_ends(self, make: Make, server: CallbackServer) -> None:
        rig = make(ManualClock())
        rig.outbox.values("1", {"v": 1}, cadence={"v": 10.0})
        server.wait_events("values")
        rig.outbox.values("1", {"v": 2}, cadence={"v": 10.0})
        until(lambda: (rig.pause() or 0) > 9)
        rig.next_request()
        server.wait_events("values", 2)


REFUSALS = {
    "a refused key": answers.text("Vous n'êtes pas autorisé à effectuer cette action, IP : 127.0.0.1"),
    "a page": answers.text("<!DOCTYPE html><html><body>Fatal error</body></html>"),
    "half of the json": answers.text('{"ok": tru'),
    "nothing": answers.text(""),
    "json that is no acknowledgement": answers.text('{"state": "ok", "result": null}'),
    "ok that is not true": answers.text('{"ok": 1}'),
    "a list": answers.text("[]"),
    "deep json": answers.text("[" * 100_000),
    "no utf-8": answers.raw(answers.http(b"\xff\xfe")),
    "500": answers.text('{"ok": true}', 500),
    "403": answers.text("Forbidden", 403),
    "204": answers.text("", 204),
    "not http": answers.raw(b"SSH-2.0-OpenSSH_9\r\n"),
    "a status line only": answers.raw(b"HTTP/1.1 200 OK\r\n"),
    "an answer that breaks off": answers.raw(answers.http(b'{"ok": true}', length=5000)),
    "a closed connection": answers.raw(b""),
    "broken gzip": answers.raw(answers.http(b"\x1f\x8bnonsense", headers="Content-Encoding: gzip\r\n")),
    "a negative length": answers.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
    "broken chunks": answers.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
}


class TestFailures:
    @pytest.mark.parametrize("reason", list(REFUSALS))
    def test_what_is_no_acknowledgement_keeps_every_event(
        self, make: Make, server: CallbackServer, reason: str
    ) -> None:
        server.script = [REFUSALS[reason]] * 2
        rig = make(ManualClock())
        for number in range(5):
            rig.say(str(number))
            rig.outbox.values("1", {"power": number})
        server.wait_for(lambda: server.count == 1)
        rig.next_request()
        assert rig.callback.error is None or server.applied == []
        rig.next_request()
        server.wait_for(lambda: len(server.of("message")) >= 5)
        until(lambda: rig.callback.error is None)
        rig.clock.advance(10)  # type: ignore[attr-defined]
        server.wait_for(lambda: server.value("1", "power") == 4)
        assert rig.said == ["0", "1", "2", "3", "4"]

    def test_a_redirect_is_not_followed(self, make: Make, server: CallbackServer) -> None:
        with CallbackServer() as elsewhere:
            for number, status in enumerate((301, 302, 303, 307, 308)):
                server.script = [answers.raw(answers.http(b"", status, f"Location: {elsewhere.url}\r\n"))]
                rig = make(ManualClock())
                rig.say(str(status))
                wanted = server.count + 1
                server.wait_for(lambda wanted=wanted: server.count >= wanted)
                assert rig.pause() > 0.3
                rig.next_request()
                server.wait_events("message", number + 1)
            assert elsewhere.count == 0

    def test_an_endless_answer_is_cut(self, make: Make, server: CallbackServer) -> None:
        server.script = [answers.endless()]
        rig = make(ManualClock())
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        assert rig.pause() > 0
        assert "1024 kB" in str(rig.callback.error)
        rig.next_request()
        server.wait_events("message")

    @pytest.mark.parametrize(
        "endless",
        [
            answers.endless(b"x", pause=0.05),
            answers.endless(b"x", head=b"HTTP/1.1 2", pause=0.05),
            answers.endless(b"x", head=b"HTTP/1.1 200 OK\r\nX: ", pause=0.05),
            answers.endless(b"HTTP/1.1 100 Continue\r\n\r\n", head=b"", pause=0.001),
            answers.endless(b"X: y\r\n", head=b"HTTP/1.1 200 OK\r\n"),
            answers.endless(b"1\r\nx\r\n", head=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", pause=0.05),
        ],
        ids=["body", "status", "header", "continue", "headers", "chunks"],
    )
    def test_an_answer_that_drips_meets_the_limit(
        self, make: Make, server: CallbackServer, endless: answers.Answer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 0.5)
        server.script = [endless]
        rig = make(ManualClock())
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        begun = time.monotonic()
        assert rig.pause() > 0
        assert time.monotonic() - begun < 3
        rig.next_request()
        server.wait_events("message")

    def test_pauses_grow_up_to_a_minute_and_vary(self, make: Make, server: CallbackServer) -> None:
        server.answer = answers.text("no", 500)
        rig = make(ManualClock())
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        pauses = []
        for _ in range(14):
            pauses.append(rig.pause())
            rig.next_request()
        for number, pause in enumerate(pauses):
            middle = min(60.0, 0.5 * 2**number)
            assert 0.74 * middle <= pause <= min(60.0, 1.26 * middle)
        assert len({round(pause / min(60.0, 0.5 * 2**n), 3) for n, pause in enumerate(pauses[:6])}) > 1

    def test_a_jeedom_that_is_not_there_is_asked_every_few_seconds(self, make: Make, server: CallbackServer) -> None:
        server.leave()
        clock = ManualClock()
        rig = make(clock)
        rig.say("x")
        for _ in range(12):
            pause = rig.pause()
            assert pause <= module.MAX_REFUSED_PAUSE_S + 1e-6  # of a clock that adds
            clock.advance(pause + 0.001)
        pause = rig.pause()
        server.listen()
        clock.advance(pause + 0.001)
        server.wait_events("message")

    def test_an_outage_is_one_warning_and_one_return(self, make: Make, server: CallbackServer, caplog: Any) -> None:
        caplog.set_level(logging.INFO)
        for outage in range(2):
            server.script = [answers.text("no", 500), answers.text("<html>"), answers.raw(b""), answers.text("x", 403)]
            rig = make(ManualClock())
            rig.say(str(outage))
            wanted = server.count + 1
            server.wait_for(lambda wanted=wanted: server.count >= wanted)
            for _ in range(4):
                rig.next_request()
            until(lambda outage=outage: caplog.text.count("takes values again") == outage + 1)
            assert len(warnings(caplog)) == outage + 1

    def test_after_a_return_the_next_pause_is_short_again(self, make: Make, server: CallbackServer) -> None:
        server.script = [answers.text("no", 500)] * 6
        rig = make(ManualClock())
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        for _ in range(6):
            rig.next_request()
        until(lambda: rig.callback.error is None)
        server.script = [answers.text("no", 500)]
        rig.clock.advance(1)  # type: ignore[attr-defined]
        rig.say("y")
        until(lambda: rig.callback.error is not None)
        assert rig.pause() < 0.7

    def test_half_as_much_after_each_timeout(
        self, make: Make, server: CallbackServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 0.1)
        server.script = [answers.silence(applied=False)] * 3
        rig = make(ManualClock())
        rig.outbox.values("1", {f"c{n}": n for n in range(600)})
        server.wait_for(lambda: server.count == 1)
        for _ in range(3):
            rig.next_request()
        sizes = [sum(len(event["values"]) for event in received.events) for received in server.requests]
        assert sizes == [500, 250, 125, 62]
        server.wait_events("values")
        until(lambda: rig.callback.error is None)
        monkeypatch.setattr(module, "ANSWER_TIMEOUT_S", 10.0)
        for _ in range(3):
            rig.next_request()
        sizes = [sum(len(event["values"]) for event in received.events) for received in server.requests[4:]]
        assert sizes[:2] == [124, 248]

    def test_a_request_that_jeedom_applied_unheard_is_repeated_under_its_sequence(
        self, make: Make, server: CallbackServer
    ) -> None:
        server.script = [answers.raw(b"", applied=True), answers.text("no", 500)]
        rig = make(ManualClock())
        rig.say("once")
        server.wait_for(lambda: server.count == 1)
        rig.say("after")
        rig.next_request()
        rig.next_request()
        until(lambda: rig.callback.error is None)
        rig.next_request()
        server.wait_for(lambda: "after" in rig.said)
        assert rig.said == ["once", "after"]
        assert server.repeats == 1
        assert [received.payload["sequence"] for received in server.requests] == [1, 1, 1, 2]

    def test_a_nudge_ends_the_pause(self, make: Make, server: CallbackServer) -> None:
        server.script = [answers.text("no", 500)] * 4
        rig = make(ManualClock())
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        for _ in range(3):
            rig.next_request()
        assert rig.pause() > 2
        rig.callback.nudge()
        server.wait_for(lambda: server.count == 5)
        server.wait_events("message")

    def test_a_nudge_without_an_outage_does_not_shorten_the_cycle(self, make: Make, server: CallbackServer) -> None:
        rig = make(ManualClock(), cycle=5.0)
        rig.say("x")
        server.wait_events("message")
        rig.say("y")
        assert rig.pause() > 4
        rig.callback.nudge()
        time.sleep(0.1)
        assert server.count == 1

    def test_an_exception_within_does_not_end_the_thread(
        self, make: Make, server: CallbackServer, monkeypatch: pytest.MonkeyPatch, caplog: Any
    ) -> None:
        """Without this thread the daemon would look well and send nothing for ever."""
        rig = make(ManualClock())
        real = rig.outbox.take
        failures = iter([RuntimeError("a mistake"), MemoryError()])

        def take(*args: Any, **more: Any) -> Any:
            for failure in failures:
                raise failure
            return real(*args, **more)

        monkeypatch.setattr(rig.outbox, "take", take)
        rig.say("x")
        for _ in range(2):
            rig.clock.advance(rig.pause() + 0.001)  # type: ignore[attr-defined]
        server.wait_events("message")
        assert "a mistake" in caplog.text


class TestAcknowledgement:
    def test_it_is_handed_on(self, make: Make, server: CallbackServer) -> None:
        server.answer = answers.acknowledge(log="debug")
        rig = make()
        rig.say("x")
        until(lambda: rig.acknowledged)
        assert rig.acknowledged == [{"ok": True, "log": "debug"}]

    def test_a_rejection_is_logged_once_for_its_reason(self, make: Make, server: CallbackServer, caplog: Any) -> None:
        server.answer = answers.acknowledge(rejected=[{"event": 0, "message": "odd level"}])
        rig = make(cycle=0.0)
        for number in range(3):
            rig.say(str(number))
            server.wait_events("message", number + 1)
        until(lambda: rig.callback.sent == 3)
        assert sum("odd level" in text for text in warnings(caplog)) == 1

    def test_who_fails_on_an_acknowledgement_stops_nothing(self, make: Make, server: CallbackServer) -> None:
        rig = make(cycle=0.0)
        rig.acknowledged = None  # type: ignore[assignment]
        rig.callback._on_acknowledged = lambda _: 1 / 0  # type: ignore[assignment,return-value]
        rig.say("x")
        server.wait_events("message")
        rig.say("y")
        server.wait_events("message", 2)

    @pytest.mark.parametrize(
        "fields",
        [
            {"unknown": None},
            {"unknown": [None, 5, {}, []]},
            {"unknownCommands": []},
            {"unknownCommands": {"1": None}},
            {"rejected": [{"event": 10**30}]},
            {"rejected": "x"},
            {"log": {"a": 1}},
            {"log": "x" * 100_000},
            {"more": [[[]]]},
        ],
    )
    def test_an_odd_acknowledgement_is_one_all_the_same(
        self, make: Make, server: CallbackServer, fields: dict[str, Any]
    ) -> None:
        server.answer = answers.acknowledge(**fields)
        rig = make(cycle=0.0)
        rig.outbox.values("1", {"a": 1})
        server.wait_events("values")
        rig.say("after")
        server.wait_events("message")

    def test_a_compressed_acknowledgement_is_not_asked_for(self, make: Make, server: CallbackServer) -> None:
        make().say("x")
        server.wait_events("message")
        assert server.requests[0].headers["accept-encoding"] == "identity"


class TestStop:
    def test_what_waits_is_sent_at_the_end(self, make: Make, server: CallbackServer) -> None:
        rig = make(ManualClock(), cycle=60.0)
        rig.say("first")
        server.wait_events("message")
        rig.outbox.values("1", {"v": 1}, cadence={"v": 600.0})
        rig.say("last")
        rig.callback.stop(2.0)
        assert rig.said == ["first", "last"]
        assert server.value("1", "v") == 1

    def test_the_end_is_tried_once_even_during_a_pause(self, make: Make, server: CallbackServer) -> None:
        server.answer = answers.text("no", 500)
        rig = make(ManualClock())
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        rig.pause()
        rig.callback.stop(2.0)
        assert server.count == 2

    def test_a_jeedom_that_hangs_holds_the_end_up_no_longer_than_asked(
        self, make: Make, server: CallbackServer
    ) -> None:
        server.answer = answers.silence()
        rig = make()
        rig.say("x")
        server.wait_for(lambda: server.count == 1)
        begun = time.monotonic()
        rig.callback.stop(0.3)
        assert time.monotonic() - begun < 20
