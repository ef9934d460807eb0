"""docling-serve: conversion of a file, at once or as a task, below `/docling`.

A task is an upload; its id also names the formats that its result has. Options that scanrill has no
counterpart for are ignored, as docling-serve ignores unknown ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec

from ...errors import RequestError, ScanrillError, UploadNotFound
from ...exports.document import ExportDocument, ExportPage
from ...exports.html import write_html
from ...models import Status, Upload
from ...uploads import commands
from ...uploads.quotas import OPEN_STATUSES
from ..fetch import fetch_file
from ..http_errors import ReadingNotFinished, TargetNotSupported
from ..responses import JSON, send_json
from ..stream_routes import StreamRoute
from ..types import Receive, Scope, Send
from .docling_document import docling_document
from .requests import (
    BODY_FIELD,
    WAIT_SECONDS,
    WireRequest,
    create,
    file_body,
    find_upload,
    json_body,
    language_options,
    read_options,
    render_as,
    wait,
    wait_until_read,
    wire_handler,
)

VIA = "docling"
VERSION = "1.38.2"
"""Version of docling-serve whose shapes these are."""
FORMATS = ("md", "json", "html", "text")
MAX_PAGE = 1_000_000
# Grades of docling: poor below .5, fair below .8, good below .9, else excellent.
_GRADES = ((0.5, "poor"), (0.8, "fair"), (0.9, "good"))
_STATUSES = {
    Status.PENDING: "pending",
    Status.PROCESSING: "started",
    Status.PROCESSED: "success",
}


class FileSource(msgspec.Struct, tag="file", tag_field="kind"):
    """File in base64."""

    base64_string: str
    filename: str = "document"


class HTTPSource(msgspec.Struct, tag="http", tag_field="kind"):
    """File at a URL, which the server fetches if its settings allow the host."""

    url: str


class ConvertRequest(msgspec.Struct):
    """Body of `/v1/convert/source`."""

    sources: Annotated[list[FileSource | HTTPSource], msgspec.Meta(min_length=1)]
    options: dict[str, Any] = {}
    target: dict[str, Any] = {}


def error_body(error: ScanrillError) -> dict[str, object]:
    """Return the JSON of an error."""
    if isinstance(error, UploadNotFound):
        return {"detail": "Task not found."}
    return {"detail": " ".join(error.fields.values())}


@wire_handler(error_body)
async def _convert_file(request: WireRequest) -> None:
    started = time.monotonic()
    upload, options = await _create_from_form(request)
    await _send_result(request, upload, _formats(options), started, seconds=_seconds(options))


@wire_handler(error_body)
async def _convert_file_later(request: WireRequest) -> None:
    upload, options = await _create_from_form(request)
    await request.send_json(200, task(upload, _formats(options)))


@wire_handler(error_body)
async def _convert_source(request: WireRequest) -> None:
    started = time.monotonic()
    upload, options = await _create_from_source(request)
    await _send_result(request, upload, _formats(options), started, seconds=_seconds(options))


@wire_handler(error_body)
async def _convert_source_later(request: WireRequest) -> None:
    upload, options = await _create_from_source(request)
    await request.send_json(200, task(upload, _formats(options)))


@wire_handler(error_body)
async def _poll(request: WireRequest, task_id: str) -> None:
    """Serve the status of a task; `?wait=` waits until its end."""
    upload_id, formats = parse_task(task_id)
    upload = await find_upload(request, upload_id)
    upload = await wait(request, upload, seconds=_wait_of(request.scope["query_string"].decode("latin-1")))
    await request.send_json(200, task(upload, formats))


@wire_handler(error_body)
async def _result(request: WireRequest, task_id: str) -> None:
    upload_id, formats = parse_task(task_id)
    upload = await find_upload(request, upload_id)
    if upload.status in OPEN_STATUSES:
        detail = "Task result not found. Please wait for a completion status."
        await request.send_json(404, {"detail": detail})
    elif upload.status != Status.PROCESSED:
        await request.send_json(200, {"kind": "TaskFailureResult", "failure": _failure(upload)})
    else:
        await _send_result(request, upload, formats, time.monotonic(), seconds=0)


async def _state(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve `/health` and `/version`, which need no key."""
    body = {"docling-serve": VERSION} if scope["path"].rstrip("/").endswith("version") else {"status": "ok"}
    await send_json(receive, send, 200, body)


