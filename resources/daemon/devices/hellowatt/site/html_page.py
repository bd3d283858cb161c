"""Recognizes what an HTML page of the site is; inputs are found by name, never by position."""

from __future__ import annotations

from itertools import islice

import lxml.etree
import lxml.html

CHALLENGES = ("captcha", "turnstile", "challenge")
MAX_PAGE_BYTES = 1024 * 1024
"""Bytes of a page that are examined; the site's own pages have a tenth of that."""
MAX_ELEMENTS = 50_000
"""Elements that are examined in one walk, however a page nests or repeats them."""


class HtmlPage:
    """Any HTML page. Each property walks over its elements once."""

    def __init__(self, body: bytes) -> None:
        self._text = body[:MAX_PAGE_BYTES].decode("utf-8", "replace").lower()
        try:
            parser = lxml.html.HTMLParser(encoding="utf-8")
            self._root = lxml.html.document_fromstring(body[:MAX_PAGE_BYTES], parser=parser)
        except (lxml.etree.LxmlError, ValueError, AssertionError, TypeError):
            self._root = None
        self._password = self._find("password")

    @property
    def maintenance(self) -> bool:
        """True if the site is in maintenance; the mere word in an application's page does not count."""
        if self.asks_password or "maintenance" not in self._text:
            return False
        return "<script" not in self._text or any("maintenance" in heading for heading in self._headings())

    @property
    def asks_password(self) -> bool:
        """True if it has the login form."""
        return self._password is not None

    @property
    def guarded(self) -> bool:
        """True if the page mentions a captcha; proves nothing while the page works otherwise."""
        return any(word in self._text for word in CHALLENGES)

    @property
    def challenged(self) -> bool:
        """True if the login form itself has a captcha."""
        form = self._password
        while form is not None and form.tag != "form":
            form = form.getparent()
        if form is None:
            return False
        for part in islice(form.iter(), MAX_ELEMENTS):
            words = " ".join(str(part.get(name, "")) for name in ("id", "class", "name", "src")).lower()
            if any(word in words for word in CHALLENGES):
                return True
        return False

    def _headings(self) -> list[str]:
        if self._root is None:
            return []
        return [(each.text or "").lower() for each in islice(self._root.iter("title", "h1", "h2"), 20)]

    def _find(self, name: str) -> lxml.html.HtmlElement | None:
        if self._root is None:
            return None
        inputs = islice(self._root.iter("input"), MAX_ELEMENTS)
        return next((each for each in inputs if each.get("name") == name), None)
