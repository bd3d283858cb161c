"""The few things that are looked for in the site's pages; inputs are found by their name, never by their place."""

from __future__ import annotations

import lxml.etree
import lxml.html

CHALLENGES = ("captcha", "turnstile", "challenge")


class Page:
    """A page that may be anything."""

    def __init__(self, body: bytes) -> None:
        self.text = body.decode("utf-8", "replace").lower()
        try:
            self._root = lxml.html.document_fromstring(body, parser=lxml.html.HTMLParser(encoding="utf-8"))
        except (lxml.etree.LxmlError, ValueError, AssertionError, TypeError):
            self._root = None

    @property
    def maintenance(self) -> bool:
        """Whether the site says that it is being worked on."""
        return "maintenance" in self.text and not self.asks_password

    @property
    def asks_password(self) -> bool:
        """Whether it is a login page."""
        return self.has("password")

    @property
    def challenged(self) -> bool:
        """Whether the login form holds a test for persons."""
        if self._root is None or not self.asks_password:
            return any(word in self.text for word in CHALLENGES)
        for form in self._forms():
            for part in form.iter():
                words = " ".join(str(part.get(name, "")) for name in ("id", "class", "name", "src")).lower()
                if any(word in words for word in CHALLENGES):
                    return True
        return False

    def has(self, name: str) -> bool:
        """Whether there is an input of that name."""
        return self._root is not None and any(each.get("name") == name for each in self._root.iter("input"))

    def token(self) -> str:
        """The hidden token of the form that asks for the password, or ''."""
        for form in self._forms():
            for each in form.iter("input"):
                if each.get("name") == "csrfmiddlewaretoken" and each.get("value"):
                    return str(each.get("value"))
        return ""

    def _forms(self) -> list[lxml.html.HtmlElement]:
        if self._root is None:
            return []
        forms = self._root.iter("form")
        return [form for form in forms if any(each.get("name") == "password" for each in form.iter("input"))]
