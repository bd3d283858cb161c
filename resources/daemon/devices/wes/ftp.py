"""Uploads files to a WES by FTP: plain, passive, binary; each replaces the old one only once complete."""

from __future__ import annotations

import ftplib
import logging
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Callable

from jeedom_bridge.http.errors import BrokenOff, HttpError, classified

from ..base import AuthenticationFailed, DeviceError, Phrase, Refused, Unreachable

_LOG = logging.getLogger(__name__)

STEP_TIMEOUT_S = 10.0
"""Timeout of one step in seconds."""
DEADLINE_S = 40.0
MAX_LINES = 200
"""Reply lines of a whole session; an upload needs about fifteen."""
TEMPORARY_FILE = "JEENERGI.NEW"


class DataConnectionFailed(Unreachable):
    """The data connection could not be made: another try may help."""


class _Ftp(ftplib.FTP):
    """An FTP session with a limit on reply lines."""

    lines = 0

    def getline(self) -> str:
        self.lines += 1
        if self.lines > MAX_LINES:
            raise ftplib.error_proto(f"more than {MAX_LINES} lines")
        return super().getline()

    def makepasv(self) -> tuple[str, int]:
        """Returns the data port on the server itself: older Pythons connect to whatever host the reply names."""
        _, port = super().makepasv()
        assert self.sock is not None
        return self.sock.getpeername()[0], port


Step = Callable[[str], None]
"""Called with the name of each file before it is sent."""


def upload(host: str, port: int, user: str, password: str, files: Mapping[str, bytes], step: Step) -> None:
    """Uploads files to the root of the WES; old ones stay until the new ones are complete. Raises DeviceError."""
    for attempt in (1, 2):
        try:
            with _session(host, port, user, password) as ftp:
                for name, data in files.items():
                    step(name)
                    _put(ftp, name, data)
            return
        except DataConnectionFailed:
            if attempt == 2:
                raise


def try_account(host: str, port: int, user: str, password: str) -> None:
    """Signs in and out again. Raises DeviceError."""
    with _session(host, port, user, password):
        pass


@contextmanager
def _session(host: str, port: int, user: str, password: str) -> Iterator[ftplib.FTP]:
    ftp = _Ftp(timeout=STEP_TIMEOUT_S, encoding="latin-1")
    # A peer that sends single bytes would stay within the timeout of every step.
    watch = threading.Timer(DEADLINE_S, lambda: _cut(ftp.sock))
    watch.daemon = True
    try:
        _connect(ftp, host, port)
        watch.start()
        _sign_in(ftp, user, password)
        yield ftp
        try:
            ftp.quit()
        except (OSError, EOFError, ftplib.Error) as error:
            _LOG.debug("the end of the FTP session: %s", error)
    finally:
        watch.cancel()
        ftp.close()


def _cut(sock: socket.socket | None) -> None:
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            _LOG.debug("cutting an FTP session: %s", error)


def _connect(ftp: ftplib.FTP, host: str, port: int) -> None:
    try:
        ftp.connect(host, port)
    except ftplib.Error as error:
        _why(error)
        raise Unreachable(
            "Le WES n'accepte pas de session FTP pour le moment : une autre est sans doute ouverte, "
            "réessayez plus tard.",
        ) from error
    except (OSError, EOFError, ValueError) as error:
        raise Unreachable(
            "Pas de connexion FTP à {host}:{port} ({error}). Activez l'accès FTP dans le WES (menu Configuration, "
            "Accès sécurisé) ; s'il l'est déjà, redémarrez le WES (Configuration, Info Serveur, Reset).",
            host=host,
            port=port,
            error=_why(error),
        ) from error


def _sign_in(ftp: ftplib.FTP, user: str, password: str) -> None:
    try:
        ftp.login(user, password)
        ftp.voidcmd("TYPE I")
    except ftplib.error_perm as error:
        _why(error)
        raise AuthenticationFailed(
            "Le WES refuse l'identifiant ou le mot de passe FTP : ce n'est pas le compte HTTP. Il est "
            "visible dans le WES, menu Configuration, Accès sécurisé.",
        ) from error
    except (OSError, EOFError, ftplib.Error, ValueError) as error:
        raise Unreachable(
            "Le WES a interrompu l'ouverture de la session FTP ({error}) : réessayez plus tard.", error=_why(error)
        ) from error


