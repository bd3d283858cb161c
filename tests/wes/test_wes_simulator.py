"""The simulated WES itself: what the documents say of the real one."""

from __future__ import annotations

import base64
import ftplib
import http.client
import io
import json
from datetime import datetime, timezone

import pytest

from simulators.clock import SimulatedClock
from simulators.wes.life import Life, furnished
from simulators.wes.render import NONSENSE, directive, printf, render
from simulators.wes.server import WesServer


class Session(ftplib.FTP):
    def makepasv(self) -> tuple[str, int]:
        """Before Python 3.9.3 a client goes to the address that the server names, here one that leads nowhere."""
        return "127.0.0.1", super().makepasv()[1]


def ask(wes: WesServer, path: str, account: str = "admin:wes") -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", wes.port, timeout=5)
    connection.request("GET", path, headers={"Authorization": "Basic " + base64.b64encode(account.encode()).decode()})
    answer = connection.getresponse()
    found = answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    connection.close()
    return found


def test_a_page_has_no_length_and_its_name_no_case(wes: WesServer) -> None:
    status, headers, body = ask(wes, "/Data.CGX")
    assert status == 200
    assert "content-length" not in headers
    assert headers["connection"] == "close"
    assert body.strip().endswith(b"</data>")


def test_accounts_and_their_rights(wes: WesServer) -> None:
    status, headers, _ = ask(wes, "/data.cgx", "admin:wrong")
    assert (status, "serveur WES" in headers["www-authenticate"]) == (401, True)
    assert ask(wes, "/INFOCFG.HTM", "user:user")[0] == 403
    assert ask(wes, "/INFOCFG.HTM")[0] == 200
    assert ask(wes, "/nothing.cgx")[0] == 404


def test_actions_answer_200_whatever_they_do(wes: WesServer) -> None:
    for request, number, state in (("rl2=ON", 2, True), ("frl=2", 2, False), ("rl103=OFF", 103, False)):
        assert ask(wes, f"/RL.cgi?{request}")[0] == 200
        assert wes.box.relays[number] is state
    assert ask(wes, "/RL.cgi?rl77=ON")[0] == 200
    ask(wes, "/AJAX.cgx?vs24=ON")
    ask(wes, "/AJAX.cgx?alarme=ON")
    assert (wes.box.switches[23], wes.box.alarm) == (1, 1)


def test_a_file_sent_by_ftp_is_rendered_at_once_and_few_commands_are_known(wes: WesServer) -> None:
    ftp = Session()
    ftp.connect("127.0.0.1", wes.ftp.port, timeout=5)
    ftp.login("adminftp", "wesftp")
    ftp.storbinary("STOR /one.cgx", io.BytesIO(b"t <a>\nc v v <f>%s</f>\n# no\nt </a>\n.\nt never\n"))
    assert ftp.size("/ONE.CGX") == 44
    for unknown in ("FEAT", "MLSD", "EPSV", "AUTH TLS"):
        with pytest.raises(ftplib.error_perm):
            ftp.sendcmd(unknown)
    ftp.quit()
    assert ask(wes, "/one.cgx")[2].split() == [b"<a>", b"<f>V0.84A16</f></a>"]


def test_a_wrong_format_prints_nonsense_and_an_unknown_code_nothing() -> None:
    box = furnished()
    assert directive(box, "ip1 <PAP>%d</PAP>") == "<PAP>1840</PAP>"
    assert directive(box, "ip1  <PAP>%d</PAP>") == " <PAP>1840</PAP>"
    assert directive(box, "zz9 <X>%d</X>") == ""
    assert directive(box, "PPi1<X>%.03f</X>") == "<X>0.000</X>"
    assert printf("%d", (1.5,)) == NONSENSE
    assert printf("%d.%03.0f", (842, 311.0)) == "842.311"


def test_a_template_without_its_end_is_rendered_to_the_end() -> None:
    assert b"".join(render(furnished(), b"t <a>\nt </a>")) == b"<a>\n</a>\n"


def test_midnight_begins_a_new_day_and_power_counts() -> None:
    box = furnished()
    clock = SimulatedClock(datetime(2026, 1, 31, 21, 0, tzinfo=timezone.utc).timestamp(), 0)
    life = Life(box, clock)
    life.update()
    index = sum(box.tics[0].indexes.values())
    clock.advance(1800)
    life.update()
    assert sum(box.tics[0].indexes.values()) > index
    assert box.tics[0].tomorrow.startswith("Jour ")
    day = box.counters[0].amount["j"]
    clock.advance(5400)
    life.update()
    assert box.counters[0].yesterday == day
    assert box.counters[0].amount["j"] < day
    assert box.tics[0].energy["m"] < 10
    assert box.tics[0].energy["a"] > 4000
    assert box.date == (1, 2, 2026)


def test_the_control_endpoint_sets_values_and_faults(wes: WesServer) -> None:
    def post(path: str, value: object) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", wes.control.port, timeout=5)
        connection.request("POST", path, json.dumps(value))
        return connection.getresponse().status

    assert post("/set", {"tics.0.power": 42, "relays.101": True, "probes.0.value": 1.5}) == 200
    assert (wes.box.tics[0].power, wes.box.relays[101], wes.box.probes[0].value) == (42, True, 1.5)
    assert post("/set", {"tics.9.power": 42}) == 400
    assert post("/fault", {"kind": "status", "value": 500}) == 200
    assert ask(wes, "/data.cgx")[0] == 500
    assert post("/clear", {}) == 200
    assert ask(wes, "/data.cgx")[0] == 200
