"""REST views: the functions of `uploads.commands` and `uploads.queries` as JSON over HTTP.

`upload` serves `POST /api/uploads/`; `downloads` serves the files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import IO, Any, cast
from uuid import UUID

import msgspec
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.exceptions import APIException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from ... import __version__
from ...reading.engines.info import engine_info
from ..auth import authentication
from ..auth import sessions as session_store
from ..auth.authentication import Identity
from ..conf import conf
from ..db.retry import raise_unavailable
from ..errors import RequestError, ScanrillError, Unauthenticated
from ..jobs import options as job_options
from ..jobs.options import ReadOptions
from ..models import Page, Upload, User
from ..protocol import messages, parsing, serializers
from ..uploads import commands, listing, queries, reading_commands
from . import etags
from .http_errors import NotAcceptable, UnsupportedMediaType
from .problems import error_response
from .request_gate import DEFAULT_MAX_BODY_BYTES
from .waiting import WAIT

# Python refuses to convert thousands of digits; no limit needs more than a few.
MAX_LIMIT_DIGITS = 9
DEFAULT_LIST_SIZE = 50
SHARE = re.compile(r"[01](\.\d{1,10})?")


class StrictJSONParser(BaseParser):
    """Parser of JSON bodies with the rules for WebSocket frames."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: object = None, parser_context: object = None) -> Any:
        try:
            return parsing.json_object(stream.read().decode())
        except UnicodeDecodeError:
            raise RequestError({"message": "Not valid JSON: not UTF-8."}) from None


class MeView(APIView):
    """`GET /api/me/` → {username, max_upload_bytes (0 = unlimited), version}."""

    def get(self, request: Request) -> Response:
        return Response(
            {
                "username": owner_of(request).get_username(),
                "max_upload_bytes": conf.max_upload_bytes,
                "version": __version__,
            }
        )


class EnginesView(APIView):
    """`GET /api/engines/` → {engines, default}: the engines that a request may name."""

    def get(self, request: Request) -> Response:
        return respond(
            {"engines": list(map(engine_info, job_options.selectable_engines())), "default": conf.engine}
        )


class UploadsView(APIView):
    """`GET /api/uploads/` with filters → {list, next}, newest first by default, without the texts."""

    query_parameters = frozenset(messages.ListUploads.__struct_fields__) - {"ref", "metadata"} | {"metadata."}

    def get(self, request: Request) -> HttpResponse:
        query = parsing.build_request(messages.ListUploads, _list_parameters(request.query_params))
        found = listing.uploads(owner=owner_of(request), **query.filters())
        message = serializers.listing(found.items, found.next, query, found.total)
        return HttpResponse(messages.encode(message).encode(), content_type="application/json")


