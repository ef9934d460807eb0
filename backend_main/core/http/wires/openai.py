"""Chat completions of OpenAI, below `/openai/v1`: the last image or file of the messages is read.

With `stream: true`, the answer carries the live text. A stream cannot take text back: where the final
Markdown of a page differs from its live text, the lines from the first difference on are sent again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from ....reading.engines.info import engine_info
from ...errors import RequestError, ScanrillError
from ...exports.formats import parse_request
from ...jobs import options as job_options
from ...models import Status, Upload
from ...protocol import messages
from ...uploads import commands
from ..events import ReadingStream
from ..http_errors import ReadingFailed
from ..stream_routes import StreamRoute
from ..waiting import run_while_connected
from .requests import (
    WireRequest,
    create,
    json_body,
    read_options,
    render_format,
    wait_until_read,
    wire_handler,
)

VIA = "openai"
DEFAULT_MODEL = "scanrill"
_NO_FILE = (
    "Send an image as `image_url` with a data URL, or a PDF as `file` with `file_data`. "
    "URLs of other servers are not fetched."
)


class ChatRequest(msgspec.Struct):
    """Body of a chat completion; other fields are ignored."""

    messages: list[dict[str, Any]]
    model: str = DEFAULT_MODEL
    stream: bool = False


def _error_body(error: ScanrillError) -> dict[str, Any]:
    kind = "invalid_request_error" if error.http_status < 500 else "server_error"
    message = " ".join(error.fields.values())
    return {"error": {"message": message, "type": kind, "param": None, "code": error.code}}


@wire_handler(_error_body)
async def _models(request: WireRequest) -> None:
    """Serve the list of models: the engines, and the default one as `scanrill`."""
    names = [DEFAULT_MODEL, *(engine_info(name).name for name in job_options.selectable_engines())]
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "scanrill"} for name in names]
    await request.send_json(200, {"object": "list", "data": data})


@wire_handler(_error_body)
async def _chat(request: WireRequest) -> None:
    async with AsyncExitStack() as stack:
        async with json_body(request, ChatRequest) as body:
            model, stream = body.model, _ChatStream(request, body.model) if body.stream else None
            options = read_options({} if model == DEFAULT_MODEL else {"engine": model})
            if stream is not None:
                await stack.enter_async_context(stream.joined())
            upload = await create(request, _source(body.messages), via=VIA, options=options)
        del body  # the base64 of the file
        if stream is not None:
            stream.follow(upload)
            await run_while_connected(request.receive, stream.run(messages.Subscribe()))
            return
    await wait_until_read(request, upload)
    text = (await render_format(request, upload.pk, parse_request({"format": "md"}))).decode().rstrip("\n")
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    head = _head(upload, model, "chat.completion")
    await request.send_json(200, {**head, "choices": [choice], "usage": usage})


def _head(upload: Upload, model: str, kind: str) -> dict[str, Any]:
    created = int(upload.created_at.timestamp())
    return {"id": f"chatcmpl-{upload.pk.hex}", "object": kind, "created": created, "model": model}


def _source(found: Sequence[dict[str, Any]]) -> commands.UploadSource:
    """Return the last image or file in the messages. Raises `RequestError` if there is none."""
    for message in reversed(found):
        content = message.get("content")
        parts = content if isinstance(content, list) else []
        for part in reversed(parts):
            data, name = _file_of(part if isinstance(part, dict) else {})
            if data.startswith("data:"):
                return commands.UploadSource(image_base64=data, image_path=name)
    raise RequestError({"messages": _NO_FILE})


def _file_of(part: dict[str, Any]) -> tuple[str, str | None]:
    """Return the data URL and the name of a part of a message."""
    image, file = part.get("image_url"), part.get("file")
    if isinstance(image, dict):
        image = image.get("url")
    if isinstance(image, str):
        return image, None
    if isinstance(file, dict):
        data, name = file.get("file_data"), file.get("filename")
        data = data if isinstance(data, str) else ""
        is_plain = bool(data) and not data.startswith(("data:", "http:", "https:"))
        return ("data:;base64," if is_plain else "") + data, name if isinstance(name, str) else None
    return "", None


class _ChatStream(ReadingStream):
    """Stream of an upload's live text as chunks of a chat completion."""

    def __init__(self, request: WireRequest, model: str) -> None:
        super().__init__(request.scope, request.send, request.identity, None, "pages")
        self._model = model
        self._texts: dict[int, str] = {}
        self._has_role = False
        self._failure: ScanrillError | None = None

    async def _write_start(self) -> None:
        """Write nothing: clients take each event for a chunk."""

    async def _write_event(self, text: str) -> None:
        message = msgspec.json.decode(text)
        page, page_text = message.get("page"), message.get("streamed_text")
        if page is not None and page_text is not None:
            await self._send_page(page, page_text)
        elif message.get("status") == Status.PROCESSED and "raw_text" in message:
            await self._send_missing(message["raw_text"])
        elif message.get("status") in (Status.ERROR, Status.CANCELLED) and "error" in message:
            message_text = message["error"] or "The file could not be read."
            self._failure = ReadingFailed(message_text, message.get("error_code"), {})

    async def _send_missing(self, text: str) -> None:
        """Send what live text has not brought: all of a file that was read before."""
        sent = "\n\n".join(self._texts[page] for page in sorted(self._texts))
        if text.startswith(sent):
            await self._send_text(text[len(sent) :])

    async def _send_page(self, page: int, text: str) -> None:
        sent = self._texts.get(page)
        if sent is None:
            gap = "\n\n" if self._texts else ""
            self._texts[page] = text
            await self._send_text(gap + text)
            return
        self._texts[page] = text
        if text.startswith(sent):
            await self._send_text(text[len(sent) :])
        else:
            await self._send_text("\n" + _after_equal_lines(sent, text))

    async def _send_text(self, text: str) -> None:
        if text:
            await self._send_delta({"content": text})

    async def _send_delta(self, delta: dict[str, str], finish: str | None = None) -> None:
        if not self._has_role:
            self._has_role = True
            delta = {"role": "assistant", **delta}
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        chunk = {**_head(self._upload, self._model, "chat.completion.chunk"), "choices": [choice]}
        await self._write(f"data: {msgspec.json.encode(chunk).decode()}\n\n")

    async def _write_end(self, reason: ScanrillError | None) -> None:
        reason = reason or self._failure
        if reason is None:
            await self._send_delta({}, "stop")
            await self._write("data: [DONE]\n\n")
        else:
            await self._write(f"data: {msgspec.json.encode(_error_body(reason)).decode()}\n\n")


def _after_equal_lines(sent: str, text: str) -> str:
    """Return the lines of a text behind those that are equal in what was sent."""
    lines = text.split("\n")
    equal = 0
    for old, new in zip(sent.split("\n"), lines, strict=False):
        if old != new:
            break
        equal += 1
    return "\n".join(lines[equal:])


ROUTES = (
    StreamRoute("openai/v1/models", {"GET": _models}, has_body=False),
    StreamRoute("openai/v1/chat/completions", {"POST": _chat}),
)
