"""What the daemon makes of a vendor's value is taken by the core as it is (core/contract/vectors/value.json)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import chromium
import pytest
from chromium import Chromium
from jeedom_host import URL, Jeedom

VECTORS = Path(__file__).resolve().parents[2] / "core" / "contract" / "vectors" / "value.json"
TAKEN = """
    $taken = [];
    foreach (json_decode($argv[1], true) as [$subType, $value]) {
        $cmd = new cmd();
        $cmd->setType('info')->setSubType($subType);
        $taken[] = $cmd->formatValue($value);
    }
    echo json_encode($taken, JSON_UNESCAPED_UNICODE);
"""


def test_a_value_is_kept_as_it_was_sent(jeedom: Jeedom) -> None:
    groups: list[dict[str, Any]] = json.loads(VECTORS.read_text("utf-8"))["rows"]
    sent = [(each["row"]["subType"], value) for each in groups for _, value in each["cases"] if value is not None]
    # The core keeps yes and no as 1 and 0.
    wanted = [int(value) if kind == "binary" else value for kind, value in sent]
    assert jeedom.php(TAKEN, json.dumps(sent)) == wanted


SHOWN = """
    $equipment = jeenergie::byId($argv[1]);
    $cmd = new jeenergieCmd();
    $cmd->setEqLogic_id($equipment->getId())->setLogicalId('unknown')->setName('Inconnue ' . uniqid());
    $cmd->setType('info')->setSubType($argv[2])->setUnite('W')->save();
    $shown = [];
    foreach (['dashboard', 'mobile'] as $view) {
        $pattern = "/refreshValue.*?value: '(.*?)', display_value: '(.*?)'.*?unit: '(.*?)'/";
        preg_match($pattern, $cmd->toHtml($view), $found);
        $shown[] = array_slice($found, 1);
    }
    $cmd->event(0);
    $known = jeenergieCmd::byId($cmd->getId());
    preg_match("/refreshValue.*?value: '(.*?)', display_value: '(.*?)'/", $known->toHtml('dashboard'), $found);
    $shown[] = array_slice($found, 1);
    $shown[] = $known->getDisplay('parameters', 'none');
    $known->remove();
    echo json_encode($shown, JSON_UNESCAPED_UNICODE);
"""


def test_a_widget_of_the_core_shows_a_dash_before_the_first_value(jeedom: Jeedom, bench: dict[str, str]) -> None:
    unknown = ["0", "–", ""]
    assert jeedom.php(SHOWN, bench["equipment"], "numeric") == [unknown, unknown, ["0", "0"], "none"]


MAKE = """
    $connection = jeenergie::byId($argv[1]);
    $equipment = Discovery::create($connection, 'inverter', uniqid(), 'Inconnu ' . uniqid(), ['tile' => 'core']);
    $equipment->setObject_id(jeeObject::all()[0]->getId())->setIsEnable(1)->setIsVisible(1)->save();
    foreach ($equipment->getCmd() as $each) { $each->setIsVisible(0)->save(); }
    $made = [$equipment->getId(), $equipment->getObject_id()];
    foreach (['binary' => 0, 'numeric' => 0, 'slider' => 1] as $kind => $action) {
        $cmd = new jeenergieCmd();
        $cmd->setEqLogic_id($equipment->getId())->setLogicalId('u' . $kind)->setName($kind);
        $cmd->setType($action ? 'action' : 'info')->setSubType($kind)->setUnite('A')->setIsVisible(1);
        $cmd->setConfiguration('maxValue', 32);
        if ($action) { $cmd->setValue(end($made)); }
        $cmd->save();
        $made[] = $cmd->getId();
    }
    echo json_encode(array_map('strval', $made));
"""


@pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")
def test_a_yes_or_no_and_a_slider_give_way_to_the_cores_widget_with_their_first_value(
    jeedom: Jeedom, bench: dict[str, str]
) -> None:
    equipment, place, binary, numeric, slider = jeedom.php(MAKE, bench["connection"])
    try:
        with Chromium(1200, 900) as browser:
            browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
            browser.goto(f"{URL}/index.php?v=d&p=dashboard&object_id={place}")
            browser.until(f'document.querySelector(\'[data-eqlogic_id="{equipment}"] [data-cmd_id="{slider}"] input\')')
            shown = f"document.querySelector('.cmd[data-cmd_id=\"{binary}\"]')"
            assert browser.run(f"{shown}.querySelector('.content').innerText.trim()") == "–"
            assert browser.run(f"{shown}.querySelector('.label-danger')") is None
            for command, value in ((binary, 1), (numeric, 16)):
                jeedom.php("cmd::byId($argv[1])->event($argv[2]);", command, value)
            browser.until(f"{shown}.getAttribute('data-template') !== 'unknown'")
            browser.until(f"document.querySelector('.cmd[data-cmd_id=\"{slider}\"] .noUi-handle')")
            assert [each for each in browser.errors if "exception" in each] == []
    finally:
        jeedom.php("jeenergie::byId($argv[1])->remove();", equipment)