async def _create_from_form(request: WireRequest) -> tuple[Upload, Mapping[str, Any]]:
    async with file_body(request) as received:
        options = {
            name: values[0] if len(values) == 1 and name not in _LISTS else _listed(values)
            for name, values in received.lists.items()
        }
        _check_target(options.get("target_type", "inbody"))
        source = commands.UploadSource(staged=received.file)
        return await create(request, source, via=VIA, options=read_options(_read_options(options))), options


async def _create_from_source(request: WireRequest) -> tuple[Upload, Mapping[str, Any]]:
    async with json_body(request, ConvertRequest) as body:
        _check_target(body.target.get("kind", "inbody"))
        if len(body.sources) > 1:
            raise RequestError(
                {BODY_FIELD: "One source at a time is expected. Send each in its own request."}
            )
        options = read_options(_read_options(body.options))
        source = body.sources[0]
        if isinstance(source, FileSource):
            found = commands.UploadSource(image_base64=source.base64_string, image_path=source.filename)
            return await create(request, found, via=VIA, options=options), body.options
    async with fetch_file(request.identity.user, source.url, None) as file:
        fetched = commands.UploadSource(staged=file)
        return await create(request, fetched, via=VIA, options=options), body.options


_LISTS = ("to_formats", "from_formats", "ocr_lang", "page_range")


def _listed(values: Sequence[str]) -> list[Any]:
    """Return a list of a form: repeated fields, or one field with a list in JSON."""
    if len(values) == 1 and values[0].startswith("["):
        try:
            return msgspec.json.decode(values[0], type=list[Any])
        except msgspec.DecodeError:
            raise RequestError({BODY_FIELD: "A list in JSON is expected."}) from None
    return list(values)


def _check_target(kind: object) -> None:
    if kind != "inbody":
        # docling's client then asks for the result in the response.
        message = f"The target {kind} needs artifact storage to be configured. Use inbody."
        raise TargetNotSupported(message)


def _read_options(options: Mapping[str, Any]) -> dict[str, Any]:
    found = language_options([str(code) for code in _list_of(options, "ocr_lang")])
    numbers = options.get("page_range") or []
    try:
        first, last = (int(number) for number in numbers) if numbers else (1, MAX_PAGE)
    except (TypeError, ValueError):
        raise RequestError({"page_range": "Two numbers of pages are expected."}) from None
    if first > 1 or last < MAX_PAGE:
        found["pages"] = f"{first}-{min(last, MAX_PAGE)}"
    return found


def _formats(options: Mapping[str, Any]) -> tuple[str, ...]:
    wanted = _list_of(options, "to_formats") or ["md"]
    found = tuple(name for name in FORMATS if name in wanted)
    if not found:
        raise RequestError({"to_formats": f"Choose among {', '.join(FORMATS)}."})
    return found


def _list_of(options: Mapping[str, Any], name: str) -> list[Any]:
    """Return a list of the options; one text is a list of it. Raises `RequestError`."""
    found = options.get(name) or []
    found = [found] if isinstance(found, str) else found
    if not isinstance(found, list):
        raise RequestError({name: "A list is expected."})
    return found


def _seconds(options: Mapping[str, Any]) -> float:
    try:
        wanted = float(options.get("document_timeout") or WAIT_SECONDS)
        return max(0.0, min(wanted, WAIT_SECONDS))  # in this order: NaN becomes 0
    except (TypeError, ValueError, OverflowError):
        raise RequestError({"document_timeout": "A number of seconds is expected."}) from None


def task(upload: Upload, formats: Sequence[str]) -> dict[str, Any]:
    """Return the state of an upload as that of a task."""
    has_failed = upload.status in (Status.ERROR, Status.CANCELLED)
    has_ended = upload.status not in OPEN_STATUSES
    return {
        "task_id": "-".join((upload.pk.hex, *formats)),
        "task_type": "convert",
        "task_status": _STATUSES.get(Status(upload.status), "failure"),
        "task_position": 1 if upload.status == Status.PENDING else None,
        "task_meta": {
            "num_docs": 1,
            "num_processed": int(has_ended),
            "num_succeeded": int(upload.status == Status.PROCESSED),
            "num_partially_succeeded": 0,
            "num_failed": int(has_failed),
        },
        "error_message": upload.error if has_failed else None,
        "failure": _failure(upload) if has_failed else None,
    }


