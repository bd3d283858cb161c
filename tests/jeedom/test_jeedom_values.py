"""What the daemon makes of a vendor's value is taken by the core as it is (core/contract/vectors/value.json)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jeedom_host import Jeedom

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


@pytest.mark.parametrize(("kind", "unknown"), [("numeric", ["0", "–", ""]), ("binary", ["–", "–", "W"])])
def test_a_widget_of_the_core_shows_a_dash_before_the_first_value(
    jeedom: Jeedom, bench: dict[str, str], kind: str, unknown: list[str]
) -> None:
    assert jeedom.php(SHOWN, bench["equipment"], kind) == [unknown, unknown, ["0", "0"], "none"]
