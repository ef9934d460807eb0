"""S07 - a user reads or changes another user's upload: every message and route treats it as an unknown id.

`MESSAGES`, `ROUTES` and `ENDPOINTS` must have a row for each message, route and endpoint of the server.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from django.urls import URLPattern, URLResolver

from backend_main.backend import urls
from backend_main.core.http import wires
from backend_main.core.protocol import messages
from tests.support.database import new_upload, new_user
from tests.support.page_images import scripted_png
from tests.support.searchable import insert_upload
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

IMAGE = scripted_png(lines=["confidential"])
UNKNOWN_ID, UNKNOWN_HASH = str(uuid.uuid4()), "0" * 64

# Each request that can refer to an upload, with a placeholder for its id or hash; None: it cannot.
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
# Each HTTP route that does not refer to an upload, with its methods.
ROUTES: dict[str, list[str]] = {
    "": ["GET"],
    "healthz": ["GET"],
    "readyz": ["GET"],
    "api/problems": ["GET"],
    "api/schemas/page.json": ["GET"],
    "api/openapi.json": ["GET"],
    "api/asyncapi.json": ["GET"],
    "api/token/": ["POST", "DELETE"],
    "api/token/code/": ["POST"],
    "api/token/refresh/": ["POST"],
}
# Routes on the user's sessions: test_m2_sessions.py requests those of another user.
SESSION_ROUTES = {"api/sessions/", "api/sessions/<uuid:session_id>/"}
# Routes on the user's API keys: test_s38_api_keys.py requests those of another user.
KEY_ROUTES = {"api/keys", "api/keys/<uuid:key_id>"}
# Routes with a body or an endless response: test_server_sent_events.py and the tests of tus request those of
# another user.
STREAM_ROUTES = {
    "api/read",
    "api/events",
    "api/uploads/<uuid:upload_id>/events",
    "api/tus",
    "api/tus/<uuid:resumable_id>",
}
# Routes on the user's webhooks: test_webhooks.py requests those of another user.
WEBHOOK_ROUTES = {
    "api/webhooks",
    "api/webhooks/<uuid:webhook_id>",
    "api/webhooks/<uuid:webhook_id>/deliveries",
    "api/webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver",
    "api/webhooks/<uuid:webhook_id>/secret",
    "api/webhooks/<uuid:webhook_id>/test",
}
# Route of the search, and queries that find the owner's upload.
SEARCH_ROUTE = "api/search"
SEARCH_QUERIES = ["confidential", "confid*", "name:{name}", '"confidential" -other']
# Routes on the user's own uploads, with the status for the owner. DELETE comes last.
OWN_ROUTES: dict[str, dict[str, int]] = {
    "api/me/": {"GET": 200},
    "api/engines/": {"GET": 200},
    "api/uploads/": {"GET": 200},
    "api/uploads/<uuid:upload_id>/file": {"GET": 200, "HEAD": 200},
    "api/uploads/<uuid:upload_id>/pages/<int:number>": {"GET": 200, "PATCH": 200},
    "api/uploads/<uuid:upload_id>/pages/<int:number>/image": {"GET": 200, "HEAD": 200},
    # The page has no figure.
    "api/uploads/<uuid:upload_id>/pages/<int:number>/figures/<int:index>": {"GET": 404, "HEAD": 404},
    "api/uploads/<uuid:upload_id>/export": {"GET": 200, "HEAD": 200},
    "api/export": {"GET": 200, "HEAD": 200},
    "api/uploads/<uuid:upload_id>/readings": {"GET": 200},
    "api/uploads/<uuid:upload_id>/readings/<int:reading>": {"GET": 200, "DELETE": 409},  # the current one
    "api/uploads/<uuid:upload_id>/readings/<int:reading>/pages/<int:number>": {"GET": 200},
    "api/uploads/<uuid:upload_id>/readings/<int:reading>/current": {"POST": 200},
    "api/uploads/<uuid:upload_id>/readings/<int:reading>/compare/<int:other>": {"GET": 200},
    "api/uploads/<uuid:upload_id>/cancel": {"POST": 409},  # it is terminal
    "api/uploads/<uuid:upload_id>/retry": {"POST": 200},
    "api/uploads/<uuid:upload_id>/": {"GET": 200, "PATCH": 200, "DELETE": 200},
}
# Queries of routes that do not refer to an upload in their path.
QUERIES = {"api/export": "?ids=<uuid:upload_id>"}
# Each WebSocket endpoint, and whether it refers to an upload.
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

    def with_instance(self, text: str) -> str:
        return text.replace("{id}", self.instance["id"]).replace("{hash}", self.instance["image_hash"])

    def with_unknown_ids(self, text: str) -> str:
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


def all_rows() -> list[tuple[str, Message]]:
    return [(kind, row | {"type": kind}) for kind, rows in MESSAGES.items() for row in rows or [{}]]


# ── completeness of the tables ──


def test_s07_messages_table_has_every_request() -> None:
    assert MESSAGES.keys() == messages.REQUESTS.keys()


def test_s07_requests_with_instance_id_have_rows_with_an_id() -> None:
    for kind, request in messages.REQUESTS.items():
        if "instance_id" in request.__struct_fields__:
            assert any("{id}" in json.dumps(row) for row in MESSAGES[kind] or []), kind


def test_s07_routes_table_has_every_route() -> None:
    found = []
    for pattern in urls.urlpatterns:
        assert isinstance(pattern, URLPattern), "nested routes need their own traversal here"
        found.append(str(pattern.pattern))
    found += {
        stream_route.path
        for stream_route in urls.stream_routes.routes
        if stream_route.path.startswith("api/")
    } - set(found)
    others = [*SESSION_ROUTES, *KEY_ROUTES, *WEBHOOK_ROUTES, *STREAM_ROUTES, SEARCH_ROUTE]
    assert sorted(found) == sorted([*ROUTES, *OWN_ROUTES, *others])
    assert not any(isinstance(pattern, URLResolver) for pattern in urls.urlpatterns)


def test_s07_endpoints_table_has_every_endpoint() -> None:
    from backend_main.backend.asgi import websocket_routes

    found = {str(route.pattern) for route in websocket_routes.routes}
    # test_wires.py requests tasks of another user.
    assert found - wires.websocket_routes().keys() == ENDPOINTS.keys()


# ── owner, other, anonymous: every message ──


@pytest.mark.parametrize(("kind", "row"), all_rows(), ids=lambda value: json.dumps(value)[:60])
async def test_s07_message_about_another_users_upload_equals_an_unknown_id(
    kind: str, row: Message, scene: Scene
) -> None:
    text = json.dumps(row)
    foreign = await scene.other.request(json.loads(scene.with_instance(text)))
    unknown = await scene.other.request(json.loads(scene.with_unknown_ids(text)))
    assert foreign == unknown
    assert not any(secret in json.dumps(foreign) for secret in scene.secrets())
    if "instance_id" in row or "data" in row:
        assert "error" in foreign

    after = await scene.owner.request({"type": "retrieve", "instance_id": scene.instance["id"]})
    assert after["instance"] == scene.instance, "the owner's upload is unchanged"


async def test_s07_messages_of_the_owner_succeed(scene: Scene) -> None:
    """The rows above fail because of the user, not because of the request."""
    for kind in ("create", "list", "retrieve", "update", "resync"):
        row = (MESSAGES[kind] or [{}])[0]
        reply = await scene.owner.request(json.loads(scene.with_instance(json.dumps(row | {"type": kind}))))
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
async def test_s07_socket_without_token_is_closed_before_any_message(path: str, scene: Scene) -> None:
    async with WebSocketClient(scene.server.url(scene.with_instance(path))) as anonymous:
        assert await anonymous.close_code() == 4401
        assert anonymous.seen == []


async def test_s07_endpoint_of_another_users_upload_is_4404(scene: Scene) -> None:
    closes = []
    for key in (scene.instance["id"], UNKNOWN_ID):
        async with WebSocketClient(
            scene.server.url(f"/ws/core/upload/{key}/", token=scene.other_token)
        ) as client:
            assert await client.close_code() == 4404
            closes.append((client.socket.close_reason, client.seen))
    assert closes[0] == closes[1]
    path = f"/ws/core/upload/{scene.instance['id']}/"
    async with WebSocketClient(scene.server.url(path, token=scene.owner_token)) as client:
        assert (await client.request({"type": "subscribe"}))["instance_id"] == scene.instance["id"]


async def test_s07_create_of_another_users_bytes_is_not_a_duplicate(scene: Scene) -> None:
    """A `duplicate: true` would reveal that another user has this scan."""
    reply = await scene.other.create(IMAGE)
    assert reply["duplicate"] is False
    assert reply["instance"]["id"] != scene.instance["id"]
    await scene.other.terminal_message(reply["instance"]["id"])
    await scene.other.request({"type": "delete", "instance_id": reply["instance"]["id"]})
    after = await scene.owner.request({"type": "retrieve", "instance_id": scene.instance["id"]})
    assert after["instance"] == scene.instance


async def test_s07_events_of_an_upload_do_not_reach_another_user(scene: Scene) -> None:
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
    # This one hangs until the cancel.
    hanging = (await scene.owner.create(scripted_png(lines=["a"], then="hang")))["instance"]["id"]
    await scene.owner.receive_until(lambda m: m.get("streamed_text") == "a")
    cancelled = await scene.owner.request({"type": "cancel", "instance_id": hanging})
    assert cancelled["status"] == "cancelled"
    seen = len(scene.other.seen)
    assert (await scene.other.request({"type": "subscribe"}))["message"] == "subscribed"
    assert len(scene.other.seen) == seen + 1, "only the reply"


# ── owner, other, anonymous: every route ──


@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_s07_route_without_upload_reveals_no_upload(route: str, scene: Scene) -> None:
    answers: set[tuple[str, int, str]] = set()
    async with httpx.AsyncClient(base_url=scene.server.http) as http:
        # Another test may have killed a reader: wait until its replacement is ready.
        while (await http.get("/readyz")).status_code != 200:
            await asyncio.sleep(0)
        for token in (scene.owner_token, scene.other_token, None):
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            for method in ROUTES[route]:
                reply = await http.request(
                    method, f"/{route}", headers=headers, params={"id": scene.instance["id"]}
                )
                answers.add((method, reply.status_code, reply.text))
                assert not any(secret in reply.text for secret in scene.secrets())
    assert len(answers) == len(ROUTES[route]), "the response is the same for every user"


async def test_s07_route_of_another_users_upload_equals_an_unknown_id(scene: Scene) -> None:
    foreign, unknown = scene.instance["id"], str(uuid.uuid4())
    async with httpx.AsyncClient(base_url=scene.server.http) as http:

        async def answer(method: str, route: str, key: str, token: str | None) -> tuple[int, str]:
            path = (route + QUERIES.get(route, "")).replace("<uuid:upload_id>", key)
            path = re.sub("<int:[a-z]+>", "1", path)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            fields = {"correction": None} if "/pages/" in route else {"filename": "mine.png"}
            body = fields if method == "PATCH" else None
            reply = await http.request(method, f"/{path}", headers=headers, json=body)
            return reply.status_code, reply.text

        for route, methods in OWN_ROUTES.items():
            for method, status in methods.items():
                anonymous = await answer(method, route, foreign, None)
                assert anonymous[0] == 401, (method, route)
                assert anonymous == await answer(method, route, unknown, None)
                stranger = await answer(method, route, foreign, scene.other_token)
                assert stranger == await answer(method, route, unknown, scene.other_token), (method, route)
                assert stranger[0] == (404 if "<" in route + QUERIES.get(route, "") else 200), (method, route)
                assert not any(secret in stranger[1] for secret in scene.secrets())
                assert (await answer(method, route, foreign, scene.owner_token))[0] == status, (method, route)


@pytest.mark.parametrize("query", SEARCH_QUERIES)
async def test_s07_search_for_another_users_text_equals_a_search_for_nothing(
    query: str, scene: Scene
) -> None:
    async with httpx.AsyncClient(base_url=scene.server.http) as http:

        async def answer(q: str, token: str | None, **parameters: str) -> tuple[int, Any]:
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            reply = await http.get(f"/{SEARCH_ROUTE}", params={"q": q} | parameters, headers=headers)
            return reply.status_code, reply.json()

        name = scene.instance["filename"].partition(".")[0]
        q = query.replace("{name}", name)
        status, found = await answer(q, scene.owner_token, limit="100")
        assert status == 200
        assert scene.instance["id"] in [hit["upload"]["id"] for hit in found["hits"]]
        assert (await answer(q, None))[0] == 401
        # A cursor of the owner shows the other user nothing either.
        cursor = base64.urlsafe_b64encode(b"9223372036854775807:0").decode().rstrip("=")
        for parameters in ({}, {"cursor": cursor}):
            nothing = await answer("wordonnopage", scene.other_token, **parameters)
            assert nothing == (200, {"hits": [], "next": None, "complete": True})
            assert await answer(q, scene.other_token, **parameters) == nothing


# ── the functions below the API ──


@pytest.mark.django_db
def test_s07_query_for_another_users_upload_equals_an_unknown_id() -> None:
    """Both cases raise the same error with the same text."""
    from backend_main.core.errors import UploadNotFound
    from backend_main.core.uploads import queries

    upload = new_upload(new_user())
    errors = []
    for key in (upload.pk, uuid.uuid4()):
        with pytest.raises(UploadNotFound) as raised:
            queries.upload(owner=new_user(), upload_id=key)
        errors.append((str(raised.value), raised.value.fields))
    assert errors[0] == errors[1]


@pytest.mark.django_db
def test_s07_words_in_the_index_begin_with_their_owner() -> None:
    """So a search reads the places of words of its user only, and takes no longer for those of others."""
    from django.db import connection

    from backend_main.core.models import SearchEntry

    users = [new_user(), new_user()]
    for user in users:
        insert_upload(user, "a shared word", filename="shared.png")
    expected = {
        user.pk.hex[:8] + letter + word
        for user in users
        for letter, words in (("t", ("a", "shared", "word")), ("n", ("shared", "png")))
        for word in words
    }
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("CREATE VIRTUAL TABLE temp.terms USING fts5vocab(main, core_searchindex, row)")
            cursor.execute("SELECT term FROM temp.terms")
        else:
            cursor.execute("SELECT DISTINCT unnest(tsvector_to_array(vector)) FROM core_searchentry")
        assert {term for (term,) in cursor.fetchall()} == expected
        if connection.vendor == "sqlite":
            cursor.execute("DROP TABLE temp.terms")
    assert {entry.owner_id for entry in SearchEntry.objects.all()} == {user.pk for user in users}


@pytest.mark.django_db
def test_s07_search_of_users_whose_ids_begin_alike_finds_own_texts_only() -> None:
    """Words in the index begin with eight digits of the owner's id, which two users may share."""
    from backend_main.core.models import User
    from backend_main.core.search import hits

    users = [
        User.objects.create(
            pk=uuid.UUID(f"0123abcd-0000-4000-8000-00000000000{number}"), username=f"{number}"
        )
        for number in range(2)
    ]
    uploads = [insert_upload(user, "a shared word", filename="shared.png") for user in users]
    for user, upload in zip(users, uploads, strict=True):
        for q in ("shared", "word", "sha*", "name:shared"):
            assert {hit.upload.id for hit in hits.search(owner=user, q=q).hits} == {upload.pk}


@pytest.mark.django_db
def test_s07_order_of_hits_does_not_depend_on_other_users() -> None:
    from backend_main.core.search import hits

    user, other = new_user(), new_user()
    for text in ("pear apple", "apple " * 5, "pear " * 5 + "apple", "apple pear " * 3):
        insert_upload(user, text)
    order = [hit.upload.id for hit in hits.search(owner=user, q="apple pear").hits]
    for number in range(20):
        insert_upload(other, f"apple {number} " * 50)
    assert [hit.upload.id for hit in hits.search(owner=user, q="apple pear").hits] == order
    assert len(order) == 3
