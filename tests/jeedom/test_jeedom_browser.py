"""A user's day with the plugin, in a browser, against a real Jeedom and a simulated gateway.

Needs JEEDOM_ROOT and JEEDOM_URL (as all tests of this folder), Chromium, and the right to write into JEEDOM_ROOT.
JEEDOM_SHOTS names a folder for screenshots of each step. The plugin is deactivated and activated again on the way.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import chromium
import pytest
from chromium import Chromium
from connection_page import hide_the_oldest_datum, read_the_form_as_it_was_typed, see_how_old_the_oldest_datum_is
from forms import change_the_address
from jeedom_host import ROOT, URL, Jeedom

from simulators.enlighten.cloud import Account, EnlightenCloud
from simulators.enlighten.key import EntrezKey
from simulators.enphase.day import DaySource
from simulators.enphase.gateway import EnphaseGateway
from simulators.enphase.plant import Plant

pytestmark = pytest.mark.skipif(not chromium.PATH, reason="Chromium is not on this machine")

PAGE = "/index.php?v=d&m=jeenergie&p=jeenergie"
PLUGIN = "/index.php?v=d&p=plugin&id=jeenergie"
PASSWORD = "soleil-et-nuages"
CONFIRM = ".jnDialog button[data-type=confirm]"
RESULT = "#div_jeenergieResult"
GUARD = "config::save('dontProtectTooFastLaunchDeamony', $argv[1]);"
AUTOMATIC = "config::save('deamonAutoMode', $argv[1], 'jeenergie');"
STOP = "plugin::byId('jeenergie')->deamon_stop();"
CLEAN = """
    foreach (class_exists('jeenergie') ? jeenergie::connections() : [] as $connection) {
        if (strpos($connection->getName(), 'Navigateur') === 0) {
            foreach ($connection->equipment() as $each) { $each->remove(); }
            $connection->remove();
        }
    }
"""

SLOW_OPERATION = """(() => {
    const ask = jeenergiePage.ask;
    jeenergiePage.ask = (action, request) => action !== 'runOperation' ? ask(action, request) : new Promise(done => {
        window.finish = () => done({ text: 'Importé <i>tout</i>' });
    });
})()"""
"""No daemon runs the operations of the showcase: this one ends when the test says so."""


class User:
    """What somebody does on the plugin's pages."""

    def __init__(self, browser: Chromium) -> None:
        self.browser = browser
        self._shots = 0

    def look(self, name: str) -> None:
        folder = os.environ.get("JEEDOM_SHOTS")
        if folder:
            self._shots += 1
            self.browser.screenshot(Path(folder, f"journey-{self._shots:02d}-{name}.png"))

    def open_list(self) -> None:
        self.browser.goto(URL + PAGE)
        self.browser.until("window.jeeFrontEnd && document.querySelector('.eqLogicThumbnailDisplay .logoPrimary')")
        self.browser.until("!document.querySelector('#jeedom_loading, .loadingBack')?.getClientRects().length")

    def add(self, name: str, backend: str = "enphase") -> None:
        self.open_list()
        self.browser.click("[data-jn_action=addConnection]")
        self.browser.click(f".jnSystemCard:has(input[value={backend}])")
        self.browser.fill("#in_jeenergieNewName", name)
        self.browser.click(CONFIRM)
        self.browser.until(
            "document.querySelector('#div_jeenergieFields .form-group') && !document.querySelector('.jnDialog')"
        )

    def field(self, key: str) -> str:
        return f"#div_jeenergieFields [data-jn_field={key}] input, #div_jeenergieFields [data-jn_field={key}] select"

    def set(self, **values: str) -> None:
        self.browser.run(
            "document.querySelectorAll('#div_jeenergieFields details').forEach(each => { each.open = true; })"
        )
        for key, value in values.items():
            self.browser.fill(self.field(key), value)

    def ask(self, button: str) -> str:
        """Clicks a button of the connection's page and returns the answer that is shown in the page."""
        self.browser.click(f"#eqlogictab [data-jn_action={button}]")
        self.browser.until(
            f"document.querySelector('{RESULT} .alert') && !document.querySelector('{RESULT} .fa-spin')", 70
        )
        return self.browser.text(RESULT)

    def save(self) -> None:
        self.browser.run("window.beforeSave = true")
        self.browser.click(".eqLogicAction[data-action=save]")
        self.browser.until("location.href.includes('saveSuccessFull') || document.querySelector('.jeeToast')")
        self.browser.until("jeenergiePage.current")

    def group(self, name: str) -> str:
        """The group of a connection in the list, as a selector."""
        identifier = self.browser.until(
            "[...document.querySelectorAll('.jnGroup')]"
            f".find(group => group.querySelector('.name')?.textContent === {json.dumps(name)})"
            "?.getAttribute('data-connection')"
        )
        return f".jnGroup[data-connection='{identifier}']"


