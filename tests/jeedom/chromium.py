"""A Chromium without a window, driven over its own protocol: what a user sees, clicks and types.

Needs nothing but Chromium itself (JEEDOM_CHROMIUM says where, else the usual names are looked for on the path) and
websocket-client, which the daemon has anyway. Nothing but this machine is reached.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import websocket

PATH = os.environ.get("JEEDOM_CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
FIND = """
    const found = [...document.querySelectorAll(%s)].filter(e => e.checkVisibility() && (%s === null
        || e.textContent.replace(/\\s+/g, ' ').trim().includes(%s)));
"""


class Chromium:
    """One browser with one page, a fresh profile and a list of what went wrong on the page."""

    def __init__(self, width: int = 1400, height: int = 1000) -> None:
        self._profile = tempfile.mkdtemp(prefix="jeenergie-chromium-")
        self._process = subprocess.Popen(
            [
                PATH,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
                "--remote-debugging-port=0",
                "--remote-allow-origins=*",
                "--lang=fr-FR",
                f"--window-size={width},{height}",
                f"--user-data-dir={self._profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.errors: list[str] = []
        self._ids = itertools.count(1)
        self._socket = websocket.create_connection(self._page_address(), timeout=30)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        self._process.terminate()
        self._process.wait(10)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _page_address(self) -> str:
        port_file = Path(self._profile, "DevToolsActivePort")
        end = time.monotonic() + 30
        while not (port_file.exists() and port_file.read_text().count("\n")):
            assert time.monotonic() < end, "Chromium does not start"
            time.sleep(0.05)
        port, path = port_file.read_text().splitlines()[:2]
        browser = websocket.create_connection(f"ws://127.0.0.1:{port}{path}", timeout=30)
        browser.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        targets = json.loads(browser.recv())["result"]["targetInfos"]
        browser.close()
        page = next(each["targetId"] for each in targets if each["type"] == "page")
        return f"ws://127.0.0.1:{port}/devtools/page/{page}"

    # The protocol.

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Sends one command and returns its result; events that come meanwhile are taken note of."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._socket.recv())
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            self._note(message.get("method", ""), message.get("params", {}))

    def _note(self, event: str, about: dict[str, Any]) -> None:
        if event == "Runtime.exceptionThrown":
            details = about["exceptionDetails"]
            self.errors.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif event == "Runtime.consoleAPICalled" and about["type"] in ("error", "assert"):
            self.errors.append("console: " + " ".join(str(each.get("value", each)) for each in about["args"]))
        elif event == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(f"log: {about['entry']['text']} {about['entry'].get('url', '')}")
        elif event == "Network.responseReceived" and about["response"]["status"] >= 400:
            self.errors.append(f"status {about['response']['status']}: {about['response']['url']}")
        elif event == "Page.javascriptDialogOpening":
            self.errors.append("dialog: " + about["message"])
            # Left open, it would keep the page from answering anything; the answer to this is passed over.
            answer = {"id": next(self._ids), "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
            self._socket.send(json.dumps(answer))

    def run(self, script: str) -> Any:
        """Value of a JavaScript expression; a promise is awaited."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"].get("exception", {}).get("description", script))
        return answer["result"].get("value")

    def patience(self, seconds: float) -> None:
        """Waits so long for an answer of a page whose scripts keep it busy; half a minute otherwise."""
        self._socket.settimeout(seconds)

    # What a user does.

    def goto(self, url: str) -> None:
        """Loads a page whole."""
        self.send("Page.navigate", url=url)
        self.until(f"location.href.startsWith({json.dumps(url)}) && document.readyState === 'complete'")

    def sign_in(self, base: str, login: str, password: str) -> None:
        """As the login page does."""
        self.goto(base + "/index.php?v=d")
        form = json.dumps({"action": "login", "username": login, "password": password, "storeConnection": 0})
        answer = self.run(
            f"fetch('core/ajax/user.ajax.php', {{method: 'POST', body: new URLSearchParams({form})}})"
            ".then(answer => answer.json())"
        )
        assert answer["state"] == "ok", answer
        assert urlsplit(base).hostname == "127.0.0.1", "the browser reaches this machine only"

    def until(self, condition: str, seconds: float = 30) -> Any:
        """Waits until a JavaScript expression is true, and returns it; an element counts as true."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                found = self.run(f"(value => value instanceof Node || value)({condition})")
            except AssertionError:
                found = None  # the page is being replaced
            if found:
                return found
            time.sleep(0.1)
        raise AssertionError(f"never true: {condition}; the page says: {self.run('document.body.innerText')[:600]}")

    def click(self, selector: str, text: str | None = None, seconds: float = 20) -> None:
        """Clicks with the mouse on the first visible element, once it is there and nothing covers it."""
        find = FIND % (json.dumps(selector), json.dumps(text), json.dumps(text))
        place = self.until(
            f"""(() => {{ {find}
                if (!found.length) return null;
                found[0].scrollIntoView({{block: 'center'}});
                const box = found[0].getBoundingClientRect();
                const x = box.x + box.width / 2, y = box.y + box.height / 2;
                const top = document.elementFromPoint(x, y);
                return top && (found[0].contains(top) || top.contains(found[0])) ? {{x, y}} : null;
            }})()""",
            seconds,
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **place)

    def fill(self, selector: str, text: str) -> None:
        """Replaces the text of a field, key by key as far as the page can tell."""
        self.click(selector)
        self.run(f"document.querySelector({json.dumps(selector)}).select()")
        self.send("Input.insertText", text=text)
        if text == "":
            self.send("Input.dispatchKeyEvent", type="keyDown", key="Delete", code="Delete", windowsVirtualKeyCode=46)
        released = "new KeyboardEvent('keyup', {bubbles: true})"
        self.run(f"document.querySelector({json.dumps(selector)}).dispatchEvent({released})")

    def choose(self, selector: str, value: str) -> None:
        """Chooses in a drop-down list."""
        self.run(
            f"""(() => {{ const list = document.querySelector({json.dumps(selector)}); list.value = {json.dumps(value)};
            list.dispatchEvent(new Event('change', {{bubbles: true}})); }})()"""
        )

    def text(self, selector: str) -> str:
        """What an element says; empty when it is not there."""
        return str(self.run(f"(document.querySelector({json.dumps(selector)})?.innerText || '').trim()"))

    def shows(self, selector: str) -> bool:
        """Whether such an element is visible."""
        return bool(
            self.run(f"[...document.querySelectorAll({json.dumps(selector)})].some(e => e.getClientRects().length)")
        )

    def screenshot(self, path: Path) -> None:
        """For a person to look at."""
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))
