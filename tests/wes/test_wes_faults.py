"""What goes wrong between a WES and us, over real sockets: nothing false is published, and the user is told once."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import threading
import time
from typing import Callable

import pytest
from jeenergied.devices.base import DeviceError, Refused, Unreachable, VendorError
from jeenergied.devices.wes import client, device, ftp
from jeenergied.devices.wes.client import Wes

from simulators.wes.life import furnished
from simulators.wes.server import WesServer
from tests.support.waiting import until
from tests.wes.rig import Rig, item, settings
from tests.wes.test_wes_device import ready, send


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tells a failure at once."""
    monkeypatch.setattr(device.Device, "grace", 0.0)


def wrong(wes: WesServer, kind: str, **fault: object) -> DeviceError:
    """What a test of the connection says under a fault."""
    wes.fault(kind, **fault)  # type: ignore[arg-type]
    with pytest.raises(DeviceError) as told:
        Wes(settings(wes)).page("data.cgx")
    return told.value


@pytest.mark.parametrize("kind", ["html", "garbage", "entities", "external", "redirect"])
def test_an_answer_that_is_no_page_is_told_as_one(wes: WesServer, kind: str) -> None:
    error = wrong(wes, kind)
    assert isinstance(error, VendorError)
    assert "vérifiez l'adresse" in str(error)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("status", 500), ("status", 403), ("status", 404), ("status", 302), ("drop", None), ("cut", 3000), ("html", None)],
)
def test_no_error_names_a_path_of_the_wes(wes: WesServer, kind: str, value: object) -> None:
    assert "cgx" not in str(wrong(wes, kind, value=value)).lower()


@pytest.mark.parametrize("status", [301, 400, 403, 404, 408, 409, 410, 418, 429, 500, 502, 503, 504])
def test_a_status_is_told(wes: WesServer, status: int) -> None:
    error = wrong(wes, "status", value=status)
    kinds = {301: VendorError, 403: client.Forbidden, 404: client.PageMissing}
    assert type(error) is kinds.get(status, Unreachable)
    if type(error) is Unreachable:
        assert "ne peut pas répondre pour le moment" in str(error)


def test_a_dropped_connection_is_told_as_a_busy_wes(wes: WesServer) -> None:
    error = wrong(wes, "drop")
    assert isinstance(error, Unreachable)
    assert "prises par d'autres" in str(error)


def test_a_page_that_was_cut_is_asked_for_once_more(wes: WesServer) -> None:
    wes.fault("cut", value=3000, count=1)
    assert Wes(settings(wes)).page("data.cgx").firmware == "V0.84A16"
    assert len(wes.requests) == 2
    error = wrong(wes, "cut", value=3000)
    assert "3000 octets" in str(error)


def test_a_body_that_stops_arriving_meets_its_limit(wes: WesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.3)
    error = wrong(wes, "stall", value=3000)
    assert isinstance(error, Unreachable)
    assert "0.3 s" in str(error)


