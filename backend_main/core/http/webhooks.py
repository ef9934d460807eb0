"""REST views of webhooks."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..webhooks import commands
from ..webhooks.serializers import delivery_fields, webhook_fields
from .rest import StrictJSONParser, owner_of


class WebhooksView(APIView):
    """Webhooks: `GET` → {webhooks}, `POST` {url, events, enabled, upload_id} → one with its `secret`."""

    parser_classes = [StrictJSONParser]

    def get(self, request: Request) -> Response:
        return Response({"webhooks": list(map(webhook_fields, commands.webhooks_of(owner_of(request))))})

    def post(self, request: Request) -> Response:
        fields = commands.parse_fields(_data(request))
        webhook = commands.add(owner=owner_of(request), fields=fields)
        headers = {"Location": f"/api/webhooks/{webhook.pk}"}
        return Response(webhook_fields(webhook) | {"secret": webhook.secret}, status=201, headers=headers)


class WebhookView(APIView):
    """A webhook: `GET`, `PATCH` {url, events, enabled}, `DELETE` with its deliveries."""

    parser_classes = [StrictJSONParser]

    def get(self, request: Request, webhook_id: UUID) -> Response:
        return Response(webhook_fields(commands.get(owner=owner_of(request), webhook_id=webhook_id)))

    def patch(self, request: Request, webhook_id: UUID) -> Response:
        fields = commands.parse_fields(_data(request))
        webhook = commands.update(owner=owner_of(request), webhook_id=webhook_id, fields=fields)
        return Response(webhook_fields(webhook))

    def delete(self, request: Request, webhook_id: UUID) -> Response:
        commands.remove(owner=owner_of(request), webhook_id=webhook_id)
        return Response(status=204)


class WebhookSecretView(APIView):
    """`POST /api/webhooks/{id}/secret` → {secret}: a new secret; the old one signs too for 24 hours."""

    def post(self, request: Request, webhook_id: UUID) -> Response:
        webhook = commands.rotate_secret(owner=owner_of(request), webhook_id=webhook_id)
        return Response({"secret": webhook.secret})


class WebhookTestView(APIView):
    """`POST /api/webhooks/{id}/test`: send a test event; return its delivery."""

    def post(self, request: Request, webhook_id: UUID) -> Response:
        delivery = commands.send_test(owner=owner_of(request), webhook_id=webhook_id)
        return Response(delivery_fields(delivery), status=202)


class WebhookDeliveriesView(APIView):
    """`GET /api/webhooks/{id}/deliveries` → {deliveries}: the newest 100, the newest first."""

    def get(self, request: Request, webhook_id: UUID) -> Response:
        deliveries = commands.deliveries_of(owner=owner_of(request), webhook_id=webhook_id)
        return Response({"deliveries": list(map(delivery_fields, deliveries))})


class RedeliveryView(APIView):
    """`POST /api/webhooks/{id}/deliveries/{delivery}/redeliver`: send a delivery again; return it."""

    def post(self, request: Request, webhook_id: UUID, delivery_id: UUID) -> Response:
        delivery = commands.redeliver(owner=owner_of(request), webhook_id=webhook_id, delivery_id=delivery_id)
        return Response(delivery_fields(delivery), status=202)


def _data(request: Request) -> dict[str, Any]:
    return dict(cast("dict[str, Any]", request.data))
