"""Generator of the page of transcripts from `tests/vectors/`, with example values for its placeholders.

The acceptance tests compare the server's messages with each transcript, so a client gets what the page shows.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from backend_main.core.errors import ProtocolError
from backend_main.core.protocol import parsing

from . import descriptions
from .markdown import indented, joined, json_block, page, type_hints

VECTORS = Path(__file__).parents[2] / "tests" / "vectors"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
HASH = hashlib.sha256(b"a scan").hexdigest()
VALUES: dict[str, Any] = {
    "id": "3f0c9a52-6d1e-4b7a-9f3d-5a2c8e417b60",
    "owner": "ada",
    "epoch": "9f2c41d0",
    "token": "eyJhbGciOiJIUzI1NiIs…",
    "image": "iVBORw0KGgoAAAANSUhEUgAA…",
    "hash": HASH,
    "bytes": 48213,
    "created_at": "2026-11-22T09:14:03.512408Z",
    "time": "2026-11-22T09:14:05.270911Z",
    "growing": "# Title\n\none",
    "added": "\ntwo",
    "number": 4,
    "text": "A sentence about the error.",
}
# Pages of the transcripts are eight pixels wide, which would make a poor example.
LINE = {"box": [[90, 412], [742, 412], [742, 438], [90, 438]], "width": 1000, "height": 1300}
Step = dict[str, Any]


def page_of_transcripts() -> str:
    return page(
        "Transcripts",
        "Complete exchanges between clients and the server, message by message.",
        "In each transcript one user has two sockets open: `asking`, which sends requests, and `watching`, "
        "which only receives. The tests run every transcript against a real server, and accept no message "
        "and no key less or more. Ids, times and sizes are examples.",
        *(_transcript(path) for path in sorted(VECTORS.glob("*.json"))),
    )


def names() -> list[str]:
    """Return the names of all transcripts."""
    return [path.stem for path in sorted(VECTORS.glob("*.json"))]


def exchange(request: str) -> tuple[Any, Any]:
    """Return the simplest successful request of this type and its reply; (None, None) if there is none."""
    found: list[tuple[Step, Step]] = []
    for steps in _all_steps():
        for number, step in enumerate(steps):
            if step.get("send", {}).get("type") == request:
                reply: Step = next((s["message"] for s in steps[number + 1 :] if _is_to(s, step["from"])), {})
                found.append((filled(step["send"]), filled(reply)))
    carried_out = [pair for pair in found if not isinstance(pair[1].get("error"), dict)]
    return min(carried_out, key=_simplicity, default=(None, None))


def first_message(kind: type[msgspec.Struct]) -> Any:
    """Return a message or a part of one with the keys and fixed values of this type, or None.

    A message with a text and a line is preferred.
    """
    shown = [filled(message) for steps in _all_steps() for step in steps for message in _received(step)]
    fitting = [part for message in shown for part in _objects(message) if _fits(kind, part)]
    return max(fitting, key=_richness, default=None)


def _richness(part: dict[str, Any]) -> tuple[bool, ...]:
    return tuple(bool(part.get(key)) for key in ("line", "raw_text", "list"))


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield the object and every object inside it."""
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _objects(item)


def filled(value: Any) -> Any:
    """Replace the placeholders of a transcript by example values."""
    if isinstance(value, dict):
        return {key: LINE if key == "line" and item else filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if not isinstance(value, str):
        return value
    if (whole := PLACEHOLDER.fullmatch(value)) is not None:
        return VALUES.get(whole[1], f"‹{whole[1]}›")
    return PLACEHOLDER.sub(lambda found: str(VALUES.get(found[1], f"‹{found[1]}›")), value)


def _transcript(path: Path) -> str:
    vector = json.loads(path.read_text())
    parts: list[str] = []
    for number, step in enumerate(vector["steps"]):
        parts.append(_step(step, vector["steps"][:number]))
    return joined(
        f"## {path.stem.replace('_', ' ').capitalize()} {{ #{path.stem} }}",
        descriptions.TRANSCRIPTS.get(path.stem, ""),
        f'??? example "The transcript in {len(parts)} steps"\n\n' + indented("\n\n".join(parts)),
    ).strip()


def _step(step: Step, before: list[Step]) -> str:
    if "send" in step:
        return joined(f"`{step['from']}` sends", json_block(filled(step["send"]))).strip()
    if "message" in step:
        message = filled(_with_sentences(step["message"], step["to"], before))
        return joined(f"`{step['to']}` receives", json_block(message)).strip()
    if "partials" in step:
        shapes = [json_block(shape) for shape in filled(_received(step))]
        forms = ", each in one of these forms" if shapes[1:] else ""
        return joined(
            f"`{step['to']}` receives, any number of times, with more text each time{forms}", *shapes
        ).strip()
    if "open" in step:
        return f"`{step['open']}` connects to `{filled(step['path'])}`"
    return json_block(filled(step))


def _with_sentences(message: Any, socket: str, before: list[Step]) -> Any:
    """Replace the placeholder of an error by the parser's message, if the error is the parser's."""
    asked = next((s["send"] for s in reversed(before) if s.get("from") == socket), None)
    if asked is None or not isinstance(message.get("error"), dict):
        return message
    try:
        parsing.parse_request(json.dumps(filled(asked)))
    except ProtocolError as error:
        return message | {"error": error.fields}
    return message


def _fits(kind: type[msgspec.Struct], message: dict[str, Any]) -> bool:
    """Return whether the message has all required keys of the type, no other, and its fixed values."""
    hints = type_hints(kind)
    needed = {name for name, hint in hints.items() if msgspec.UnsetType not in get_args(hint)}
    fixed = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}
    return needed <= message.keys() <= hints.keys() and all(message[n] in v for n, v in fixed.items())


def _simplicity(pair: tuple[Any, Any]) -> tuple[bool, bool]:
    """Sort key: requests without `ref` first, replies with an empty list last."""
    request, reply = pair
    return "ref" in request, reply.get("list") == []


def _received(step: Step) -> list[Any]:
    """Return the message of a step, or the forms that its partials may have."""
    given = step.get("message", step.get("partials", []))
    return given if isinstance(given, list) else [given]


def _is_to(step: Step, socket: str) -> bool:
    return step.get("to") == socket and "message" in step


@functools.cache
def _all_steps() -> list[list[Step]]:
    return [json.loads(path.read_text())["steps"] for path in sorted(VECTORS.glob("*.json"))]
