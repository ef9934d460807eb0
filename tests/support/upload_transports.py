"""Requests on uploads over REST and over a socket, with results in one form that tests compare."""

from __future__ import annotations

import base64
import json
import re
from typing import Any, NamedTuple, Protocol

import httpx

from tests.support.accounts import Account
from tests.support.client_state import LIVE_FIELDS
from tests.support.event_stream_client import SubscribedClient
from tests.support.problems import problem_of
from tests.support.websocket_client import Message

LIST_SIZE = 50
# The field that brings a file has the name of its transport; REST says in `detail` what no field brought.
SAME_FIELDS = {"image_base64": "file", "message": "detail"}
# A frame has more around the same JSON than a body; REST lists the parameters that an unknown one could be.
OWN_WORDS = re.compile(
    r": line \d+ column \d+ \(char \d+\)|^Unknown parameter\..*|^This field cannot be set here\.$"
)
# A reading may begin before a socket's reply to a duplicate, which has the state at the reply.
STATE_AT_REPLY = frozenset({"status", "error", "error_code", "reading", *LIVE_FIELDS})


class Result(NamedTuple):
    """A result of a request, or its error: code, whether it can succeed later, and its sentences."""

    value: dict[str, Any] | None = None
    code: str | None = None
    is_retryable: bool | None = None
    errors: dict[str, str] | None = None


class Transport(Protocol):
    """The requests that REST and a socket have in common."""

    async def create(self, file: bytes, fields: Message) -> Result: ...
    async def list(self, fields: Message) -> Result: ...
    async def retrieve(self, upload_id: str) -> Result: ...
    async def update(self, upload_id: str, fields: Message) -> Result: ...
    async def update_with_text(self, upload_id: str, json_text: str) -> Result: ...
    async def cancel(self, upload_id: str) -> Result: ...
    async def retry(self, upload_id: str, fields: Message) -> Result: ...
    async def delete(self, upload_id: str) -> Result: ...


class RestTransport:
    """Requests over REST. A wrong status of a success is an error of the test."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def create(self, file: bytes, fields: Message) -> Result:
        response = await self._http.post("/api/uploads/", params=_as_query(fields), content=file)
        if response.is_error:
            return _problem(response)
        body = response.json()
        assert response.status_code == (200 if body["duplicate"] else 201)
        return Result(_created(body))

    async def list(self, fields: Message) -> Result:
        return _body(await self._http.get("/api/uploads/", params=_as_query({"limit": LIST_SIZE} | fields)))

    async def retrieve(self, upload_id: str) -> Result:
        found = _body(await self._http.get(_path(upload_id)))
        # Only REST sends the warnings with their pages.
        return found._replace(value=found.value and _without(found.value, {"page_warnings"}))

    async def refused_event_stream(self, upload_id: str) -> Result:
        """Return the error of the event stream of an upload that does not exist."""
        return _problem(await self._http.get(f"{_path(upload_id)}events"))

    async def update(self, upload_id: str, fields: Message) -> Result:
        return _body(await self._http.patch(_path(upload_id), json=fields))

    async def update_with_text(self, upload_id: str, json_text: str) -> Result:
        headers = {"Content-Type": "application/json"}
        return _body(await self._http.patch(_path(upload_id), content=json_text, headers=headers))

    async def cancel(self, upload_id: str) -> Result:
        found = _body(await self._http.post(f"{_path(upload_id)}cancel"))
        return found._replace(value=found.value and _end(found.value))

    async def retry(self, upload_id: str, fields: Message) -> Result:
        return _body(await self._http.post(f"{_path(upload_id)}retry", json=fields))

    async def delete(self, upload_id: str) -> Result:
        return _body(await self._http.delete(_path(upload_id)))


class SocketTransport:
    """Requests over a socket that has opted in, so that errors have a code."""

    def __init__(self, client: SubscribedClient) -> None:
        self._client = client

    async def create(self, file: bytes, fields: Message) -> Result:
        encoded = base64.b64encode(file).decode()
        reply = await self._client.request({"type": "create", "data": {"image_base64": encoded} | fields})
        return _refusal(reply) or Result(_created(reply))

    async def list(self, fields: Message) -> Result:
        reply = await self._client.request({"type": "list", "limit": LIST_SIZE} | fields)
        return _refusal(reply) or Result(reply)

    async def retrieve(self, upload_id: str) -> Result:
        return await self._instance({"type": "retrieve", "instance_id": upload_id})

    async def update(self, upload_id: str, fields: Message) -> Result:
        return await self._instance({"type": "update", "instance_id": upload_id, "data": fields})

    async def update_with_text(self, upload_id: str, json_text: str) -> Result:
        await self._client.send_text(f'{{"type":"update","instance_id":"{upload_id}","data":{json_text}}}')
        # A frame that is not JSON has no `ref` for its reply.
        return _refusal(await self._client.receive_until(lambda m: m["type"] == "error")) or Result()

    async def cancel(self, upload_id: str) -> Result:
        reply = await self._client.request({"type": "cancel", "instance_id": upload_id})
        return _refusal(reply) or Result(_end(reply))

    async def retry(self, upload_id: str, fields: Message) -> Result:
        return await self._instance({"type": "retry", "instance_id": upload_id, "data": fields})

    async def delete(self, upload_id: str) -> Result:
        return await self._instance({"type": "delete", "instance_id": upload_id})

    async def _instance(self, request: Message) -> Result:
        reply = await self._client.request(request)
        return _refusal(reply) or Result(reply["instance"])


def rest_of(account: Account) -> httpx.AsyncClient:
    """Return an HTTP client with a token of the user."""
    return httpx.AsyncClient(base_url=account.server.http, headers=account.headers, timeout=60)


def _path(upload_id: str) -> str:
    return f"/api/uploads/{upload_id}/"


def _as_query(fields: Message) -> dict[str, str]:
    """Return the fields of a request as the parameters of a query."""

    def text_of(value: Any) -> str:
        if isinstance(value, list):
            return ",".join(value)
        return value if isinstance(value, str) else json.dumps(value)

    return {name: text_of(value) for name, value in fields.items()}


def _body(response: httpx.Response) -> Result:
    if response.is_error:
        return _problem(response)
    assert response.status_code == 200, response.text
    return Result(response.json())


def _problem(response: httpx.Response) -> Result:
    problem = problem_of(response)
    errors = problem["errors"] or {"detail": problem["detail"]}
    return Result(None, problem["code"], problem["retryable"], _with_same_fields(errors))


def _refusal(reply: Message) -> Result | None:
    if "code" not in reply:
        return None
    return Result(None, reply["code"], reply["retryable"], _with_same_fields(reply["error"]))


def _with_same_fields(errors: dict[str, str]) -> dict[str, str]:
    return {SAME_FIELDS.get(field, field): OWN_WORDS.sub("", sentence) for field, sentence in errors.items()}


def _created(message: Message) -> dict[str, Any]:
    return {
        "duplicate": message["duplicate"],
        "instance": _without(message["instance"], STATE_AT_REPLY),
    }


def _end(message: Message) -> dict[str, Any]:
    """Return what the answer to a cancellation says by each transport."""
    return {name: message[name] for name in ("id", "status", "error")}


def _without(fields: Message, names: frozenset[str] | set[str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}
