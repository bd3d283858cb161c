"""Secrets and rights in a real Jeedom, with all five systems connected: what each kind of person gets to see."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import stat
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from chromium import PATH, Chromium
from jeedom_host import ROOT, URL, Jeedom, Refused
from test_jeedom_daemon import LEVEL, pid, start, until
from vendors import Vendors, connect, disconnect, vendors

PLUGIN = Path(ROOT, "plugins", "jeenergie")
AJAX = "/plugins/jeenergie/core/ajax/jeenergie.ajax.php"
OPEN = ("desktop/css/", "plugin_info/jeenergie_icon.png", "core/ajax/", "desktop/img/")
ACTIONS = [
    *("catalogue", "list", "get", "addConnection", "addByHand", "test", "discover", "createDiscovered", "synchronise"),
    *(
        "runOperation",
        "createMissingCommands",
        "resetCommands",
        "moveEquipment",
        "daemon",
        "startDaemon",
        "words",
        "nonsense",
    ),
]


class Visitor:
    """A browser's requests, as they come back."""

    def __init__(self, login: str = "", password: str = "") -> None:
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        if login:
            form = {"action": "login", "username": login, "password": password}
            assert b'"ok"' in self.ask("/core/ajax/user.ajax.php", form)[1]

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Status and content."""
        data = urllib.parse.urlencode(form).encode() if form is not None else None
        try:
            with self._opener.open(URL + path, data, timeout=60) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


@pytest.fixture(scope="module")
def people() -> dict[str, Visitor]:
    own = os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin")
    return {"nobody": Visitor(), "user": Visitor("user", "user1234"), "admin": Visitor(*own)}


@pytest.fixture(scope="module")
def systems(jeedom: Jeedom) -> Iterator[Vendors]:
    """All systems at work under a daemon that logs all it can."""
    if jeedom.php("echo json_encode(jeenergie::dependancy_info()['state']);") != "ok":
        pytest.skip("the dependencies are not installed there")
    level = jeedom.php("echo json_encode(config::byKey('log::level::jeenergie'));")
    jeedom.php(LEVEL + "config::save('extendedDebug', 1, 'jeenergie');", "100")
    start(jeedom)
    try:
        with vendors() as running:
            try:
                connect(jeedom, running)
                # Other tests' connections may be there, which lead nowhere.
                own = [str(each) for each in running.connections.values()]
                until(lambda: all(states(jeedom).get(each, {}).get("state") == "online" for each in own), 60)
                until(lambda: len(running.secrets()) > 12, 30)
                yield running
            finally:
                disconnect(jeedom, running)
    finally:
        jeedom.php("config::save('log::level::jeenergie', json_decode($argv[1], true));", json.dumps(level))
        jeedom.php("config::save('extendedDebug', 0, 'jeenergie');")


def states(jeedom: Jeedom) -> dict[str, Any]:
    return dict(jeedom.own("daemon")["connections"])


def found(systems: Vendors, *texts: bytes) -> list[str]:
    """The secrets that stand somewhere, and what the core encrypted."""
    return [secret for secret in [*systems.secrets(), "crypt:"] if any(secret.encode() in text for text in texts)]


def as_nobody(*command: str) -> str:
    """What another user of the machine gets."""
    done = subprocess.run(["sudo", "-u", "nobody", *command], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_no_file_of_the_plugin_is_served(jeedom: Jeedom, people: dict[str, Visitor], systems: Vendors) -> None:
    aside = PLUGIN / ".git"
    aside.mkdir(exist_ok=True)
    (aside / "config").touch()  # empty in a copy that is no clone
    skipped = ("site-packages", ".venv", "bin", ".mypy_cache", ".ruff_cache", ".hypothesis")
    paths = []
    for folder, folders, files in os.walk(PLUGIN):
        folders[:] = [each for each in folders if each not in skipped]
        paths += [str(Path(folder, file).relative_to(PLUGIN)) for file in files]
        paths.append(f"{Path(folder).relative_to(PLUGIN)}/")
    assert {"data/daemon/store.sqlite", ".git/config", "install_deps.sh", "core/class/"} <= set(paths)
    for who, visitor in people.items():
        answers = {path: visitor.ask("/plugins/jeenergie/" + urllib.parse.quote(path)) for path in paths}
        served = {path for path, (status, _) in answers.items() if status == 200}
        assert {path for path in served if not path.startswith(OPEN)} == set(), who
        assert found(systems, *(content for _, content in answers.values())) == [], who


def test_the_core_hands_the_store_to_administrators_only(people: dict[str, Visitor], systems: Vendors) -> None:
    for name in ("plugins/jeenergie/data/daemon/store.sqlite", str(PLUGIN / "data/daemon/store.sqlite")):
        for page in ("getResource.php?file=", "downloadFile.php?pathfile="):
            for who in ("nobody", "user"):
                assert b"SQLite" not in people[who].ask(f"/core/php/{page}{name}")[1]


def test_pages_hold_no_secret(jeedom: Jeedom, people: dict[str, Visitor], systems: Vendors) -> None:
    connection = systems.connections["wes"]
    pages = [f"/index.php?v=d&p={page}&m=jeenergie" for page in ("jeenergie", "panel")]
    pages += [f"/index.php?v=d&p={page}" for page in ("dashboard", "health", "plugin&ajax=1", "log&ajax=1")]
    pages += ["/index.php?v=m&p=home", "/index.php?v=d&plugin=jeenergie&configure=1&ajax=1"]
    pages += [f"/index.php?v=d&modal=eqLogic.configure&eqLogic_id={connection}"]
    for who, visitor in people.items():
        contents = [visitor.ask(page)[1] for page in pages]
        for form in ({"action": "byId", "id": connection}, {"action": "get", "type": "jeenergie", "id": connection}):
            contents.append(visitor.ask("/core/ajax/eqLogic.ajax.php", form)[1])
        contents.append(visitor.ask("/core/ajax/log.ajax.php", {"action": "get", "log": "jeenergie_daemon"})[1])
        assert found(systems, *contents) == [], who
        assert jeedom.key.encode() not in b"".join(contents), who


@pytest.mark.parametrize("who", ["nobody", "user"])
def test_no_action_without_an_administrator(people: dict[str, Visitor], systems: Vendors, who: str) -> None:
    for action in ACTIONS:
        request = json.dumps({"id": systems.connections["enphase"], "connection": systems.connections["enphase"]})
        status, content = people[who].ask(AJAX, {"action": action, "request": request})
        assert (status, json.loads(content)["state"]) == (200, "error"), action
        assert b"401" in content, action
    form = json.dumps([{"id": systems.connections["wes"], "name": "Taken over"}])
    save = {"action": "save", "type": "jeenergie", "eqLogic": form}
    assert b'"error"' in people[who].ask("/core/ajax/eqLogic.ajax.php", save)[1]


def test_the_panel_shows_what_the_user_may_see(jeedom: Jeedom, systems: Vendors) -> None:
    """Somebody whom the administrator has opened one equipment to."""
    until(lambda: len(jeedom.own_panel("equipment")) > 1, 60)
    shown, hidden = jeedom.own_panel("equipment")[:2]
    make = """
        $user = user::byLogin('narrow');
        $user = is_object($user) ? $user : (new user())->setLogin('narrow');
        $user->setPassword(sha512('narrow1234'))->setProfils('restrict')->setEnable(1);
        $user->setRights('eqLogic' . $argv[1], 'r')->save();
    """
    jeedom.php(make, shown["id"])
    try:
        narrow = jeedom.as_user("narrow", "narrow1234")
        assert [each["id"] for each in narrow.own_panel("equipment")] == [shown["id"]]
        cmds = [each["cmd"] for equipment in (shown, hidden) for each in equipment["series"]]
        days = narrow.own_panel("days", cmds=cmds, **{"from": "2020-01-01", "to": "2030-01-01"})
        assert set(days) <= {each["cmd"] for each in shown["series"]}
        with pytest.raises(Refused, match="vous n'y avez pas accès"):
            narrow.own_panel("tile", id=hidden["id"])
    finally:
        jeedom.php("user::byLogin('narrow')->remove();")


def test_answers_to_an_administrator_hold_no_secret(people: dict[str, Visitor], systems: Vendors) -> None:
    contents = []
    for connection in systems.connections.values():
        for action in ("catalogue", "list", "get", "test", "discover", "daemon"):
            request = json.dumps({"id": connection, "connection": connection})
            contents.append(people["admin"].ask(AJAX, {"action": action, "request": request})[1])
    assert found(systems, *contents) == []


def test_a_link_carries_out_nothing(jeedom: Jeedom, people: dict[str, Visitor]) -> None:
    request = urllib.parse.quote(json.dumps({"backend": "wes", "name": "By a link"}))
    assert b'"error"' in people["admin"].ask(f"{AJAX}?action=addConnection&request={request}")[1]
    assert b"By a link" not in json.dumps(jeedom.own("list")).encode()


@pytest.mark.skipif(not PATH, reason="no Chromium here")
def test_the_page_of_another_site_carries_out_nothing(jeedom: Jeedom) -> None:
    """In the browser where an administrator is signed in."""

    def made(name: str) -> bool:
        return any(each["name"] == name for each in jeedom.own("list")["connections"])

    def form(name: str) -> str:
        request = json.dumps({"backend": "wes", "name": name}).replace('"', "&quot;")
        return (
            f'<form method="post" action="{URL}{AJAX}"><input name="action" value="addConnection">'
            f'<input name="request" value="{request}"></form>'
        )

    with Chromium() as browser:
        browser.sign_in(URL, os.environ.get("JEEDOM_USER", "admin"), os.environ.get("JEEDOM_PASSWORD", "admin"))
        names = []
        for place in ("own", "strange"):
            if place == "strange":
                browser.send("Page.navigate", url="data:text/html,<body>here</body>")
                browser.until("document.body.innerText === 'here'")
            name = f"Form of a {place} page {time.time_ns()}"
            names.append(name)
            browser.run(f"document.body.insertAdjacentHTML('beforeend', {json.dumps(form(name))})")
            browser.run("[...document.forms].pop().submit()")
            browser.until("location.pathname.endsWith('jeenergie.ajax.php') && document.readyState === 'complete'")
        assert [made(name) for name in names] == [True, False]
    for each in jeedom.own("list")["connections"]:
        if each["name"] in names:
            jeedom.php("jeenergie::byId($argv[1])->remove();", each["id"])


def test_the_database_keeps_secrets_encrypted(jeedom: Jeedom, systems: Vendors) -> None:
    rows = jeedom.php("""
        $rows = DB::Prepare('SELECT * FROM eqLogic', [], DB::FETCH_TYPE_ALL);
        foreach (['cmd', 'config', 'message', 'event', 'history'] as $table) {
            $rows[] = DB::Prepare('SELECT * FROM `' . $table . '`', [], DB::FETCH_TYPE_ALL);
        }
        echo json_encode(json_encode($rows, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES));
    """).encode()
    assert [each for each in found(systems, rows) if each != "crypt:"] == []
    assert jeedom.key.encode() not in rows
    assert rows.count(b"crypt:") >= 7


def test_logs_and_temporary_files_hold_no_secret(jeedom: Jeedom, systems: Vendors) -> None:
    for connection in systems.connections.values():
        jeedom.own("test", connection=connection)
    folder = jeedom.php("echo json_encode(jeedom::getTmpFolder());")
    for file in (*Path(ROOT, "log").rglob("*"), *Path(folder).rglob("*")):
        if file.is_file():
            content = file.read_bytes()
            assert [each for each in found(systems, content) if each != "crypt:"] == [], file
            assert jeedom.key.encode() not in content, file
    assert len(Path(ROOT, "log", "jeenergie_daemon").read_bytes()) > 10_000


def test_another_user_of_the_machine_learns_nothing(jeedom: Jeedom, systems: Vendors) -> None:
    process = pid(jeedom)
    texts = [as_nobody("ps", "auxwwe"), as_nobody("cat", f"/proc/{process}/environ")]
    assert "jeenergied" in texts[0]
    assert "Permission denied" in texts[1]
    code = """
