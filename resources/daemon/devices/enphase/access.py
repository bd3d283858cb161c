"""Who may be talked to and with what: the gateway's pinned certificate and its token, both kept in the store."""

from __future__ import annotations

import hashlib
import logging
import threading
from typing import Any

from jeedom_bridge.worker import Backoff

from ..base import AuthenticationFailed, Context, DeviceError, Identity, VendorError, vendor_url
from . import certificate, token
from .client import CertificateChanged, Gateway, cloud_session
from .token import DAY, Token

_LOG = logging.getLogger(__name__)

NEAR_END = 120 * DAY
"""Gateways replace their certificate weeks before it ends: from here on a new one is expected."""


class Trust:
    """Pins the gateway's certificate on first use and decides about a new one."""

    def __init__(self, gateway: Gateway, context: Context) -> None:
        self._gateway = gateway
        self._context = context

    def establish(self, expected: str) -> dict[str, str]:
        """Makes sure who the gateway is before any token leaves; returns its `info`.

        `expected`: the serial number the user gave, or ''. Raises VendorError when the device is another one
        or shows a certificate that cannot be explained.
        """
        shown = certificate.read(self._gateway.host, self._gateway.port)
        self._gateway.pin(shown.sha256)
        info = self._gateway.info()  # without token, over exactly this certificate
        if expected and info["sn"] != expected:
            raise VendorError(
                "La passerelle à cette adresse a le numéro de série {found}, pas {expected} : vérifiez l'adresse et le "
                "numéro",
                found=info["sn"],
                expected=expected,
            )
        known = self._context.memory.get("certificate")
        if known is None or info["sn"] == expected != known["serial"]:
            self._remember(shown, info)  # the first time, or another gateway that the user has named
        elif known["serial"] != info["sn"]:
            self._refuse(known, shown)
        elif known["sha256"] != shown.sha256:
            self._replace(known, shown, info)
        elif known.get("firmware") != info["software"]:
            self._remember(shown, info)
        return info

    def _replace(self, known: dict[str, Any], shown: certificate.Certificate, info: dict[str, str]) -> None:
        due = known["expires"] - self._context.clock.time() < NEAR_END
        updated = known.get("firmware") != info["software"]
        if info["sn"] in shown.name and (due or updated):
            _LOG.warning(
                "the gateway %s has renewed its certificate (%s), the new one is accepted",
                self._gateway.host,
                "its firmware changed" if updated else "the old one was near its end",
            )
            self._remember(shown, info)
        else:
            self._refuse(known, shown)

    def _refuse(self, known: dict[str, Any], shown: certificate.Certificate) -> None:
        self._gateway.pin(known["sha256"])
        if self._context.memory.get("refusedCertificate") != shown.sha256:
            self._context.memory.keep("refusedCertificate", shown.sha256)
            self._context.message("error", _CHANGED, host=self._gateway.host)
        raise VendorError(_CHANGED, host=self._gateway.host)

    def accept(self) -> None:
        """The user accepts whatever certificate is shown now."""
        shown = certificate.read(self._gateway.host, self._gateway.port)
        self._gateway.pin(shown.sha256)
        self._remember(shown, self._gateway.info())

    def _remember(self, shown: certificate.Certificate, info: dict[str, str]) -> None:
        self._context.memory.put(
            "certificate",
            {"sha256": shown.sha256, "expires": shown.expires, "serial": info["sn"], "firmware": info["software"]},
        )
        self._context.memory.delete("refusedCertificate")


_CHANGED = (
    "L'appareil à l'adresse {host} présente un certificat inattendu : le token ne lui est pas envoyé. Si la passerelle "
    "a été remplacée ou réinitialisée, utilisez « Accepter le nouveau certificat » sur la page de la connexion."
)


