"""S07 — another user's upload looks like one that does not exist, on every message and every route.

`MESSAGES`, `ROUTES` and `ENDPOINTS` have a row for each there is; a new one without its row fails here.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver

from backend_main.backend import urls
from backend_main.core.protocol import messages
from tests.support.database import new_upload, new_user
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

IMAGE = scripted_png(lines=["confidential"])
UNKNOWN_ID, UNKNOWN_HASH = str(uuid.uuid4()), "0" * 64

# Each request that can point at an upload, with a hole for its id or hash; None: it cannot point at one.
MESSAGES: dict[str, list[Message] | None] = {
    "subscribe": [{}, {"since": "0123abcd:1"}],
    "create": [{"data": {"image_hash": "{hash}"}}],
    "list": [
        {"search": "confidential"},
        {"search": "{id}"},
        {"search": "{hash}"},
        {"status": "processed"},
        {"limit": 1},
    ],
    "retrieve": [{"instance_id": "{id}"}],
    "update": [
        {"instance_id": "{id}", "data": {"filename": "stolen.png"}},
        {"instance_id": "{id}", "data": {"processed_text": "stolen", "metadata": {}}},
        {"instance_id": "{id}", "data": {}},
        {"instance_id": "{id}", "data": {"status": "pending"}},
    ],
    "delete": [{"instance_id": "{id}"}],
    "cancel": [{"instance_id": "{id}"}],
    "retry": [{"instance_id": "{id}"}],
    "resync": [{"instance_id": "{id}"}],
    "authenticate": [{"token": "a token"}],
    "ping": None,
}
# Each HTTP route with its methods; none of them can point at an upload so far.
ROUTES: dict[str, list[str]] = {
    "": ["GET"],
    "healthz": ["GET"],
    "readyz": ["GET"],
    "api/token/": ["POST", "DELETE"],
    "api/token/code/": ["POST"],
    "api/token/refresh/": ["POST"],
}
# Routes that are about the uploads of who asks, and what each answers to the owner. DELETE stands last.
OWN_ROUTES: dict[str, dict[str, int]] = {
    "api/me/": {"GET": 200},
    "api/engines/": {"GET": 200},
    "api/uploads/": {"GET": 200},
    "api/uploads/<uuid:upload_id>/file": {"GET": 200, "HEAD": 200},
    "api/uploads/<uuid:upload_id>/pages/<int:number>": {"GET": 200},
    "api/uploads/<uuid:upload_id>/pages/<int:number>/image": {"GET": 200, "HEAD": 200},
    "api/uploads/<uuid:upload_id>/cancel": {"POST": 409},  # it has ended
    "api/uploads/<uuid:upload_id>/retry": {"POST": 200},
    "api/uploads/<uuid:upload_id>/": {"GET": 200, "PATCH": 200, "DELETE": 200},
}
# Each WebSocket endpoint, and whether it points at an upload.
ENDPOINTS = {"ws/core/upload/": False, "ws/core/upload/<uuid:instance_id>/": True, "": False}


@dataclass
class Scene:
    """The owner with a finished upload, and another user; each with a socket."""

    server: Server
    owner: WebSocketClient
    other: WebSocketClient
    owner_token: str
    other_token: str
    instance: Message

    def filled(self, text: str) -> str:
        return text.replace("{id}", self.instance["id"]).replace("{hash}", self.instance["image_hash"])

    def unknown(self, text: str) -> str:
        return text.replace("{id}", UNKNOWN_ID).replace("{hash}", UNKNOWN_HASH)

    def secrets(self) -> list[str]:
        return [self.instance["id"], self.instance["image_hash"], "confidential", self.instance["owner"]]


@pytest.fixture
async def scene(server: Server, a_token: str, other_token: str) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        owner = await stack.enter_async_context(WebSocketClient(server.url(token=a_token)))
        other = await stack.enter_async_context(WebSocketClient(server.url(token=other_token)))
        created = await owner.create(IMAGE)
        if not created["duplicate"]:
            await owner.terminal_message(created["instance"]["id"])
        got = await owner.request({"type": "retrieve", "instance_id": created["instance"]["id"]})
        yield Scene(server, owner, other, a_token, other_token, got["instance"])


def rows() -> list[tuple[str, Message]]:
    return [(kind, row | {"type": kind}) for kind, given in MESSAGES.items() for row in given or [{}]]


# ── nothing is forgotten ──


def test_s07_every_request_has_a_row() -> None:
    assert MESSAGES.keys() == messages.REQUESTS.keys()


def test_s07_a_request_that_names_an_upload_has_a_row_that_does() -> None:
    for kind, request in messages.REQUESTS.items():
        if "instance_id" in request.__struct_fields__:
            assert any("{id}" in json.dumps(row) for row in MESSAGES[kind] or []), kind


def test_s07_every_route_has_a_row() -> None:
    found = []
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern), "a tree of routes needs its own walk here"
        found.append(str(pattern.pattern))
    assert sorted(found) == sorted([*ROUTES, *OWN_ROUTES])
    assert not any(isinstance(pattern, URLResolver) for pattern in urls.urlpatterns)


def test_s07_every_endpoint_has_a_row() -> None:
    from backend_main.backend.asgi import application

    router = application.application_mapping["websocket"]
    assert {str(route.pattern) for route in router.routes} == ENDPOINTS.keys()


# ── owner, other, anonymous: every message ──


@pytest.mark.parametrize(("kind", "row"), rows(), ids=lambda value: json.dumps(value)[:60])
async def test_s07_another_user_cannot_tell_an_upload_from_none(
    kind: str, row: Message, scene: Scene
) -> None:
    text = json.dumps(row)
    theirs = await scene.other.request(json.loads(scene.filled(text)))
    none = await scene.other.request(json.loads(scene.unknown(text)))
    assert theirs == none
    assert not any(secret in json.dumps(theirs) for secret in scene.secrets())
    if "instance_id" in row or "data" in row:
        assert "error" in theirs

    still = await scene.owner.request({"type": "retrieve", "instance_id": scene.instance["id"]})
    assert still["instance"] == scene.instance, "the owner's upload is as it was"


async def test_s07_the_owner_can_do_all_of_it(scene: Scene) -> None:
    """So that the rows above are refused for who asks, not for what is asked."""
    for kind in ("create", "list", "retrieve", "update", "resync"):
        row = (MESSAGES[kind] or [{}])[0]
        reply = await scene.owner.request(json.loads(scene.filled(json.dumps(row | {"type": kind}))))
        assert "error" not in reply, kind
        assert scene.instance["id"] in json.dumps(reply), kind
    await scene.owner.request(
        {
            "type": "update",
            "instance_id": scene.instance["id"],
            "data": {"filename": scene.instance["filename"]},
        }
    )


@pytest.mark.parametrize("path", ["/ws/core/upload/", "/ws/core/upload/{id}/"])
async def test_s07_without_a_token_no_message_is_heard(path: str, scene: Scene) -> None:
    async with WebSocketClient(scene.server.url(scene.filled(path))) as anonymous:
        assert await anonymous.close_code() == 4401
        assert anonymous.seen == []


async def test_s07_another_s_upload_has_no_endpoint_for_anybody_else(scene: Scene) -> None:
    said = []
    for key in (scene.instance["id"], UNKNOWN_ID):
        async with WebSocketClient(
            scene.server.url(f"/ws/core/upload/{key}/", token=scene.other_token)
        ) as client:
            assert await client.close_code() == 4404
            said.append((client.socket.close_reason, client.seen))
    assert said[0] == said[1]
    path = f"/ws/core/upload/{scene.instance['id']}/"
    async with WebSocketClient(scene.server.url(path, token=scene.owner_token)) as client:
        assert (await client.request({"type": "subscribe"}))["instance_id"] == scene.instance["id"]


async def test_s07_the_same_bytes_of_another_user_are_new_bytes(scene: Scene) -> None:
    """A `duplicate: true` would say that somebody else has this scan."""
    reply = await scene.other.create(IMAGE)
    assert reply["duplicate"] is False
    assert reply["instance"]["id"] != scene.instance["id"]
    await scene.other.terminal_message(reply["instance"]["id"])
    await scene.other.request({"type": "delete", "instance_id": reply["instance"]["id"]})
    still = await scene.owner.request({"type": "retrieve", "instance_id": scene.instance["id"]})
    assert still["instance"] == scene.instance


async def test_s07_nothing_that_happens_to_an_upload_reaches_another_user(scene: Scene) -> None:
    created = await scene.owner.create(scripted_png(lines=["a", "b"], line_seconds=0.02))
    key = created["instance"]["id"]
    await scene.owner.terminal_message(key)
    assert "error" not in await scene.owner.request({"type": "retry", "instance_id": key})
    await scene.owner.terminal_message(key)
    for request in (
        {"type": "update", "instance_id": key, "data": {"filename": "b.png"}},
        {"type": "delete", "instance_id": key},
    ):
        assert "error" not in await scene.owner.request(request)
    # One that hangs until it is cancelled.
    hanging = (await scene.owner.create(scripted_png(lines=["a"], then="hang")))["instance"]["id"]
    await scene.owner.receive_until(lambda m: m.get("streamed_text") == "a")
    cancelled = await scene.owner.request({"type": "cancel", "instance_id": hanging})
    assert cancelled["status"] == "cancelled"
    seen = len(scene.other.seen)
    assert (await scene.other.request({"type": "subscribe"}))["message"] == "subscribed"
    assert len(scene.other.seen) == seen + 1, "only the reply"


# ── owner, other, anonymous: every route ──


@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_s07_no_route_tells_anybody_of_an_upload(route: str, scene: Scene) -> None:
    answers: list[tuple[int, Any]] = []
    async with httpx.AsyncClient(base_url=scene.server.http) as http:
        # Another test may have had a reader killed, and one that gets warm is no secret.
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0)
        for token in (scene.owner_token, scene.other_token, None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            for method in ROUTES[route]:
                reply = await http.request(
                    method, f"/{route}", headers=headers, params={"id": scene.instance["id"]}
                )
                answers.append((reply.status_code, reply.text))
                assert not any(secret in reply.text for secret in scene.secrets())
    assert len(set(answers)) == len(ROUTES[route]), "who asks makes no difference"


async def test_s07_another_users_upload_is_unknown_on_every_route(scene: Scene) -> None:
    theirs, none = scene.instance["id"], str(uuid.uuid4())
    async with httpx.AsyncClient(base_url=scene.server.http) as http:

        async def answer(method: str, route: str, key: str, token: str | None) -> tuple[int, str]:
            path = route.replace("<uuid:upload_id>", key).replace("<int:number>", "1")
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            body = {"filename": "mine.png"} if method == "PATCH" else None
            reply = await http.request(method, f"/{path}", headers=headers, json=body)
            return reply.status_code, reply.text

        for route, methods in OWN_ROUTES.items():
            for method, status in methods.items():
                anonymous = await answer(method, route, theirs, None)
                assert anonymous[0] == 401, (method, route)
                assert anonymous == await answer(method, route, none, None)
                stranger = await answer(method, route, theirs, scene.other_token)
                assert stranger == await answer(method, route, none, scene.other_token), (method, route)
                assert stranger[0] == (404 if "<" in route else 200), (method, route)
                assert not any(secret in stranger[1] for secret in scene.secrets())
                assert (await answer(method, route, theirs, scene.owner_token))[0] == status, (method, route)


# ── the functions below the doors ──


@pytest.mark.django_db
def test_s07_the_owner_is_the_first_condition_of_every_read() -> None:
    """The sentence and its type are the same object's: there is only one way to say no."""
    from backend_main.core.errors import UploadNotFound
    from backend_main.core.uploads import queries

    upload = new_upload(new_user())
    refusals = []
    for key in (upload.pk, uuid.uuid4()):
        with pytest.raises(UploadNotFound) as raised:
            queries.upload(owner=new_user(), upload_id=key)
        refusals.append((str(raised.value), raised.value.fields))
    assert refusals[0] == refusals[1]
