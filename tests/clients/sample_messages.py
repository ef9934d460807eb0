"""Messages of a server that is not there, as the pure parts of the client get them."""

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


def change(kind: str, of: Instance, **fields: Any) -> ServerMessage:
    """`kind` is "created", "updated" or "deleted"."""
    return ServerMessage(type=f"Upload.{kind}", instance=of, **fields)


def ended(upload_id: str = "u", status: str = "processed", **fields: Any) -> ServerMessage:
    texts = {"raw_text": "text", "processed_text": "text"} if status == "processed" else {"error": "Broken."}
    return ServerMessage(type="Upload.status", id=upload_id, status=status, **(texts | fields))


def partial(text: str, page: int | None = 1, upload_id: str = "u", **fields: Any) -> ServerMessage:
    return ServerMessage(
        type="Upload.status", id=upload_id, status="processing", streamed_text=text, page=page, **fields
    )


def acknowledged(**fields: Any) -> ServerMessage:
    """To who opted in."""
    return ServerMessage(message="subscribed", type="subscribed", **fields)


def listed(*uploads: Instance, **fields: Any) -> ServerMessage:
    return ServerMessage(type="Upload.list", uploads=uploads, **fields)
