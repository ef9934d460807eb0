"""The golden transcripts of `tests/vectors/`: the specification's examples, message by message.

A transcript uses the sockets `asking` and `watching` of one user, and the sockets that it opens. A step does
one of three things: it sends a message (`from`, `send`), it expects the next message (`to`, `message`), or it
expects any number of partials (`to`, `partials`) of certain shapes with growing texts. `until` is the text
that ends the partials. After the last step no socket may have an unread message.

`{name}` stands for an unknown value: the first one found, and equal from then on. `{time}`, `{text}`,
`{growing}`, `{added}` and `{number}` may differ each time.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.support.accounts import Account
from tests.support.message_checks import assert_no_more_messages
from tests.support.page_images import scripted_png
from tests.support.websocket_client import Message, WebSocketClient

VECTORS = sorted((Path(__file__).parents[1] / "vectors").glob("*.json"))
PLACEHOLDER = re.compile(r"\{(\w+)\}")
SHAPES = {
    "id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "created_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "epoch": r"[0-9a-f]{8}",
    "text": r"(?s:.+)",
    "growing": r"(?s:.*)",
    "added": r"(?s:.*)",
}
VARYING = ("time", "text", "growing", "added")


class Transcript:
    """The playback of one transcript. `known` maps placeholders to the values found so far."""

    def __init__(self, clients: dict[str, WebSocketClient], known: Message) -> None:
        self.clients = clients
        self.known = known
        self._unconsumed: dict[str, Message] = {}

    async def send(self, step: Message) -> None:
        await self.clients[step["from"]].send(self.fill_placeholders(step["send"]))

    async def expect(self, step: Message) -> None:
        message = await self._next(step["to"])
        assert self.resolve(step["message"], message) == message

    async def expect_partials(self, step: Message) -> None:
        partials = step["partials"]
        shapes, text = partials if isinstance(partials, list) else [partials], ""
        while (message := await self._next(step["to"])).get("status") == "processing":
            assert message in [self.resolve(shape, message) for shape in shapes]
            if not message.get("offset"):
                assert message["streamed_text"].startswith(text)
                text = message["streamed_text"]
            if message["streamed_text"] == step.get("until"):
                return
        self._unconsumed[step["to"]] = message

    async def _next(self, socket: str) -> Message:
        return self._unconsumed.pop(socket, None) or await self.clients[socket].receive()

    def fill_placeholders(self, value: Any) -> Any:
        """Replace the placeholders in a value by their known values."""
        if isinstance(value, dict):
            return {key: self.fill_placeholders(item) for key, item in value.items()}
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda found: str(self.known[found[1]]), value)
        return value

    def resolve(self, pattern: Any, actual: Any) -> Any:
        """Return the pattern with placeholders replaced from `actual`; it differs where it does not match."""
        if isinstance(pattern, dict) and isinstance(actual, dict):
            return {key: self.resolve(item, actual.get(key)) for key, item in pattern.items()}
        if isinstance(pattern, list) and isinstance(actual, list):
            rest = pattern[len(actual) :]
            return [self.resolve(*pair) for pair in zip(pattern, actual, strict=False)] + rest
        if pattern == "{number}" and isinstance(actual, int):
            return actual
        if isinstance(pattern, str) and (name := PLACEHOLDER.fullmatch(pattern)) and name[1] in self.known:
            return self.known[name[1]]
        if isinstance(pattern, str) and isinstance(actual, str):
            return self._resolve_text(pattern, actual)
        return pattern

    def _resolve_text(self, pattern: str, actual: str) -> str:
        parts = PLACEHOLDER.split(pattern)
        names = parts[1::2]
        for index, name in enumerate(names):
            known = self.known.get(name)
            shape = SHAPES[name] if known is None else re.escape(str(known))
            parts[2 * index + 1] = f"({shape})"
        parts[::2] = [re.escape(literal) for literal in parts[::2]]
        found = re.fullmatch("".join(parts), actual)
        if found is None:
            return pattern
        self.known |= {
            name: value for name, value in zip(names, found.groups(), strict=True) if name not in VARYING
        }
        return actual


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
async def test_server_follows_the_transcript(alice: Account, path: Path) -> None:
    vector = json.loads(path.read_text())
    image = scripted_png(**vector.get("image", {}))
    known: Message = {
        "owner": alice.name,
        "token": alice.mint(),
        "image": base64.b64encode(image).decode(),
        "hash": hashlib.sha256(image).hexdigest(),
        "bytes": len(image),
    }
    async with AsyncExitStack() as stack:
        clients = {name: await stack.enter_async_context(alice.client()) for name in ("asking", "watching")}
        transcript = Transcript(clients, known)
        for step in vector["steps"]:
            if "send" in step:
                await transcript.send(step)
            elif "message" in step:
                await transcript.expect(step)
            elif "partials" in step:
                await transcript.expect_partials(step)
            else:
                url = alice.server.url(transcript.fill_placeholders(step["path"]), token=alice.mint())
                clients[step["open"]] = await stack.enter_async_context(WebSocketClient(url))
        for client in clients.values():
            await assert_no_more_messages(client)


def test_vectors_directory_has_at_least_twenty_transcripts() -> None:
    """A moved directory must not make the transcript tests pass vacuously."""
    assert len(VECTORS) >= 20
