"""Webhooks and deliveries as their owner sees them, over REST and on the command line."""

from __future__ import annotations

from typing import Any

from ..integration_models import Webhook, WebhookDelivery


def webhook_fields(webhook: Webhook) -> dict[str, Any]:
    """Return what its owner sees of a webhook; never its secrets."""
    return {
        "id": str(webhook.pk),
        "url": webhook.url,
        "events": webhook.events,
        "enabled": webhook.is_enabled,
        "disabled_reason": webhook.disabled_reason or None,
        "upload_id": webhook.upload_id and str(webhook.upload_id),
        "last_success_at": webhook.last_success_at,
        "created_at": webhook.created_at,
    }


def delivery_fields(delivery: WebhookDelivery) -> dict[str, Any]:
    """Return what the owner of its webhook sees of a delivery."""
    is_pending = delivery.status == "pending"
    return {
        "id": str(delivery.pk),
        "type": delivery.type,
        "upload_id": delivery.upload_id and str(delivery.upload_id),
        "status": delivery.status,
        "attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at if is_pending else None,
        "response_status": delivery.response_status,
        "response_ms": delivery.response_ms,
        "response_text": delivery.response_text,
        "created_at": delivery.created_at,
        "ended_at": delivery.ended_at,
    }
