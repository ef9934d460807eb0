"""Rows of deliveries for the sender: which are due, who sends them, and what comes of an attempt.

A claim moves `next_attempt_at` behind the end of the attempt. If the process dies, the delivery is due again
then. Several processes may send: an update that finds the old time claims, and only one does.
"""

from __future__ import annotations

import datetime as dt
import logging
import random
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils import timezone

from ..db.retry import retry_transient
from ..integration_models import DeliveryStatus, Webhook, WebhookDelivery
from ..models import Upload

log = logging.getLogger(__name__)

# Time of an attempt, DNS and TLS included; GitHub waits 10 s. The process may end meanwhile.
REQUEST_TIMEOUT_SECONDS = 10.0
LEASE_SECONDS = 60
# About the schedule that https://www.standardwebhooks.com recommends; 22 h in all.
RETRY_DELAYS_SECONDS = (5, 30, 120, 600, 3_600, 10_800, 21_600, 43_200)
RETRY_JITTER = 0.2
GONE = 410
MAX_CANDIDATES = 5
# The log of deliveries, for their users; also the time in which they can be sent again.
DELIVERY_RETENTION = dt.timedelta(days=7)
# Deliveries of a webhook that have ended; each takes about 2 kB.
MAX_ENDED_DELIVERIES = 1_000


class Claim(NamedTuple):
    """Attempt of a delivery that this process makes."""

    delivery: WebhookDelivery
    webhook: Webhook
    attempt: int


class Outcome(NamedTuple):
    """Outcome of an attempt.

    Attributes:
        status: HTTP status; None: no response.
        milliseconds: Duration of the attempt.
        text: Beginning of the response, or why there is none.
    """

    status: int | None
    milliseconds: int
    text: str

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@retry_transient
def due_webhooks() -> list[tuple[UUID, UUID]]:
    """Return the id and the owner of each webhook with a delivery that is due, the longest waiting first."""
    due = _due().values("webhook_id", "webhook__owner_id").annotate(since=Min("next_attempt_at"))
    return [(row["webhook_id"], row["webhook__owner_id"]) for row in due.order_by("since")]


@retry_transient
def claim_next(webhook_id: UUID) -> Claim | None:
    """Claim a delivery of a webhook that is due; None if there is none."""
    candidates = _due().filter(webhook_id=webhook_id).select_related("webhook")
    for delivery in candidates.order_by("next_attempt_at", "seq")[:MAX_CANDIDATES]:
        unclaimed = WebhookDelivery.objects.filter(
            pk=delivery.pk, status=DeliveryStatus.PENDING, next_attempt_at=delivery.next_attempt_at
        )
        lease_until = timezone.now() + dt.timedelta(seconds=LEASE_SECONDS)
        if unclaimed.update(next_attempt_at=lease_until, attempts=F("attempts") + 1):
            return Claim(delivery, delivery.webhook, delivery.attempts + 1)
    return None


@retry_transient
def record(claim: Claim, outcome: Outcome) -> None:
    """Store the outcome of an attempt, and the time of the next one after a failure.

    Does nothing if the delivery has been claimed again meanwhile, or sent again by its user.
    """
    now = timezone.now()
    values: dict[str, object] = {
        "response_status": outcome.status,
        "response_ms": outcome.milliseconds,
        "response_text": outcome.text,
    }
    is_last_attempt = claim.attempt > len(RETRY_DELAYS_SECONDS) or outcome.status == GONE
    if outcome.is_success:
        values |= {"status": DeliveryStatus.DELIVERED, "ended_at": now}
    elif is_last_attempt:
        values |= {"status": DeliveryStatus.FAILED, "ended_at": now}
    else:
        values["next_attempt_at"] = now + retry_delay(claim.attempt)
    with transaction.atomic():
        if not WebhookDelivery.objects.filter(
            pk=claim.delivery.pk, attempts=claim.attempt, status=DeliveryStatus.PENDING
        ).update(**values):
            return
        if outcome.is_success:
            Webhook.objects.filter(pk=claim.webhook.pk).update(last_success_at=now)
        elif is_last_attempt:
            _disable_if_dead(claim, outcome)


def retry_delay(attempt: int) -> dt.timedelta:
    """Return the time after a failed attempt; the jitter spreads what waits for one receiver."""
    seconds = RETRY_DELAYS_SECONDS[attempt - 1]
    return dt.timedelta(seconds=seconds * random.uniform(1 - RETRY_JITTER, 1 + RETRY_JITTER))  # noqa: S311


@retry_transient
def remove_expired() -> int:
    """Delete ended deliveries that are old or too many, and webhooks of single uploads that have no use."""
    oldest = timezone.now() - DELIVERY_RETENTION
    ended = WebhookDelivery.objects.exclude(status=DeliveryStatus.PENDING)
    removed = ended.filter(ended_at__lt=oldest).delete()[0]
    for webhook_id in ended.order_by().values_list("webhook_id", flat=True).distinct():
        newest = ended.filter(webhook_id=webhook_id).order_by("-ended_at")
        surplus = newest[MAX_ENDED_DELIVERIES:].values_list("pk", flat=True)
        removed += ended.filter(pk__in=list(surplus)).delete()[0]
    _remove_single_webhooks(oldest)
    return removed


def _due() -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(
        status=DeliveryStatus.PENDING, next_attempt_at__lte=timezone.now(), webhook__is_enabled=True
    )


def _disable_if_dead(claim: Claim, outcome: Outcome) -> None:
    """Disable a webhook whose receiver is gone, or took no delivery since this one was written."""
    is_alive = Q(last_success_at__gte=claim.delivery.created_at)
    webhook = Webhook.objects.filter(pk=claim.webhook.pk, is_enabled=True)
    if outcome.status != GONE:
        webhook = webhook.exclude(is_alive)
    reason = "It answered 410 Gone." if outcome.status == GONE else "All attempts failed for about a day."
    if webhook.update(is_enabled=False, disabled_reason=reason):
        log.warning(
            "Webhook %s of user %s was disabled. %s", claim.webhook.pk, claim.webhook.owner_id, reason
        )


def _remove_single_webhooks(oldest: dt.datetime) -> None:
    """Delete webhooks of single uploads that are deleted, after their last delivery."""
    single = Webhook.objects.filter(created_at__lt=oldest).exclude(upload_id=None)
    pending = WebhookDelivery.objects.filter(status=DeliveryStatus.PENDING)
    unused = single.exclude(upload_id__in=Upload.objects.values("pk"))
    unused.exclude(pk__in=pending.values("webhook_id")).delete()
