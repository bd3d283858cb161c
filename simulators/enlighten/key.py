"""The key that signs gateway tokens (JWT, ES256), shared by the token service and the gateway."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import tempfile
import uuid
from pathlib import Path
from typing import Any, Optional

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

OWNER_LIFETIME = 31_536_000  # s
INSTALLER_LIFETIME = 43_200  # s


class EntrezKey:
    """A P-256 key that issues and checks tokens."""

    def __init__(self, private: Optional[ec.EllipticCurvePrivateKey] = None) -> None:
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        self.kid = secrets.token_hex(16)

    @classmethod
    def of_file(cls, path: Path) -> EntrezKey:
        """The key in a PEM file, created (mode 0600) if missing; two programs may start at once."""
        if not path.exists():
            pem = cls()._private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name) as file:
                file.write(pem)
                file.flush()
                with contextlib.suppress(FileExistsError):  # the other program was faster: use its key
                    os.link(file.name, path)
        private = serialization.load_pem_private_key(path.read_bytes(), None)
        if not isinstance(private, ec.EllipticCurvePrivateKey):
            raise TypeError(f"{path} holds no EC key")
        return cls(private)

    def issue(
        self,
        serial: str,
        *,
        now: float,
        lifetime: float = OWNER_LIFETIME,
        role: str = "owner",
        username: str = "demo@example.org",
    ) -> str:
        """A token for gateway `serial`, issued at `now` (epoch s) and valid for `lifetime` seconds."""
        issued = int(now)
        return self.sign(
            {
                "aud": serial,
                "iss": "Entrez",
                "enphaseUser": role,
                "exp": issued + int(lifetime),
                "iat": issued,
                "jti": str(uuid.uuid4()),
                "username": username,
            }
        )

    def sign(self, claims: dict[str, Any]) -> str:
        """A token of exactly these claims."""
        header = {"kid": self.kid, "typ": "JWT", "alg": "ES256"}
        signed = f"{_encoded_json(header)}.{_encoded_json(claims)}"
        r, s = decode_dss_signature(self._private.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{_encoded(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def claims(self, token: str) -> dict[str, Any]:
        """The claims of a token of this key. Raises ValueError for any other text."""
        try:
            return self._claims(token)
        except (AttributeError, TypeError) as error:
            raise ValueError("header and claims are JSON objects") from error

    def _claims(self, token: str) -> dict[str, Any]:
        segments = token.split(".")
        if len(segments) != 3:
            raise ValueError("a token has three segments")
        header, claims = (json.loads(_decoded(segment)) for segment in segments[:2])
        signature = _decoded(segments[2])
        if header.get("alg") != "ES256" or len(signature) != 64:
            raise ValueError("the signature is not ES256")
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        signed = f"{segments[0]}.{segments[1]}".encode()
        try:
            self._private.public_key().verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature as error:
            raise ValueError("the signature is of another key") from error
        return dict(claims)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _encoded_json(value: dict[str, Any]) -> str:
    return _encoded(json.dumps(value, separators=(",", ":")).encode())


def _decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