def _put(ftp: ftplib.FTP, name: str, data: bytes) -> None:
    try:
        _store(ftp, TEMPORARY_FILE, data)
    except Refused:
        _delete(ftp, TEMPORARY_FILE)  # incomplete, for example on a full card
        raise
    try:
        renamed = _rename(ftp, name)
    except (OSError, EOFError, ftplib.Error) as error:
        raise Unreachable(
            "Le WES a coupé la session FTP au moment de remplacer {name} ({error}) : renvoyez le fichier.",
            name=name,
            error=_why(error),
        ) from error
    if not renamed:
        _overwrite(ftp, name, data)


def _rename(ftp: ftplib.FTP, name: str) -> bool:
    """Replaces the old file by the temporary one; False if the server does not support renaming."""
    for replace in (False, True):
        try:
            ftp.sendcmd(f"RNFR /{TEMPORARY_FILE}")
        except ftplib.error_perm as error:
            _LOG.debug("renaming %s: %s", TEMPORARY_FILE, error)
            return False
        try:
            ftp.voidcmd(f"RNTO /{name}")
            return True
        except ftplib.error_perm as error:
            _LOG.debug("renaming to %s: %s", name, error)
            if not replace:
                _delete(ftp, name)  # some servers do not overwrite
    return False


def _overwrite(ftp: ftplib.FTP, name: str, data: bytes) -> None:
    """Writes the file directly: a failure leaves it incomplete. Raises Unreachable."""
    _delete(ftp, TEMPORARY_FILE)
    try:
        _store(ftp, name, data)
    except DeviceError as failure:
        reason = failure.values.get("error") or Phrase("écriture refusée")
        raise Unreachable(
            "L'envoi de {name} a échoué ({error}) et le fichier du WES est maintenant incomplet : renvoyez-le avant de "
            "compter sur ses valeurs.",
            name=name,
            error=reason,
        ) from failure


def _delete(ftp: ftplib.FTP, name: str) -> None:
    try:
        ftp.delete(f"/{name}")
    except (OSError, EOFError, ftplib.Error) as error:
        _LOG.debug("deleting %s: %s", name, error)


def _store(ftp: ftplib.FTP, name: str, data: bytes) -> None:
    try:
        data_connection = ftp.transfercmd(f"STOR /{name}")
    except ftplib.Error as error:
        raise _write_refused(name, error) from error
    except (OSError, EOFError, ValueError) as error:
        raise DataConnectionFailed(
            "La connexion de données FTP vers le WES n'aboutit pas ({error}) : pare-feu, NAT, ou WES occupé. "
            "Réessayez.",
            error=_why(error),
        ) from error
    try:
        with data_connection:
            data_connection.settimeout(STEP_TIMEOUT_S)
            data_connection.sendall(data)
        ftp.voidresp()
        size = _size(ftp, name)
    except ftplib.Error as error:
        raise _write_refused(name, error) from error
    except (OSError, EOFError) as error:
        raise Unreachable(
            "L'envoi de {name} au WES a été coupé ({error}) : réessayez.", name=name, error=_why(error)
        ) from error
    if size is not None and size != len(data):
        raise Unreachable(
            "Le WES n'a reçu que {size} octets sur {whole} de {name} : réessayez.",
            size=size,
            whole=len(data),
            name=name,
        )


def _size(ftp: ftplib.FTP, name: str) -> int | None:
    try:
        return ftp.size(f"/{name}")
    except (ftplib.error_perm, ValueError):
        return None  # not every server supports SIZE


def _write_refused(name: str, error: ftplib.Error) -> DeviceError:
    _why(error)
    return Refused(
        "Le WES refuse d'écrire {name} : vérifiez l'espace libre de sa carte et les droits du compte FTP, ou "
        "réessayez plus tard.",
        name=name,
    )


def _why(error: Exception) -> HttpError:
    """What the user reads of a failure; the server's and the system's own words are for the log."""
    _LOG.debug("FTP: %s: %s", type(error).__name__, re.sub(r"[\x00-\x1f\x7f-\x9f]+", " ", str(error))[:80])
    return BrokenOff("closed") if isinstance(error, EOFError) else classified(error, sent=False)
