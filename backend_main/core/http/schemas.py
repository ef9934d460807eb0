"""Schemas and contracts of the APIs. They need no token."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ... import contract
from ..protocol.page_schema import page_schema

MEDIA_TYPE = "application/schema+json"
MAX_AGE_SECONDS = 3600
"""A new version of the server may add fields."""


async def page_schema_view(_request: HttpRequest) -> HttpResponse:
    """Serve `GET /api/schemas/page.json`: the JSON Schema of a finished page."""
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    return HttpResponse(page_schema(), content_type=MEDIA_TYPE, headers=headers)


async def openapi_view(_request: HttpRequest) -> HttpResponse:
    """Serve `GET /api/openapi.json`: the REST API in OpenAPI 3.1."""
    return _contract("openapi.json")


async def asyncapi_view(_request: HttpRequest) -> HttpResponse:
    """Serve `GET /api/asyncapi.json`: the WebSocket API in AsyncAPI 3.0."""
    return _contract("asyncapi.json")


def _contract(name: str) -> HttpResponse:
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    return HttpResponse(contract.document(name), content_type="application/json", headers=headers)