@pytest.fixture(scope="module")
def gateway() -> Iterator[EnphaseGateway]:
    key = EntrezKey()
    account = Account("demo@example.org", PASSWORD, ("122300000001",), "owner")
    plant = Plant(time.time, phases=1, inverters=3, hour=12.0)
    with EnlightenCloud(key, [account]) as cloud, EnphaseGateway(DaySource(plant), key=key) as box:
        box.cloud_url = cloud.url  # type: ignore[attr-defined]
        yield box


@pytest.fixture
def settings(gateway: EnphaseGateway) -> dict[str, str]:
    cloud = gateway.cloud_url  # type: ignore[attr-defined]
    return {
        "host": "127.0.0.1",
        "port": str(gateway.port),
        "user": "demo@example.org",
        "password": PASSWORD,
        "loginUrl": cloud,
        "tokenUrl": cloud,
    }


@pytest.fixture(scope="module")
def prepared(jeedom: Jeedom) -> Iterator[None]:
    """The daemon may be started as often as the tests want; afterwards the plugin is as it was, its daemon running."""
    jeedom.php(GUARD, 1)
    jeedom.php(CLEAN)
    yield
    jeedom.php("if (plugin::byId('jeenergie')->isActive() != 1) { plugin::byId('jeenergie')->setIsEnable(1); }")
    jeedom.read_key()  # another one after each activation
    jeedom.php(CLEAN)
    jeedom.php(AUTOMATIC, 1)
    jeedom.php("plugin::byId('jeenergie')->deamon_start(true);")
    jeedom.php(GUARD, 0)


@pytest.fixture
def user(jeedom: Jeedom, prepared: None) -> Iterator[User]:
    """Signed in; at the end nothing has gone wrong on a page nor been written to the web server's log by us."""
    log = Path(ROOT, "log", "http.error")
    size = log.stat().st_size if log.exists() else 0
    with Chromium() as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        yield User(browser)
        browser.run("1")  # takes note of what came last
        assert browser.errors == []
    added = log.read_bytes()[size:].decode(errors="replace") if log.exists() else ""
    assert [line for line in added.splitlines() if "jeenergie" in line] == []


