"""Commands and queries on webhooks for their owner. The secret leaves the server once, when it is made."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from typing import Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import timezone
from msgspec import UNSET, UnsetType

from .. import outgoing
from ..conf import conf
from ..db.retry import retry_transient
from ..errors import QuotaExceeded, RequestError, UploadNotFound, WebhookNotFound
from ..integration_models import DeliveryStatus, Webhook, WebhookDelivery
from ..models import Upload, User
from . import outbox

SECRET_BYTES = 32
# Time to give the new secret to all receivers; both sign meanwhile.
ROTATION = dt.timedelta(hours=24)
MAX_LISTED_DELIVERIES = 100


class WebhookFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fields that a user sets; those that are unset keep their values."""

    url: str | UnsetType = UNSET
    events: list[str] | UnsetType = UNSET
    is_enabled: bool | UnsetType = msgspec.field(default=UNSET, name="enabled")
    upload_id: UUID | UnsetType | None = UNSET


def parse_fields(fields: dict[str, Any]) -> WebhookFields:
    """Convert and check the JSON of a webhook. Raises `RequestError` on the field that is not valid."""
    expected = {
        "url": "A string is expected.",
        "events": "A list of types of events is expected.",
        "enabled": "`true` or `false` is expected.",
        "upload_id": "The id of an upload is expected, or null.",
    }
    errors = {name: "This field cannot be set here." for name in fields if name not in expected}
    for name in expected.keys() & fields.keys():
        try:
            msgspec.convert({name: fields[name]}, WebhookFields)
        except msgspec.ValidationError:
            errors[name] = expected[name]
    if errors:
        raise RequestError(errors)
    parsed = msgspec.convert(fields, WebhookFields)
    if parsed.url is not UNSET:
        outgoing.check_url(parsed.url)
    known = [*outbox.EVENT_TYPES.values()]
    if parsed.events is not UNSET and (unknown := [name for name in parsed.events if name not in known]):
        raise RequestError({"events": f"Unknown event {unknown[0]!r}. Use some of {', '.join(known)}."})
    return parsed


@retry_transient
def add(*, owner: User, fields: WebhookFields) -> Webhook:
    """Add a webhook.

    A webhook of one upload also receives the end of a reading that has ended before.

    Raises:
        RequestError: A field is missing or not valid.
        UploadNotFound: The user has no upload with this id.
        QuotaExceeded: The user has the largest number of webhooks.
    """
    if fields.url is UNSET:
        raise RequestError({"url": "This field is required."})
    upload_id = None if fields.upload_id is UNSET else fields.upload_id
    with transaction.atomic():
        owner.lock()
        webhooks = Webhook.objects.filter(owner=owner, upload_id=upload_id).count()
        if webhooks >= conf.max_webhooks_per_user:
            raise QuotaExceeded("url", f"You have {webhooks} webhooks, the maximum. Remove one first.")
        if upload_id is not None and not Upload.objects.owned_by(owner).filter(pk=upload_id).exists():
            raise UploadNotFound
        webhook = Webhook.objects.create(
            owner=owner,
            url=fields.url,
            events=[] if fields.events is UNSET else fields.events,
            is_enabled=fields.is_enabled is not False,
            upload_id=upload_id,
            secret=_new_secret(),
        )
        if upload_id is not None:
            outbox.add_past_end(webhook, upload_id)
    return webhook


@retry_transient
def update(*, owner: User, webhook_id: UUID, fields: WebhookFields) -> Webhook:
    """Set the given fields of a webhook. Enabling it sends what waits.

    Raises:
        WebhookNotFound: The user has no webhook with this id.
        RequestError: A field is not valid.
    """
    if fields.upload_id is not UNSET:
        raise RequestError({"upload_id": "The upload of a webhook cannot be changed. Add another webhook."})
    webhook = get(owner=owner, webhook_id=webhook_id)
    if fields.url is not UNSET:
        webhook.url = fields.url
    if fields.events is not UNSET:
        webhook.events = fields.events
    if fields.is_enabled is not UNSET:
        webhook.is_enabled = fields.is_enabled
        webhook.disabled_reason = ""
    webhook.save(update_fields=["url", "events", "is_enabled", "disabled_reason"])
    return webhook


@retry_transient
def remove(*, owner: User, webhook_id: UUID) -> None:
    """Delete a webhook with its deliveries. Raises `WebhookNotFound`."""
    get(owner=owner, webhook_id=webhook_id).delete()


@retry_transient
def rotate_secret(*, owner: User, webhook_id: UUID) -> Webhook:
    """Give a webhook a new secret; the old one signs too for a day. Raises `WebhookNotFound`."""
    webhook = get(owner=owner, webhook_id=webhook_id)
    webhook.previous_secret, webhook.secret = webhook.secret, _new_secret()
    webhook.previous_secret_expires_at = timezone.now() + ROTATION
    webhook.save(update_fields=["secret", "previous_secret", "previous_secret_expires_at"])
    return webhook


@retry_transient
def send_test(*, owner: User, webhook_id: UUID) -> WebhookDelivery:
    """Send a test event to a webhook. Raises `WebhookNotFound` or `RequestError` if it is disabled."""
    webhook = _enabled(owner, webhook_id)
    body = outbox.encode_body(outbox.TEST_TYPE, {"webhook_id": webhook.pk})
    return WebhookDelivery.objects.create(webhook=webhook, type=outbox.TEST_TYPE, body=body)


@retry_transient
def redeliver(*, owner: User, webhook_id: UUID, delivery_id: UUID) -> WebhookDelivery:
    """Send a delivery again, from the first attempt, with its id and body as they were.

    Raises:
        WebhookNotFound: The user has no such webhook, or it has no such delivery.
        RequestError: The webhook is disabled.
    """
    webhook = _enabled(owner, webhook_id)
    changed = WebhookDelivery.objects.filter(pk=delivery_id, webhook=webhook).update(
        status=DeliveryStatus.PENDING, attempts=0, next_attempt_at=timezone.now(), ended_at=None
    )
    if not changed:
        raise WebhookNotFound
    return WebhookDelivery.objects.get(pk=delivery_id)


@retry_transient
def webhooks_of(owner: User) -> list[Webhook]:
    """Return the webhooks of a user, the oldest first."""
    return list(Webhook.objects.filter(owner=owner).order_by("created_at", "pk"))


@retry_transient
def deliveries_of(*, owner: User, webhook_id: UUID) -> list[WebhookDelivery]:
    """Return the newest deliveries of a webhook. Raises `WebhookNotFound`."""
    webhook = get(owner=owner, webhook_id=webhook_id)
    newest = WebhookDelivery.objects.filter(webhook=webhook).order_by("-created_at", "-seq").defer("body")
    return list(newest[:MAX_LISTED_DELIVERIES])


@retry_transient
def get(*, owner: User, webhook_id: UUID) -> Webhook:
    """Return a webhook of a user. Raises `WebhookNotFound`."""
    webhook = Webhook.objects.filter(owner=owner, pk=webhook_id).first()
    if webhook is None:
        raise WebhookNotFound
    return webhook


def _enabled(owner: User, webhook_id: UUID) -> Webhook:
    webhook = get(owner=owner, webhook_id=webhook_id)
    if not webhook.is_enabled:
        raise RequestError({"enabled": "The webhook is disabled. Enable it first."})
    return webhook


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
