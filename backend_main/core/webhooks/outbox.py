"""Deliveries of an event, written in its transaction: no crash can lose them or invent one."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Q
from django.utils import timezone

from ..integration_models import DeliveryStatus, Webhook, WebhookDelivery
from ..models import Upload
from ..protocol import messages, serializers

# `error` is the status of the upload; an event's type is a verb in the past tense.
EVENT_TYPES = {
    "created": "upload.created",
    "updated": "upload.updated",
    "processed": "upload.processed",
    "error": "upload.failed",
    "cancelled": "upload.cancelled",
    "deleted": "upload.deleted",
}
TEST_TYPE = "webhook.test"
# A receiver that is down for a day misses far fewer events of a person's uploads. 10,000 take about 20 MB.
MAX_PENDING_DELIVERIES = 10_000


class LoggedEvent(NamedTuple):
    """Event of an upload that the log has got in this transaction."""

    owner_id: UUID
    upload_id: UUID
    seq: int
    kind: str
    message: messages.DurableMessage


def add_deliveries(events: Iterable[LoggedEvent]) -> None:
    """Write a delivery for each event and each webhook that receives it. One query if there is no webhook."""
    events = [event for event in events if event.kind in EVENT_TYPES]
    if not events:
        return
    owners = {event.owner_id for event in events}
    # A user may have some for each upload: those of other uploads would be loaded for nothing.
    of_uploads = Q(upload_id=None) | Q(upload_id__in={event.upload_id for event in events})
    webhooks = list(Webhook.objects.filter(of_uploads, owner_id__in=owners, is_enabled=True))
    for event in events if webhooks else []:
        receivers = [webhook for webhook in webhooks if _receives(webhook, event)]
        if receivers:
            _add(event, receivers)


def add_past_end(webhook: Webhook, upload_id: UUID) -> None:
    """Write a delivery for the end of the upload of a webhook, if its reading has ended before.

    The lock on the upload keeps a reading from ending between the two.
    """
    found = Upload.objects.select_related("owner").select_for_update(of=("self",)).get(pk=upload_id)
    event_type = EVENT_TYPES.get(found.status)
    if event_type is None or (webhook.events and event_type not in webhook.events):
        return
    body = encode_body(event_type, _data(found.pk, serializers.instance(found)))
    WebhookDelivery.objects.create(webhook=webhook, type=event_type, upload_id=found.pk, body=body)


def encode_body(event_type: str, data: object) -> str:
    """Return the JSON of a webhook: its type, the present time, and its data."""
    return msgspec.json.encode({"type": event_type, "timestamp": timezone.now(), "data": data}).decode()


def _receives(webhook: Webhook, event: LoggedEvent) -> bool:
    return (
        webhook.owner_id == event.owner_id
        and webhook.upload_id in (None, event.upload_id)
        and (not webhook.events or EVENT_TYPES[event.kind] in webhook.events)
    )


def _add(event: LoggedEvent, receivers: list[Webhook]) -> None:
    event_type = EVENT_TYPES[event.kind]
    if isinstance(event.message, messages.UploadMessage):
        instance = event.message.instance
    else:
        instance = serializers.instance(Upload.objects.select_related("owner").get(pk=event.upload_id))
    body = encode_body(event_type, _data(event.upload_id, instance))
    for webhook in receivers:
        pending = webhook.deliveries.filter(status=DeliveryStatus.PENDING)
        if pending[MAX_PENDING_DELIVERIES - 1 :].exists():
            webhook.is_enabled = False
            webhook.disabled_reason = f"{MAX_PENDING_DELIVERIES} deliveries were waiting."
            webhook.save(update_fields=["is_enabled", "disabled_reason"])
            continue
        WebhookDelivery.objects.create(
            webhook=webhook, seq=event.seq, type=event_type, upload_id=event.upload_id, body=body
        )


def _data(upload_id: UUID, instance: messages.Instance) -> dict[str, object]:
    """Return an upload without its texts, and where the server has them."""
    data = msgspec.to_builtins(instance)
    data.pop("raw_text", None)
    data.pop("processed_text", None)
    path = f"/api/uploads/{upload_id}"
    return {**data, "links": {"self": f"{path}/", "export": f"{path}/export", "file": f"{path}/file"}}
