"""Playback of one golden transcript.

A transcript uses the sockets `asking` and `watching` of one user, and the sockets that it opens. A step does
one of three things: it sends a message (`from`, `send`), it expects the next message (`to`, `message`), or it
expects any number of partials (`to`, `partials`) of certain shapes with growing texts. `until` is the text
that ends the partials. After the last step no socket may have an unread message.

`{name}` stands for an unknown value: the first one found, and equal from then on. `{time}`, `{text}`,
`{growing}`, `{added}` and `{number}` may differ each time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

Message = dict[str, Any]
Open = Callable[[str, str], Awaitable["Socket"]]
"""Opens a socket by its name and its path."""
PLACEHOLDER = re.compile(r"\{(\w+)\}")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"
SHAPES = {
    "id": r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "owner": r"(?s:.+)",
    "created_at": TIME,
    "time": TIME,
    "epoch": r"[0-9a-f]{8}",
    "text": r"(?s:.+)",
    "growing": r"(?s:.*)",
    "added": r"(?s:.*)",
}
VARYING = ("time", "text", "growing", "added")
LAST_REF = "nothing more"


class Mismatch(AssertionError):
    """A message that the transcript does not have; the text says what was expected."""


class Socket(Protocol):
    """Connection to the server."""

    async def send(self, message: Message) -> None: ...

    async def receive(self) -> Message: ...


class Transcript:
    """Playback of one transcript.

    Attributes:
        sockets: The open sockets by name.
        known: The values of placeholders found so far.
    """

    def __init__(self, sockets: dict[str, Socket], known: Message) -> None:
        self.sockets = sockets
        self.known = known
        self._unconsumed: dict[str, Message] = {}

    async def play(self, step: Message, open_socket: Open) -> None:
        """Play one step. Raises `Mismatch`."""
        if "send" in step:
            await self.sockets[step["from"]].send(self.fill_placeholders(step["send"]))
        elif "message" in step:
            message = await self._next(step["to"])
            _require([self.resolve(step["message"], message)], message)
        elif "partials" in step:
            await self._expect_partials(step)
        else:
            path = self.fill_placeholders(step["path"])
            self.sockets[step["open"]] = await open_socket(step["open"], path)

    async def expect_no_more_messages(self) -> None:
        """Check that the reply to a request sent now is the very next message. Raises `Mismatch`."""
        for name, socket in self.sockets.items():
            await socket.send({"type": "subscribe", "ref": LAST_REF})
            message = await self._next(name)
            if message.get("ref") != LAST_REF:
                raise Mismatch(f"{name} got a message that no step expects: {json.dumps(message)}")

    async def _expect_partials(self, step: Message) -> None:
        partials = step["partials"]
        shapes, text = partials if isinstance(partials, list) else [partials], ""
        while (message := await self._next(step["to"])).get("status") == "processing":
            _require([self.resolve(shape, message) for shape in shapes], message)
            if not message.get("offset"):
                if not message["streamed_text"].startswith(text):
                    raise Mismatch(f"The text does not grow: {message['streamed_text']!r} after {text!r}")
                text = message["streamed_text"]
            if message["streamed_text"] == step.get("until"):
                return
        self._unconsumed[step["to"]] = message

    async def _next(self, socket: str) -> Message:
        return self._unconsumed.pop(socket, None) or await self.sockets[socket].receive()

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


def _require(expected: list[Any], message: Message) -> None:
    if message not in expected:
        wanted = " or ".join(json.dumps(one, ensure_ascii=False) for one in expected)
        raise Mismatch(f"expected {wanted}, got {json.dumps(message, ensure_ascii=False)}")
