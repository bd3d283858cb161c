"""Every endpoint of every backend with a few spoilt answers, and those that long runs have found."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from jeenergied.devices.base import VendorError
from jeenergied.devices.hellowatt.site.errors import CredentialsRefused, LayoutChanged, LoginUnconfirmed
from jeenergied.texts import Texts

from jeedom_bridge.contract import Row
from tests.fuzz import BACKENDS, easee, econetatmo, endpoints_of, enphase, hellowatt, house, wes
from tests.support.fuzz import ROOT, Endpoint, Seen, run
from tests.support.mutations import Answer, Mutator, answer_of

CASES = 100
ENDPOINTS = [endpoint for backend in BACKENDS for endpoint in endpoints_of(backend)]


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.backend} {each.name}")
def test_a_spoilt_answer_is_refused_in_words_or_gives_what_is_left_of_it(endpoint: Endpoint) -> None:
    found = run(endpoint, CASES)
    assert found.failures == []
    assert found.refused + found.taken == CASES


class TestTheHarness:
    """What it is there to find, it finds."""

    ROW = Row("x", {"subType": "numeric", "type": "info", "max": 100})

    def failures(self, ask: object, explain: object = lambda answer, seen: ()) -> list[str]:
        endpoint = Endpoint("wes", "x", [answer_of({"a": 1})], ask, explain)  # type: ignore[arg-type]
        return run(endpoint, 40).failures

    def test_a_crash(self) -> None:
        def crash(answer: Answer) -> Seen:
            return Seen(texts=[] if answer.body == b'{"a": 1}' else [answer.body.decode("ascii")])

        assert any("UnicodeDecodeError" in each for each in self.failures(crash))

    def test_an_error_without_a_translation(self) -> None:
        def refuse(answer: Answer) -> Seen:
            if answer.body == b'{"a": 1}':
                return Seen()
            raise VendorError("quelque chose")

        assert any("no translation" in each for each in self.failures(refuse))

    def test_a_value_beyond_its_bounds(self) -> None:
        def take(answer: Answer) -> Seen:
            return Seen(values=[(self.ROW, 5 if answer.body == b'{"a": 1}' else 101)])

        assert any("x = 101" in each for each in self.failures(take))

    def test_a_value_that_stands_nowhere(self) -> None:
        def complain(answer: Answer, seen: Seen) -> Iterable[str]:
            return [] if answer.body == b'{"a": 1}' else ["invented"]

        assert any("invented" in each for each in self.failures(lambda answer: Seen(), complain))

    def test_the_same_seed_spoils_in_the_same_way(self) -> None:
        good = answer_of({"a": [1, 2, {"b": "c"}]})
        assert [Mutator(n).answer(good) for n in range(200)] == [Mutator(n).answer(good) for n in range(200)]


# What long runs have found.


@pytest.mark.parametrize("figure", [b"1" + b"0" * 400, b"-1" + b"0" * 400, b"1e400", b"NaN"])
def test_a_measure_without_end_refuses_the_answer(figure: bytes) -> None:
    """Netatmo: an OverflowError ended the connection's job."""
    good = econetatmo.measures(econetatmo.types())
    body = answer_of(good).body.replace(b" 1.0,", b" " + figure + b",")
    assert body != answer_of(good).body
    seen = econetatmo.World("getmeasure", Answer(body)).poll()
    assert seen.error is not None
    assert seen.points == []


@pytest.mark.parametrize("date", [10**12, 10**14, -(10**14), 0, -1])
def test_a_date_that_no_calendar_has_does_not_end_the_reading_of_inverters(date: float) -> None:
    """Enphase: a ValueError."""
    docs = enphase.recordings()[0]
    first = {**docs["api_v1_production_inverters"][0], "lastReportDate": date, "lastReportWatts": 55, "devType": 1}
    seen = enphase.World(docs, "api_v1_production_inverters", answer_of([first])).run([first["serialNumber"]])
    assert seen.error is None
    watts = {value for row, value in seen.values if row.logical_id == "Watt"}
    assert watts == set()