class TokenKeeper:
    """The token in use: pasted by the user or obtained from Enlighten, renewed in good time, kept in the store."""

    def __init__(self, config: dict[str, Any], context: Context) -> None:
        self._config = config
        self._context = context
        self._backoff = Backoff(60.0, 3600.0)
        self._lock = threading.Lock()
        self._renewing = False
        self._next_renewal = 0.0

    @property
    def automatic(self) -> bool:
        """Whether Enlighten is asked for tokens."""
        return bool(self._config.get("tokenMode", "auto") == "auto")

    def current(self, serial: str) -> Token:
        """A token for this gateway, asked for if need be. Raises DeviceError."""
        found = self._stored() if self.automatic else self._pasted()
        if found is not None:
            self._context.hide(found.text)
            self._check(found, serial)
            if found.audience == serial and found.expires > self._context.clock.time():
                if self.automatic:
                    self._renew_in_background(found, serial)
                return found
        return self.renew(serial)

    def _check(self, found: Token, serial: str) -> None:
        if self.automatic:
            return
        if found.audience != serial:
            raise AuthenticationFailed(
                "Ce token est celui de la passerelle {other}, pas de {serial}", other=found.audience, serial=serial
            )
        if found.expires <= self._context.clock.time():
            raise AuthenticationFailed("Le token a expiré : générez-en un nouveau sur le site d'Enphase et collez-le")

    def renew(self, serial: str) -> Token:
        """A new token from Enlighten, durable before it is used. Raises DeviceError."""
        if not self.automatic:
            raise AuthenticationFailed(
                "La passerelle refuse le token collé : générez-en un nouveau sur le site d'Enphase et collez-le"
            )
        user, password = str(self._config.get("user", "")), str(self._config.get("password", ""))
        if not user or not password:
            raise AuthenticationFailed("Indiquez l'utilisateur et le mot de passe Enphase, ou passez en token manuel")
        login_url = vendor_url(str(self._config.get("loginUrl", "")))
        token_url = vendor_url(str(self._config.get("tokenUrl", "")))
        with cloud_session() as session:
            text = token.obtain(session, login_url, token_url, user, password, serial)
        self._context.hide(text)
        fresh = Token.parse(text)
        self._context.memory.keep("token", {"text": fresh.text, "account": self._account()})
        self._context.count("tokens")
        _LOG.info("a new token for the gateway, valid for %.1f days", (fresh.expires - fresh.issued) / DAY)
        return fresh

    def _pasted(self) -> Token:
        return Token.parse(str(self._config.get("token", "")))

    def _stored(self) -> Token | None:
        kept = self._context.memory.get("token")
        if not isinstance(kept, dict) or kept.get("account") != self._account():
            return None
        try:
            return Token.parse(str(kept.get("text", "")))
        except AuthenticationFailed:
            return None

    def _account(self) -> str:
        # Which account a stored token was made for, without keeping its name twice.
        return hashlib.sha256(str(self._config.get("user", "")).encode()).hexdigest()[:16]

    def _renew_in_background(self, found: Token, serial: str) -> None:
        now = self._context.clock.time()
        with self._lock:
            if self._renewing or now < found.renewal() or now < self._next_renewal:
                return
            self._renewing = True
        threading.Thread(target=self._renew_aside, args=(serial,), name="token", daemon=True).start()

    def _renew_aside(self, serial: str) -> None:
        try:
            self.renew(serial)
            self._backoff.reset()
        except DeviceError as error:
            pause = DAY if isinstance(error, AuthenticationFailed) else self._backoff.next()
            self._next_renewal = self._context.clock.time() + pause
            _LOG.warning("the token could not be renewed (%s), next try in %.0f min", error, pause / 60)
        except Exception:
            self._next_renewal = self._context.clock.time() + 3600
            _LOG.exception("renewing the token")
        finally:
            with self._lock:
                self._renewing = False


def sign_in(gateway: Gateway, trust: Trust, keeper: TokenKeeper, serial: str) -> tuple[dict[str, str], Token]:
    """From nothing to an accepted token: who is there, which token, does the gateway take it.

    Raises AuthenticationFailed when a fresh token is refused too.
    """
    info = trust.establish(serial)
    found = keeper.current(info["sn"])
    gateway.use_token(found.text)
    if not gateway.check_token():
        found = keeper.renew(info["sn"])
        gateway.use_token(found.text)
        if not gateway.check_token():
            raise AuthenticationFailed(
                "La passerelle refuse même un token neuf : son horloge est peut-être fausse, redémarrez-la"
            )
    return info, found


def describe(info: dict[str, str], found: Token, meters: int, context: Context) -> Identity:
    """What a test of the connection tells."""
    days = int((found.expires - context.clock.time()) / DAY)
    text = context.say(
        "Passerelle {serial}, firmware {firmware}, {meters} compteur(s) actif(s), token valable encore {days} jour(s)",
        serial=info["sn"],
        firmware=info["software"],
        meters=meters,
        days=days,
    )
    data = {"serial": info["sn"], "firmware": info["software"], "meters": meters, "tokenDays": days}
    return Identity(data, text)


__all__ = ["CertificateChanged", "TokenKeeper", "Trust", "describe", "sign_in"]
