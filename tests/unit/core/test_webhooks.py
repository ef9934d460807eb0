"""Rows of webhooks: deliveries in the transaction of the event, claims, the schedule, and what is removed."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from django.db import transaction
from django.utils import timezone

from backend_main.core.integration_models import Webhook, WebhookDelivery
from backend_main.core.models import User
from backend_main.core.uploads import commands as upload_commands
from backend_main.core.webhooks import commands, delivery, outbox
from backend_main.core.webhooks.delivery import Outcome
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db
URL = "https://hooks.example/"
DOWN = Outcome(None, 5, "The connection failed.")
ACCEPTED = Outcome(204, 5, "")


def new_webhook(owner: User, **fields: Any) -> Webhook:
    return commands.add(owner=owner, fields=commands.parse_fields({"url": URL, **fields}))


def types_of(webhook: Webhook) -> list[str]:
    return list(webhook.deliveries.order_by("seq").values_list("type", flat=True))


def claim(webhook: Webhook) -> delivery.Claim:
    claimed = delivery.claim_next(webhook.pk)
    assert claimed is not None
    return claimed


def make_due(webhook: Webhook) -> None:
    webhook.deliveries.update(next_attempt_at=timezone.now())


def test_each_event_of_the_owner_becomes_one_delivery() -> None:
    ada, bob = new_user(), new_user()
    of_ada, of_bob = new_webhook(ada), new_webhook(bob)
    upload = new_upload(ada)
    upload_commands.update(owner=ada, upload_id=upload.pk, filename="new.png")
    upload_commands.cancel(owner=ada, upload_id=upload.pk)
    upload_commands.delete(owner=ada, upload_id=upload.pk)
    names = ["created", "updated", "cancelled", "deleted"]
    assert types_of(of_ada) == [f"upload.{name}" for name in names]
    assert types_of(of_bob) == []
    bodies = [json.loads(row.body) for row in of_ada.deliveries.order_by("seq")]
    assert [body["data"]["status"] for body in bodies] == ["pending", "pending", "cancelled", "cancelled"]
    assert all(not {"raw_text", "processed_text"} & body["data"].keys() for body in bodies)


def test_event_loads_no_webhook_of_another_upload(monkeypatch: pytest.MonkeyPatch) -> None:
    ada = new_user()
    upload, other = new_upload(ada), new_upload(ada)
    of_upload, of_other, of_all = (
        new_webhook(ada, **fields)
        for fields in ({"upload_id": str(upload.pk)}, {"upload_id": str(other.pk)}, {})
    )
    asked: list[Webhook] = []
    monkeypatch.setattr(outbox, "_receives", lambda webhook, _event: asked.append(webhook))
    upload_commands.cancel(owner=ada, upload_id=upload.pk)
    assert set(asked) == {of_upload, of_all}
    assert of_other not in asked


def test_failed_transaction_writes_no_delivery() -> None:
    ada = new_user()
    webhook, upload = new_webhook(ada), new_upload(ada)
    webhook.deliveries.all().delete()

    @transaction.atomic
    def fail() -> None:
        upload_commands.cancel(owner=ada, upload_id=upload.pk)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert types_of(webhook) == []


def test_disabled_webhook_gets_nothing_and_keeps_what_waits() -> None:
    ada = new_user()
    webhook = new_webhook(ada)
    new_upload(ada)
    disabled = commands.parse_fields({"enabled": False})
    commands.update(owner=ada, webhook_id=webhook.pk, fields=disabled)
    new_upload(ada)
    assert len(types_of(webhook)) == 1
    assert delivery.due_webhooks() == []
    commands.update(owner=ada, webhook_id=webhook.pk, fields=commands.parse_fields({"enabled": True}))
    assert delivery.due_webhooks() == [(webhook.pk, ada.pk)]


def test_full_queue_disables_the_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "MAX_PENDING_DELIVERIES", 2)
    ada = new_user()
    webhook = new_webhook(ada)
    for _ in range(4):
        new_upload(ada)
    webhook.refresh_from_db()
    assert len(types_of(webhook)) == 2
    assert (webhook.is_enabled, "waiting" in webhook.disabled_reason) == (False, True)


def test_claimed_delivery_is_due_again_after_its_lease_only() -> None:
    ada = new_user()
    webhook = new_webhook(ada)
    new_upload(ada)
    assert claim(webhook).attempt == 1
    assert delivery.claim_next(webhook.pk) is None
    make_due(webhook)
    assert claim(webhook).attempt == 2, "the process that claimed it died"


def test_outcome_of_an_older_claim_changes_nothing() -> None:
    ada = new_user()
    webhook = new_webhook(ada)
    new_upload(ada)
    older = claim(webhook)
    make_due(webhook)
    claim(webhook)
    delivery.record(older, ACCEPTED)
    assert webhook.deliveries.get().status == "pending"


def test_failures_follow_the_schedule_then_disable_the_webhook() -> None:
    ada = new_user()
    webhook = new_webhook(ada)
    new_upload(ada)
    for seconds in delivery.RETRY_DELAYS_SECONDS:
        make_due(webhook)
        before = timezone.now()
        delivery.record(claim(webhook), DOWN)
        waits = (webhook.deliveries.get().next_attempt_at - before).total_seconds()
        assert 0.8 * seconds <= waits
        webhook.refresh_from_db()
        assert webhook.is_enabled
    make_due(webhook)
    delivery.record(claim(webhook), DOWN)
    failed = webhook.deliveries.get()
    webhook.refresh_from_db()
    assert (failed.status, failed.attempts, failed.response_text) == ("failed", 9, DOWN.text)
    assert (webhook.is_enabled, "attempts failed" in webhook.disabled_reason) == (False, True)


def test_webhook_that_accepted_another_delivery_stays_enabled() -> None:
    ada = new_user()
    webhook = new_webhook(ada)
    new_upload(ada)
    bad = claim(webhook)
    new_upload(ada)
    delivery.record(claim(webhook), ACCEPTED)
    webhook.deliveries.filter(pk=bad.delivery.pk).update(
        attempts=9, next_attempt_at=timezone.now() + dt.timedelta(hours=1)
    )
    delivery.record(bad._replace(attempt=9), Outcome(500, 5, ""))
    webhook.refresh_from_db()
    assert (webhook.is_enabled, webhook.deliveries.get(pk=bad.delivery.pk).status) == (True, "failed")


def test_jitter_stays_within_a_fifth_of_the_delay() -> None:
    delays = [delivery.retry_delay(1).total_seconds() for _ in range(100)]
    assert 4 <= min(delays) < max(delays) <= 6


def test_remove_expired_keeps_what_waits_and_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "MAX_ENDED_DELIVERIES", 2)
    ada = new_user()
    webhook = new_webhook(ada)
    for _ in range(6):
        new_upload(ada)
    rows = list(webhook.deliveries.order_by("seq"))
    now = timezone.now()
    for days, row in zip([8, 3, 2, 1], rows, strict=False):
        ended_at = now - dt.timedelta(days=days)
        WebhookDelivery.objects.filter(pk=row.pk).update(status="delivered", ended_at=ended_at)
    assert delivery.remove_expired() == 2
    left = list(webhook.deliveries.order_by("seq"))
    assert [row.pk for row in left] == [row.pk for row in rows[2:]]


def test_webhook_of_a_deleted_upload_is_removed_after_its_deliveries() -> None:
    ada = new_user()
    upload = new_upload(ada)
    webhook = new_webhook(ada, upload_id=str(upload.pk))
    upload_commands.delete(owner=ada, upload_id=upload.pk)
    Webhook.objects.update(created_at=timezone.now() - dt.timedelta(days=30))
    delivery.remove_expired()
    assert types_of(webhook) == ["upload.deleted"], "it waits to be sent"
    delivery.record(claim(webhook), ACCEPTED)
    delivery.remove_expired()
    assert not Webhook.objects.filter(pk=webhook.pk).exists()


def test_number_of_webhooks_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "conf", msgspec.structs.replace(commands.conf, max_webhooks_per_user=1))
    ada = new_user()
    new_webhook(ada)
    with pytest.raises(commands.QuotaExceeded, match="maximum"):
        new_webhook(ada)
    new_webhook(new_user())
