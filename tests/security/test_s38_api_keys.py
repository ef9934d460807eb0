"""S38 - API keys: what they may do, where they are accepted, how they end, and that nothing stores them."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from collections.abc import Callable

import httpx
import pytest
from django.utils import timezone

from backend_main.core.auth import accounts, api_keys, authentication, user_admin
from backend_main.core.auth.authentication import Identity
from backend_main.core.auth.credentials import credential_of, credential_of_handshake
from backend_main.core.conf import conf
from backend_main.core.errors import (
    KeyLimitExceeded,
    KeyNotFound,
    RequestError,
    ScopeMissing,
    Unauthenticated,
)
from backend_main.core.models import ApiKey, User
from tests.support.accounts import Account
from tests.support.database import new_user
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import Message, WebSocketClient

KEY = f"scr_01234567_{'89abcdef' * 8}"
OTHER_KEY = f"scr_76543210_{'89abcdef' * 8}"
UNKNOWN_ID = str(uuid.uuid4())


@pytest.fixture
def ada(server: Server) -> Account:
    return Account.create(server)


@pytest.fixture
def user(db: None) -> User:
    return new_user()


def new_key(account: Account, **fields: object) -> Message:
    """Create an API key over REST and return the response."""
    body = {"name": uuid.uuid4().hex} | fields
    response = httpx.post(f"{account.server.http}/api/keys", json=body, headers=account.headers)
    assert response.status_code == 201, response.text
    found: Message = response.json()
    return found


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(name: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


# ── creation, verification, expiry, end ──


def test_s38_verify_new_key_gives_its_user_and_scopes(user: User) -> None:
    key = api_keys.create(owner=user, name="hall", scope="read")
    identity = authentication.authenticate(key.secret)
    assert (identity.user, identity.scopes, identity.key_id) == (user, {"read"}, key.key.pk)
    both = authentication.authenticate(api_keys.create(owner=user, name="attic").secret)
    assert both.scopes == {"read", "write"}
    assert api_keys.KEY_FORM.fullmatch(key.secret)


def test_s38_database_has_the_digest_of_a_key_only(user: User) -> None:
    secret = api_keys.create(owner=user, name="hall").secret
    [row] = ApiKey.objects.values_list()
    assert secret.rpartition("_")[2] not in str(row)
    assert secret.startswith(ApiKey.objects.get().prefix)


@pytest.mark.parametrize(
    "change",
    [
        lambda secret: secret[:-1] + ("0" if secret[-1] != "0" else "1"),
        lambda secret: secret[:-1],
        lambda secret: secret + "0",
        lambda secret: secret.upper().replace("SCR", "scr"),
        lambda secret: secret.rpartition("_")[0] + "_",
        lambda secret: "scr_",
        lambda secret: f"{secret}\n",
    ],
)
def test_s38_verify_changed_key_is_refused(user: User, change: Callable[[str], str]) -> None:
    secret = api_keys.create(owner=user, name="hall").secret
    with pytest.raises(Unauthenticated):
        authentication.authenticate(change(secret))


def test_s38_verify_expired_key_is_refused(user: User) -> None:
    key = api_keys.create(owner=user, name="hall", expires_in_days=1)
    assert authentication.authenticate(key.secret).expires_at == key.key.expires_at.timestamp()
    ApiKey.objects.update(expires_at=timezone.now())
    with pytest.raises(Unauthenticated):
        authentication.authenticate(key.secret)


def test_s38_revoked_key_is_refused_and_ends_its_connections(user: User) -> None:
    key = api_keys.create(owner=user, name="hall")
    identity = authentication.authenticate(key.secret)
    assert is_valid(identity)
    api_keys.revoke(owner=user, key_id=key.key.pk)
    assert not is_valid(identity)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(key.secret)
    with pytest.raises(KeyNotFound):
        api_keys.revoke(owner=user, key_id=key.key.pk)


def is_valid(identity: Identity) -> bool:
    """Return what the hub asks each second."""
    account = accounts.load_account(identity.user.pk)
    return accounts.is_credential_valid(account, identity.issued_at, identity.credential_id)


def test_s38_password_change_keeps_keys_and_deactivation_ends_them(user: User) -> None:
    secret = api_keys.create(owner=user, name="hall").secret
    identity = authentication.authenticate(secret)
    user_admin.set_password(user, "a new pass phrase")
    assert authentication.authenticate(secret).user == user
    assert is_valid(identity)
    user_admin.deactivate(user)
    assert not is_valid(identity)
    user_admin.activate(user)
    assert not is_valid(identity)
    with pytest.raises(Unauthenticated):
        authentication.authenticate(secret)


def test_s38_key_of_an_inactive_user_is_refused(user: User) -> None:
    secret = api_keys.create(owner=user, name="hall").secret
    User.objects.update(is_active=False)  # not by the command, which also revokes the key
    with pytest.raises(Unauthenticated):
        authentication.authenticate(secret)


def test_s38_deleted_user_has_no_keys(user: User) -> None:
    api_keys.create(owner=user, name="hall")
    user.delete()
    assert not ApiKey.objects.exists()


def test_s38_last_use_is_written_once_a_minute(user: User) -> None:
    secret = api_keys.create(owner=user, name="hall").secret
    authentication.authenticate(secret)
    first = ApiKey.objects.get().last_used_at
    authentication.authenticate(secret)
    assert first is not None
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - api_keys.LAST_USE_INTERVAL)
    authentication.authenticate(secret)
    assert ApiKey.objects.get().last_used_at >= first


def test_s38_keys_beyond_the_maximum_are_refused(user: User) -> None:
    keys = [ApiKey(owner=user, name=str(n), digest=str(n)) for n in range(conf.max_keys_per_user)]
    ApiKey.objects.bulk_create(keys)
    with pytest.raises(KeyLimitExceeded):
        api_keys.create(owner=user, name="hall")
    api_keys.revoke(owner=user, key_id=keys[0].pk)
    api_keys.create(owner=user, name="hall")
    api_keys.create(owner=new_user(), name="hall")


def test_s38_revoked_keys_are_deleted_after_a_day(user: User) -> None:
    key = api_keys.create(owner=user, name="hall").key
    api_keys.create(owner=user, name="attic")
    assert api_keys.revoke_all(user) == 2
    ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now() - dt.timedelta(days=1, seconds=1))
    assert api_keys.remove_revoked() == 1
    assert api_keys.active(user) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x1bb"}, "name"),
        ({"name": "hall", "scope": "admin"}, "scope"),
        ({"name": "hall", "expires_in_days": 0}, "expires_in_days"),
        ({"name": "hall", "expires_in_days": 10**9}, "expires_in_days"),
        ({"name": "taken"}, "name"),
    ],
)
def test_s38_create_with_a_bad_value_is_refused(user: User, fields: dict[str, object], field: str) -> None:
    api_keys.create(owner=user, name="taken")
    with pytest.raises(RequestError) as refused:
        api_keys.create(owner=user, **fields)  # type: ignore[arg-type]
    assert list(refused.value.fields) == [field]
    assert ApiKey.objects.count() == 1


# ── commands ──


def test_s38_commands_add_list_and_revoke_keys(ada: Account) -> None:
    def command(*arguments: str) -> str:
        run = ada.server.command("key", *arguments, "--user", ada.name)
        assert run.returncode == 0, run.stderr
        return run.stdout

    key = command("add", "hall", "--scope", "read", "--expires", "7").removesuffix("\n")
    assert api_keys.KEY_FORM.fullmatch(key)
    assert httpx.get(f"{ada.server.http}/api/me/", headers=bearer(key)).json()["username"] == ada.name
    row = json.loads(command("list", "--json"))
    assert (row["name"], row["scope"], row["prefix"]) == ("hall", "read", key[:12])
    assert key[12:] not in command("list")
    refused = ada.server.command("key", "revoke", "attic", "--user", ada.name)
    assert (refused.returncode, '"attic"' in refused.stderr) == (1, True)
    command("revoke", row["prefix"])
    assert httpx.get(f"{ada.server.http}/api/me/", headers=bearer(key)).status_code == 401
    assert command("list", "--json") == ""


# ── where a credential may be ──


@pytest.mark.parametrize(
    ("headers", "path_key", "expected"),
    [
        ({"authorization": f"Bearer {KEY}"}, None, KEY),
        ({"authorization": f"bearer  {KEY}"}, None, KEY),
        ({"x-api-key": KEY}, None, KEY),
        ({"ocp-apim-subscription-key": KEY}, None, KEY),
        ({"authorization": basic("any", KEY)["Authorization"]}, None, KEY),
        ({}, KEY, KEY),
        ({"authorization": f"Bearer {OTHER_KEY}", "x-api-key": OTHER_KEY}, KEY, KEY),
        ({"authorization": f"Bearer {KEY}", "x-api-key": OTHER_KEY}, None, KEY),
        ({"authorization": basic("any", OTHER_KEY)["Authorization"], "x-api-key": KEY}, None, KEY),
        ({"authorization": basic("admin", "of a proxy")["Authorization"]}, None, None),
        ({"authorization": basic("any", KEY)["Authorization"], "origin": "http://a"}, None, None),
        ({"authorization": "Basic !"}, None, None),
        ({"authorization": KEY}, None, None),
        ({"x-api-key": ""}, None, None),
    ],
)
def test_s38_credential_of_headers_and_path(
    headers: dict[str, str], path_key: str | None, expected: str | None
) -> None:
    encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"headers": encoded, "query_string": f"token={OTHER_KEY}".encode(), "scanrill.path_key": path_key}
    assert credential_of(scope) == expected
    assert credential_of_handshake(scope) == (expected or OTHER_KEY)


@pytest.mark.parametrize(
    ("headers", "prefix"),
    [
        (bearer, ""),
        (lambda key: {"X-API-Key": key}, ""),
        (lambda key: {"Ocp-Apim-Subscription-Key": key}, ""),
        (lambda key: basic("scanner", key), ""),
        (lambda key: bearer("of a client that must send one"), "/k/{key}"),
    ],
)
async def test_s38_rest_and_socket_accept_a_key_in_each_place(
    ada: Account, headers: Callable[[str], dict[str, str]], prefix: str
) -> None:
    key = new_key(ada)["key"]
    path = prefix.format(key=key)
    answer = httpx.get(f"{ada.server.http}{path}/api/me/", headers=headers(key))
    assert answer.json()["username"] == ada.name
    url = ada.server.url(f"{path}/ws/core/upload/")
    async with WebSocketClient(url, additional_headers=headers(key)) as socket:
        assert (await socket.request({"type": "ping"}))["type"] == "pong"
    assert httpx.get(f"{ada.server.http}/api/me/?token={key}").status_code in (400, 401)


async def test_s38_socket_accepts_a_key_in_its_query_and_by_authenticate(ada: Account) -> None:
    key = new_key(ada)["key"]
    async with WebSocketClient(ada.server.url(token=key)) as socket:
        reply = await socket.request({"type": "authenticate", "token": new_key(ada)["key"]})
        assert reply["type"] == "authenticated"
        other = new_key(Account.create(ada.server))["key"]
        assert "error" in await socket.request({"type": "authenticate", "token": other})


# ── scopes ──


def test_s38_read_key_may_read_only_over_rest(ada: Account) -> None:
    key = new_key(ada, scope="read")["key"]
    with httpx.Client(base_url=ada.server.http, headers=bearer(key), timeout=30) as http:
        for path in ("/api/me/", "/api/uploads/", "/api/engines/", "/api/search?q=x"):
            assert http.get(path).status_code == 200, path
        upload = f"/api/uploads/{UNKNOWN_ID}"
        assert http.get(f"{upload}/file").status_code == 404
        for method, path in (
            ("POST", "/api/uploads/"),
            ("PATCH", f"{upload}/"),
            ("DELETE", f"{upload}/"),
            ("POST", f"{upload}/cancel"),
            ("POST", f"{upload}/retry"),
        ):
            assert http.request(method, path).status_code == 403, path


async def test_s38_read_key_may_read_only_on_a_socket(ada: Account) -> None:
    key = new_key(ada, scope="read")["key"]
    async with WebSocketClient(ada.server.url(token=key)) as socket:
        for request in ("subscribe", "list", "ping"):
            assert "error" not in await socket.request({"type": request}), request
        refused = await socket.create(scripted_png(lines=["x"]))
        assert list(refused["error"]) == ["detail"]
        for request in ("delete", "cancel", "retry"):
            reply = await socket.request({"type": request, "instance_id": UNKNOWN_ID})
            assert list(reply["error"]) == ["detail"], request
        found = await socket.request({"type": "retrieve", "instance_id": UNKNOWN_ID})
        assert list(found["error"]) == ["instance_id"]
    assert httpx.get(f"{ada.server.http}/api/uploads/", headers=bearer(key)).json()["list"] == []


def test_s38_require_refuses_a_scope_that_the_key_lacks(user: User) -> None:
    identity = authentication.authenticate(api_keys.create(owner=user, name="hall", scope="read").secret)
    authentication.require(identity, "read")
    with pytest.raises(ScopeMissing):
        authentication.require(identity, "write")


# ── management ──


def test_s38_keys_are_created_listed_and_revoked_over_rest(ada: Account) -> None:
    created = new_key(ada, name=" hall ", scope="read", expires_in_days=30)
    secret = created.pop("key")
    with httpx.Client(base_url=ada.server.http, headers=ada.headers, timeout=30) as http:
        assert http.get("/api/keys").json() == {"keys": [created]}
        assert (created["name"], created["scope"], created["last_used_at"]) == ("hall", "read", None)
        httpx.get(f"{ada.server.http}/api/me/", headers=bearer(secret)).raise_for_status()
        assert http.get("/api/keys").json()["keys"][0]["last_used_at"]
        assert http.delete(f"/api/keys/{created['id']}").status_code == 204
        assert http.get("/api/keys").json() == {"keys": []}
    assert httpx.get(f"{ada.server.http}/api/me/", headers=bearer(secret)).status_code == 401


@pytest.mark.parametrize(
    "body", [{"name": 1}, {"name": "x", "scope": None}, {"name": "x", "expires_in_days": True}, {"x": 1}]
)
def test_s38_create_over_rest_with_a_wrong_type_is_refused(ada: Account, body: Message) -> None:
    answer = httpx.post(f"{ada.server.http}/api/keys", json=body, headers=ada.headers)
    assert answer.status_code == 400
    assert httpx.get(f"{ada.server.http}/api/keys", headers=ada.headers).json() == {"keys": []}


def test_s38_key_cannot_manage_keys_or_sessions(ada: Account) -> None:
    created = new_key(ada)
    with httpx.Client(base_url=ada.server.http, headers=bearer(created["key"]), timeout=30) as http:
        answers = [
            http.get("/api/keys"),
            http.post("/api/keys", json={"name": "x"}),
            http.delete(f"/api/keys/{created['id']}"),
            http.get("/api/sessions/"),
            http.delete(f"/api/sessions/{UNKNOWN_ID}/"),
        ]
        assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert len(httpx.get(f"{ada.server.http}/api/keys", headers=ada.headers).json()["keys"]) == 1


def test_s38_key_of_another_user_equals_an_unknown_one(ada: Account) -> None:
    created = new_key(ada)
    bob = {"headers": Account.create(ada.server).headers}
    answers = [
        httpx.delete(f"{ada.server.http}/api/keys/{key_id}", **bob) for key_id in (created["id"], UNKNOWN_ID)
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
    assert httpx.get(f"{ada.server.http}/api/keys", **bob).json() == {"keys": []}
    assert httpx.get(f"{ada.server.http}/api/keys").status_code == 401
    assert httpx.get(f"{ada.server.http}/api/me/", headers=bearer(created["key"])).status_code == 200


async def test_s38_revocation_closes_the_sockets_of_the_key(ada: Account) -> None:
    created, other = new_key(ada), new_key(ada)
    async with (
        WebSocketClient(ada.server.url(token=created["key"])) as socket,
        WebSocketClient(ada.server.url(token=other["key"])) as open_socket,
    ):
        assert (await socket.request({"type": "ping"}))["type"] == "pong"
        httpx.delete(f"{ada.server.http}/api/keys/{created['id']}", headers=ada.headers).raise_for_status()
        assert await socket.close_code() == 4401
        assert (await open_socket.request({"type": "ping"}))["type"] == "pong"


# ── nothing stores a key ──


async def test_s38_no_log_line_and_no_row_has_a_key(ada: Account) -> None:
    server, key = ada.server, new_key(ada)["key"]
    secret = key.rpartition("_")[2]
    encoded = base64.b64encode(f"x:{key}".encode()).decode()
    for headers in (bearer(key), basic("x", key), {"X-API-Key": key}, {"Referer": f"http://x/k/{key}/"}):
        for path in ("/", "/nowhere", f"/k/{key}/api/me/", f"/k/{key}/nowhere", f"/k/{key}", f"/a/{key}/"):
            httpx.get(server.http + path, headers=headers, params={"token": key})
        httpx.post(f"{server.http}/api/token/", json={"username": key, "password": key}, headers=headers)
    for path in (f"/k/{key}/ws/core/upload/", f"/k/{key}/ws/nowhere/", f"/k/{key[:-1]}/ws/core/upload/"):
        async with WebSocketClient(server.url(path)):
            pass
    httpx.get(f"{server.http}/k/{key[:-1]}/api/me/")
    assert "/k/[redacted]" in server.log
    assert secret[:-1] not in server.log
    assert encoded not in server.log
    assert secret not in str(run_query(server, "SELECT * FROM core_apikey"))
