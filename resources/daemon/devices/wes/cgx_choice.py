"""Chooses the page of a WES to read, and puts ours there: versions, upload, automatic update."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Callable

from ..base import Context, DeviceError, Refused, Unreachable, VendorError
from . import cgx, ftp
from .cgx_page import CgxPage
from .client import PageMissing, Wes
from .mapping import Origin

_LOG = logging.getLogger(__name__)

STANDARD_PATH = "data.cgx"
OWN_PATH = cgx.OWN_FILE.lower()
OFFICIAL_PATH = "data_jeedom.cgx"
"""The page of the official plugin: better than the standard one while ours is missing."""
NAMES_PATH = cgx.NAMES_FILE.lower()
FLAG_SINCE = "1.0.5"
"""First version of the official page whose PRODUCTEUR is a flag."""

MISSING_RETRY_S = 60.0
"""Seconds until a missing page is requested again."""
FAILED_UPLOAD_RETRY_S = 6 * 3600.0
"""Seconds between failed automatic uploads."""

UPLOAD_MIN_GAP_S = 300.0
"""Seconds after a successful upload before another: the card may be exchanged, but uploads must not loop."""

Progress = Callable[[float, str], None]


class CgxChoice:
    """Reads the best page available; decides whether to upload ours, and uploads it."""

    def __init__(self, wes: Wes, config: Mapping[str, Any], context: Context) -> None:
        self._wes = wes
        self._config = config
        self._context = context
        self._uploaded = bool(config.get("jeedomCgx"))
        self._instead: str | None = None
        self._look_again = 0.0
        self._next_upload = float("-inf")
        self.path = OWN_PATH if self._uploaded else STANDARD_PATH

    def read(self) -> CgxPage:
        """Returns a page, by one request once it is known which one. Raises DeviceError."""
        if not self._uploaded:
            return self._wes.page(STANDARD_PATH)
        now = self._context.clock.monotonic()
        if self._instead is not None and now < self._look_again:
            try:
                return self._wes.page(self._instead)
            except PageMissing:
                self._instead = None  # the card was exchanged meanwhile
        for path in (OWN_PATH, OFFICIAL_PATH):
            try:
                page = self._wes.page(path)
            except PageMissing:
                continue
            return self._use(path, page, now)
        return self._use(STANDARD_PATH, self._wes.page(STANDARD_PATH), now)

    def _use(self, path: str, page: CgxPage, now: float) -> CgxPage:
        if path != self.path:
            _LOG.info("%s is read from %s", self._wes.host, path)
        self.path = path
        self._instead = None if path == OWN_PATH else path
        self._look_again = now + MISSING_RETRY_S
        return page

    def origin(self, page: CgxPage) -> Origin:
        """Returns the kind of the last page."""
        ours = self.path == OWN_PATH
        return Origin(ours, flag=ours or not cgx.older(page.version, FLAG_SINCE))

    def outdated(self, page: CgxPage) -> bool:
        """True if a newer page than this one could be uploaded."""
        return self._uploaded and (self.path != OWN_PATH or cgx.older(page.version, cgx.version()))

    def keep_up(self, page: CgxPage) -> bool:
        """Uploads our newer page if the user allows it, else announces it once; True if uploaded."""
        wanted = cgx.version()
        if not self.outdated(page):
            if self._context.memory.get("announced") is not None:
                self._context.memory.delete("announced")
            return False
        if self._config.get("autoUpdateCgx"):
            return self._try_upload()
        if self._context.memory.get("announced") != wanted:
            self._context.memory.keep("announced", wanted)
            self._context.message(
                "info",
                "Mise à jour du fichier CGX Jeedom disponible (version {wanted}, sur le WES : {found}) : utilisez le "
                "bouton « Envoyer fichier CGX » de la page du serveur, ou cochez « Mise à jour automatique ».",
                wanted=wanted,
                found=page.version if self.path == OWN_PATH and page.version else self._context.translate("aucun"),
            )
        return False

    def _try_upload(self) -> bool:
        now = self._context.clock.monotonic()
        if now < self._next_upload:
            return False
        self._next_upload = now + FAILED_UPLOAD_RETRY_S
        try:
            text = self.send(lambda percent, text: None)
            _LOG.info("%s: %s", self._wes.host, text)
        except DeviceError as error:
            reason = self._context.describe(error)
            known = f"{cgx.version()} {reason}"
            if self._context.memory.get("announced") != known:
                self._context.memory.keep("announced", known)
                text = "Le fichier CGX n'a pas pu être mis à jour : {reason} Nouvel essai dans {hours} h."
                self._context.message("warning", text, reason=reason, hours=int(FAILED_UPLOAD_RETRY_S / 3600))
            return False
        self._next_upload = now + UPLOAD_MIN_GAP_S
        return True

    def names(self) -> CgxPage | None:
        """Returns the page of names and identities of the inputs, or None if it is missing or invalid."""
        if not self._uploaded:
            return None
        try:
            return self._wes.page(NAMES_PATH)
        except DeviceError as error:
            _LOG.debug("names of the inputs: %s", error)
            return None

    def try_ftp(self) -> None:
        """Signs in to the FTP account, if there is one: reading pages does not show it. Raises DeviceError."""
        user, password = self._ftp_account()
        if user and password:
            with self._wes.alone():
                ftp.try_account(self._wes.host, self._ftp_port(), user, password)

    def _ftp_account(self) -> tuple[str, str]:
        return str(self._config.get("ftpUser") or ""), str(self._config.get("ftpPassword") or "")

    def _ftp_port(self) -> int:
        return int(self._config.get("ftpPort") or 21)

    def send(self, progress: Progress) -> str:
        """Uploads our pages and reads them back; returns the text for the user. Raises DeviceError."""
        host, say = self._wes.host, self._context.translate
        user, password = self._ftp_account()
        if not user or not password:
            raise Refused(
                "Renseignez l'identifiant et le mot de passe FTP du WES : ils sont nécessaires à l'envoi du fichier "
                "CGX."
            )
        files = cgx.files()
        with self._wes.alone():
            progress(0, say("Connexion au WES {host}", host=host))
            self._check_firmware(self._wes.page(STANDARD_PATH).firmware)
            sent: list[str] = []

            def step(name: str) -> None:
                progress(20 + 60 * len(sent) / len(files), say("Envoi de {name}", name=name))
                sent.append(name)

            ftp.upload(host, self._ftp_port(), user, password, files, step)
            progress(80, say("Vérification du fichier sur le WES"))
            self._verify()
        self._instead = None
        text = say("Fichier CGX envoyé avec succès (version {version}).", version=cgx.version())
        progress(100, text)
        return text

    def _check_firmware(self, found: str) -> None:
        minimum = str(cgx.table()["firmware"])
        if not cgx.supported(found):
            raise Refused(
                "Le firmware {found} du WES est trop ancien pour le fichier CGX ({minimum} ou plus récent) : mettez le "
                "WES à jour, ou décochez « Fichier CGX Jeedom » pour lire sa page standard.",
                found=found[:20],
                minimum=minimum,
            )

    def _verify(self) -> None:
        try:
            found = self._wes.page(OWN_PATH).version
        except PageMissing:
            found = None
        except Unreachable as error:
            reason = self._context.describe(error)
            raise Unreachable(
                "Le fichier CGX est envoyé, mais n'a pas pu être relu : {reason}", reason=reason
            ) from error
        if found != cgx.version():
            raise VendorError(
                "Le fichier CGX est envoyé, mais le WES donne la version {found} au lieu de {wanted} : renvoyez-le, ou "
                "redémarrez le WES.",
                found=found or self._context.translate("aucun"),
                wanted=cgx.version(),
            )
