"""Identity of the gateway: pins its certificate, and signs in with a token."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from ipaddress import AddressValueError, IPv4Address
from typing import Any, ClassVar

from ...base import AuthenticationFailed, Context, DeviceError, Identity, Neighbour, Refused, VendorError
from ..tokens.token import DAY_S, Token, span
from ..tokens.token_store import TokenStore
from . import certificate
from .client import CertificateChanged, Gateway

_LOG = logging.getLogger(__name__)


class CertificateRefused(Refused):
    """The gateway presents an unexplained certificate: the user must accept it."""

    state: ClassVar[str] = "untrusted"


class AnotherGateway(CertificateRefused):
    """Another gateway answers at the address: perhaps the two have changed places."""

    elsewhere: ClassVar[bool] = True


class AnotherSerial(VendorError):
    """The gateway at the address is not the one whose serial number is in the settings."""

    elsewhere: ClassVar[bool] = True


class PinnedCertificate:
    """Pins the gateway's certificate on first use and judges a new one."""

    def __init__(self, gateway: Gateway, context: Context) -> None:
        self._gateway = gateway
        self._context = context
        # By address: testing another one in the form must not affect this pin.
        self._key = f"certificate {gateway.host}:{gateway.port}"
        self._refused: certificate.Certificate | None = None
        """That of another gateway, about which the user is informed only if the own one is not found elsewhere."""

    def establish(self, expected: str) -> dict[str, str]:
        """Verifies the identity of the gateway before any token is sent; returns its `info`.

        `expected`: the serial number of the settings, or ''. Raises VendorError if it is another device,
        CertificateRefused if its certificate is unexplained.
        """
        known = self._context.memory.get(self._key)
        if known is not None:
            self._gateway.pin(known["sha256"])
            try:
                info = self._gateway.info()
            except CertificateChanged:
                return self._examine(known, expected)
            self._compare(info, expected)
            self._context.memory.delete("refusedCertificate")
            if known["serial"] != info["sn"] or known["firmware"] != info["software"]:
                self._persist({**known, "serial": info["sn"], "firmware": info["software"]})
            return info
        return self._first_use(expected)

    def accept(self, expected: str) -> dict[str, str]:
        """Pins whatever certificate is presented now, on behalf of the user; returns the gateway's `info`."""
        return self._first_use(expected)

    def follow(self, found: Sequence[Neighbour]) -> str | None:
        """Returns where the pinned gateway answers now, among those that were found, and pins it there.

        Its serial number, which is public, says where to look; its certificate decides, as it does for a new one at
        the old address. No token is sent. None if the address is a name, which follows by itself.
        """
        known = self._context.memory.get(self._key)
        if known is not None and _is_number(self._gateway.host):
            for each in found:
                if each.serial == known["serial"] and each.address != self._gateway.host and self._is_at(each, known):
                    self._refused = None
                    return each.address
        refused, self._refused = self._refused, None
        if refused is not None:
            self._tell_refused(refused)
        return None

    def _is_at(self, other: Neighbour, known: dict[str, Any]) -> bool:
        there = Gateway(other.address, self._gateway.port)
        try:
            PinnedCertificate(there, self._context)._carry(known)
        except CertificateRefused:
            if self._context.memory.get("refusedElsewhere") != other.address:
                self._context.memory.keep("refusedElsewhere", other.address)
                self._context.message("error", _ELSEWHERE, serial=other.serial, address=other.address)
            return False
        except DeviceError as error:
            _LOG.info("the gateway %s is not at %s: %s", other.serial, other.address, error)
            return False
        finally:
            there.close()
        return True

    def _carry(self, known: dict[str, Any]) -> None:
        """Pins here what was pinned at another address. Raises DeviceError if it is not the same gateway."""
        self._gateway.pin(known["sha256"])
        try:
            info = self._gateway.info()
        except CertificateChanged:
            shown = certificate.read(self._gateway.host, self._gateway.port)
            self._gateway.pin(shown.sha256)
            info = self._gateway.info()
            self._compare(info, known["serial"])
            if not self._explains(known, shown, info):
                raise CertificateRefused(_CHANGED, host=self._gateway.host) from None
            self._remember(shown, info)
            return
        self._compare(info, known["serial"])
        self._persist(known)

    def _first_use(self, expected: str) -> dict[str, str]:
        shown = certificate.read(self._gateway.host, self._gateway.port)
        self._gateway.pin(shown.sha256)
        info = self._gateway.info()  # without token, over exactly this certificate
        self._compare(info, expected)
        self._remember(shown, info)
        return info

    def _examine(self, known: dict[str, Any], expected: str) -> dict[str, str]:
        """Judges a certificate other than the known one. Raises CertificateRefused.

        What the device says of itself proves nothing: serial number and firmware are public. The certificate is
        accepted if its key is the same (the handshake proves that the gateway holds it), if the user names another
        serial number, or if the old certificate has expired and the new one names the same gateway.
        """
        shown = certificate.read(self._gateway.host, self._gateway.port)
        self._gateway.pin(shown.sha256)
        info = self._gateway.info()
        self._compare(info, expected)
        named = expected not in ("", known["serial"])
        same_key = known.get("key") == shown.key
        if not (named or self._explains(known, shown, info)):
            self._refuse(known, shown, info)
        _LOG.warning(
            "the gateway %s shows a new certificate, it is accepted: %s",
            self._gateway.host,
            "its serial number is the one in the settings"
            if named
            else "its key is the same"
            if same_key
            else "the old one has expired",
        )
        self._remember(shown, info)
        return info

    def _explains(self, known: dict[str, Any], shown: certificate.Certificate, info: dict[str, str]) -> bool:
        """Whether the known certificate accounts for the one that is shown."""
        expired = known["expires"] <= self._context.clock.time()
        own = known["serial"] == info["sn"] and info["sn"] in shown.name
        return known.get("key") == shown.key or (expired and own)

    def _compare(self, info: dict[str, str], expected: str) -> None:
        if expected and info["sn"] != expected:
            raise AnotherSerial(
                "La passerelle à cette adresse a le numéro de série {found}, et non celui des réglages : vérifiez "
                "l'adresse et le numéro",
                found=info["sn"],
            )

    def _refuse(self, known: dict[str, Any], shown: certificate.Certificate, info: dict[str, str]) -> None:
        self._gateway.pin(known["sha256"])
        if info["sn"] != known["serial"]:
            self._refused = shown
            raise AnotherGateway(_CHANGED, host=self._gateway.host)
        self._tell_refused(shown)
        raise CertificateRefused(_CHANGED, host=self._gateway.host)

    def _tell_refused(self, shown: certificate.Certificate) -> None:
        if self._context.memory.get("refusedCertificate") != shown.sha256:
            self._context.memory.keep("refusedCertificate", shown.sha256)
            self._context.message("error", _CHANGED, host=self._gateway.host)

    def _remember(self, shown: certificate.Certificate, info: dict[str, str]) -> None:
        self._persist(
            {
                "sha256": shown.sha256,
                "key": shown.key,
                "expires": shown.expires,
                "serial": info["sn"],
                "firmware": info["software"],
            }
        )
        self._context.memory.delete("refusedCertificate")

    def _persist(self, known: dict[str, Any]) -> None:
        self._context.memory.keep(self._key, known)


