"""Parses the bytes of a WES page to sections; refuses incomplete or malformed pages."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass

from lxml import etree

from ..base import VendorError

_LOG = logging.getLogger(__name__)

Section = Mapping[str, str]
EMPTY_SECTION: Section = {}
LAST_PREFIX = "+"
"""Prefix of the key of the last of several elements of the same name; the name itself is the first."""
UNREADABLE = "\ufffd"
"""Replaces an unreadable character."""
_END = b"</data>"
_DECLARATION = re.compile(rb"^<\?xml[^>]{0,100}\?>\s*")


class Truncated(VendorError):
    """The body is truncated: without a length, only `</data>` marks its end."""


@dataclass(frozen=True)
class CgxPage:
    """The sections of a page by name, with their elements' texts. `repaired`: invalid bytes were replaced."""

    sections: Mapping[str, Section]
    repaired: bool = False

    def section(self, name: str) -> Section:
        """Returns a section; empty if missing."""
        return self.sections.get(name, EMPTY_SECTION)

    @property
    def firmware(self) -> str:
        """The firmware, for example `V0.84A16`."""
        return self.section("info").get("firmware", "")

    @property
    def version(self) -> str | None:
        """The version of an uploaded page; None for a page of the firmware."""
        return self.section("jeedom").get("cgxversion") or None


def parse(body: bytes, path: str) -> CgxPage:
    """Parses a page; `path` is for the log. Raises Truncated if it is incomplete, VendorError if it is no WES page."""
    # Without its declaration: an encoding could hide something from the checks below.
    trimmed = _DECLARATION.sub(b"", body.strip(b"\xef\xbb\xbf \t\r\n\0"), count=1)
    head = trimmed[:400].lower()
    if b"<!DOCTYPE" in trimmed or b"<!ENTITY" in trimmed or head.startswith((b"<!doctype", b"<html")):
        raise _not_a_page(body, path)
    if not trimmed.endswith(_END):
        if b"<data>" not in head:
            raise _not_a_page(body, path)
        _LOG.debug("%s is cut after %d bytes", path, len(body))
        raise Truncated(
            "Le WES a coupé sa page de mesures ({size} octets reçus), rien n'en est repris ; nouvel essai automatique",
            size=len(body),
        )
    root = _tree(trimmed)
    repaired = root is None
    if root is None:
        root = _tree(_repaired(trimmed))
    if root is None or root.tag != "data":
        raise _not_a_page(body, path)
    page = CgxPage({section.tag: _texts(section) for section in root}, repaired)
    if not page.firmware:
        raise _not_a_page(body, path)
    return page


def _tree(body: bytes) -> etree._Element | None:
    parser = etree.XMLParser(
        resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        return etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _texts(section: etree._Element) -> dict[str, str]:
    texts: dict[str, str] = {}
    for element in section:
        tag = element.tag
        text = (element.text or "").strip()
        if tag in texts:
            texts[LAST_PREFIX + tag] = text
        else:
            texts[tag] = text
    return texts


_BARE = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#\d{1,7}|#x[0-9A-Fa-f]{1,6});)")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def _repaired(body: bytes) -> bytes:
    """Repairs known faults of the firmware only: Latin-1 bytes, a bare `&`, control characters.

    A page with other faults may have lost a digit, and is refused. A control character may have replaced one as well:
    `UNREADABLE` takes its place, so that no number is read there.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    return _BARE.sub("&amp;", _CONTROL.sub(UNREADABLE, text)).encode("utf-8")


def _not_a_page(body: bytes, path: str) -> VendorError:
    shown = re.sub(r"[^\x20-\x7e]+", " ", body[:80].decode("latin-1")).strip()
    _LOG.debug("%s is not a page of a WES: %s", path, shown)
    return VendorError(
        "Ce qui a répondu n'est pas une page d'un WES : vérifiez l'adresse et le port. La réponse commence par "
        "« {start} »",
        start=shown[:60],
    )
