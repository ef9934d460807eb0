"""Uploads with pages of given texts, for tests of the search."""

from __future__ import annotations

import uuid
from typing import Any

from backend_main.core.models import Page, Upload, User
from backend_main.core.search import index
from tests.support.database import new_user  # sets Django up

__all__ = ["insert_upload", "new_user"]


def insert_upload(
    owner: User, *texts: str, filename: str = "scan.png", is_indexed: bool = True, **fields: Any
) -> Upload:
    """Insert an upload with a page for each text; each line of a text is a line of its page."""
    upload = Upload.objects.create(
        owner=owner,
        filename=filename,
        image_path=uuid.uuid4().hex,
        image_hash=uuid.uuid4().hex,
        content_type="image/png",
        bytes=1,
        status="processed",
        raw_text="\n\n".join(texts),
        page_count=len(texts),
        **fields,
    )
    for number, text in enumerate(texts, start=1):
        Page.objects.create(
            upload=upload,
            attempt=1,
            number=number,
            width=100,
            height=200,
            text=text,
            markdown=text,
            lines=[_line(number, at, line) for at, line in enumerate(text.split("\n"))],
        )
    if is_indexed:
        index.index_missing(upload_id=upload.pk)
    return upload


def _line(page: int, number: int, text: str) -> dict[str, Any]:
    top, bottom = 10.0 * number, 10.0 * number + 8
    box = [[0.0, top], [90.0, top], [90.0, bottom], [0.0, bottom]]
    return {"page": page, "text": text, "markdown": text, "box": box, "confidence": 0.9, "role": "body"}
