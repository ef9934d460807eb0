"""A server below a path of a reverse proxy: REST, sign-in, socket and the Python client."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from scanrill_client import Client

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.prefix_proxy import PrefixProxy, running_proxy
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

PREFIX = "/scan"


@pytest.fixture(scope="module")
def prefixed_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("prefixed") / "data", ROOT_PATH=PREFIX).start()
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module", params=[True, False], ids=["stripped", "kept"])
def proxy(request: pytest.FixtureRequest, prefixed_server: Server) -> Iterator[PrefixProxy]:
    with running_proxy(prefixed_server.port, PREFIX, strips=request.param) as proxy:
        yield proxy
        assert proxy.outside == []


def test_path_prefix_serves_page_and_assets(proxy: PrefixProxy) -> None:
    page = httpx.get(f"{proxy.http}/")
    assert page.status_code == 200
    assert 'src="./assets/' in page.text
    assert "assets/" not in page.text.replace('"./assets/', "")


def test_path_prefix_sets_cookies_for_its_own_path(proxy: PrefixProxy, prefixed_server: Server) -> None:
    ada = Account.create(prefixed_server)
    origin = proxy.http.removesuffix(PREFIX)
    with httpx.Client(base_url=proxy.http, headers={"Origin": origin}) as http:
        response = http.post("/api/token/code/", json={"code": ada.sign_in_code()})
        assert response.headers.get_list("Set-Cookie")
        assert all(f"Path={PREFIX}/api/token/" in value for value in response.headers.get_list("Set-Cookie"))
        assert http.post("/api/token/refresh/", json={}).status_code == 200
        assert http.delete("/api/token/").status_code == 204
        assert "scanrill_refresh" not in http.cookies


async def test_path_prefix_serves_sockets_and_keys_in_the_path(
    proxy: PrefixProxy, prefixed_server: Server
) -> None:
    ada = Account.create(prefixed_server)
    url = proxy.http.replace("http", "ws", 1)
    async with WebSocketClient(f"{url}/ws/core/upload/?token={ada.mint()}") as socket:
        assert (await socket.request({"type": "ping"}))["type"] == "pong"
    created = httpx.post(f"{proxy.http}/api/keys", json={"name": "hall"}, headers=ada.headers).json()
    assert httpx.get(f"{proxy.http}/k/{created['key']}/api/me/").json()["username"] == ada.name
    async with WebSocketClient(f"{url}/k/{created['key']}/ws/core/upload/") as socket:
        assert (await socket.request({"type": "ping"}))["type"] == "pong"


def test_path_prefix_serves_the_python_client(proxy: PrefixProxy, prefixed_server: Server) -> None:
    with Client(proxy.http, token=Account.create(prefixed_server).mint()) as client:
        assert client.read(scripted_png(lines=["Total 12.00"]), filename="a.png") == "Total 12.00"


def test_path_prefix_without_its_slash_redirects_to_the_page(prefixed_server: Server) -> None:
    response = httpx.get(f"{prefixed_server.http}{PREFIX}")
    assert (response.status_code, response.headers["Location"]) == (308, f"{PREFIX}/")
    assert httpx.get(f"{prefixed_server.http}{PREFIX}nning/").status_code == 404
