"""The main path over real sockets: poll, upload, actions, discovery."""

from __future__ import annotations

import time

import pytest
from jeenergied.devices.base import AuthenticationFailed, Refused
from jeenergied.devices.wes import cgx

from simulators.wes.server import WesServer
from tests.support.waiting import until
from tests.wes.rig import Rig, connection, item, settings


def send(rig: Rig, wes: WesServer, **config: object) -> str:
    """Presses the button of a form that is not saved."""
    runner = rig.runner(settings(wes, jeedomCgx=True, **config), identifier="form", silent=True)
    return runner.device.run("sendCgx", {})


def ready(wes: WesServer) -> None:
    """Our pages are on the WES."""
    wes.files.update(cgx.files())


def test_a_poll_brings_values_of_every_equipment_by_one_request(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    rig.start(settings(wes, jeedomCgx=True, supply9v=True), item("teleinfo", 1), item("relais", 103), item("sonde", 2))
    rig.wait(lambda: rig.value("sonde2", "temperature") == -3.1)
    rig.wait(lambda: rig.value("teleinfo1", "ADCO") == "031976543210")
    assert rig.value("teleinfo1", "BBRHCJB") == 12345.678
    assert rig.value("relais103", "state") is True
    assert rig.value("1", "tension") == 234
    assert rig.value("1", "status") is True
    polls = len(wes.requests)
    until(lambda: len(wes.requests) >= polls + 3, 20)
    assert {seen.path for seen in wes.requests} == {"/jeenergie.cgx"}


def test_a_wes_is_read_each_second_where_the_user_wants_it(wes: WesServer, rig: Rig) -> None:
    """The smallest interval of the form, with what there is at most on one page."""
    ready(wes)
    everything = [item("teleinfo", 1), item("teleinfo", 2), *(item("sonde", n) for n in range(1, 31))]
    runner = rig.runner(settings(wes, jeedomCgx=True, pollInterval=1), *everything)
    runner.start()  # rig.start would poll faster
    rig.wait(lambda: rig.value("sonde2", "temperature") == -3.1)
    assert runner.device._job.period == 1.0
    begin, before = time.monotonic(), len(wes.requests)
    until(lambda: len(wes.requests) >= before + 5, 20)
    took = time.monotonic() - begin
    assert 4.0 < took < 10.0, "five readings, a second apart"
    assert wes.server.max_in_flight == 1


def test_a_wes_is_read_often_while_somebody_drives_by_it(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True, pollInterval=30), item("teleinfo", 1))
    rig.wait(lambda: rig.value("teleinfo1", "ADCO"))
    device = runner.device
    runner.call(lambda: device.hurry(5.0)).result(10)
    assert device._job.period == 5.0
    device._hurry._until = 0.0  # nobody has asked again
    runner.call(device.refresh).result(10)
    assert device._job.period == 30.0


def test_equipment_that_was_just_created_does_not_wait_for_the_next_poll(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    config = settings(wes, jeedomCgx=True, pollInterval=60)
    runner = rig.start(config, item("relais", 2))
    rig.wait(lambda: rig.value("relais2", "state") is False)
    polls = len(wes.requests)
    runner.update(connection(config, [item("relais", 2), item("sonde", 2)]))
    rig.wait(lambda: rig.value("sonde2", "temperature") == -3.1)
    runner.update(connection(config, [item("sonde", 2)]))  # what is gone needs no reading
    runner.call(lambda: None).result(10)
    runner.call(lambda: None).result(10)
    assert len(wes.requests) == polls + 1


def test_the_page_is_sent_from_the_form_and_read_back(wes: WesServer, rig: Rig) -> None:
    text = send(rig, wes)
    assert text == "Fichier CGX envoyé avec succès (version 2.0.0)."
    assert wes.files["JEENERGIE.CGX"] == cgx.content(cgx.OWN_FILE)
    assert "JEENERGI.NEW" not in wes.files
    assert [seen.path for seen in wes.requests] == ["/data.cgx", "/jeenergie.cgx"]


def test_the_page_of_the_official_plugin_is_left_alone(wes: WesServer, rig: Rig) -> None:
    wes.files["DATA_JEEDOM.CGX"] = b"theirs"
    send(rig, wes)
    assert wes.files["DATA_JEEDOM.CGX"] == b"theirs"


def test_the_upload_tells_its_progress(wes: WesServer, rig: Rig) -> None:
    runner = rig.start(settings(wes, jeedomCgx=True))
    runner.call(lambda: runner.device.run("sendCgx", {})).result(30)
    rig.wait(lambda: rig.of("progress") and rig.of("progress")[-1]["percent"] == 100)
    rig.wait(lambda: rig.value("1", "servercgxversion") == cgx.version())


def test_progress_is_also_told_of_a_form_that_is_not_saved(wes: WesServer, rig: Rig) -> None:
    send(rig, wes)
    rig.wait(lambda: rig.of("progress") and rig.of("progress")[-1]["percent"] == 100)
    assert {event["event"] for event in rig.events} == {"progress"}
    assert not rig.values


def test_the_http_account_is_not_the_ftp_account(wes: WesServer, rig: Rig) -> None:
    with pytest.raises(AuthenticationFailed, match="FTP"):
        send(rig, wes, ftpUser="admin", ftpPassword="wes")


@pytest.mark.parametrize(("kind", "key", "place"), [("relais", 2, 2), ("relais", 108, 108), ("switch", 1, 0)])
def test_an_action_is_done_and_its_state_read_back_at_once(
    wes: WesServer, rig: Rig, kind: str, key: int, place: int
) -> None:
    identity = f"{kind}{key}"
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True, pollInterval=60), item(kind, key))
    states = wes.box.relays if kind == "relais" else wes.box.switches
    rig.wait(lambda: rig.value(identity, "state") is False)
    for command, state in (("btn_on", True), ("btn_off", False), ("commute", True)):
        rig.act(runner, identity, command)
        assert bool(states[place]) is state  # type: ignore[index]
        rig.wait(lambda state=state: rig.value(identity, "state") is state)  # type: ignore[misc]