def _failure(upload: Upload) -> dict[str, Any]:
    return {
        "category": "internal",
        "message": upload.error or "The file could not be read.",
        "retryable": False,
        "phase": "conversion",
        "details": {},
    }


def parse_task(task_id: str) -> tuple[UUID, tuple[str, ...]]:
    """Return the upload and the formats of a task. Raises `UploadNotFound`."""
    key, *formats = task_id.split("-")
    try:
        return UUID(hex=key), _formats({"to_formats": formats})
    except (ValueError, RequestError):
        raise UploadNotFound from None


def _wait_of(query: str) -> float:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name == "wait":
            try:
                return max(0.0, min(float(value), WAIT_SECONDS))
            except ValueError:
                raise RequestError({"wait": "A number of seconds is expected."}) from None
    return 0.0


async def _send_result(
    request: WireRequest, upload: Upload, formats: Sequence[str], started: float, *, seconds: float
) -> None:
    try:
        await wait_until_read(request, upload, seconds=seconds)
    except ReadingNotFinished:
        detail = "Conversion is taking too long. It goes on: ask for it again, or as a task."
        await request.send_json(504, {"detail": detail})
        return

    def write(document: ExportDocument) -> Iterator[bytes]:
        pages = list(document.pages())
        body: dict[str, Any] = {
            "document": _contents(document, pages, formats),
            "status": "success" if any(page.text.strip() for page in pages) else "partial_success",
            "errors": [],
            "processing_time": round(time.monotonic() - started, 3),
            "timings": {},
            "confidence": _confidence(pages),
        }
        yield msgspec.json.encode(body)

    await request.send_bytes(await render_as(request, upload.pk, write), JSON)


def _contents(document: ExportDocument, pages: list[ExportPage], formats: Sequence[str]) -> dict[str, object]:
    return {
        "filename": document.filename,
        "md_content": "\n\n".join(page.markdown for page in pages) if "md" in formats else None,
        "json_content": docling_document(document, pages) if "json" in formats else None,
        "html_content": b"".join(write_html(document)).decode() if "html" in formats else None,
        "text_content": "\n\n".join(page.text for page in pages) if "text" in formats else None,
        "doctags_content": None,
        "doclang_content": None,
    }


def _confidence(pages: Sequence[ExportPage]) -> dict[str, Any]:
    found = {page.number: page.confidence for page in pages if page.confidence is not None}
    mean = sum(found.values()) / len(found) if found else None
    low = min(found.values(), default=None)
    return {**_scores(mean, low), "pages": {str(number): _scores(one, one) for number, one in found.items()}}


def _scores(mean: float | None, low: float | None) -> dict[str, Any]:
    return {
        "parse_score": None,
        "layout_score": None,
        "table_score": None,
        "ocr_score": mean,
        "mean_score": mean,
        "low_score": low,
        "mean_grade": _grade(mean),
        "low_grade": _grade(low),
    }


def _grade(score: float | None) -> str:
    if score is None:
        return "unspecified"
    return next((name for limit, name in _GRADES if score < limit), "excellent")


ROUTES = (
    StreamRoute("docling/v1/convert/file", {"POST": _convert_file}),
    StreamRoute("docling/v1/convert/file/async", {"POST": _convert_file_later}),
    StreamRoute("docling/v1/convert/source", {"POST": _convert_source}),
    StreamRoute("docling/v1/convert/source/async", {"POST": _convert_source_later}),
    StreamRoute("docling/v1/status/poll/<str:task_id>", {"GET": _poll}, has_body=False),
    StreamRoute("docling/v1/result/<str:task_id>", {"GET": _result}, has_body=False),
    StreamRoute("docling/health", {"GET": _state}, has_body=False),
    StreamRoute("docling/ready", {"GET": _state}, has_body=False),
    StreamRoute("docling/version", {"GET": _state}, has_body=False),
)
