"""Encodings of request fields."""

from __future__ import annotations

import base64


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