_CHANGED = (
    "L'appareil à l'adresse {host} présente un certificat inattendu : le jeton ne lui est pas envoyé. Une passerelle "
    "change de certificat environ une fois par an, ou quand elle est remplacée, réinitialisée ou mise à jour : si "
    "c'est bien elle, utilisez « Accepter le nouveau certificat » sur la page de la connexion."
)

_ELSEWHERE = (
    "La passerelle {serial} ne répond plus, et un appareil qui porte ce numéro répond à l'adresse {address}, mais avec "
    "un certificat inconnu : le jeton ne lui est pas envoyé. Si c'est bien elle, donnez cette adresse dans les "
    "réglages de la connexion."
)


def _is_number(host: str) -> bool:
    try:
        IPv4Address(host)
    except AddressValueError:
        return False
    return True


def sign_in(
    gateway: Gateway, pin: PinnedCertificate, tokens: TokenStore, serial: str, context: Context
) -> tuple[dict[str, str], Token]:
    """Verifies the gateway, obtains a token and checks it; returns (`info`, token).

    Raises DeviceError; AuthenticationFailed if the gateway refuses a fresh token too.
    """
    info = pin.establish(serial)
    found = tokens.current(info["sn"])
    gateway.use_token(found.text)
    if gateway.check_token():
        return info, found
    _check_clock(info, found, context)
    found = tokens.renew(info["sn"], refused=found.text)
    gateway.use_token(found.text)
    if not gateway.check_token():
        raise AuthenticationFailed("La passerelle refuse même un jeton neuf : redémarrez-la")
    return info, found


def _check_clock(info: dict[str, str], found: Token, context: Context) -> None:
    """Raises AuthenticationFailed if the token is valid by our clock but not by the gateway's: no other would help."""
    told = clock_of(info)
    ahead = 0.0 if told is None else told - context.clock.time()
    if not found.issued - 60 <= context.clock.time() + ahead < found.expires:
        raise AuthenticationFailed(
            "La passerelle refuse le jeton parce que son horloge diffère de {minutes} min de celle de Jeedom : "
            "vérifiez l'heure de Jeedom, puis redémarrez la passerelle et vérifiez son accès à Internet",
            minutes=round(abs(ahead) / 60),
            retry=300.0,
        )


def clock_of(info: dict[str, str]) -> float | None:
    """The gateway's clock as Unix time; None if it does not tell the time."""
    told = info.get("time", "")
    return float(told) if told.isdecimal() and len(told) < 12 else None


def describe(info: dict[str, str], found: Token, meters: int | None, pasted: bool, context: Context) -> Identity:
    """Result of a connection test. `meters`: None if the gateway does not list them."""
    left = found.expires - context.clock.time()
    words = {"serial": info["sn"], "firmware": info["software"], "left": span(left, context.translate)}
    if meters is None:
        text = context.translate(
            "Passerelle {serial}, firmware {firmware}, jeton valable encore {left}. Elle ne donne pas la liste de ses "
            "compteurs pour le moment.",
            **words,
        )
    else:
        text = context.translate(
            "Passerelle {serial}, firmware {firmware}, {meters:compteur actif|compteurs actifs}, jeton valable "
            "encore {left}",
            meters=meters,
            **words,
        )
    if pasted and found.of_installer:
        text += ". " + context.translate(
            "Ce jeton est celui d'un installateur : passez en mode automatique, ou générez un jeton avec le compte du "
            "propriétaire, valable un an"
        )
    data = {"serial": info["sn"], "firmware": info["software"], "meters": meters, "tokenDays": token_days(left)}
    return Identity(data, text)


def token_days(left: float) -> float:
    """Converts seconds to days: whole days, tenths below two days."""
    return max(0, int(left // DAY_S)) if left >= 2 * DAY_S else max(0.0, round(left / DAY_S, 1))
