"""Why a call failed is told in the user's words, not in the system's."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from jeenergied import texts
from jeenergied.actions import Actions
from jeenergied.api.commands import Commands
from jeenergied.connections.services import Services
from jeenergied.connections.supervisor import Supervisor
from jeenergied.devices.base import DeviceError, Moment
from jeenergied.readings import Board

from jeedom_bridge.clock import ManualClock
from jeedom_bridge.contract import Contract
from jeedom_bridge.http import errors as http_errors
from jeedom_bridge.http import fetch, new_session
from jeedom_bridge.listener import CommandError
from jeedom_bridge.logs import Logs, Masker
from jeedom_bridge.outbox import Outbox
from jeedom_bridge.store import Store
from jeedom_bridge.store import errors as store_errors

I18N = Path(__file__).resolve().parents[2] / "core" / "i18n"
REASONS = json.loads((I18N.parent / "contract" / "common.json").read_text("utf-8"))["reasons"]
TEMPLATE = "Easee ne répond pas ({error}) : est-ce que Jeedom a accès à Internet ?"


@pytest.mark.parametrize("name", REASONS)
def test_every_reason_has_both_languages(name: str) -> None:
    kinds = {**vars(http_errors), **vars(store_errors)}
    error = kinds[name]("in the words of a library")
    french, english = texts.Texts(I18N)(TEMPLATE, error=error), texts.Texts(I18N, "en_US")(TEMPLATE, error=error)
    assert REASONS[name] in french
    assert english.startswith("Easee does not answer (")
    assert REASONS[name] not in english
    assert "library" not in french + english


@pytest.mark.parametrize("name", ["ConnectTimeout", "ReadTimeout", "DeadlineExceeded"])
def test_a_class_without_words_has_those_of_its_parent(name: str) -> None:
    error = getattr(http_errors, name)("limit")
    assert REASONS["NoAnswer"] in texts.Texts(I18N)(TEMPLATE, error=error)


def test_words_of_the_system_are_for_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    error = http_errors.ConnectFailed("Too many open files")
    with caplog.at_level("DEBUG"):
        assert "(pas de réponse utilisable)" in texts.Texts(I18N)(TEMPLATE, error=error)
    assert "Too many open files" in caplog.text


def test_words_of_the_real_thing_are_known() -> None:
    with pytest.raises(http_errors.HttpError) as refused:
        fetch(new_session(), "GET", "http://127.0.0.1:9/")
    assert "rien n'écoute" in texts.Texts(I18N)(TEMPLATE, error=refused.value)


def test_the_newest_message_decides_the_language(tmp_path: Path) -> None:
    clock, contract = ManualClock(), Contract(I18N.parent / "contract")
    store = Store(tmp_path / "store.sqlite")
    shared = Services(clock, Outbox(clock), store, Masker(), texts.Texts(I18N), Board(clock))
    supervisor = Supervisor(contract, shared)
    logs = Logs.__new__(Logs)
    commands = Commands(
        contract,
        shared,
        supervisor,
        Actions(supervisor.owner, shared.texts, shared.outgoing),
        logs,
        lambda: None,
        lambda: None,
    )

    def refusal(**more: str) -> str:
        with pytest.raises(CommandError) as refused:
            commands.handle("refresh", {"cmd": "refresh", "connection": "none", **more})
        return str(refused.value)

    assert refusal().startswith("Cette connexion")
    assert refusal(language="en_US").startswith("This connection")
    assert refusal().startswith("This connection")
    assert refusal(language="../../etc/passwd").startswith("Cette connexion")
    store.close()


def test_a_date_is_read_the_same_way_by_every_reader() -> None:
    """Anything but French has ISO 8601: 04/05 is in April for some, in May for others."""
    when = datetime(2026, 5, 4, 7, 8)
    template = "Aucune donnée depuis le {when} : {says}"
    said = texts.Texts(I18N)
    assert said(template, when=Moment(when), says="x") == "Aucune donnée depuis le 04/05/2026 07:08 : x"
    assert said(template, when=Moment(when.date()), says="x") == "Aucune donnée depuis le 04/05/2026 : x"
    assert said(template, when=Moment(when, "%d/%m à %H:%M"), says="x") == "Aucune donnée depuis le 04/05 à 07:08 : x"
    said.language = "en_US"
    assert said(template, when=Moment(when), says="x") == "No data since 2026-05-04 07:08: x"
    assert said(template, when=Moment(when.date()), says="x") == "No data since 2026-05-04: x"
    assert said(template, when=Moment(when, "%d/%m à %H:%M"), says="x") == "No data since 2026-05-04 07:08: x"


def test_a_number_has_the_decimal_mark_of_the_language() -> None:
    french, english = texts.Texts(I18N), texts.Texts(I18N, "en_US")
    assert french("{energy} kWh, {count} jours", energy=1.5, count=3) == "1,5 kWh, 3 jours"
    assert english("{energy} kWh", energy=1.5) == "1.5 kWh"


def test_no_sentence_holds_a_date_of_one_language() -> None:
    daemon = I18N.parents[1] / "resources" / "daemon"
    french = [
        f"{path.relative_to(daemon)}: {line.strip()}"
        for path in daemon.rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "%d/%m" in line and "Moment(" not in line and "strptime" not in line
    ]
    assert len(french) == 1, french  # that of Moment itself


def test_words_behind_a_number_have_their_singular_and_plural() -> None:
    template = "Connecté à Easee : {n:chargeur|chargeurs} et {m:Equalizer|Equalizers} sur ce compte"
    french, english = texts.Texts(I18N), texts.Texts(I18N, "en_US")
    assert french(template, n=0, m=1) == "Connecté à Easee : 0 chargeur et 1 Equalizer sur ce compte"
    assert english(template, n=0, m=1) == "Connected to Easee: 0 chargers and 1 Equalizer on this account"
    assert english(template, n=1, m=2) == "Connected to Easee: 1 charger and 2 Equalizers on this account"
    assert str(DeviceError(template, n=2, m=0)) == "Connecté à Easee : 2 chargeurs et 0 Equalizer sur ce compte"
    assert texts.Texts(I18N, "de_DE")("{n:jour|jours}", n=0) == "0 jour", "a text that has no translation is French"
