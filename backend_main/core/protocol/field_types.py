"""Types of fields in messages and of parameters, with the limits of their values; pure."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from msgspec import Meta

from ...control_characters import DROPPED, LINE_SEPARATORS

Status = Literal["pending", "processing", "processed", "error", "cancelled"]
StreamName = Literal["full", "pages", "delta"]
"""Stream mode: live text of the whole upload, of one page, or only text that was added to a page."""
# A single path component, without characters that a terminal or a header would interpret.
_FILE_NAME = rf"^(?!\.{{1,2}}$)[^/\\\t\n{LINE_SEPARATORS}{DROPPED}]+$"
FileName = Annotated[str, Meta(min_length=1, max_length=255, pattern=_FILE_NAME)]
Priority = Literal["interactive", "batch"]
"""A batch job is read when no interactive job waits."""
Furniture = Literal["drop", "keep"]
"""Whether the text leaves headers, footers, page numbers and other page furniture out, or contains it."""
Formulas = Literal["text", "vision"]
"""Whether the engine `vision` may read pages that are mostly formulas."""
OnDuplicate = Literal["existing", "reread", "error"]
"""Action of a create whose bytes the user has already: `commands.create`."""
EngineName = Annotated[str, Meta(min_length=1, max_length=50)]
Time = Annotated[dt.datetime, Meta(tz=True)]
# SQLite has no escapes for the other characters in the path of a key.
MetadataKey = Annotated[str, Meta(min_length=1, max_length=100, pattern=r'^[^"\\\x00]+$')]
ListOrder = Literal["created", "-created", "updated", "-updated", "filename", "-filename", "bytes", "-bytes"]
"""Order of a list; “-” puts the newest or largest first."""
Share = Annotated[float, Meta(ge=0, le=1)]
Languages = Annotated[list[Annotated[str, Meta(min_length=2, max_length=20)]], Meta(max_length=10)]
