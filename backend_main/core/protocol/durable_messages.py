"""Durable messages: their kinds, and their JSON in the event log, which has no texts of uploads; pure."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from .messages import DurableMessage, Failed, Processed, UploadMessage

KINDS_WITH_TEXTS = frozenset({"updated", "processed"})
TERMINAL_KINDS = frozenset({"deleted", "processed", "error", "cancelled"})
"""Changes that end a reading if there is one."""
LAST_KINDS = TERMINAL_KINDS | {"ended"}
"""Changes that no live text of the reading may follow: “ended” comes directly before the terminal one."""

_failed_decoder = msgspec.json.Decoder(Failed)
_upload_decoder = msgspec.json.Decoder(UploadMessage)
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    "processed": msgspec.json.Decoder(Processed),
    "error": _failed_decoder,
    "cancelled": _failed_decoder,
}


def kind(change: DurableMessage) -> str:
    """Return the kind of a change: created, updated, deleted, started, ended, or a terminal status."""
    if not isinstance(change, UploadMessage):
        return change.status
    if change.type == "Upload.status":
        return "started" if change.instance.status == "processing" else "ended"
    return change.type.removeprefix("Upload.")


def without_texts(change: DurableMessage) -> DurableMessage:
    """Remove the two texts from a change, as the event log stores it."""
    if isinstance(change, Processed):
        return msgspec.structs.replace(change, raw_text="", processed_text="")
    if isinstance(change, UploadMessage):
        bare = msgspec.structs.replace(change.instance, raw_text=UNSET, processed_text=UNSET)
        return msgspec.structs.replace(change, instance=bare)
    return change


def with_texts(change: DurableMessage, raw_text: str, processed_text: str) -> DurableMessage:
    """Undo `without_texts` for a change whose kind is in `KINDS_WITH_TEXTS`."""
    texts = {"raw_text": raw_text, "processed_text": processed_text}
    if isinstance(change, UploadMessage):
        return msgspec.structs.replace(change, instance=msgspec.structs.replace(change.instance, **texts))
    return msgspec.structs.replace(change, **texts)


def decode_change(kind: str, text: str) -> DurableMessage:
    """Decode a change of this kind from its JSON."""
    change: DurableMessage = _decoders.get(kind, _upload_decoder).decode(text)
    return change
