"""A client of Server-Sent Events with the interface of `WebSocketClient`; its requests go over a socket."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any, Literal, NamedTuple

import httpx
import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.websocket_client import WAIT_TIMEOUT_SECONDS, Message, WebSocketClient


class ServerSentEvent(NamedTuple):
    """An event; `comment` is the text of a comment instead."""

    data: str
    id: str | None = None
    event: str = "message"
    retry: int | None = None
    comment: str | None = None


async def parse_events(lines: AsyncIterator[str]) -> AsyncIterator[ServerSentEvent]:
    """Yield the events of a stream (HTML Living Standard, 9.2.6), also those without data."""
    fields: dict[str, str] = {}
    async for line in lines:
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields['data']}\n{value}" if name == "data" and "data" in fields else value
        elif fields:
            retry = fields.get("retry")
            yield ServerSentEvent(
                fields.get("data", ""),
                fields.get("id"),
                fields.get("event", "message"),
                int(retry) if retry else None,
                fields.get(""),
            )
            fields = {}


Transport = Literal["socket", "events"]
EACH_TRANSPORT = pytest.mark.parametrize("transport", ["socket", "events"])
"""Runs a conversation in which the tested client only listens over both transports."""


def listener(
    account: Account, transport: Transport, upload_id: str | None = None, stream: str | None = None
) -> WebSocketClient:
    """Return a client of the transport that has opted in, or with a socket and no stream one that has not."""
    if transport == "events":
        return EventStreamClient(account, upload_id, stream)
    return account.client(upload_id) if stream is None else SubscribedClient(account, upload_id, stream)


class SubscribedClient(WebSocketClient):
    """A socket that has subscribed with a stream mode."""

    def __init__(self, account: Account, upload_id: str | None, stream: str) -> None:
        path = "/ws/core/upload/" + (f"{upload_id}/" if upload_id else "")
        super().__init__(account.server.url(path, token=account.mint()))
        self._stream = stream

    async def __aenter__(self) -> SubscribedClient:
        await super().__aenter__()
        await self.request({"type": "subscribe", "stream": self._stream})
        return self


class EventStreamClient(WebSocketClient):
    """An event stream: `async with EventStreamClient(account) as client:`.

    `subscribed` and `seen` have the messages; `last_event_id` is that of the last event.

    Args:
        account: The user.
        upload_id: The upload to follow; None for all.
        stream: The stream mode.
        last_event_id: The header `Last-Event-ID`.
    """

    def __init__(
        self,
        account: Account,
        upload_id: str | None = None,
        stream: str | None = None,
        last_event_id: str | None = None,
        **options: Any,
    ) -> None:
        path = f"/api/uploads/{upload_id}/events" if upload_id else "/api/events"
        headers = account.headers | ({"Last-Event-ID": last_event_id} if last_event_id else {})
        self._requester = account.client()
        self._http = httpx.AsyncClient(base_url=account.server.http, timeout=WAIT_TIMEOUT_SECONDS)
        query = {"stream": stream} if stream else {}
        self._streaming = self._http.stream("GET", path, headers=headers, params=query, **options)
        self.seen: list[Message] = []
        self.last_event_id = last_event_id
        self.comments: list[str] = []

    async def __aenter__(self) -> EventStreamClient:
        self.response = await self._streaming.__aenter__()
        assert self.response.status_code == 200, await self.response.aread()
        assert self.response.headers["content-type"] == "text/event-stream"
        self._events = parse_events(self.response.aiter_lines())
        self.subscribed = await self.receive()
        self.seen.clear()
        await self._requester.__aenter__()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._requester.__aexit__()
        await self._streaming.__aexit__(None, None, None)
        await self._http.aclose()

    async def receive(self) -> Message:
        """Return the next message."""
        event = await self.receive_event()
        while event.event != "message" or not event.data:
            event = await self.receive_event()
        message: Message = json.loads(event.data)
        self.seen.append(message)
        return message

    async def receive_event(self) -> ServerSentEvent:
        """Return the next event, also one that is not a message."""
        async with asyncio.timeout(WAIT_TIMEOUT_SECONDS):
            event = await anext(self._events)
        self.last_event_id = event.id or self.last_event_id
        return event

    async def request(self, message: Message) -> Message:
        """Send a request over the socket and return its reply."""
        return await self._requester.request(message)

    async def assert_next_message_is_of_a_new_upload(self) -> None:
        """Create an upload over the socket; its first event is the very next message."""
        image = scripted_png(lines=[uuid.uuid4().hex])
        key = (await self._requester.create(image))["instance"]["id"]
        message = await self.receive()
        assert message.get("type") == "Upload.created", f"unexpected: {message}"
        assert message["instance"]["id"] == key

    async def close_problem(self) -> dict[str, Any]:
        """Wait until the server ends the stream, and return the reason."""
        while (event := await self.receive_event()).event != "close":
            pass
        problem: dict[str, Any] = json.loads(event.data)
        return problem
