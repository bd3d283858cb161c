"""`docs/promises.md` names tests and files: they exist. What can be read from the catalogues is held here."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from jeedom_bridge.contract import Contract

ROOT = Path(__file__).resolve().parents[2]
CATALOGUES = Contract(ROOT / "core" / "contract").catalogues
FORMER_NAMES = json.loads((ROOT / "core" / "contract" / "former_names.json").read_text("utf-8"))["systems"]
PROMISES = (ROOT / "docs" / "promises.md").read_text("utf-8")
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PROMISES.splitlines()
    if line.startswith("| ") and not line.startswith("| Promised")
]

EASEE = """
    status info Etat; pause_ON action Pause ON; pause_OFF action Pause OFF; paused info En pause;
    cable_locked_permanently info Câble verrouillé en permanence; cable_locked info Câble verrouillé;
    cable_state info Etat du verrouillage; cable_lock action Verrouillage permanent ON;
    cable_unlock action Verrouillage permanent OFF; plugged info Branché; power info Puissance;
    current_1 info Courant phase 1; current_2 info Courant phase 2; current_3 info Courant phase 3;
    voltage_1 info Tension phase 1; voltage_2 info Tension phase 2; voltage_3 info Tension phase 3;
    wifiRSSI info Signal wifi; cellRSSI info Signal cellulaire
""".strip()
ENPHASE = """
    PwattsNow info Prod Inst; PwattHoursToday info Prod Jour; PwattHoursSevenDays info Prod Semaine;
    PwattHoursLifetime info Prod MES; CwattsNow info Conso Total Inst; CwattHoursToday info Conso Total Jour;
    CwattHoursSevenDays info Conso Total Semaine; CwattHoursLifetime info Conso Total MES;
    CwattsNowNet info Conso Net Inst; CwattHoursTodayNet info Conso Net Jour;
    CwattHoursSevenDaysNet info Conso Net Semaine; CwattHoursLifetimeNet info Conso Net MES;
    cumulimport info Import Jour Réseau; cumulexport info Export Jour Réseau; Import info Impor Réseau;
    Export info Export Réseau; batnow info Puissance délivrée; batperc info Pourcentage charge;
    Watt info Puissance; maxWatt info Puissance Max
