"""Prefixes of paths: the path of a reverse proxy, and the key of `/k/{key}/…`."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from backend_main.core.auth.credentials import PATH_KEY
from backend_main.core.conf import conf, load
from backend_main.core.errors import CommandError
from backend_main.core.http import path_prefix
from backend_main.core.http.path_prefix import link_prefix, path_prefix_middleware, with_forwarded_prefix


async def seen(path: str, *, forwarded: str | None = None, kind: str = "http") -> Any:
    """Return the scope that the application gets for a request; None: it gets none."""
    scopes: list[dict[str, Any]] = []

    async def application(scope: dict[str, Any], _receive: object, _send: object) -> None:
        scopes.append(scope)

    async def send(_message: object) -> None:
        pass

    headers = [] if forwarded is None else [(b"x-forwarded-prefix", forwarded.encode())]
    scope = {"type": kind, "path": path, "headers": headers}
    if forwarded is not None:
        scope = with_forwarded_prefix(scope)
    await path_prefix_middleware(application)(scope, None, send)
    return scopes[0] if scopes else None


@pytest.mark.parametrize("kind", ["http", "websocket"])
@pytest.mark.parametrize(
    ("path", "forwarded", "expected", "key", "prefix"),
    [
        ("/api/me/", None, "/api/me/", None, ""),
        ("/k/a/api/me/", None, "/api/me/", "a", "/k/a"),
        ("/k/a b/api/me/", None, "/api/me/", "a b", "/k/a%20b"),
        ("/k/a", None, "/", "a", "/k/a"),
        ("/k//api/me/", None, "/api/me/", "", ""),
        ("/kk/a/", None, "/kk/a/", None, ""),
        ("/scan/api/me/", "/scan", "/api/me/", None, "/scan"),
        ("/api/me/", "/scan", "/api/me/", None, "/scan"),
        ("/scanner/", "/scan", "/scanner/", None, "/scan"),
        ("/a/b/k/c/d", "/a/b/", "/d", "c", "/a/b/k/c"),
        ("/scan/scan/x", "/scan", "/scan/x", None, "/scan"),
        ("/x/api/me/", "//x", "/x/api/me/", None, ""),
        ("/x/api/me/", "x", "/x/api/me/", None, ""),
        ("/x/api/me/", "/x\r\ny: z", "/x/api/me/", None, ""),
        ("/x/api/me/", "/x?", "/x/api/me/", None, ""),
        ("/api/me/", "/api", "/api/me/", None, ""),
        ("/x/", "/", "/x/", None, ""),
    ],
)
async def test_path_prefix_is_removed_from_the_path_and_kept_for_links(
    kind: str, path: str, forwarded: str | None, expected: str, key: str | None, prefix: str
) -> None:
    scope = await seen(path, forwarded=forwarded, kind=kind)
    assert (scope["path"], scope.get(PATH_KEY), link_prefix(scope)) == (expected, key, prefix)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/api/uploads/1", "/scan/k/a/api/uploads/1"),
        ("/scan/k/a/api/uploads/1", "/scan/k/a/api/uploads/1"),
        ("https://elsewhere.example/", "https://elsewhere.example/"),
        ("1", "1"),
    ],
)
async def test_path_prefix_is_added_to_the_location_of_a_response(location: str, expected: str) -> None:
    sent: list[Any] = []

    async def application(_scope: object, _receive: object, send: Any) -> None:
        headers = [(b"Location", location.encode()), (b"x", b"/y")]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    async def send(message: object) -> None:
        sent.append(message)

    scope = with_forwarded_prefix(
        {"type": "http", "path": "/k/a/api/uploads/", "headers": [(b"x-forwarded-prefix", b"/scan")]}
    )
    await path_prefix_middleware(application)(scope, None, send)
    assert sent[0]["headers"] == [(b"Location", expected.encode()), (b"x", b"/y")]
    assert sent[1]["type"] == "http.response.body"


async def test_path_prefix_of_the_setting_wins_over_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path_prefix, "conf", msgspec.structs.replace(conf, root_path="/a"))
    assert link_prefix(await seen("/a/x", forwarded="/b")) == "/a"
    assert await seen("/a") is None, "it redirects"
    assert (await seen("/a", kind="websocket"))["path"] == "/a"


@pytest.mark.parametrize("value", ["scan", "/scan/", "/", "//scan", "/a b", "/a/?x", "/api", "/ws/x", "/k"])
def test_path_prefix_setting_that_is_not_a_path_is_refused(value: str) -> None:
    with pytest.raises(CommandError, match="SCANRILL_ROOT_PATH"):
        load({"SCANRILL_ROOT_PATH": value})


@pytest.mark.parametrize("value", ["", "/scan", "/a/b.c~d", "/apis", "/keys"])
def test_path_prefix_setting_that_is_a_path_is_accepted(value: str) -> None:
    assert load({"SCANRILL_ROOT_PATH": value}).root_path == value
