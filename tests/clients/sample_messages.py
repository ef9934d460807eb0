"""Sample messages for tests of the pure modules of the client."""

from __future__ import annotations

import datetime as dt
from typing import Any

from scanrill_client.messages import Instance, ServerMessage

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def instance(upload_id: str = "u", **fields: Any) -> Instance:
    plain: dict[str, Any] = {
        "owner": "ada",
        "filename": "scan.png",
        "image_path": f"{upload_id}/original.png",
        "image_hash": "0" * 64,
        "content_type": "image/png",
        "bytes": 1,
        "status": "pending",
        "error": None,
        "page_count": None,
        "pages_done": 0,
        "engine": "",
        "languages": (),
        "metadata": {},
        "warnings": (),
        "created_at": NOON,
        "updated_at": NOON,
    }
    return Instance(id=upload_id, **(plain | fields))


def change_message(kind: str, of: Instance, **fields: Any) -> ServerMessage:
    """Return the event of a change; `kind` is "created", "updated" or "deleted"."""
    return ServerMessage(type=f"Upload.{kind}", instance=of, **fields)


def finished_message(upload_id: str = "u", status: str = "processed", **fields: Any) -> ServerMessage:
    texts = {"raw_text": "text", "processed_text": "text"} if status == "processed" else {"error": "Broken."}
    return ServerMessage(type="Upload.status", id=upload_id, status=status, **(texts | fields))


def partial_message(text: str, page: int | None = 1, upload_id: str = "u", **fields: Any) -> ServerMessage:
    return ServerMessage(
        type="Upload.status", id=upload_id, status="processing", streamed_text=text, page=page, **fields
    )


def subscribed_message(**fields: Any) -> ServerMessage:
    """Return the acknowledgement for a client that opted in to events."""
    return ServerMessage(message="subscribed", type="subscribed", **fields)


def list_message(*uploads: Instance, **fields: Any) -> ServerMessage:
    return ServerMessage(type="Upload.list", uploads=uploads, **fields)