def test_an_action_that_takes_effect_late_is_waited_for(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    wes.action_delay = 0.6
    runner = rig.start(settings(wes, jeedomCgx=True, pollInterval=60), item("relais", 2))
    rig.act(runner, "relais2", "btn_on")
    rig.wait(lambda: rig.value("relais2", "state") is True)


def test_an_action_without_effect_is_an_error(wes: WesServer, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jeenergied.devices.wes.device.PROOF_PAUSES_S", (0.0, 0.05))
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True, user="user", password="user"), item("relais", 2))
    with pytest.raises(Refused, match="toujours à OFF"):
        rig.act(runner, "relais2", "btn_on")


def test_the_alarm_is_switched_through_the_screen_option(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    runner = rig.start(settings(wes, jeedomCgx=True, screen=True, pollInterval=60))
    rig.act(runner, "1", "alarmeon")
    rig.wait(lambda: rig.value("1", "alarme") is True)
    assert wes.box.alarm == 1


def test_discovery_tells_what_carries_data(wes: WesServer, rig: Rig) -> None:
    ready(wes)
    runner = rig.runner(settings(wes, jeedomCgx=True), silent=True)
    found = {(each.type, each.key): each for each in runner.device.discover()}
    counts = {kind: sum(1 for each in found if each[0] == kind) for kind, _ in found}
    assert counts == {
        "teleinfo": 3, "compteur": 6, "pince": 4, "sonde": 30, "bouton": 2, "relais": 10, "switch": 24,
        "analogique": 4, "variable": 8,
    }  # fmt: skip
    assert found["teleinfo", "1"].active
    assert found["teleinfo", "1"].config["ticMeasure"] == "consumption"
    assert found["teleinfo", "2"].config["ticMeasure"] == "production"
    assert not found["teleinfo", "3"].active
    assert found["pince", "2"].config["pinceMeasure"] == "production"
    assert found["pince", "1"].name == "Ballon & co (Garage)"
    assert found["sonde", "3"].name == "Sonde 3 (Garage)"
    assert [key for kind, key in found if kind == "sonde" and found[kind, key].active] == ["1", "2", "3"]


def test_a_test_says_who_answered_and_whether_the_account_may_act(wes: WesServer, rig: Rig) -> None:
    identity = rig.runner(settings(wes), silent=True).device.test()
    assert identity.data["firmware"] == "V0.84A16"
    assert "V0.84A16" in identity.text
    reader = rig.runner(settings(wes, user="user", password="user"), silent=True).device.test()
    assert "lecture seule" in reader.text


def test_a_test_signs_in_to_the_ftp_account_that_the_form_holds(wes: WesServer, rig: Rig) -> None:
    with pytest.raises(AuthenticationFailed, match="mot de passe FTP"):
        rig.runner(settings(wes, ftpPassword="mistyped"), silent=True).device.test()
    assert "FTP" not in rig.runner(settings(wes), silent=True).device.test().text
    sessions = wes.ftp.sessions
    rig.runner(settings(wes, ftpUser=""), silent=True).device.test()
    assert wes.ftp.sessions == sessions == 2
    assert not set(wes.files) & {"JEENERGIE.CGX", "JEENERGI.NEW"}, "a test writes nothing"


def test_a_test_succeeds_and_says_so_when_ftp_could_not_be_tried(wes: WesServer, rig: Rig) -> None:
    wes.ftp.fault("busy")
    text = rig.runner(settings(wes), silent=True).device.test().text
    assert "V0.84A16" in text
    assert "le compte FTP n'a pas pu être essayé : Le WES n'accepte pas de session FTP" in text
