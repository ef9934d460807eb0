"""H3 - JSON of many small values takes many times the memory of its text: only two strings may be long."""

from __future__ import annotations

import base64
import json
import tracemalloc
from contextlib import closing

import pytest

from backend_main.core.errors import ProtocolError
from backend_main.core.protocol import parsing
from tests.support.accounts import Account
from tests.support.http_client import HttpClient
from tests.support.memory_monitor import MemoryMonitor
from tests.support.page_images import scripted_png
from tests.support.server import Server

MIB = 1024 * 1024
ARRAYS_BYTES = 40 * MIB
# The message while it arrives and as one text; without the limit it took 1017 MiB.
MAX_GROWTH_BYTES = 4 * ARRAYS_BYTES + 64 * MIB
# Documented in docs/pages/how-to/limits.md.
MAX_FACTOR = 40
# The values that take most memory for their text.
DENSE_VALUES = ["[],", "[[]],", "{},", '{"":0},', '{"":{}},', '{"a":1},', '{"Ж":[]},', '"Ж",', "1.5,", "999,"]


def many(value: str, size: int) -> str:
    return "[" + value * (size // len(value)) + "0]"


def message_with(kind: str, junk: str, extra: str = "") -> str:
    return f'{{"type":"{kind}","ref":"big","junk":{junk}{extra}}}'


@pytest.mark.parametrize("kind", ["subscribe", "update", "create", "unknown"])
async def test_h3_message_of_many_arrays_is_an_error_and_takes_little_memory(
    server: Server, kind: str
) -> None:
    async with Account.create(server).client() as client:
        with MemoryMonitor(server) as monitor:
            await client.send_text(message_with(kind, many("[],", ARRAYS_BYTES)))
            reply = await client.receive()
        assert f"{parsing.MAX_ENVELOPE_CHARACTERS} characters" in reply["error"]["message"]
        assert await client.request({"type": "ping"}) == {"type": "pong"}
    assert monitor.growth < MAX_GROWTH_BYTES


@pytest.mark.parametrize("before", [True, False])
def test_h3_many_values_around_the_base64_are_an_error(before: bool) -> None:
    junk = '"junk":' + many("[],", parsing.MAX_ENVELOPE_CHARACTERS)
    data = '"data":{"image_base64":"' + "QUFB" * 100_000 + '"}'
    frame = '{"type":"create",' + ",".join([junk, data] if before else [data, junk]) + "}"
    with pytest.raises(ProtocolError, match=f"{parsing.MAX_ENVELOPE_CHARACTERS} characters"):
        parsing.parse_request(frame)


def test_h3_patch_of_many_arrays_is_an_error_and_takes_little_memory(server: Server) -> None:
    client = HttpClient(server, Account.create(server).mint())
    body = ('{"junk":' + many("[],", ARRAYS_BYTES) + "}").encode()
    headers = {"Content-Type": "application/json"}
    path = client.read(scripted_png())
    with closing(client.http), MemoryMonitor(server) as monitor:
        assert client.http.patch(f"{path}/", content=body, headers=headers).status_code in (400, 413)
        assert client.http.post(f"{path}/retry", content=body, headers=headers).status_code in (400, 413)
    assert monitor.growth < MAX_GROWTH_BYTES


@pytest.mark.parametrize("value", DENSE_VALUES)
def test_h3_parsed_json_takes_at_most_the_documented_factor(value: str) -> None:
    text = '{"junk":' + many(value, parsing.MAX_ENVELOPE_CHARACTERS - 100) + "}"
    tracemalloc.start()
    try:
        parsing.json_object(text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MAX_FACTOR * len(text)


async def test_h3_large_base64_with_escaped_slashes_is_stored(server: Server) -> None:
    """Some JSON encoders escape slashes and plus signs."""
    image = scripted_png() + bytes(range(256)) * 8000
    encoded = json.dumps(base64.b64encode(image).decode())
    encoded = encoded.replace("/", "\\/").replace("+", "\\u002B")
    assert len(encoded) > 2 * MIB
    async with Account.create(server).client() as client:
        await client.send_text('{"type":"create","data":{"image_base64":' + encoded + "}}")
        reply = await client.receive()
        again = await client.create(image)
    assert "error" not in reply
    assert again["duplicate"]
    assert again["instance"]["id"] == reply["instance"]["id"]


@pytest.mark.parametrize("ensure_ascii", [True, False])
async def test_h3_longest_correction_is_stored_and_a_longer_one_is_an_error(
    server: Server, ensure_ascii: bool
) -> None:
    correction = "Ж" * parsing.MAX_CORRECTION_CHARACTERS
    async with Account.create(server).client() as client:
        created = await client.create(scripted_png())
        for text, is_error in [(correction, False), (correction + "x", True)]:
            update = {
                "type": "update",
                "ref": "update",
                "instance_id": created["instance"]["id"],
                "data": {"processed_text": text},
            }
            await client.send_text(json.dumps(update, ensure_ascii=ensure_ascii))
            reply = await client.receive_until(lambda message: message.get("ref") == "update")
            assert reply["type"] == "Upload.updated"
            assert ("error" in reply) == is_error
            if is_error:
                assert reply["error"].keys() == {"processed_text"}
            else:
                assert reply["instance"]["processed_text"] == text
