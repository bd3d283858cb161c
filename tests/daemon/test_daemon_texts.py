"""Why a call failed is told in the user's words, not in the system's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jeenergied import texts

from jeedom_bridge.http import HttpError, fetch, new_session

I18N = Path(__file__).resolve().parents[2] / "core" / "i18n"
REASONS = json.loads((I18N.parent / "contract" / "common.json").read_text("utf-8"))["reasons"]
TEMPLATE = "Easee ne répond pas ({error}) : est-ce que Jeedom a accès à Internet ?"


@pytest.mark.parametrize("pattern", REASONS)
def test_every_reason_has_both_languages(pattern: str) -> None:
    error = HttpError("connect", pattern.split("|")[0])
    french, english = texts.Texts(I18N)(TEMPLATE, error=error), texts.Texts(I18N, "en_US")(TEMPLATE, error=error)
    assert REASONS[pattern] in french
    assert english.startswith("Easee does not answer (")
    assert REASONS[pattern] not in english


def test_a_reason_that_nobody_knows_stays_as_it_is() -> None:
    assert "(Too many open files)" in texts.Texts(I18N)(TEMPLATE, error=HttpError("connect", "Too many open files"))


def test_words_of_the_real_thing_are_known() -> None:
    with pytest.raises(HttpError) as refused:
        fetch(new_session(), "GET", "http://127.0.0.1:9/")
    assert "rien n'écoute" in texts.Texts(I18N)(TEMPLATE, error=refused.value)
