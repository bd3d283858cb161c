"""From the bytes of a WES page to its sections; what is not a whole, sound page is refused."""

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
"""Prefix under which the last of several elements of the same name is found; the name itself is the first."""
UNREADABLE = "\ufffd"
"""Stands for a character that could not be read."""
_END = b"</data>"
_DECLARATION = re.compile(rb"^<\?xml[^>]{0,100}\?>\s*")


class Truncated(VendorError):
    """The body ends before the page does: without a length, only `</data>` tells that it is whole."""


@dataclass(frozen=True)
class CgxPage:
    """The sections of a page by name, each with its elements' texts. `repaired`: its bytes had to be mended."""

    sections: Mapping[str, Section]
    repaired: bool = False

    def section(self, name: str) -> Section:
        """A section; empty when the page has none of this name."""
        return self.sections.get(name, EMPTY_SECTION)

    @property
    def firmware(self) -> str:
        """The firmware as the WES writes it, for example `V0.84A16`."""
        return self.section("info").get("firmware", "")

    @property
    def version(self) -> str | None:
        """The version of an uploaded page; None: a page of the firmware."""
        return self.section("jeedom").get("cgxversion") or None


def parse(body: bytes, path: str) -> CgxPage:
    """Reads a page. Raises Truncated or VendorError; `path` is for the log."""
    # Without its declaration, so that no encoding that it names can hide anything from the looks below.
    trimmed = _DECLARATION.sub(b"", body.strip(b"\xef\xbb\xbf \t\r\n\0"), count=1)
    head = trimmed[:400].lower()
    if b"<!DOCTYPE" in trimmed or b"<!ENTITY" in trimmed or head.startswith((b"<!doctype", b"<html")):
        raise _strange(body, path)
    if not trimmed.endswith(_END):
        if b"<data>" not in head:
            raise _strange(body, path)
        _LOG.debug("%s is cut after %d bytes", path, len(body))
        raise Truncated(
            "Le WES a coupé sa page de mesures ({size} octets reçus), rien n'en est repris ; nouvel essai automatique",
            size=len(body),
        )
    root = _tree(trimmed)
    repaired = root is None
    if root is None:
        root = _tree(_mended(trimmed))
    if root is None or root.tag != "data":
        raise _strange(body, path)
    page = CgxPage({section.tag: _texts(section) for section in root}, repaired)
    if not page.firmware:
        raise _strange(body, path)
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


def _mended(body: bytes) -> bytes:
    """The known sins of the firmware made good: Latin-1 bytes, a bare `&`, control characters; nothing else is.

    A page that is broken in another way may have lost a digit, and is refused. Where a control character stood, one may
    be lost as well: `UNREADABLE` takes its place, so that no number is read there.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = body.decode("cp1252", "replace")
    return _BARE.sub("&amp;", _CONTROL.sub(UNREADABLE, text)).encode("utf-8")


def _strange(body: bytes, path: str) -> VendorError:
    shown = re.sub(r"[^\x20-\x7e]+", " ", body[:80].decode("latin-1")).strip()
    _LOG.debug("%s is no page of a WES: %s", path, shown)
    return VendorError(
        "Ce qui a répondu n'est pas une page d'un WES : vérifiez l'adresse et le port. La réponse commence par "
        "« {start} »",
        start=shown[:60],
    )
