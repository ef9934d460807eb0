"""REST views of the readings of an upload."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ..errors import RequestError
from ..protocol import serializers
from ..uploads import reading_commands, reading_queries
from . import etags
from .rest import owner_of, parse_flag, parse_limit, respond


class ReadingsView(APIView):
    """`GET /api/uploads/{id}/readings` → {readings}, the newest first."""

    def get(self, request: Request, upload_id: UUID) -> Response:
        return respond(reading_queries.reading_list(owner=owner_of(request), upload_id=upload_id))


class ReadingView(APIView):
    """A reading: `GET` with its texts, `DELETE` unless it is the current one."""

    def get(self, request: Request, upload_id: UUID, reading: int) -> Response:
        found = reading_queries.reading(owner=owner_of(request), upload_id=upload_id, number=reading)
        return respond(found)

    def delete(self, request: Request, upload_id: UUID, reading: int) -> Response:
        reading_commands.delete_reading(owner=owner_of(request), upload_id=upload_id, number=reading)
        return Response(status=204)


class ReadingPageView(APIView):
    """`GET /api/uploads/{id}/readings/{reading}/pages/{n}` (`?words=`): a finished page of a reading."""

    query_parameters = frozenset({"words"})

    def get(self, request: Request, upload_id: UUID, reading: int, number: int) -> Response:
        with_words = parse_flag(request.query_params, "words")
        page = reading_queries.page(
            owner=owner_of(request), upload_id=upload_id, number=reading, page_number=number
        )
        tag = etags.page_tag(page, with_words=with_words)
        return respond(serializers.page(page, with_words=with_words), tag)


class CurrentReadingView(APIView):
    """`POST /api/uploads/{id}/readings/{reading}/current`: make a reading the current one."""

    def post(self, request: Request, upload_id: UUID, reading: int) -> Response:
        upload = reading_commands.make_current(owner=owner_of(request), upload_id=upload_id, number=reading)
        return respond(serializers.instance(upload, texts=True))


class ComparisonView(APIView):
    """`GET /api/uploads/{id}/readings/{reading}/compare/{other}?page=`: differences by words."""

    query_parameters = frozenset({"page"})

    def get(self, request: Request, upload_id: UUID, reading: int, other: int) -> Response:
        page_number = parse_limit(request.query_params, "page")
        if page_number is None and "page" in request.query_params:
            raise RequestError({"page": "The number of a page is expected."})
        found = reading_queries.compare(
            owner=owner_of(request), upload_id=upload_id, first=reading, second=other, page_number=page_number
        )
        return respond(found)