""".strip()
COMMANDS = {
    "easee": [tuple(each.split(None, 2)) for each in EASEE.split(";")],
    "econetatmo": [
        (f"sum_energy_{what}{tariff}", "info", "") for what in ("elec", "price") for tariff in ("", "$0", "$1", "$2")
    ],
    "hellowatt": [
        (f"{what}_{period}", "info", "")
        for what in ("conso", "cout", "prod", "gain")
        for period in ("jour", "mois", "annee")
    ]
    + [("tempo_jour", "info", ""), ("tempo_demain", "info", "")],
    "enphase": [tuple(each.split(None, 2)) for each in ENPHASE.split(";")],
}
DEFAULTS = [
    ("wes", "pollInterval", "default", 30),
    ("wes", "pollInterval", "min", 1),
    ("wes", "port", "default", 80),
    ("econetatmo", "pollInterval", "default", 600),
    ("enphase", "pollInterval", "min", 1),
]
HINTS = [
    ("wes", "user", "Accès sécurisé"),
    ("wes", "pollInterval", "revenez à 30 s"),
    ("enphase", "token", "https://enlighten.enphaseenergy.com/entrez-auth-token?serial_num="),
    ("enphase", "pollInterval", "onduleurs ne s'actualisent que toutes les 5 à 15 min"),
    ("hellowatt", "password", "12 caractères au moins, avec des caractères spéciaux"),
]

PAGES = [
    ("econetatmo", "<https://dev.netatmo.com/apps/>"),
    ("econetatmo", "environ **toutes les 3 heures**"),
    ("enphase", "Toolkit"),
    ("enphase", "https://enlighten.enphaseenergy.com/entrez-auth-token"),
    ("hellowatt", "https://www.hellowatt.fr/mon-compte/ma-consommation/mes-donnees"),
]


def catalogue(backend: str) -> Any:
    return json.loads((ROOT / "core" / "contract" / "catalogue" / f"{backend}.json").read_text("utf-8"))


def rows(backend: str) -> list[dict[str, Any]]:
    """All command rows of the equipment of a backend."""
    made = CATALOGUES[backend]
    return [dict(row.data) for kind in made.data["equipment"] for row in made.all_rows(kind)]


def setting(backend: str, key: str) -> dict[str, Any]:
    """One field of the form of a connection."""
    return next(each for each in catalogue(backend)["connection"]["fields"] if each["key"] == key)


@pytest.fixture(scope="module")
def tests() -> set[str]:
    """The names of all tests that there are."""
    files = [*ROOT.glob("tests/**/*.py"), *ROOT.glob("tests/php/*.php")]
    return {name for file in files for name in re.findall(r"(?:def|function) (test\w+)", file.read_text("utf-8"))}


def test_every_line_has_a_test_or_says_not_yet(tests: set[str]) -> None:
    assert len(LINES) > 100
    for promised, _, status, held, _, reason in LINES:
        named = re.findall(r"`(test\w+)`", held)
        assert status in ("kept", "different", "not yet"), promised
        assert bool(named) == (status != "not yet"), promised
        assert reason or status == "kept", promised


def test_every_test_that_is_named_exists(tests: set[str]) -> None:
    assert set(re.findall(r"`(test_?[A-Za-z]\w+)`", PROMISES)) - tests == set()


def test_an_easee_account_in_use_is_kept() -> None:
    """What a real Jeedom does with such a word of the catalogue is asked of a system of its own."""
    assert CATALOGUES["easee"].data["connection"]["inUse"] == "refuse"


def test_an_easee_account_keeps_its_name() -> None:
    assert CATALOGUES["easee"].data["connection"]["nameLocked"] is True


def test_the_licence_gives_no_warranty() -> None:
    assert "THERE IS NO WARRANTY FOR THE PROGRAM" in (ROOT / "LICENSE").read_text("utf-8")


def test_the_form_has_what_all_equipment_has() -> None:
    """The core stores what these elements hold, of a connection and of its equipment alike."""
    form = (ROOT / "desktop" / "php" / "jeenergie.form.php").read_text("utf-8")
    bound = re.findall(r'<(?:input|select)[^>]*class="eqLogicAttr[^>]*data-l1key="(\w+)"', form)
    assert {"name", "object_id", "category", "isEnable", "isVisible"} <= set(bound)


def test_every_file_that_is_named_exists() -> None:
    named = re.findall(r"`([\w./]+/[\w./]+|LICENSE)`", PROMISES)
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_what_shows_a_promise_is_a_picture_or_a_table_of_figures() -> None:
    figures = (ROOT / "docs" / "performance.md").read_text("utf-8")
    for promised, _, _, _, seen, _ in LINES:
        link = re.fullmatch(r"–|\[([^]]+)\]\((images/(?:fr/)?[\w-]+\.png|performance\.md#[\w-]+)\)", seen)
        assert link, promised
        if link[1] and link[2].startswith("images/"):
            assert (ROOT / "docs" / link[2]).is_file(), promised
        elif link[1]:
            assert re.search(f"^##+ {re.escape(link[1])}$", figures, re.MULTILINE), promised
            assert link[2] == "performance.md#" + re.sub(r"[^a-z0-9 -]", "", link[1].lower()).replace(" ", "-")


@pytest.mark.parametrize(
    ("backend", "logical_id", "kind", "name"),
    [(backend, *each) for backend, promised in COMMANDS.items() for each in promised],
)
def test_a_promised_command_is_in_the_catalogue(backend: str, logical_id: str, kind: str, name: str) -> None:
    found = [row for row in rows(backend) if row["logicalId"] == logical_id]
    assert found
    former = FORMER_NAMES.get(backend, {}).get(logical_id)
    assert all(row["type"] == kind and name in ("", former or row["name"]) for row in found)


@pytest.mark.parametrize(("backend", "key", "what", "value"), DEFAULTS)
def test_the_promised_defaults_are_those_of_the_catalogue(backend: str, key: str, what: str, value: int) -> None:
    assert setting(backend, key)[what] == value


@pytest.mark.parametrize(("backend", "key", "words"), HINTS)
def test_a_promised_hint_stands_in_the_form(backend: str, key: str, words: str) -> None:
    assert words in setting(backend, key)["help"]


@pytest.mark.parametrize(("backend", "words"), PAGES)
def test_a_promised_explanation_stands_in_the_documentation(backend: str, words: str) -> None:
    assert words in (ROOT / "docs" / "fr_FR" / f"{backend}.md").read_text("utf-8")


def test_every_icon_that_can_be_chosen_has_a_picture() -> None:
    """The user's own, Perso1 to Perso9, are files that the user puts there."""
    whole = catalogue("econetatmo")["equipment"]["line"]
    field = next(each for each in whole["fields"] if each["key"] == "icon")
    own = {f"Perso{n}" for n in range(1, 10)}
    assert set(field["choices"]) == set(field["icons"]) | own
    assert len(set(field["icons"].values())) == len(field["icons"]) == 17


def test_dated_figures_are_not_smoothed() -> None:
    dated = [row for row in rows("hellowatt") if row.get("dated") and row["subType"] == "numeric"]
    assert dated
    assert {row.get("historizeMode") for row in dated} == {"none"}


def test_jeedom_is_told_the_least_version_and_the_menu() -> None:
    info = json.loads((ROOT / "plugin_info" / "info.json").read_text("utf-8"))
    assert (info["require"], info["category"]) == ("4.5.2", "energy")
