"""API keys of the user, as the server returns them."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

KeyScope = Literal["read", "write"]


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key of the user.

    prefix         beginning of the key, which recognizes it
    scope          `write`: everything; `read`: requests that change nothing
    expires_at     None: never
    last_used_at   None: not used yet
    """

    id: str
    name: str
    prefix: str
    scope: KeyScope
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None


class NewApiKey(ApiKey, frozen=True, kw_only=True):
    """An API key with its text in `key`, which the server shows once. The `repr` does not contain it."""

    key: str

    def __repr__(self) -> str:
        return f"NewApiKey(name={self.name!r}, prefix={self.prefix!r})"


class ApiKeys(msgspec.Struct, frozen=True, kw_only=True):
    """The API keys of the user that are not revoked, the newest first."""

    keys: tuple[ApiKey, ...]
