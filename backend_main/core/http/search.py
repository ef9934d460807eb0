"""REST view of the search."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..errors import RequestError
from ..search import hits
from .rest import owner_of, parse_limit, respond

MAX_LIMIT = 100


class SearchView(APIView):
    """`GET /api/search?q=&limit=&cursor=` → {hits, next, complete}: pages and names, best first."""

    query_parameters = frozenset({"q", "limit", "cursor"})

    def get(self, request: Request) -> Response:
        parameters = request.query_params
        limit = hits.DEFAULT_LIMIT
        if "limit" in parameters:
            limit = parse_limit(parameters) or 0
            if not 1 <= limit <= MAX_LIMIT:
                raise RequestError({"limit": f"A whole number from 1 to {MAX_LIMIT} is expected."})
        found = hits.search(
            owner=owner_of(request),
            q=parameters.get("q", ""),
            limit=limit,
            cursor=parameters.get("cursor") or None,
        )
        return respond(found)