import json, socket
for message in MESSAGES:
    peer = socket.create_connection(("127.0.0.1", PORT), 5)
    peer.sendall(json.dumps(message).encode() + b"\\n")
    print(peer.recv(500).decode())
"""
    messages: list[dict[str, Any]] = [{"cmd": "status"}, {"cmd": "shutdown", "apikey": ""}]
    messages += [{"cmd": "log", "apikey": ["x"], "unsecure": True}, {"cmd": "configure", "apikey": "x" * 32}]
    code = code.replace("MESSAGES", repr(messages)).replace("PORT", jeedom.php("echo Daemon::port();", decode=False))
    answers = as_nobody("python3", "-c", code)
    assert answers.count('"unauthorized"') == len(messages), answers
    assert found(systems, *(each.encode() for each in (*texts, answers))) == []
    assert jeedom.key not in "".join(texts)
    assert pid(jeedom) == process


def test_the_store_is_closed_again_after_the_core_opened_it(jeedom: Jeedom, systems: Vendors) -> None:
    store = PLUGIN / "data" / "daemon" / "store.sqlite"
    store.chmod(0o775)  # what jeedom::cleanFileSystemRight() does at each backup and update
    until(lambda: stat.S_IMODE(store.stat().st_mode) == 0o600, 75)


@pytest.mark.parametrize(
    "which", ["wrong key", "no key", "another address", "another plugin", "cmd", "fullData", "log"]
)
def test_the_callback_is_for_the_daemon_only(jeedom: Jeedom, which: str) -> None:
    payload = {"boot": "b", "sequence": 1, "sentAt": "2026-01-01T00:00:00+01:00", "events": []}
    form = {"type": "event", "plugin": "jeenergie", "apikey": jeedom.key, "payload": json.dumps(payload), "id": "1"}
    form.update({"wrong key": {"apikey": "x" * 32}, "no key": {"apikey": ""}, "another plugin": {"plugin": "core"}}
                .get(which, {}))  # fmt: skip
    if which in ("cmd", "fullData", "log"):
        form["type"] = which
    where = urllib.parse.urlsplit(URL)
    # The core tells hosts apart by their address: 127.0.0.2 is another one.
    source = "127.0.0.2" if which == "another address" else "127.0.0.1"
    connection = http.client.HTTPConnection("127.0.0.1", where.port or 80, timeout=30, source_address=(source, 0))
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", f"{where.path}/core/api/jeeApi.php", urllib.parse.urlencode(form), headers)
    content = connection.getresponse().read()
    assert "pas autorisé" in content.decode()
    assert b'"ok"' not in content
