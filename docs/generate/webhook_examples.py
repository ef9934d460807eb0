"""Examples of webhooks and resumable uploads, in the order in which a test can send them."""

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

TUS = {"Tus-Resumable": "1.0.0"}
WHOLE_STATE = "the headers `Upload-Offset` and `Upload-Expires`"

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
RESUMABLE_EXAMPLES: dict[str, RestExample] = {
    "OPTIONS /api/tus": RestExample(status=204, note="the headers `Tus-Version`, `Tus-Extension` and others"),
    "POST /api/tus": RestExample(
        headers=TUS | {"Upload-Length": "48213", "Upload-Metadata": "filename bGV0dGVyLnBuZw=="},
        status=201,
        note=f"the header `Location`, and {WHOLE_STATE}",
    ),
    "PATCH /api/tus/{resumable_id}": RestExample(
        headers=TUS | {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"},
        file="the next bytes of letter.png",
        status=204,
        note=WHOLE_STATE,
    ),
    "HEAD /api/tus/{resumable_id}": RestExample(
        headers=TUS, note=f"the header `Upload-Length`, and {WHOLE_STATE}"
    ),
    "OPTIONS /api/tus/{resumable_id}": RestExample(status=204, note="as `OPTIONS /api/tus`"),
    "DELETE /api/tus/{resumable_id}": RestExample(headers=TUS, status=204, note="an empty body"),
}