def _list_parameters(query: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a `list`; a list of REST always has a limit."""
    parameters: dict[str, Any] = {"limit": DEFAULT_LIST_SIZE, **dict(query.items())}
    if (limit := parse_limit(query)) is not None:
        parameters["limit"] = limit
    for name in ("min_confidence", "max_confidence"):
        if SHARE.fullmatch(parameters.get(name, "")):
            parameters[name] = float(parameters[name])
    if "total" in query:
        parameters["total"] = parse_flag(query, "total")
    if "," in query.get("status", ""):
        parameters["status"] = query["status"].split(",")
    prefix = "metadata."
    metadata = {name.removeprefix(prefix): query[name] for name in query if name.startswith(prefix)}
    return parameters | ({"metadata": metadata} if metadata else {})


def is_short_list(request: HttpRequest) -> bool:
    """Return whether the request is for a short list of uploads."""
    filters: dict[str, Any] = {name: request.GET.get(name) for name in listing.LONG_FILTERS}
    if "," in request.GET.get("status", "") or any(name.startswith("metadata.") for name in request.GET):
        return False
    return listing.is_short(limit=parse_limit(request.GET) or DEFAULT_LIST_SIZE, **filters)


class UploadView(APIView):
    """One upload: `GET` with its texts, `PATCH` {filename, processed_text, metadata}, `DELETE`."""

    query_parameters = frozenset({WAIT})
    parser_classes = [StrictJSONParser]
    # The longest correction, with four bytes for each character, and the other fields.
    max_body_bytes = 4 * parsing.MAX_CORRECTION_CHARACTERS + DEFAULT_MAX_BODY_BYTES

    def get(self, request: Request, upload_id: UUID) -> Response:
        upload = queries.upload(owner=owner_of(request), upload_id=upload_id)
        return respond(queries.with_warnings(upload), etags.upload_tag(upload))

    def patch(self, request: Request, upload_id: UUID) -> Response:
        changes = parsing.build_request(
            messages.Update, {"instance_id": str(upload_id), "data": request.data}
        )
        upload = commands.update(
            owner=owner_of(request),
            upload_id=upload_id,
            filename=changes.filename,
            correction=changes.processed_text,
            metadata=changes.metadata,
            check=partial(_require_match, request),
        )
        return respond(serializers.instance(upload, texts=True), etags.upload_tag(upload))

    def delete(self, request: Request, upload_id: UUID) -> Response:
        deleted = commands.delete(
            owner=owner_of(request), upload_id=upload_id, check=partial(_require_match, request)
        )
        return respond(deleted.instance)


def _require_match(request: Request, upload: Upload) -> None:
    """Raise `PreconditionFailed` if the request has tags of other states of the upload."""
    etags.require_match(request.headers, etags.upload_tag(upload))


class SessionsView(APIView):
    """`GET /api/sessions/` → {sessions}: the sign-ins of the user that have not ended, last used first."""

    def get(self, request: Request) -> Response:
        identity = cast("Identity", request.auth)
        authentication.require_token(identity)
        sessions = [
            {
                "id": str(session.pk),
                "created_at": session.created_at,
                "last_used_at": session.rotated_at,
                "address": session.address,
                "user_agent": session.user_agent,
                "current": session.pk == identity.session_id,
            }
            for session in session_store.active(owner_of(request))
        ]
        return respond({"sessions": sessions})


class SessionView(APIView):
    """`DELETE /api/sessions/{id}/`: end a session; its sockets close, and its tokens are invalid."""

    def delete(self, request: Request, session_id: UUID) -> Response:
        authentication.require_token(cast("Identity", request.auth))
        session_store.end(owner=owner_of(request), session_id=session_id)
        return Response(status=204)


class CancelView(APIView):
    """`POST /api/uploads/{id}/cancel`: return the upload after it."""

    def post(self, request: Request, upload_id: UUID) -> Response:
        upload = commands.cancel(owner=owner_of(request), upload_id=upload_id)
        return respond(serializers.instance(upload, texts=True))


class RetryView(APIView):
    """`POST /api/uploads/{id}/retry` with the read options in its body: read the upload again."""

    parser_classes = [StrictJSONParser]

    def post(self, request: Request, upload_id: UUID) -> Response:
        retry = parsing.build_request(
            messages.Retry, {"instance_id": str(upload_id), "data": dict(request.data)}
        )
        upload = commands.retry(
            owner=owner_of(request), upload_id=upload_id, options=ReadOptions(**retry.read_options())
        )
        return respond(serializers.instance(upload, texts=True))


class PageView(APIView):
    """A finished page: `GET` (`?words=`) with its lines, boxes and confidences, `PATCH` {correction}."""

    query_parameters = frozenset({"words"})
    parser_classes = [StrictJSONParser]
    # The longest correction, with four bytes for each character.
    max_body_bytes = 4 * parsing.MAX_PAGE_CORRECTION_CHARACTERS + DEFAULT_MAX_BODY_BYTES

    def get(self, request: Request, upload_id: UUID, number: int) -> Response:
        with_words = parse_flag(request.query_params, "words")
        page = queries.page(owner=owner_of(request), upload_id=upload_id, number=number)
        tag = etags.page_tag(page, with_words=with_words)
        return respond(serializers.page(page, with_words=with_words), tag)

    def patch(self, request: Request, upload_id: UUID, number: int) -> Response:
        with_words = parse_flag(request.query_params, "words")

        def check(page: Page) -> None:
            tags = (etags.page_tag(page, with_words=any_words) for any_words in (False, True))
            etags.require_match(request.headers, *tags)

        page = reading_commands.correct_page(
            owner=owner_of(request),
            upload_id=upload_id,
            number=number,
            correction=parsing.page_correction(cast("dict[str, Any]", request.data)),
            check=check,
        )
        tag = etags.page_tag(page, with_words=with_words)
        return respond(serializers.page(page, with_words=with_words), tag)


def handle_exception(error: Exception, _context: dict[str, Any]) -> HttpResponse | None:
    """Return the response to an error of a view; None for one that nobody foresaw."""
    if isinstance(error, DatabaseError):
        try:
            raise_unavailable(error)
        except ScanrillError as unavailable:
            error = unavailable
        except DatabaseError:
            return None
    if isinstance(error, APIException):
        error = _own_error(error)
    return error_response(error) if isinstance(error, ScanrillError) else None


def _own_error(error: APIException) -> ScanrillError:
    """Return the error for one that REST framework raises before a view runs, or for a body."""
    message = str(error.detail)
    if isinstance(error, exceptions.NotAuthenticated):
        return Unauthenticated(message)
    if isinstance(error, exceptions.UnsupportedMediaType):
        return UnsupportedMediaType(f"{message} Send application/json.")
    if isinstance(error, exceptions.NotAcceptable):
        return NotAcceptable("The response is application/json, which Accept does not allow.")
    return RequestError({"detail": message})


def parse_limit(parameters: Mapping[str, str], name: str = "limit") -> int | None:
    """Return the number in a query; None if it has none, or no valid one."""
    limit = parameters.get(name, "")
    return int(limit) if limit.isdecimal() and len(limit) <= MAX_LIMIT_DIGITS else None


def parse_flag(parameters: Mapping[str, str], name: str) -> bool:
    """Return a switch of a query; false if it is not there."""
    value = parameters.get(name, "false")
    if value not in {"true", "false"}:
        raise RequestError({name: "Invalid value. Use `true` or `false`."})
    return value == "true"


def owner_of(request: Request) -> User:
    """Return the user of the request's token."""
    assert isinstance(request.user, User)  # the permission classes reject anonymous requests
    return request.user


def respond(value: object, tag: str | None = None) -> Response:
    """Return a value of message types as JSON, with its entity tag if it has one of its own."""
    headers = None if tag is None else {"ETag": tag}
    return Response(msgspec.to_builtins(value), headers=headers)