def test_a_page_that_never_ends_meets_its_limit(wes: WesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_BYTES", 5000)
    assert "trop longue" in str(wrong(wes, "latency", value=0.0))


def test_a_page_in_pieces_is_whole_however_slow(wes: WesServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "READ_TIMEOUT_S", 0.5)
    wes.pause = 1.0
    assert Wes(settings(wes)).page("data.cgx").firmware == "V0.84A16"
    monkeypatch.setattr(client, "DEADLINE_S", 0.4)
    with pytest.raises(Unreachable):
        Wes(settings(wes)).page("data.cgx")


@pytest.mark.skipif("JEENERGIE_SLOW" not in os.environ, reason="takes 10 s: set JEENERGIE_SLOW")
@pytest.mark.slow
def test_an_answer_after_10_s_is_taken(wes: WesServer) -> None:
    wes.fault("latency", value=10.0)
    assert Wes(settings(wes)).page("data.cgx").firmware == "V0.84A16"


def test_a_wrong_password_is_told_once_and_not_tried_again(wes: WesServer, rig: Rig) -> None:
    rig.start(settings(wes, password="wrong"), item("relais", 1))
    rig.wait(lambda: rig.state() == "authentication_failed")
    rig.wait(lambda: rig.value("1", "status") is False)
    time.sleep(0.5)  # some polls would have come
    assert len(wes.requests) == 1
    assert "Accès sécurisé" in rig.text()
    assert "relais1" not in rig.values


def test_a_refused_connection_recovers_alone(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    rig.start(settings(wes, jeedomCgx=True), item("teleinfo", 1))
    rig.wait(lambda: rig.state() == "online")
    wes.server.suspend()
    rig.wait(lambda: rig.state() == "unreachable", 6)
    rig.wait(lambda: rig.value("1", "status") is False, 6)
    wes.server.resume()
    before = rig.sent
    rig.wait(lambda: rig.state() == "online", 10)
    rig.wait(lambda: rig.value("1", "status") is True)
    # What has not changed meanwhile is not sent again.
    assert rig.sent - before <= 2


def test_a_moment_without_free_connection_is_not_worth_a_word(
    wes: WesServer, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device.Device, "grace", 20.0)
    rig.start(settings(wes))
    rig.wait(lambda: rig.state() == "online")
    wes.fault("drop", count=1)
    served = len(wes.requests)
    until(lambda: len(wes.requests) >= served + 3, 6)
    # The first state may be overtaken by the next before it leaves.
    assert {event["state"] for event in rig.of("connection")} - {"connecting"} == {"online"}
    assert rig.value("1", "status") is True


def test_no_value_comes_of_a_cut_page(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    wes.fault("cut", value=5000)
    rig.start(settings(wes, jeedomCgx=True), item("teleinfo", 1))
    rig.wait(lambda: rig.state() == "error")
    assert "teleinfo1" not in rig.values
    wes.clear()
    rig.wait(lambda: rig.value("teleinfo1", "PAP") == 1840)


@pytest.mark.parametrize("kind", ["latin1", "ampersand"])
def test_free_text_in_the_page_costs_no_value(wes: WesServer, rig: Rig, kind: str) -> None:
    ready(wes)
    wes.fault(kind)
    rig.start(settings(wes, jeedomCgx=True), item("teleinfo", 1))
    rig.wait(lambda: rig.value("teleinfo1", "PAP") == 1840)
    assert rig.state() == "online"


def test_discovery_does_without_names_that_cannot_be_read(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    wes.fault("garbage", path="/jeenames.cgx")
    found = rig.runner(settings(wes, jeedomCgx=True), silent=True).device.discover()
    assert {each.name for each in found if each.type == "pince"} == {f"Pince {n} (Garage)" for n in (1, 2, 3, 4)}


def test_a_missing_section_takes_nothing_else_along(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    wes.fault("without", value="tic1")
    rig.start(settings(wes, jeedomCgx=True), item("teleinfo", 1), item("pince", 1))
    rig.wait(lambda: rig.value("pince1", "puissance") == 948)
    assert "teleinfo1" not in rig.values
    assert rig.state() == "online"


def test_a_lost_meter_link_leaves_the_last_values(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    rig.start(settings(wes, jeedomCgx=True), item("teleinfo", 1), item("sonde", 1), item("sonde", 9))
    rig.wait(lambda: rig.value("teleinfo1", "BBRHCJB") == 12345.678)
    wes.fault("tic_lost", value=1)
    polls = len(wes.requests)
    until(lambda: len(wes.requests) >= polls + 2)
    assert rig.value("teleinfo1", "BBRHCJB") == 12345.678
    assert rig.value("teleinfo1", "PTEC") == "H. Pleine BLEU"
    assert "sonde9" not in rig.values


def test_the_wes_of_2017_gives_what_it_has(wes: WesServer, rig: Rig) -> None:
    wes.old_firmware()
    tariff = {"tarification": "HC", "ticMeasure": "consumption"}
    wes.box.tics[0].option, wes.box.tics[0].period = "HC.", "H. Creuses"
    wes.box.tics[0].indexes = {"HC": 48437741, "HP": 12}
    rig.start(settings(wes), item("teleinfo", 1, tariff), item("pince", 1), item("teleinfo", 3), item("switch", 20))
    rig.wait(lambda: rig.value("teleinfo1", "HCHC") == 48437.741)
    rig.wait(lambda: rig.value("pince1", "index") == 2813.447)
    assert not {"teleinfo3", "switch20"} & set(rig.values)
    with pytest.raises(Refused, match=r"V0\.61D"):
        send(rig, wes)


def test_two_servers_do_not_wait_for_each_other(wes: WesServer, rig: Rig) -> None:
    with WesServer(furnished()) as other:
        wes.fault("hang", value=30)
        rig.start(settings(wes), identifier="1")
        rig.start(settings(other), identifier="2")
        rig.wait(lambda: rig.state("2") == "online")
        until(lambda: len(other.requests) >= 3)
        wes.clear()


def test_there_is_one_request_at_a_time_whatever_wants_it(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    wes.pause = 0.2
    runner = rig.start(settings(wes, jeedomCgx=True), item("relais", 2))
    forms = [rig.runner(settings(wes, pollInterval=n), identifier="form", silent=True) for n in (2, 3, 4)]
    threads = [threading.Thread(target=form.device.test) for form in forms]
    for thread in threads:
        thread.start()
    rig.act(runner, "relais2", "btn_on")
    for thread in threads:
        thread.join(30)
    assert len(wes.requests) >= 6
    assert wes.server.max_in_flight == 1


def test_a_toggle_is_never_sent_twice(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True, pollInterval=60), item("relais", 2))
    rig.wait(lambda: rig.value("relais2", "state") is False)
    wes.fault("drop", path="/RL.cgi", count=1)
    with pytest.raises(Unreachable):
        rig.act(runner, "relais2", "commute")
    assert sum("frl" in seen.path for seen in wes.requests) == 1
    wes.fault("drop", path="/RL.cgi", count=1)
    rig.act(runner, "relais2", "btn_on")
    assert wes.box.relays[2]


def test_an_output_that_the_wes_has_not_is_an_error(wes: WesServer, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device, "PROOF_PAUSES_S", (0.0, 0.05))
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True), item("relais", 999), item("relais", "1=ON&rl2"))
    for command in ("btn_on", "commute"):
        with pytest.raises(Refused, match="ne montre pas"):
            rig.act(runner, "relais999", command)
    with pytest.raises(Refused, match="pas le numéro"):
        rig.act(runner, "relais1=ON&rl2", "btn_on")
    assert not wes.box.relays[2]


def test_a_restart_on_demand_is_a_success(wes: WesServer, rig: Rig) -> None:
    runner = rig.runner(settings(wes), silent=True)
    assert "redémarre" in runner.device.run("reboot", {})


@pytest.mark.parametrize(("status", "words"), [(403, "compte administrateur"), (404, "firmware")])
def test_an_action_that_is_refused_is_told_in_the_users_words(
    wes: WesServer, rig: Rig, status: int, words: str
) -> None:
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True, pollInterval=60), item("relais", 2))
    wes.fault("status", path="/RL.cgi", value=status)
    with pytest.raises(Refused, match=words) as told:
        rig.act(runner, "relais2", "btn_on")
    assert "cgi" not in str(told.value)
    assert rig.state() in ("", "connecting", "online")


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [
        ("192.168.1.40", "192.168.1.40", 8080),
        ("192.168.1.40:81", "192.168.1.40", 81),
        (" http://wes.local:81/index.htm ", "wes.local", 81),
        ("HTTP://wes/", "wes", 8080),
        ("wes:99999", "wes:99999", 8080),
    ],
)
def test_a_port_in_the_address_is_the_one_that_is_used(address: str, host: str, port: int) -> None:
    wes = Wes({"host": address, "port": 8080, "user": "a", "password": "b"})
    assert (wes.host, wes.port) == (host, port)


def test_a_wes_is_reached_by_an_address_with_its_port(wes: WesServer, rig: Rig) -> None:
    identity = rig.runner(settings(wes, host=f"127.0.0.1:{wes.port}", port=80), silent=True).device.test()
    assert identity.data["firmware"] == "V0.84A16"


def test_a_decimal_comma_and_lower_case_states_are_read(wes: WesServer, rig: Rig) -> None:
    wes.fault("comma")
    wes.fault("lower")
    rig.start(settings(wes), item("pince", 1), item("relais", 1), item("relais", 2), item("analogique", 1))
    rig.wait(lambda: rig.value("pince1", "intensite") == 4.12)
    rig.wait(lambda: rig.value("relais1", "state") is True and rig.value("relais2", "state") is False)
    rig.wait(lambda: rig.value("analogique1", "value") == 3.27)


@pytest.mark.parametrize("missing", ["host", "user", "password"])
def test_missing_settings_are_asked_for(wes: WesServer, rig: Rig, missing: str) -> None:
    with pytest.raises(Refused, match="informations de connexion HTTP"):
        rig.runner(settings(wes, **{missing: ""}), silent=True).device.test()


def test_an_address_cannot_become_another_one(wes: WesServer, rig: Rig) -> None:
    with pytest.raises(Refused, match="adresse IP"):
        rig.runner(settings(wes, host="evil@127.0.0.1/x?"), silent=True).device.test()


def test_no_secret_reaches_a_log_nor_a_text(
    wes: WesServer, rig: Rig, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    wes.account = ("admin", "s3cret@:/#?pass")
    for fault in (None, "drop", "html", "cut"):
        if fault:
            wes.fault(fault, value=100 if fault == "cut" else None)
        runner = rig.runner(settings(wes, password="s3cret@:/#?pass", jeedomCgx=True, ftpPassword="ftp-s3cret"))
        for ask in (runner.device.test, lambda: runner.device.run("sendCgx", {})):  # noqa: B023
            assert "s3cret" not in _said(ask)
    assert "s3cret" not in caplog.text
    assert all("s3cret" not in seen.path for seen in wes.requests)


def _said(ask: Callable[[], object]) -> str:
    try:
        return str(ask())
    except DeviceError as error:
        return f"{error} {error.values}"


# FTP.


@pytest.mark.parametrize(
    ("fault", "value", "kind", "words"),
    [
        ("off", None, Unreachable, "Activez l'accès FTP"),
        ("busy", None, Unreachable, "plus tard"),
        ("full", 100, Refused, "espace libre"),
        ("full", 0, Refused, "espace libre"),
        ("cut", 500, Unreachable, "coupé"),
        ("data", None, Unreachable, "pare-feu"),
    ],
)
def test_a_failed_upload_is_told_and_leaves_the_old_page(
    wes: WesServer, rig: Rig, fault: str, value: object, kind: type, words: str
) -> None:
    wes.files["JEENERGIE.CGX"] = b"t old\n.\n"
    wes.fault(f"ftp_{fault}", value=value)
    with pytest.raises(kind, match=words):
        send(rig, wes, ftpPort=wes.ftp.port)
    assert wes.files["JEENERGIE.CGX"] == b"t old\n.\n"
    assert fault == "cut" or "JEENERGI.NEW" not in wes.files


def test_an_ftp_server_that_talks_without_end_meets_a_limit(wes: WesServer, rig: Rig) -> None:
    def talk(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            while True:
                peer.sendall(b"220-and on and on\r\n" * 100)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=talk, args=(listener,), daemon=True).start()
        with pytest.raises(Unreachable, match="plus tard"):
            send(rig, wes, ftpPort=listener.getsockname()[1])


@pytest.mark.parametrize("words", [b"", b"hello\r\n", b"\xff\xfe\r\n", b"220", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_what_is_no_ftp_server_is_told_as_none(wes: WesServer, rig: Rig, words: bytes) -> None:
    def talk(listener: socket.socket) -> None:
        peer, _ = listener.accept()
        with peer, contextlib.suppress(OSError):
            peer.sendall(words)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=talk, args=(listener,), daemon=True).start()
        with pytest.raises(Unreachable):
            send(rig, wes, ftpPort=listener.getsockname()[1])


def test_a_wes_that_does_not_answer_a_store_meets_its_limit(
    wes: WesServer, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ftp, "STEP_TIMEOUT_S", 0.3)
    wes.fault("ftp_silent")
    with pytest.raises(Unreachable):
        send(rig, wes)


def test_a_whole_session_meets_its_limit(wes: WesServer, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ftp, "DEADLINE_S", 0.3)
    wes.fault("ftp_silent")
    began = time.monotonic()
    with pytest.raises(Unreachable):
        send(rig, wes)
    assert time.monotonic() - began < 5


def test_without_renaming_a_cut_leaves_half_a_file_and_the_user_is_told(wes: WesServer, rig: Rig) -> None:
    wes.fault("ftp_norename")
    wes.fault("ftp_cut", value=500)
    wes.fault("ftp_cut_only", value="JEENERGIE.CGX")
    with pytest.raises(Unreachable, match="maintenant incomplet"):
        send(rig, wes)
    wes.clear()
    assert "succès" in send(rig, wes)


def test_without_renaming_the_file_is_written_in_place(wes: WesServer, rig: Rig) -> None:
    wes.fault("ftp_norename")
    assert "succès" in send(rig, wes)
    assert set(wes.files) >= {"JEENERGIE.CGX", "JEENAMES.CGX"}
    assert "JEENERGI.NEW" not in wes.files


def test_a_file_that_the_wes_does_not_show_is_no_success(wes: WesServer, rig: Rig) -> None:
    wes.fault("status", path="/jeenergie.cgx", value=404)
    with pytest.raises(VendorError, match="renvoyez-le"):
        send(rig, wes)


def test_the_ftp_account_is_asked_for(wes: WesServer, rig: Rig) -> None:
    with pytest.raises(Refused, match="FTP"):
        send(rig, wes, ftpUser="")


# Versions.


def test_an_older_page_is_announced_once(wes: WesServer, rig: Rig) -> None:
    rig.start(settings(wes, jeedomCgx=True))
    rig.wait(lambda: rig.value("1", "cgxupdate") is True)
    until(lambda: len(wes.requests) >= 6)
    assert len(rig.of("message")) == 1 + sum("horloge" in event["text"] for event in rig.of("message"))
    assert not wes.ftp.sessions


def test_an_absent_page_is_sent_when_the_user_allows_it(wes: WesServer, rig: Rig) -> None:
    rig.start(settings(wes, jeedomCgx=True, autoUpdateCgx=True), item("pince", 1))
    rig.wait(lambda: rig.value("pince1", "puissance") == 948)
    rig.wait(lambda: rig.value("1", "cgxupdate") is False)
    assert wes.ftp.sessions == 1


def test_an_automatic_upload_that_fails_is_told_once_and_put_off(wes: WesServer, rig: Rig) -> None:
    wes.fault("ftp_account")
    rig.start(settings(wes, jeedomCgx=True, autoUpdateCgx=True))
    rig.wait(lambda: any("Nouvel essai" in event["text"] for event in rig.of("message")))
    served = len(wes.requests)
    until(lambda: len(wes.requests) >= served + 2)
    assert wes.ftp.sessions == 1
    assert rig.state() == "online"


def test_the_update_command_sends_only_what_is_newer(wes: WesServer, rig: Rig) -> None:
    runner = rig.start(settings(wes, jeedomCgx=True, pollInterval=60))
    rig.act(runner, "1", "docgxupdate")
    rig.act(runner, "1", "docgxupdate")
    assert wes.ftp.sessions == 1


def test_the_official_page_is_used_while_ours_is_not_there(wes: WesServer, rig: Rig) -> None:
    from simulators.wes import templates

    wes.files["DATA_JEEDOM.CGX"] = templates.official()
    rig.start(settings(wes, jeedomCgx=True), item("pince", 1))
    rig.wait(lambda: rig.value("pince1", "puissance") == 948)
    rig.wait(lambda: rig.value("1", "servercgxversion") == "1.0.5")
    rig.wait(lambda: rig.value("1", "cgxupdate") is True)


def test_a_wrong_clock_is_told_once(wes: WesServer, rig: Rig) -> None:
    rig.start(settings(wes))
    rig.wait(lambda: any("elle indique 14/03/2025" in event["text"] for event in rig.of("message")))
    again = rig.start(settings(wes))  # as after a save
    rig.wait(lambda: again.health.state == "online")
    again.call(lambda: None).result(10)
    assert sum("horloge" in event["text"] for event in rig.of("message")) == 1
