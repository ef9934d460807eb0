"""Test users and tokens, written straight into a server's database and signed with its key.

This saves one `scanrill` process for each user and token.
"""

from __future__ import annotations

import hashlib
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from tests.support.database_rows import run_query
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient


@dataclass(frozen=True)
class Account:
    """A user of a server."""

    server: Server
    id: uuid.UUID
    name: str

    @classmethod
    def create(cls, server: Server, *, name: str | None = None) -> Account:
        """Insert a new user into the server's database."""
        account = cls(server, uuid.uuid4(), name or f"user-{uuid.uuid4().hex[:8]}")
        row: dict[str, Any] = {
            "id": account.id.hex,
            "username": account.name,
            "password": "!",
            "date_joined": _timestamp(),
        }
        row |= dict.fromkeys(("first_name", "last_name", "email"), "")
        row |= {"is_active": True, "is_staff": False, "is_superuser": False}
        placeholders = ", ".join("?" * len(row))
        run_query(server, f"INSERT INTO core_user ({', '.join(row)}) VALUES ({placeholders})", *row.values())
        return account

    def mint(self, *, seconds: float = 3600, key: str | None = None, **claims: Any) -> str:
        """Sign an access token valid for `seconds`; `claims` override the defaults, None removes one."""
        key = key or self.server.secret_key
        now = time.time()
        defaults = {"token_type": "access", "sub": str(self.id), "iat": now, "exp": int(now + seconds)}
        return jwt.encode(
            {k: v for k, v in (defaults | claims).items() if v is not None}, key, algorithm="HS256"
        )

    def sign_in_code(self, *, seconds: float = 600) -> str:
        """Insert a sign-in code that is valid for `seconds`, and return it."""
        code = secrets.token_urlsafe(24)
        row = (self.id.hex, hashlib.sha256(code.encode()).hexdigest(), _timestamp(seconds))
        run_query(
            self.server, "INSERT INTO core_signincode (user_id, digest, expires_at) VALUES (?, ?, ?)", *row
        )
        return code

    def set_password(self, password: str) -> None:
        """Set the password, hashed with one iteration so that sign-ins in tests are fast."""
        from django.contrib.auth.hashers import PBKDF2PasswordHasher

        self._set("password", PBKDF2PasswordHasher().encode(password, "salt", iterations=1))

    def client(self, upload_id: str | None = None, **options: Any) -> WebSocketClient:
        """Return a WebSocket client of this user, on the list endpoint or on that of one upload."""
        path = "/ws/core/upload/" + (f"{upload_id}/" if upload_id else "")
        return WebSocketClient(self.server.url(path, token=self.mint()), **options)

    @property
    def headers(self) -> dict[str, str]:
        """The HTTP header with an access token of this user."""
        return {"Authorization": f"Bearer {self.mint()}"}

    def deactivate(self) -> None:
        self._set("is_active", False)

    def revoke_tokens(self, *, seconds_ago: float = 0.0) -> None:
        """Revoke all tokens that were issued before now, or before `seconds_ago`."""
        self._set("tokens_valid_from", _timestamp(-seconds_ago))

    def _set(self, column: str, value: object) -> None:
        run_query(self.server, f"UPDATE core_user SET {column} = ? WHERE id = ?", value, self.id.hex)


def _timestamp(plus_seconds: float = 0.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=plus_seconds)).strftime("%Y-%m-%d %H:%M:%S.%f")
