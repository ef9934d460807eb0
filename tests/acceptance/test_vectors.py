"""The golden transcripts of `tests/vectors/`, one for each example of the specification, word for word.

A transcript plays on the sockets `asking` and `watching` of one user, and on those that it opens. A step
sends a message (`from`, `send`), expects the next one (`to`, `message`), or any number of partials (`to`,
`partials`) of one shape, or of one of several, whose texts only grow; `until` says with which text of theirs
it goes on. After the last step nothing may be left unheard on any socket.

`{name}` stands for a value that is not known beforehand: the first one met, and the same ever after.
`{time}`, `{text}`, `{growing}`, `{added}` and `{number}` may be another each time.
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
FREE = ("time", "text", "growing", "added")


class Transcript:
    """`known` are the values of the placeholders so far."""

    def __init__(self, clients: dict[str, WebSocketClient], known: Message) -> None:
        self.clients = clients
        self.known = known
        self._passed_over: dict[str, Message] = {}

    async def send(self, step: Message) -> None:
        await self.clients[step["from"]].send(self.filled(step["send"]))

    async def expect(self, step: Message) -> None:
        message = await self._next(step["to"])
        assert self.explained(step["message"], message) == message

    async def expect_partials(self, step: Message) -> None:
        given = step["partials"]
        shapes, text = given if isinstance(given, list) else [given], ""
        while (message := await self._next(step["to"])).get("status") == "processing":
            assert message in [self.explained(shape, message) for shape in shapes]
            if not message.get("offset"):
                assert message["streamed_text"].startswith(text)
                text = message["streamed_text"]
            if message["streamed_text"] == step.get("until"):
                return
        self._passed_over[step["to"]] = message

    async def _next(self, socket: str) -> Message:
        return self._passed_over.pop(socket, None) or await self.clients[socket].receive()

    def filled(self, value: Any) -> Any:
        """A value with the placeholders replaced."""
        if isinstance(value, dict):
            return {key: self.filled(item) for key, item in value.items()}
        if isinstance(value, str):
            return PLACEHOLDER.sub(lambda found: str(self.known[found[1]]), value)
        return value

    def explained(self, pattern: Any, actual: Any) -> Any:
        """The pattern with what stands in the message for its placeholders; unequal where it does not fit."""
        if isinstance(pattern, dict) and isinstance(actual, dict):
            return {key: self.explained(item, actual.get(key)) for key, item in pattern.items()}
        if isinstance(pattern, list) and isinstance(actual, list):
            rest = pattern[len(actual) :]
            return [self.explained(*pair) for pair in zip(pattern, actual, strict=False)] + rest
        if pattern == "{number}" and isinstance(actual, int):
            return actual
        if isinstance(pattern, str) and (name := PLACEHOLDER.fullmatch(pattern)) and name[1] in self.known:
            return self.known[name[1]]
        if isinstance(pattern, str) and isinstance(actual, str):
            return self._explained_text(pattern, actual)
        return pattern

    def _explained_text(self, pattern: str, actual: str) -> str:
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
            name: value for name, value in zip(names, found.groups(), strict=True) if name not in FREE
        }
        return actual


@pytest.mark.parametrize("path", VECTORS, ids=lambda path: path.stem)
async def test_the_server_keeps_to_the_transcript(alice: Account, path: Path) -> None:
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
                url = alice.server.url(transcript.filled(step["path"]), token=alice.mint())
                clients[step["open"]] = await stack.enter_async_context(WebSocketClient(url))
        for client in clients.values():
            await assert_no_more_messages(client)


def test_there_are_transcripts() -> None:
    """A moved directory must not pass for a server that keeps to all of none."""
    assert len(VECTORS) >= 20
