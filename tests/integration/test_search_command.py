"""Commands `search` and `rebuild-index` beside a running server."""

from __future__ import annotations

import json

import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server


@pytest.fixture
async def reader(server: Server) -> Account:
    """A user with a page of three lines."""
    account = Account.create(server)
    async with account.client() as client:
        created = await client.create(scripted_png(lines=["above", "a needle in hay", "below"]))
        await client.terminal_message(created["instance"]["id"])
    return account


async def test_search_command_prints_hits_or_exits_with_1(server: Server, reader: Account) -> None:
    found = server.command("search", "--user", reader.name, "Needle", "hay")
    assert (found.returncode, found.stderr) == (0, "")
    title, snippet = found.stdout.splitlines()
    assert ", page 1 (" in title
    assert snippet == "    above a needle in hay below"
    nothing = server.command("search", "--user", reader.name, "needle", "-hay")
    assert nothing.returncode == 2  # an option of the command
    nothing = server.command("search", "--user", reader.name, "--", "needle", "-hay")
    assert (nothing.returncode, nothing.stdout) == (1, "")
    invalid = server.command("search", "--user", reader.name, "status:none needle")
    assert (invalid.returncode, invalid.stdout) == (1, "")
    assert "“none” is not a valid status" in invalid.stderr


async def test_rebuild_index_command_keeps_what_search_finds(server: Server, reader: Account) -> None:
    before = json.loads(server.command("search", "--user", reader.name, "--json", "needle").stdout)
    rebuilt = server.command("rebuild-index")
    assert rebuilt.returncode == 0
    assert rebuilt.stdout.startswith("Indexed ")
    after = json.loads(server.command("search", "--user", reader.name, "--json", "needle").stdout)
    assert after == before
    [hit] = after["hits"]
    assert (hit["page"], [line["text"] for line in hit["lines"]]) == (1, ["a needle in hay"])
    assert len(hit["lines"][0]["boxes"]) == 1
