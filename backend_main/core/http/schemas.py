"""JSON Schemas of what the REST API returns. They need no token."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from ..protocol.page_schema import page_schema

MEDIA_TYPE = "application/schema+json"
MAX_AGE_SECONDS = 3600
"""A new version of the server may add fields."""


async def page_schema_view(_request: HttpRequest) -> HttpResponse:
    """Serve `GET /api/schemas/page.json`: the JSON Schema of a finished page."""
    headers = {"Cache-Control": f"public, max-age={MAX_AGE_SECONDS}"}
    return HttpResponse(page_schema(), content_type=MEDIA_TYPE, headers=headers)
