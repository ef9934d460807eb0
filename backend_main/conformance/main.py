"""Command `scanrill-conformance`: plays every golden transcript against a server, and prints the result."""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import json
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from .images import scripted_png
from .transcript import Message, Mismatch, Socket, Transcript

try:
    import websockets
except ModuleNotFoundError:
    sys.exit("scanrill-conformance needs websockets. Install it: pip install 'scanrill[conformance]'")

INSTALLED = Path(__file__).with_name("vectors")
CHECKOUT = Path(__file__).parents[2] / "tests" / "vectors"
PATH = "/ws/core/upload/"
TIMEOUT_SECONDS = 60.0
FAILED, UNREACHABLE = 1, 2


class WebSocket:
    """Connection over a WebSocket."""

    def __init__(self, connection: websockets.ClientConnection) -> None:
        self._connection = connection

    async def send(self, message: Message) -> None:
        await self._connection.send(json.dumps(message))

    async def receive(self) -> Message:
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                message: Message = json.loads(await self._connection.recv())
        except TimeoutError:
            raise Mismatch(f"expected a message, got none for {TIMEOUT_SECONDS:.0f} s") from None
        except websockets.ConnectionClosed as closed:
            raise Mismatch(f"expected a message, got the close code {closed.code}") from None
        return message


def main() -> None:
    """Run the command. Exit codes: 0 all points passed, 1 a point failed, 2 no connection."""
    parser = argparse.ArgumentParser("scanrill-conformance", description=__doc__)
    parser.add_argument("url", help="address of the server, such as http://127.0.0.1:8000")
    parser.add_argument("--token", help="access token or API key; default: $SCANRILL_TOKEN")
    parser.add_argument("--only", metavar="NAME", help="play only the transcript of this name")
    arguments = parser.parse_args()
    token = arguments.token or os.environ.get("SCANRILL_TOKEN")
    if not token:
        parser.error("a token is needed: give --token or set SCANRILL_TOKEN")
    paths = [path for path in vectors() if arguments.only in (None, path.stem)]
    if not paths:
        parser.error(f"no transcript is named {arguments.only}; see tests/vectors")
    try:
        failures = asyncio.run(run(arguments.url, token, paths))
    except (OSError, websockets.WebSocketException) as error:
        sys.stderr.write(f"No connection to {arguments.url}: {error}. Check the address and the token.\n")
        sys.exit(UNREACHABLE)
    sys.exit(FAILED if failures else 0)


def vectors() -> list[Path]:
    """Return the files of all transcripts, in the order of their numbers."""
    return sorted((INSTALLED if INSTALLED.is_dir() else CHECKOUT).glob("*.json"))


async def run(url: str, token: str, paths: list[Path]) -> int:
    """Play the transcripts, print a line for each, and return the number that failed."""
    failures = 0
    numbers = {path: number for number, path in enumerate(vectors(), 1)}
    for path in paths:
        vector = json.loads(path.read_text())
        failure = await play(url, token, vector)
        failures += failure is not None
        result = f"ok, {len(vector['steps'])} points"
        if failure is not None:
            result = f"FAILED at {numbers[path]}.{failure[0]}: {failure[1]}"
        _write(f"{numbers[path]:>2} {path.stem}: {result}")
    _write(f"{len(paths) - failures} of {len(paths)} transcripts passed.")
    return failures


async def play(url: str, token: str, vector: dict[str, Any]) -> tuple[int, str] | None:
    """Play a transcript. Return the number of the step that failed and the reason; None if all passed."""
    image = scripted_png(vector.get("image", {}))
    known: Message = {
        "token": token,
        "image": base64.b64encode(image).decode(),
        "hash": hashlib.sha256(image).hexdigest(),
        "bytes": len(image),
    }
    point = 0
    async with AsyncExitStack() as stack:

        async def open_socket(_name: str, path: str) -> Socket:
            return WebSocket(await stack.enter_async_context(websockets.connect(_address(url, path, token))))

        sockets = {name: await open_socket(name, PATH) for name in ("asking", "watching")}
        transcript = Transcript(sockets, known)
        try:
            for step in vector["steps"]:
                point += 1
                await transcript.play(step, open_socket)
            await transcript.expect_no_more_messages()
        except Mismatch as mismatch:
            return point, str(mismatch)
    return None


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _address(url: str, path: str, token: str) -> str:
    """Return the address of a WebSocket below the address of the server."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/") + path, f"token={token}", ""))


if __name__ == "__main__":
    main()
