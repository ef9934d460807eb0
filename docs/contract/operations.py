"""Table of the REST routes: what each receives and returns, and its errors.

Errors that follow from a rule are not in the table: `openapi.py` adds them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from backend_main.core.exports.formats import FORMATS
from backend_main.core.protocol import messages as m
from backend_main.core.protocol import pages, readings, search_results

from . import responses as r

JSON, EVENTS, JPEG, ANY = "application/json", "text/event-stream", "image/jpeg", "*/*"
EXPORT_TYPES = tuple(dict.fromkeys(kind.media_type.partition(";")[0] for kind in FORMATS.values()))
NOT_READY = {202: r.Problem}
UPLOAD_ERRORS = (409, 422, 502, 507)


class Operation(NamedTuple):
    """One method of a route.

    Attributes:
        response: Type of the JSON of the response; None if the response is not JSON, or has no body.
        status: Status of success.
        others: Further statuses of success, or without an error, and the type of their JSON.
        media: Media types of a response that is not JSON.
        body: Type of the JSON body.
        receives_file: Whether the body may be a file or a form with one.
        errors: Statuses of errors that no rule gives.
        is_public: Whether it needs no credential.
    """

    response: Any = None
    status: int = 200
    others: dict[int, Any] = {}
    media: tuple[str, ...] = ()
    body: Any = None
    receives_file: bool = False
    errors: tuple[int, ...] = ()
    is_public: bool = False


OPERATIONS: dict[str, Operation] = {
    "GET /healthz": Operation(r.Health, is_public=True),
    "GET /readyz": Operation(r.Health, others={503: r.Health}, is_public=True),
    "POST /api/token/": Operation(r.AccessToken, body=r.Credentials, errors=(401, 403), is_public=True),
    "DELETE /api/token/": Operation(status=204, errors=(403,), is_public=True),
    "POST /api/token/code/": Operation(r.AccessToken, body=r.SignInCode, errors=(401, 403), is_public=True),
    "POST /api/token/refresh/": Operation(
        r.AccessToken, body=r.RefreshToken, errors=(401, 403), is_public=True
    ),
    "GET /api/problems": Operation(r.ProblemList, is_public=True),
    "GET /api/schemas/page.json": Operation(media=("application/schema+json",), is_public=True),
    "GET /api/openapi.json": Operation(media=(JSON,), is_public=True),
    "GET /api/asyncapi.json": Operation(media=(JSON,), is_public=True),
    "GET /api/me/": Operation(r.Me),
    "GET /api/sessions/": Operation(r.SessionList),
    "DELETE /api/sessions/{session_id}/": Operation(status=204),
    "GET /api/keys": Operation(r.ApiKeyList),
    "POST /api/keys": Operation(r.NewApiKey, status=201, body=r.ApiKeyFields, errors=(409,)),
    "DELETE /api/keys/{key_id}": Operation(status=204),
    "GET /api/engines/": Operation(r.EngineList),
    "GET /api/events": Operation(media=(EVENTS,)),
    "GET /api/search": Operation(search_results.SearchResults),
    "POST /api/read": Operation(
        media=tuple(dict.fromkeys((*EXPORT_TYPES, "text/csv", EVENTS))),
        others={202: m.Instance},
        receives_file=True,
        errors=(406, *UPLOAD_ERRORS),
    ),
    "GET /api/uploads/": Operation(m.ListMessage),
    "POST /api/uploads/": Operation(
        m.UploadMessage,
        status=201,
        others={200: m.UploadMessage, 202: m.UploadMessage},
        receives_file=True,
        errors=UPLOAD_ERRORS,
    ),
    "GET /api/uploads/{id}/": Operation(m.Instance, others={202: m.Instance}),
    "PATCH /api/uploads/{id}/": Operation(m.Instance, body=r.UploadChanges, errors=(409, 412, 507)),
    "DELETE /api/uploads/{id}/": Operation(m.Instance, errors=(412,)),
    "POST /api/uploads/{id}/cancel": Operation(m.Instance, errors=(409,)),
    "POST /api/uploads/{id}/retry": Operation(m.Instance, body=r.ReadOptionFields, errors=(409,)),
    "GET /api/uploads/{id}/events": Operation(media=(EVENTS,)),
    "GET /api/uploads/{id}/file": Operation(media=(ANY,), others={206: None}, errors=(416,)),
    "GET /api/uploads/{id}/export": Operation(
        media=(*EXPORT_TYPES, "text/csv"), others=NOT_READY, errors=(409, 422)
    ),
    "GET /api/export": Operation(media=("application/zip",), others=NOT_READY, errors=(404, 409, 422)),
    "GET /api/uploads/{id}/pages/{n}": Operation(pages.PageInstance, others=NOT_READY),
    "PATCH /api/uploads/{id}/pages/{n}": Operation(
        pages.PageInstance, body=r.PageCorrection, errors=(409, 412, 507)
    ),
    "GET /api/uploads/{id}/pages/{n}/image": Operation(media=(JPEG,), errors=(422,)),
    "GET /api/uploads/{id}/pages/{n}/figures/{k}": Operation(media=(JPEG,), others=NOT_READY, errors=(422,)),
    "GET /api/uploads/{id}/readings": Operation(readings.ReadingList),
    "GET /api/uploads/{id}/readings/{reading}": Operation(readings.Reading),
    "DELETE /api/uploads/{id}/readings/{reading}": Operation(status=204, errors=(409,)),
    "GET /api/uploads/{id}/readings/{reading}/pages/{n}": Operation(pages.PageInstance, others=NOT_READY),
    "POST /api/uploads/{id}/readings/{reading}/current": Operation(m.Instance, errors=(409,)),
    "GET /api/uploads/{id}/readings/{reading}/compare/{other}": Operation(readings.ReadingComparison),
    "GET /api/webhooks": Operation(r.WebhookList),
    "POST /api/webhooks": Operation(r.NewWebhook, status=201, body=r.WebhookFields, errors=(404, 507)),
    "GET /api/webhooks/{webhook_id}": Operation(r.Webhook),
    "PATCH /api/webhooks/{webhook_id}": Operation(r.Webhook, body=r.WebhookFields),
    "DELETE /api/webhooks/{webhook_id}": Operation(status=204),
    "POST /api/webhooks/{webhook_id}/secret": Operation(r.WebhookSecret),
    "POST /api/webhooks/{webhook_id}/test": Operation(r.Delivery, status=202),
    "GET /api/webhooks/{webhook_id}/deliveries": Operation(r.DeliveryList),
    "POST /api/webhooks/{webhook_id}/deliveries/{delivery_id}/redeliver": Operation(r.Delivery, status=202),
}
INTEGER = {"type": "integer", "minimum": 1}
FLAG = {"type": "boolean"}
TEXT = {"type": "string"}
PARAMETERS: dict[str, dict[str, Any]] = {
    "format": {"type": "string", "enum": list(FORMATS)},
    "furniture": {"type": "string", "enum": ["keep", "drop"]},
    "images": {"type": "string", "enum": ["none", "link", "embed"]},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100},
    "page": INTEGER,
    "page_breaks": FLAG,
    "q": {"type": "string", "maxLength": 200},
    "table": INTEGER,
    "width": {"type": "integer", "minimum": 1, "maximum": 99_999},
    "words": FLAG,
}
"""Schemas of parameters that no type of the protocol has; others are strings."""
