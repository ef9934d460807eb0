"""Step 3 — the REST door: the same functions of `uploads` and `queries`, as JSON.

`POST /api/uploads/` is in `receiving`, the files themselves are in `files`.
"""

from __future__ import annotations

from typing import IO, Any
from uuid import UUID

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, exception_handler

from ... import __version__
from ...reading.engines.info import engine_info
from ..conf import conf
from ..errors import RequestError, ScanrillError
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..models import User
from ..protocol import messages, parsing, serializers
from ..uploads import commands, queries


class StrictJSONParser(BaseParser):
    """A body by the same rules as a message of the socket."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: object = None, parser_context: object = None) -> Any:
        try:
            return parsing.json_object(stream.read().decode())
        except UnicodeDecodeError:
            raise RequestError({"message": "Not valid JSON: not UTF-8."}) from None


class MeView(APIView):
    """`GET /api/me/` → {username, max_upload_bytes (0 = unlimited), version}: what a client goes by."""

    def get(self, request: Request) -> Response:
        return Response(
            {
                "username": _owner(request).get_username(),
                "max_upload_bytes": conf.max_upload_bytes,
                "version": __version__,
            }
        )


class EnginesView(APIView):
    """`GET /api/engines/` → {engines, default}: what a request may ask for, as `scanrill engines` says."""

    def get(self, request: Request) -> Response:
        return _response(
            {"engines": list(map(engine_info, job_options.selectable_engines())), "default": conf.engine}
        )


class UploadsView(APIView):
    """`GET /api/uploads/?status=&search=&limit=&cursor=` → {list, next}, newest first, without the texts."""

    def get(self, request: Request) -> Response:
        asked: dict[str, Any] = dict(request.query_params.items())
        if any("\0" in value for value in asked.values()):  # as in a message; PostgreSQL knows no such text
            raise RequestError({"message": "A NUL character in a value."})
        if (limit := asked.get("limit", "")).isdecimal():
            asked["limit"] = int(limit)
        wanted = parsing.build_request(messages.ListUploads, asked)
        found = queries.uploads(owner=_owner(request), **wanted.filters())
        return _response(serializers.listing(found.uploads, found.next, wanted))


class UploadView(APIView):
    """One upload: `GET` with its texts, `PATCH` {filename, processed_text, metadata}, `DELETE`."""

    parser_classes = [StrictJSONParser]

    def get(self, request: Request, upload_id: UUID) -> Response:
        upload = queries.upload(owner=_owner(request), upload_id=upload_id)
        return _response(serializers.instance(upload, texts=True))

    def patch(self, request: Request, upload_id: UUID) -> Response:
        wanted = parsing.build_request(messages.Update, {"instance_id": str(upload_id), "data": request.data})
        upload = commands.update(
            owner=_owner(request),
            upload_id=upload_id,
            filename=wanted.filename,
            correction=wanted.processed_text,
            metadata=wanted.metadata,
        )
        return _response(serializers.instance(upload, texts=True))

    def delete(self, request: Request, upload_id: UUID) -> Response:
        deleted = commands.delete(owner=_owner(request), upload_id=upload_id)
        return _response(deleted.instance)


class CancelView(APIView):
    """`POST /api/uploads/{id}/cancel`: the upload as it is then."""

    def post(self, request: Request, upload_id: UUID) -> Response:
        upload = commands.cancel(owner=_owner(request), upload_id=upload_id)
        return _response(serializers.instance(upload, texts=True))


class RetryView(APIView):
    """`POST /api/uploads/{id}/retry` {engine, languages, pages, profile, priority}: to be read anew."""

    parser_classes = [StrictJSONParser]

    def post(self, request: Request, upload_id: UUID) -> Response:
        wanted = parsing.build_request(
            messages.Retry, {"instance_id": str(upload_id), "data": dict(request.data)}
        )
        asked = ReadOptions(**wanted.read_options())
        upload = commands.retry(owner=_owner(request), upload_id=upload_id, options=asked)
        return _response(serializers.instance(upload, texts=True))


class PageView(APIView):
    """`GET /api/uploads/{id}/pages/{n}`: a finished page, its lines with boxes and confidences."""

    def get(self, request: Request, upload_id: UUID, number: int) -> Response:
        page = queries.page(owner=_owner(request), upload_id=upload_id, number=number)
        return _response(serializers.page(page))


def handle_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Our errors as the WebSocket words them: {"error": {field: sentence}}."""
    if isinstance(error, ScanrillError):
        headers = {"WWW-Authenticate": "Bearer"} if error.http_status == 401 else None
        return Response({"error": error.fields}, status=error.http_status, headers=headers)
    response = exception_handler(error, context)
    if response is not None:
        response.data = {"error": _fields(getattr(error, "detail", error))}
    return response


def _fields(detail: Any) -> dict[str, str]:
    """The framework's errors are a sentence, a list of them, or either for each field."""
    if not isinstance(detail, dict):
        return {"detail": _sentences(detail)}
    of_field = {"detail": detail["detail"]} if "detail" in detail else detail
    return {str(name): _sentences(value) for name, value in of_field.items()}


def _sentences(text: Any) -> str:
    return " ".join(map(str, text)) if isinstance(text, list) else str(text)


def _owner(request: Request) -> User:
    assert isinstance(request.user, User)  # the permission classes let nobody else in
    return request.user


def _response(value: object) -> Response:
    return Response(msgspec.to_builtins(value))
