"""Hand-made tokens, including invalid ones that no library creates."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Json = dict[str, Any]
_DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def claims(user_id: str, **changes: Any) -> Json:
    """Return the claims of an access token valid for an hour; the value `...` removes a claim."""
    now = time.time()
    defaults = {"token_type": "access", "sub": user_id, "iat": now, "exp": int(now) + 3600, "jti": "0" * 32}
    return {name: value for name, value in (defaults | changes).items() if value is not ...}


def signed(payload: Json, key: str | bytes, *, alg: str = "HS256", header: Json | None = None) -> str:
    """Sign an HMAC token; the key may be one that libraries reject."""
    body = _body({"alg": alg, "typ": "JWT"} | (header or {}), payload)
    secret = key.encode() if isinstance(key, str) else key
    return f"{body}.{_part(hmac.digest(secret, body.encode(), _DIGESTS[alg]))}"


def unsigned(payload: Json, *, alg: str = "none", signature: str = "") -> str:
    return f"{_body({'alg': alg, 'typ': 'JWT'}, payload)}.{signature}"


class RsaKey:
    """An RSA key pair of another service."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.public_pem = (
            self._key.public_key()
            .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
            .decode()
        )

    def signed(self, payload: Json, *, alg: str = "RS256", header: Json | None = None) -> str:
        body = _body({"alg": alg, "typ": "JWT"} | (header or {}), payload)
        return f"{body}.{_part(self._key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def public_jwk(self) -> Json:
        numbers = self._key.public_key().public_numbers()
        return {"kty": "RSA", "n": _integer(numbers.n), "e": _integer(numbers.e)}


def _body(header: Json, payload: Json) -> str:
    return f"{_part(json.dumps(header).encode())}.{_part(json.dumps(payload).encode())}"


def _part(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _integer(number: int) -> str:
    return _part(number.to_bytes((number.bit_length() + 7) // 8, "big"))