@pytest.mark.parametrize("token", ["\ud800", "a\nb", "é", "", 5, ["x"]])
def test_a_connection_token_that_no_address_can_hold_is_an_error_in_words(token: object) -> None:
    """Easee: a UnicodeEncodeError."""
    with pytest.raises(VendorError, match="ouverture du flux"):
        easee.plain(lambda cloud: cloud.negotiate("token"))(answer_of({"connectionToken": token}))


@pytest.mark.parametrize("place", ["http://[", "//[x", "https://[::1/login/redirect/"])
def test_a_login_that_leads_nowhere_is_no_reason_to_block_the_account(place: str) -> None:
    """helloWatt: a ValueError; the account is asked for again later, not given up."""
    for answer in (answer_of({"location": place}), Answer(b"", 302, {"location": place})):
        world = hellowatt.World("POST https://site/accounts", answer, signed_in=False)
        with pytest.raises(LoginUnconfirmed):
            world.log_in()
        assert "refused" not in world.context.memory


@pytest.mark.parametrize("place", [["/login/redirect/"], {"x": 1}, 5, True])
def test_a_place_that_is_no_text_is_no_verdict_on_the_account(place: object) -> None:
    """helloWatt: it counted as an account that is blocked."""
    with pytest.raises(LayoutChanged):
        hellowatt.World("POST https://site/accounts", answer_of({"location": place}), signed_in=False).log_in()


def test_a_redirect_that_leads_nowhere_is_a_page_that_has_changed() -> None:
    """helloWatt: a ValueError."""
    with pytest.raises(LayoutChanged, match="redirection 302"):
        hellowatt.World("/api/homes", Answer(b"", 302, {"location": "http://["})).homes()


@pytest.mark.parametrize("password", ["c", "assez-long-et-divers!"])
def test_a_refused_password_is_told_in_the_users_language(password: str) -> None:
    """helloWatt: the text was put together of two, which no translation holds."""
    refusal = answer_of({"form": {"errors": ["L’adresse e-mail ou le mot de passe sont incorrects."], "fields": {}}})
    world = hellowatt.World("POST https://site/accounts", refusal, signed_in=False)
    world.device._session.login._password = password
    with pytest.raises(CredentialsRefused) as told:
        world.log_in()
    english = Texts(ROOT / "core" / "i18n", "en_US")(told.value.template)
    assert english.startswith("E-mail or password refused by helloWatt.")
    assert ("12 characters" in english) == (password == "c")


@pytest.mark.parametrize("control", [b"\x1b", b"\x00", b"\x01"])
def test_a_number_with_a_control_character_in_it_is_none(control: bytes) -> None:
    """WES: 3, escape, 7 was read as 37, although the character may have been a digit."""
    good, box = wes.OWN, wes.Box(True)
    value = re.search(rb"<PAP>(\d+)</PAP>", good)
    assert value is not None
    meter = re.search(rb"<ADCO>(\d+)</ADCO>", good)
    assert meter is not None
    for found in (value, meter):
        text = found[1]
        body = good.replace(found[0], found[0].replace(text, text[:2] + control + text[2:]), 1)
        box.pages = {"jeenergie.cgx": wes.framed(wes.page(body))}
        seen = {(row.source, value) for row, value in box.poll().values}
        shown = {str(each) for _, each in seen}
        assert text.decode() not in shown
        assert not any("\ufffd" in each for each in shown)
        assert ("IINST", 8) in seen


@pytest.mark.parametrize("why", ["{x}", "{", "{0}", "{amps.x}"])
def test_a_sentence_that_the_disk_has_spoilt_is_shown_as_it_stands(why: str) -> None:
    """The house: a KeyError ended the question for the journal."""
    entry = {"at": house.NOW, "who": "21", "decision": "10 A", "why": why, "values": {"amps": 10}, "inputs": {}}
    with house.World(house.definition(), {"journal": [entry]}) as world:
        assert [each["why"] for each in world.device.journal("", 10)] == [why]