def until(true: Callable[[], Any], seconds: float = 20) -> Any:
    """Waits for something that another process does."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError("it did not happen")


def running(jeedom: Jeedom) -> bool:
    return bool(jeedom.php("echo json_encode(jeenergie::deamon_info()['state'] === 'ok');"))


def test_a_day_from_activation_to_deactivation(user: User, jeedom: Jeedom, settings: dict[str, str]) -> None:
    activate(user, jeedom)
    add_a_gateway(user, jeedom, settings)
    read_the_form_as_it_was_typed(user.browser)
    see_how_old_the_oldest_datum_is(user.browser)
    user.look("oldest")
    hide_the_oldest_datum(user.browser)
    power = watch_the_dashboard(user, jeedom)
    change_a_setting(user, jeedom, power)
    look_at_the_history(user, power)
    delete_an_inverter_and_find_it_again(user)
    untick_an_inverter(user)
    delete_a_command_and_create_it_again(user)
    delete_the_gateway(user, jeedom)
    deactivate(user, jeedom)


def activate(user: User, jeedom: Jeedom) -> None:
    """The dependencies are there or install themselves; then the daemon is started."""
    browser = user.browser
    jeedom.php("plugin::byId('jeenergie')->setIsEnable(0);")
    browser.goto(URL + PLUGIN)
    browser.click(".togglePlugin[data-state='1']")
    browser.until("document.querySelector('.togglePlugin[data-state=\"0\"]')", 120)
    jeedom.read_key()
    browser.until("document.querySelector('#div_plugin_dependancy .label-success')", 400)
    browser.click(".bt_startDeamon")
    browser.until("document.querySelector('.deamonState .label-success')", 40)
    user.look("plugin")
    assert running(jeedom)
    assert browser.shows("#in_jeenergiePort")


def add_a_gateway(user: User, jeedom: Jeedom, settings: dict[str, str]) -> None:
    """By its form: test, save, and its equipment comes by itself."""
    browser = user.browser
    user.add("Navigateur")
    user.set(**settings, pollInterval="1")
    browser.choose("#sel_object", str(jeedom.php("echo json_encode(jeeObject::rootObject()->getId());")))
    assert "122300000001" in user.ask("test")
    user.look("tested")
    user.save()
    browser.until("document.querySelectorAll('#div_jeenergieEquipment li').length >= 4", 40)
    browser.until("document.querySelector('#div_jeenergieState .label-success')", 30)
    assert browser.run("document.querySelector('[data-jn_field=password] input').value") == ""
    user.look("saved")


def watch_the_dashboard(user: User, jeedom: Jeedom) -> str:
    """A tile shows a value that lives; returns the id of its command."""
    find = """
        foreach (jeenergie::byType('jeenergie') as $each) {
            $of = $each->connection();
            $cmd = $each->getCmd('info', 'PwattsNow');
            if ($of !== null && strpos($of->getName(), 'Navigateur') === 0 && is_object($cmd)) {
                echo json_encode([$each->getId(), $cmd->getId()]);
            }
        }
    """
    gateway, power = until(lambda: jeedom.php(find))
    user.browser.goto(URL + "/index.php?v=d&p=dashboard")
    tile = f".eqLogic-widget[data-eqlogic_id='{gateway}'] .jtValue[data-jt-value='{power}']"
    value = f"document.querySelector({json.dumps(tile)})"
    first = user.browser.until(f"{value}?.dataset.jtRaw")
    assert float(first) > 0
    assert user.browser.run(f"{value}.innerText").endswith("W")
    user.browser.until(f"{value}.dataset.jtRaw !== '{first}'", 30)
    user.look("dashboard")
    return str(power)


def change_a_setting(user: User, jeedom: Jeedom, power: str) -> None:
    """It takes effect at once, without a restart: values stop coming every second."""
    collected = "$c = cmd::byId($argv[1]); $c->execCmd(); echo json_encode($c->getCollectDate());"
    uptime = jeedom.own("daemon")["uptime"]
    user.open_list()
    user.browser.click(user.group("Navigateur") + " [data-jn_action=open]")
    user.browser.until("jeenergiePage.current")
    set_interval(user, "600")
    time.sleep(3)
    before = jeedom.php(collected, power)
    time.sleep(5)
    assert jeedom.php(collected, power) == before
    set_interval(user, "1")
    until(lambda: jeedom.php(collected, power) != before, 40)
    assert jeedom.own("daemon")["uptime"] > uptime


def set_interval(user: User, seconds: str) -> None:
    user.set(pollInterval=seconds)
    user.save()
    user.browser.until(f"document.querySelector('[data-jn_field=pollInterval] input')?.value === '{seconds}'")


def look_at_the_history(user: User, power: str) -> None:
    """The command draws a curve."""
    user.browser.goto(f"{URL}/index.php?v=d&p=history&cmd_id={power}")
    user.browser.until("document.querySelector('path.highcharts-graph')?.getAttribute('d')?.length > 10", 30)
    user.look("history")


def delete_an_inverter_and_find_it_again(user: User) -> None:
    browser = user.browser
    user.open_list()
    group = user.group("Navigateur")
    browser.click(user.group("Navigateur") + " .jnType:last-of-type .eqLogicDisplayCard")
    browser.until("jeenergiePage.current?.kind === 'equipment'")
    name = browser.run("document.querySelector('.eqLogicAttr[data-l1key=name]').value")
    browser.click(".eqLogicAction[data-action=remove]")
    browser.click("#jeeDialogConfirm button[data-type=confirm]")
    body = f"document.querySelector({json.dumps(group)})?.innerText"
    browser.until(f"{body} && !{body}.includes('{name}')")
    browser.click(user.group("Navigateur") + " [data-jn_action=discover]")
    browser.until("document.querySelectorAll('.jnFoundLine').length >= 4", 70)
    assert browser.run("document.querySelectorAll('.jnFoundLine input:not([data-jn_known])').length") == 1
    user.look("found")
    browser.click(CONFIRM)
    browser.until(f"{body}?.includes('{name}')")
    browser.until("document.body.innerText.includes('1 équipement créé.')")


def untick_an_inverter(user: User) -> None:
    """What is unticked in the list goes, once the user has agreed; the rest stays."""
    browser = user.browser
    group = "document.querySelector(" + json.dumps(user.group("Navigateur")) + ")"
    cards = f"{group}?.querySelectorAll('.jnGroupBody .eqLogicDisplayCard').length"
    before = browser.run(cards)
    browser.click(user.group("Navigateur") + " [data-jn_action=discover]")
    browser.until("document.querySelectorAll('.jnFoundLine').length >= 4", 70)
    browser.run("[...document.querySelectorAll('.jnFoundLine input[data-jn_known]')].pop().click()")
    browser.click(CONFIRM)
    browser.until("document.querySelectorAll('.jnDialog').length === 2")
    user.look("unticked")
    browser.run("[...document.querySelectorAll('.jnDialog')].pop().querySelector('button[data-type=confirm]').click()")
    browser.until(f"!document.querySelector('.jnDialog') && {cards} === {before - 1}", 20)
    browser.click(user.group("Navigateur") + " [data-jn_action=discover]")
    browser.until("document.querySelectorAll('.jnFoundLine').length >= 4", 70)
    browser.click(CONFIRM)
    browser.until(f"!document.querySelector('.jnDialog') && {cards} === {before}", 20)


def delete_a_command_and_create_it_again(user: User) -> None:
    browser = user.browser
    user.open_list()
    browser.click(user.group("Navigateur") + " .jnType:last-of-type .eqLogicDisplayCard")
    browser.until("Array.isArray(jeenergiePage.current?.missing)")
    browser.click("a[data-target='#commandtab']")
    count = browser.run("document.querySelectorAll('#table_cmd tr.cmd').length")
    browser.click("#table_cmd tr.cmd:last-child [data-action=remove]")
    user.save()
    browser.until("jeenergiePage.current?.missing?.length === 1")
    browser.click("[data-jn_action=createMissing]")
    browser.click(CONFIRM)
    rows = "document.querySelectorAll('#table_cmd tr.cmd').length"
    browser.until(f"{rows} === {count} && !document.querySelector('.jnDialog')")
    user.look("commands")


def delete_the_gateway(user: User, jeedom: Jeedom) -> None:
    """After a question that lists what goes with it."""
    browser = user.browser
    user.open_list()
    browser.click(user.group("Navigateur") + " [data-jn_action=open]")
    browser.until("jeenergiePage.current?.kind === 'connection'")
    browser.click(".eqLogicAction[data-action=remove]")
    browser.until("document.querySelectorAll('.jnQuestion li').length >= 4")
    user.look("remove")
    browser.click(CONFIRM)
    browser.until("document.body.innerText.includes('Suppression effectuée')")
    left = jeedom.own("list")
    assert "Navigateur" not in [each["name"] for each in left["connections"]]
    assert left["orphans"] == []


def deactivate(user: User, jeedom: Jeedom) -> None:
    browser = user.browser
    jeedom.php(AUTOMATIC, 0)
    browser.goto(URL + PLUGIN)
    browser.click(".bt_stopDeamon")
    browser.until("document.querySelector('.deamonState .label-danger')", 30)
    assert not running(jeedom)
    browser.click(".togglePlugin[data-state='0']")
    browser.until("document.querySelector('.togglePlugin[data-state=\"1\"]')", 60)


@pytest.fixture
def active(jeedom: Jeedom, prepared: None) -> None:
    """The plugin is active and its daemon runs."""
    jeedom.php("if (plugin::byId('jeenergie')->isActive() != 1) { plugin::byId('jeenergie')->setIsEnable(1); }")
    jeedom.php(AUTOMATIC, 1)
    if not running(jeedom):
        jeedom.php("plugin::byId('jeenergie')->deamon_start(true);")


def test_what_is_wrong_is_told_where_the_user_is(
    active: None, user: User, jeedom: Jeedom, settings: dict[str, str]
) -> None:
    browser = user.browser
    user.add("Navigateur fautes")
    assert "Renseignez le champ « Adresse IP locale de la passerelle »" in user.ask("test")
    assert browser.run("document.querySelectorAll('#div_jeenergieFields .has-error').length") >= 3
    user.set(**{**settings, "password": "faux"})
    assert "Enphase refuse cet utilisateur ou ce mot de passe" in user.ask("test")
    user.set(password=PASSWORD, port="9")
    answer = user.ask("test")
    assert "ne répond pas" in answer
    assert "Vérifiez son adresse" in answer
    user.look("unreachable")

    jeedom.php(AUTOMATIC, 0)
    jeedom.php(STOP)
    user.set(port=settings["port"])
    assert "Le démon n'est pas démarré" in user.ask("test")
    user.look("daemon-stopped")
    browser.run("jeenergiePage.untouched()")
    user.open_list()
    assert "Le démon est arrêté" in browser.text("#div_jeenergieDaemon")

    environment = Path(ROOT, "plugins/jeenergie/resources/python_venv")
    environment.rename(environment.with_name("python_venv.away"))
    try:
        jeedom.php("plugin::byId('jeenergie')->dependancy_info(true);")
        user.open_list()
        assert "Les dépendances ne sont pas installées" in browser.text("#div_jeenergieDaemon")
        browser.click(user.group("Navigateur fautes") + " [data-jn_action=open]")
        browser.until("jeenergiePage.current")
        user.set(**settings)
        assert "Les dépendances ne sont pas installées" in user.ask("test")
        user.look("dependencies")
    finally:
        environment.with_name("python_venv.away").rename(environment)
        jeedom.php("plugin::byId('jeenergie')->dependancy_info(true);")

    # The button of the banner, or of the first steps in its place, starts the daemon.
    browser.run("jeenergiePage.untouched()")
    user.open_list()
    browser.click("#div_jeenergieDaemon .btn, .jnFirstSteps .btn", "Démarrer le démon")
    browser.until("!document.querySelector('#div_jeenergieDaemon .alert')", 40)
    assert running(jeedom)


@pytest.fixture
def showcase() -> Iterator[None]:
    """A catalogue with everything that one can describe; no daemon knows it."""
    target = Path(ROOT, "plugins/jeenergie/core/contract/catalogue/showcase.json")
    target.write_bytes(Path(__file__).with_name("browser").joinpath("showcase.json").read_bytes())
    target.chmod(0o644)
    yield
    target.unlink()


def test_a_form_has_all_that_a_catalogue_can_describe(active: None, showcase: None, user: User, jeedom: Jeedom) -> None:
    browser = user.browser
    try:
        user.add("Navigateur vitrine", "showcase")
        assert not browser.shows(user.field("above"))
        browser.click(user.field("active"))
        assert browser.shows(user.field("above"))
        browser.choose(user.field("mode"), "many")
        browser.click("[data-jn_field=extras] input[value=b]")
        user.set(host="<b>h</b>", secretWord='{"token": 1}', threshold="-12.5", interval="")
        browser.click(".eqLogicAttr[data-l1key=isEnable]")  # ticked for a new one; the daemon knows no such system
        user.save()
        shown = "array_filter(jeenergie::connections(), fn($c) => $c->backend() === 'showcase')"
        saved: Any = jeedom.php(f"$all = {shown}; echo json_encode(reset($all)->config());")
        assert saved == {
            "host": "<b>h</b>",
            "secretWord": saved["secretWord"],
            "interval": 30,
            "threshold": -12.5,
            "active": True,
            "mode": "many",
            "extras": ["b"],
            "deep": "valeur",
        }
        assert json.loads(saved["secretWord"]) == {"token": 1}
        browser.until("document.querySelector('[data-jn_field=secretWord] input')?.placeholder === 'inchangé'")
        name = "document.querySelector('.eqLogicAttr[data-l1key=name][readOnly]')?.value"
        assert browser.run(name) == "Navigateur vitrine"
        change_the_address(browser, RESULT)

        # An operation asks for its fields, and shows the progress that the daemon tells.
        browser.click("#div_jeenergieOperations summary")
        browser.click("[data-jn_operation=import] .btn")
        browser.click(CONFIRM)
        browser.until("document.querySelector('.jnDialog .alert-danger')?.innerText.includes('Nombre de jours')")
        browser.fill(".jnDialog [data-jn_field=days] input", "5")
        browser.run(SLOW_OPERATION)
        browser.click(CONFIRM)
        connection = browser.run("jeenergiePage.current.id")
        event = {"connection": connection, "operation": "import", "percent": 40, "text": "2 jours <u>sur</u> 5"}
        browser.until(f"document.querySelector('{RESULT} .progress')")
        jeedom.php("Progress::report(json_decode($argv[1], true));", json.dumps(event))
        browser.until(f"document.querySelector('{RESULT}').innerText.includes('2 jours <u>sur</u> 5')")
        assert browser.run(f"document.querySelector('{RESULT} .progress-bar').style.width") == "40%"
        browser.run("finish()")
        browser.until(f"document.querySelector('{RESULT} .alert-success')?.innerText.includes('Importé <i>tout</i>')")
        # By hand; the same one a second time is refused, in the dialog; in use, the connection stays.
        for expected in ("meter", "refused"):
            browser.click("#eqlogictab [data-jn_action=addByHand]")
            browser.fill("#in_jeenergieNewKey", "1")
            browser.click(CONFIRM)
            if expected == "meter":
                browser.until("jeenergiePage.current?.kind === 'equipment' && !document.querySelector('.jnDialog')")
                browser.click("[data-jn_action=gotoConnection]")
                browser.until("jeenergiePage.current?.kind === 'connection'")
        browser.until("document.querySelector('.jnDialog .alert-danger')?.innerText.includes('existe déjà')")
        browser.click(".jnDialog button[data-type=cancel]")
        browser.until("!document.querySelector('.jnDialog')")
        browser.click(".eqLogicAction[data-action=remove]")
        browser.until("document.querySelector('.jnQuestion')?.innerText.includes('Compteur 1')")
        user.look("in-use")
        browser.click(".jnDialog button[data-type=cancel]")
    finally:
        jeedom.php(CLEAN)
