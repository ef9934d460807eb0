"""MCP: the tools over HTTP and over standard input and output, with the official client."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client

from tests.support.page_images import scripted_png
from tests.support.server import SCANRILL, Server

TOOLS = ["read_file", "list_files", "get_text", "search"]
Connect = Callable[[Server, str], AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def user(server: Server) -> str:
    return server.user()


@pytest.fixture(scope="module")
def key(server: Server, user: str) -> str:
    return new_key(server, user, "write")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mcp") / "letter.png"
    path.write_bytes(scripted_png(lines=["# Letter", "A heron stands here"]))
    return path


def new_key(server: Server, user: str, scope: str) -> str:
    added = server.command("key", "add", f"mcp-{scope}", "--user", user, "--scope", scope)
    assert added.returncode == 0, added.stderr
    return added.stdout.split()[-1]


@asynccontextmanager
async def over_http(server: Server, key: str) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {key}"}) as http,
        Client(streamable_http_client(f"{server.http}/mcp", http_client=http)) as client,
    ):
        yield client


@asynccontextmanager
async def over_stdio(server: Server, key: str) -> AsyncIterator[Client]:
    [command, *arguments] = SCANRILL
    parameters = StdioServerParameters(
        command=command, args=[*arguments, "mcp", "--server", server.http], env={"SCANRILL_API_KEY": key}
    )
    async with Client(parameters) as client:
        yield client


async def call(client: Client, name: str, **arguments: object) -> str:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    return text_of(result)


def text_of(result: object) -> str:
    [content] = result.content  # type: ignore[attr-defined]
    text: str = content.text
    return text


def file_arguments(connect: Connect, page: Path) -> dict[str, str]:
    if connect is over_stdio:
        return {"path": str(page)}
    return {"content_base64": base64.b64encode(page.read_bytes()).decode(), "filename": page.name}


@pytest.mark.parametrize("connect", [over_http, over_stdio])
async def test_tools_read_list_search_and_return_text(
    server: Server, key: str, page: Path, connect: Connect
) -> None:
    async with connect(server, key) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
        text = await call(client, "read_file", **file_arguments(connect, page))
        [listed] = json.loads(await call(client, "list_files", limit=5))
        [hit] = json.loads(await call(client, "search", query="heron"))
        again = await call(client, "get_text", id=listed["id"], pages="1")
    assert text == again == "# Letter\n\nA heron stands here\n"
    assert (listed["filename"], listed["status"]) == ("letter.png", "processed")
    assert (hit["id"], hit["page"]) == (listed["id"], 1)


@pytest.mark.parametrize("connect", [over_http, over_stdio])
async def test_tool_with_an_unknown_id_returns_an_error(server: Server, key: str, connect: Connect) -> None:
    async with connect(server, key) as client:
        result = await client.call_tool("get_text", {"id": "00000000-0000-4000-8000-000000000000"})
    assert (result.is_error, text_of(result)) == (True, "You have no upload with this id.")


async def test_tool_finds_no_file_of_another_user(server: Server, key: str, page: Path) -> None:
    async with over_http(server, key) as client:
        await call(client, "read_file", **file_arguments(over_http, page))
        [own] = json.loads(await call(client, "list_files"))
    async with over_http(server, new_key(server, server.user(), "read")) as client:
        listed = await call(client, "list_files")
        found = await call(client, "search", query="heron")
        result = await client.call_tool("get_text", {"id": own["id"]})
    assert (listed, found, result.is_error) == ("[]", "[]", True)


async def test_read_file_over_http_makes_an_upload_that_says_so(server: Server, key: str, page: Path) -> None:
    async with over_http(server, key) as client:
        await call(client, "read_file", **file_arguments(over_http, page))
        [own] = json.loads(await call(client, "list_files"))
    upload = httpx.get(f"{server.http}/api/uploads/{own['id']}", headers={"X-API-Key": key}).json()
    assert upload["metadata"] == {"via": "mcp"}


async def test_read_file_with_a_key_that_may_only_read_is_refused(
    server: Server, user: str, page: Path
) -> None:
    async with over_http(server, new_key(server, user, "read")) as client:
        result = await client.call_tool("read_file", file_arguments(over_http, page))
    assert result.is_error
    assert "`write` scope" in text_of(result)


async def test_tool_with_invalid_arguments_names_them(server: Server, key: str) -> None:
    async with over_http(server, key) as client:
        result = await client.call_tool("search", {"query": 3})
    assert result.is_error
    assert "$.query" in text_of(result)


def test_mcp_without_a_key_is_401(server: Server) -> None:
    assert httpx.post(f"{server.http}/mcp", json={}).status_code == 401


def test_mcp_command_without_a_key_says_which_option(server: Server) -> None:
    ended = server.command("mcp", "--server", server.http)
    assert (ended.returncode, "--api-key" in ended.stderr) == (2, True), sys.executable
