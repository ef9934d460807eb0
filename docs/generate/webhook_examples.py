"""Examples of the REST API of webhooks, in the order in which a test can send them."""

from __future__ import annotations

from typing import Any

from .rest_example import RestExample

WEBHOOK_ID = "7d0e1f6a-51f3-4c0b-9d0a-62c1f0e6a7b4"
DELIVERY_ID = "c2a3b8de-0c52-4a0e-8f1b-1f6a2d9c7e55"
WEBHOOK: dict[str, Any] = {
    "id": WEBHOOK_ID,
    "url": "https://hooks.example/scanrill",
    "events": ["upload.processed", "upload.failed"],
    "enabled": True,
    "disabled_reason": None,
    "upload_id": None,
    "last_success_at": None,
    "created_at": "2026-03-01T09:12:44.120000Z",
}
DELIVERY: dict[str, Any] = {
    "id": DELIVERY_ID,
    "type": "webhook.test",
    "upload_id": None,
    "status": "pending",
    "attempts": 0,
    "next_attempt_at": "2026-03-01T09:13:02.400000Z",
    "response_status": None,
    "response_ms": None,
    "response_text": "",
    "created_at": "2026-03-01T09:13:02.400000Z",
    "ended_at": None,
}
DELIVERED = {
    "status": "delivered",
    "attempts": 1,
    "next_attempt_at": None,
    "response_status": 204,
    "response_ms": 38,
    "ended_at": "2026-03-01T09:13:02.438000Z",
}

WEBHOOK_EXAMPLES: dict[str, RestExample] = {
    "POST /api/webhooks": RestExample(
        body={"url": WEBHOOK["url"], "events": WEBHOOK["events"]},
        status=201,
        response=WEBHOOK | {"secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD…"},
    ),
    "GET /api/webhooks": RestExample(response={"webhooks": [WEBHOOK]}),
    "GET /api/webhooks/{webhook_id}": RestExample(response=WEBHOOK),
    "PATCH /api/webhooks/{webhook_id}": RestExample(
        body={"events": ["upload.processed"]}, response=WEBHOOK | {"events": ["upload.processed"]}
    ),
    "POST /api/webhooks/{webhook_id}/secret": RestExample(response={"secret": "whsec_3yZ0s3Bq1xV8…"}),
    "POST /api/webhooks/{webhook_id}/test": RestExample(status=202, response=DELIVERY),
    "GET /api/webhooks/{webhook_id}/deliveries": RestExample(response={"deliveries": [DELIVERY | DELIVERED]}),
    "POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": RestExample(
        status=202, response=DELIVERY
    ),
    "DELETE /api/webhooks/{webhook_id}": RestExample(status=204, note="an empty body"),
}
