"""The gateway's self-signed certificate, CN `envoy-<serial>`, and a TLS context that serves it."""

from __future__ import annotations

import hashlib
import ssl
import tempfile
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


@lru_cache(maxsize=2)
def _key(renewed: bool) -> rsa.RSAPrivateKey:
    """Two keys for all certificates of a process: making one takes longer than most tests."""
    return rsa.generate_private_key(public_exponent=65_537, key_size=2_048)


class Certificate:
    """A fresh certificate, valid for `days`, of which `age` (days) have already passed.

    `fingerprint` is the SHA-256 of the DER form, in hexadecimal; `renewed`: with another key than the first ones.
    """

    def __init__(self, serial: str, days: float = 365.0, age: float = 0.0, renewed: bool = False) -> None:
        key = _key(renewed)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"envoy-{serial}")])
        begin = datetime.now(timezone.utc) - timedelta(days=age, minutes=1)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + timedelta(days=days))
            .sign(key, hashes.SHA256())
        )
        self.name = f"envoy-{serial}"
        self.expires = (begin + timedelta(days=days)).timestamp()
        self.der = certificate.public_bytes(serialization.Encoding.DER)
        self.fingerprint = hashlib.sha256(self.der).hexdigest()
        self._pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def context(self) -> ssl.SSLContext:
        """A server context: TLS 1.2 only, as the gateway speaks it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.NamedTemporaryFile() as file:  # the ssl module reads certificates from files only
            file.write(self._pem)
            file.flush()
            context.load_cert_chain(file.name)
        return context
