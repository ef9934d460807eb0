"""Types of the JSON that REST views build without a type of `core/protocol/`.

The tests compare them with the responses of a server.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from backend_main.core.protocol import field_types
from backend_main.reading.engines.info import EngineInfo


class Problem(msgspec.Struct, kw_only=True):
    """Problem details of a request that failed (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    errors: dict[str, str]


class ProblemKind(msgspec.Struct, kw_only=True):
    """A kind of problem: what all errors with its code have in common."""

    code: str
    title: str
    status: int
    retryable: bool


class ProblemList(msgspec.Struct, kw_only=True):
    """All kinds of problems."""

    problems: list[ProblemKind]


class Health(msgspec.Struct, kw_only=True):
    """State of the server."""

    status: Literal["ok", "degraded", "unavailable"]
    reasons: list[str] | UnsetType = UNSET


class Me(msgspec.Struct, kw_only=True):
    """The user of the token or key, and facts that a client needs."""

    username: str
    max_upload_bytes: int
    version: str


class AccessToken(msgspec.Struct, kw_only=True):
    """An access token, and a refresh token unless that is a cookie."""

    access: str
    refresh: str | UnsetType = UNSET


class Session(msgspec.Struct, kw_only=True):
    """A sign-in that has not ended."""

    id: UUID
    created_at: dt.datetime
    last_used_at: dt.datetime
    address: str
    user_agent: str
    current: bool


class SessionList(msgspec.Struct, kw_only=True):
    """The sign-ins of the user."""

    sessions: list[Session]


class ApiKey(msgspec.Struct, kw_only=True):
    """An API key, without its secret."""

    id: UUID
    name: str
    prefix: str
    scope: str
    created_at: dt.datetime
    expires_at: dt.datetime | None
    last_used_at: dt.datetime | None


class NewApiKey(ApiKey, kw_only=True):
    """A new API key with its secret, which no other response has."""

    key: str


class ApiKeyList(msgspec.Struct, kw_only=True):
    """The API keys of the user, the newest first."""

    keys: list[ApiKey]


class EngineList(msgspec.Struct, kw_only=True):
    """The engines that a request may name."""

    engines: list[EngineInfo]
    default: str


class Webhook(msgspec.Struct, kw_only=True):
    """A webhook, without its secret."""

    id: UUID
    url: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None
    upload_id: UUID | None
    last_success_at: dt.datetime | None
    created_at: dt.datetime


class NewWebhook(Webhook, kw_only=True):
    """A new webhook with its secret."""

    secret: str


class WebhookList(msgspec.Struct, kw_only=True):
    """The webhooks of the user."""

    webhooks: list[Webhook]


class WebhookSecret(msgspec.Struct, kw_only=True):
    """A new secret of a webhook."""

    secret: str


class Delivery(msgspec.Struct, kw_only=True):
    """A delivery of an event to a webhook."""

    id: UUID
    type: str
    upload_id: UUID | None
    status: str
    attempts: int
    next_attempt_at: dt.datetime | None
    response_status: int | None
    response_ms: int | None
    response_text: str
    created_at: dt.datetime
    ended_at: dt.datetime | None


class DeliveryList(msgspec.Struct, kw_only=True):
    """The newest deliveries of a webhook."""

    deliveries: list[Delivery]


class Credentials(msgspec.Struct, kw_only=True):
    """Name and password of a user."""

    username: str
    password: str
    cookie: bool = False


class SignInCode(msgspec.Struct, kw_only=True):
    """Code of a sign-in link."""

    code: str


class RefreshToken(msgspec.Struct, kw_only=True):
    """A refresh token; without it, the cookie counts."""

    refresh: str | UnsetType = UNSET


class ApiKeyFields(msgspec.Struct, kw_only=True):
    """Fields of a new API key."""

    name: str
    scope: Literal["read", "write"] = "write"
    expires_in_days: int | None = None


class WebhookFields(msgspec.Struct, kw_only=True):
    """Fields of a webhook."""

    url: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    upload_id: UUID | UnsetType | None = UNSET


class UploadChanges(msgspec.Struct, kw_only=True):
    """Fields of an upload that a person may change."""

    filename: field_types.FileName | UnsetType = UNSET
    processed_text: str | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET


class PageCorrection(msgspec.Struct, kw_only=True):
    """A person's text of a page; null removes it."""

    correction: str | None


class ReadOptionFields(msgspec.Struct, kw_only=True):
    """Read options of a retry; those that it omits stay as they were."""

    engine: field_types.EngineName | None = None
    languages: field_types.Languages | None = None
    pages: str | None = None
    profile: field_types.EngineName | None = None
    furniture: field_types.Furniture | None = None
    formulas: field_types.Formulas | None = None
    barcodes: bool | None = None
    priority: field_types.Priority | None = None
