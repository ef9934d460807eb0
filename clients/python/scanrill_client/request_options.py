"""Options of requests, as keyword arguments of the clients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from .messages import ExportFormat, Formulas, Furniture, Images, OnDuplicate, Priority, Status


class ReadOptions(TypedDict, total=False):
    """Options of a reading. The server chooses those that are None or absent.

    engine      name of an engine that `engines()` lists
    languages   ISO 639-1 codes; without `engine` they select one
    pages       page ranges: “3”, “2-5”, “1-3,7,9-”
    profile     name of a profile of the engine
    furniture   “keep” leaves headers, footers and page numbers in the text
    barcodes    True adds barcodes and QR codes to the blocks of each page
    formulas    “vision” sends pages that are mostly formulas to the engine “vision”
    priority    “batch” runs only when no interactive upload waits
    """

    engine: str | None
    languages: Sequence[str] | None
    pages: str | None
    profile: str | None
    furniture: Furniture | None
    formulas: Formulas | None
    barcodes: bool | None
    priority: Priority | None


class UploadOptions(ReadOptions, total=False):
    """Options of an upload: those of the reading, and two more.

    metadata      JSON object of the caller, kept with the upload
    on_duplicate  what happens if the user has the file: “existing” returns its text, “reread” reads it again
                  with these options, “error” raises `RequestError`. By default “reread” over REST if an
                  option differs, and “existing” over the WebSocket
    """

    metadata: Mapping[str, Any] | None
    on_duplicate: OnDuplicate | None


class ListFilters(TypedDict, total=False):
    """Filters and order of a list. Those that are None or absent do not matter.

    status          one status, or several
    search          text in the name or the text
    engine          name of the engine that has read them
    image_hash      SHA-256 of the file, in hex
    created_after   only uploads from after this time; `created_before` likewise
    metadata        values of keys in the metadata
    warning         code of a warning that a page has
    min_confidence  only uploads with this confidence or more; `max_confidence` likewise
    sort            “created”, “updated”, “filename” or “bytes”, with “-” before it for the reverse
    total           True adds the number of all uploads that match
    """

    status: Status | Sequence[Status] | None
    search: str | None
    engine: str | None
    image_hash: str | None
    created_after: dt.datetime | None
    created_before: dt.datetime | None
    metadata: Mapping[str, str] | None
    warning: str | None
    min_confidence: float | None
    max_confidence: float | None
    sort: str | None
    total: bool | None


class ExportOptions(TypedDict, total=False):
    """Options of an export. The server chooses those that are None or absent.

    format       name of a format, “md” by default
    pages        page ranges: “3”, “2-5”, “1-3,7,9-”
    furniture    “keep” or “drop” headers, footers and page numbers; by default as they were read
    images       pictures of figures: “none” by default, “link” or “embed”
    page_breaks  whether “md” and “txt” mark the beginning of each page
    table        number of the only table of a “csv”, from 1; without it, a ZIP archive has all tables
    """

    format: ExportFormat
    pages: str | None
    furniture: Furniture | None
    images: Images | None
    page_breaks: bool
    table: int | None
