"""Tables of webhooks and of resumable uploads; `models` imports them, so Django finds them there."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone


class Webhook(models.Model):
    """URL that receives the events of a user's uploads.

    upload_id: the only upload whose events it receives; None: all. Not a foreign key, because the event of
        the deletion is delivered after it.
    events: types of events that it receives; empty: all.
    secret: key of the signatures, which the sender needs; as `whsec_` and base64.
    previous_secret: key before the last rotation, which signs too until `previous_secret_expires_at`.
    disabled_reason: why the server disabled it; empty if it did not.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="webhooks")
    upload_id = models.UUIDField(null=True)
    url = models.TextField()
    events = models.JSONField(default=list)
    secret = models.CharField(max_length=100)
    previous_secret = models.CharField(max_length=100, default="", blank=True)
    previous_secret_expires_at = models.DateTimeField(null=True)
    is_enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=200, default="", blank=True)
    last_success_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["owner", "created_at"], name="webhook_of_owner")]

    def __str__(self) -> str:
        return f"webhook {self.id} of {self.owner_id}"


class DeliveryStatus(models.TextChoices):
    """Status of a delivery."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class WebhookDelivery(models.Model):
    """One event for one webhook, written in the transaction of the event; its id is the `webhook-id`.

    seq: number of the event in the log of its owner; None for a test.
    body: the JSON that is signed and sent.
    next_attempt_at: when it is due; while an attempt runs, when that attempt counts as lost.
    response_status, response_ms, response_text: of the last attempt, the text shortened; or the error.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    seq = models.BigIntegerField(null=True)
    type = models.CharField(max_length=40)
    upload_id = models.UUIDField(null=True)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=DeliveryStatus.choices, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    response_status = models.PositiveIntegerField(null=True)
    response_ms = models.PositiveIntegerField(null=True)
    response_text = models.TextField(default="", blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["webhook", "seq"], name="delivery_once_per_event")]
        indexes = [
            models.Index(
                fields=["next_attempt_at"], name="delivery_due", condition=models.Q(status="pending")
            ),
            models.Index(fields=["webhook", "-created_at"], name="delivery_newest_first"),
        ]

    def __str__(self) -> str:
        return f"{self.type} for {self.webhook_id}: {self.status}"


class ResumableUpload(models.Model):
    """Upload by tus whose file may arrive over several requests; the file itself is in the staging directory.

    length: bytes of the whole file. received: bytes that have arrived, as of the last request.
    read_options, metadata, filename: what the client sent at the creation, for the upload.
    upload_id: the upload that it became; None before.
    is_duplicate: whether the user had these bytes before.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="resumable_uploads"
    )
    length = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    filename = models.CharField(max_length=255, default="", blank=True)
    read_options = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    on_duplicate = models.CharField(max_length=10, default="reread")
    upload_id = models.UUIDField(null=True)
    is_duplicate = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [
            models.Index(fields=["owner"], name="resumable_of_owner"),
            models.Index(fields=["expires_at"], name="resumable_oldest"),
        ]

    def __str__(self) -> str:
        return f"{self.received} of {self.length} bytes of {self.id}"
