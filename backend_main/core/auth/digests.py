"""Digests of secrets and names, so that nobody who reads the database, Redis or a cookie learns them."""

from __future__ import annotations

import hashlib


def sha256_hex(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal digits. JSON may contain unpaired surrogates."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
