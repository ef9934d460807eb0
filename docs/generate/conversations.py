"""`tests/vectors/` → whole conversations, with values in place of what a test does not know beforehand.

The server is held to each of them word for word, so what a reader sees here is what a client gets.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from backend_main.core.errors import ProtocolError
from backend_main.core.protocol import parsing

from .markdown import indented, joined, json_block, page, type_hints

VECTORS = Path(__file__).parents[2] / "tests" / "vectors"
PLACEHOLDER = re.compile(r"\{(\w+)\}")
HASH = hashlib.sha256(b"a scan").hexdigest()
VALUES: dict[str, Any] = {
    "id": "3f0c9a52-6d1e-4b7a-9f3d-5a2c8e417b60",
    "owner": "ada",
    "image": "iVBORw0KGgoAAAANSUhEUgAA…",
    "hash": HASH,
    "bytes": 48213,
    "created_at": "2026-11-22T09:14:03.512408Z",
    "time": "2026-11-22T09:14:05.270911Z",
    "growing": "# Title\n\none",
    "added": "\ntwo",
    "number": 4,
    "text": "A sentence that says what is wrong.",
}
# Of the transcripts' own pages, which are eight pixels wide, nobody would learn anything.
LINE = {"box": [[90, 412], [742, 412], [742, 438], [90, 438]], "width": 1000, "height": 1300}
Step = dict[str, Any]


def page_of_conversations() -> str:
    return page(
        "Conversations",
        "Whole exchanges between clients and the server, message by message.",
        "In each of them one user has two sockets open: `asking`, which sends, and `watching`, which only "
        "listens. The tests play every one of them against a running server, and accept no message less or "
        "more, and no other key. Ids, times and sizes are examples.",
        *(_conversation(path) for path in sorted(VECTORS.glob("*.json"))),
    )


def exchange(request: str) -> tuple[Any, Any]:
    """A request of this type that was carried out, and its reply, the simplest there is; or twice `None`."""
    found: list[tuple[Step, Step]] = []
    for steps in _all_steps():
        for number, step in enumerate(steps):
            if step.get("send", {}).get("type") == request:
                reply: Step = next((s["message"] for s in steps[number + 1 :] if _is_to(s, step["from"])), {})
                found.append((filled(step["send"]), filled(reply)))
    carried_out = [pair for pair in found if not isinstance(pair[1].get("error"), dict)]
    return min(carried_out, key=_simplicity, default=(None, None))


def first_message(kind: type[msgspec.Struct]) -> Any:
    """A message of a transcript that has the keys and the fixed values of this kind, or `None`.

    Of several the one that tells most: a partial with a text and with its line.
    """
    shown = [filled(message) for steps in _all_steps() for step in steps for message in _received(step)]
    fitting = [message for message in shown if _fits(kind, message)]
    return max(fitting, key=lambda message: bool(message.get("line")), default=None)


def filled(value: Any) -> Any:
    """The value with examples in place of its placeholders."""
    if isinstance(value, dict):
        return {key: LINE if key == "line" and item else filled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item) for item in value]
    if not isinstance(value, str):
        return value
    if (whole := PLACEHOLDER.fullmatch(value)) is not None:
        return VALUES.get(whole[1], f"‹{whole[1]}›")
    return PLACEHOLDER.sub(lambda found: str(VALUES.get(found[1], f"‹{found[1]}›")), value)


def _conversation(path: Path) -> str:
    vector = json.loads(path.read_text())
    said: list[str] = []
    for number, step in enumerate(vector["steps"]):
        said.append(_step(step, vector["steps"][:number]))
    return joined(
        f"## {path.stem.replace('_', ' ').capitalize()} {{ #{path.stem} }}",
        vector["about"],
        f'??? example "The conversation in {len(said)} steps"\n\n' + indented("\n\n".join(said)),
    ).strip()


def _step(step: Step, before: list[Step]) -> str:
    if "send" in step:
        return joined(f"`{step['from']}` sends", json_block(filled(step["send"]))).strip()
    if "message" in step:
        message = filled(_with_sentences(step["message"], step["to"], before))
        return joined(f"`{step['to']}` gets", json_block(message)).strip()
    if "partials" in step:
        shapes = [json_block(shape) for shape in filled(_received(step))]
        says = ", each in one of these shapes" if shapes[1:] else ""
        return joined(
            f"`{step['to']}` gets, any number of times, with more text each time{says}", *shapes
        ).strip()
    if "open" in step:
        return f"`{step['open']}` connects to `{filled(step['path'])}`"
    return json_block(filled(step))


def _with_sentences(message: Any, socket: str, before: list[Step]) -> Any:
    """The error as the decoder words it, where it is the decoder's."""
    asked = next((s["send"] for s in reversed(before) if s.get("from") == socket), None)
    if asked is None or not isinstance(message.get("error"), dict):
        return message
    try:
        parsing.parse_request(json.dumps(filled(asked)))
    except ProtocolError as error:
        return message | {"error": error.fields}
    return message


def _fits(kind: type[msgspec.Struct], message: dict[str, Any]) -> bool:
    """Whether the message has all keys that the kind must have, no other, and its fixed values."""
    hints = type_hints(kind)
    needed = {name for name, hint in hints.items() if msgspec.UnsetType not in get_args(hint)}
    fixed = {name: get_args(hint) for name, hint in hints.items() if get_origin(hint) is Literal}
    return needed <= message.keys() <= hints.keys() and all(message[n] in v for n, v in fixed.items())


def _simplicity(pair: tuple[Any, Any]) -> tuple[bool, bool]:
    """Without a mark of the client's own; with something in the list, where it is one."""
    request, reply = pair
    return "ref" in request, reply.get("list") == []


def _received(step: Step) -> list[Any]:
    """The message of a step, or the shapes that its partials may have."""
    given = step.get("message", step.get("partials", []))
    return given if isinstance(given, list) else [given]


def _is_to(step: Step, socket: str) -> bool:
    return step.get("to") == socket and "message" in step


@functools.cache
def _all_steps() -> list[list[Step]]:
    return [json.loads(path.read_text())["steps"] for path in sorted(VECTORS.glob("*.json"))]
