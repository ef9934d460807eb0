"""The rows and files that a soak has left, as they are when all is read and nothing runs any more."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.chaos.soak.event_recorder import RecordedEvent
from tests.support.database_rows import run_query
from tests.support.server import Server


class UploadRow(NamedTuple):
    """An upload."""

    id: str
    owner: str
    status: str
    error: str | None
    image_path: str
    image_hash: str
    filename: str
    page_count: int | None
    pages_done: int
    raw_text: str
    requested_pages: str
    reread_pages: str | None


@dataclass
class DatabaseState:
    """Ids as clients know them; `pages` are Markdown by upload and number; `log` is that of each owner."""

    uploads: dict[str, UploadRow] = field(default_factory=dict)
    pages: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    log: dict[str, list[RecordedEvent]] = field(default_factory=lambda: defaultdict(list))
    last_seqs: dict[str, int] = field(default_factory=dict)
    jobs: list[str] = field(default_factory=list)


UPLOADS_QUERY = """
SELECT id, owner_id, status, error, image_path, image_hash, filename, page_count, pages_done, raw_text, asked
FROM core_upload
"""


def read_state(server: Server) -> DatabaseState:
    found = DatabaseState()
    for key, owner, *columns, asked in run_query(server, UPLOADS_QUERY):
        wishes: dict[str, Any] = json.loads(asked) if isinstance(asked, str) else asked
        row = UploadRow(
            canonical(key), canonical(owner), *columns, wishes.get("pages") or "", wishes.get("anew")
        )
        found.uploads[row.id] = row
    for key, number, markdown in run_query(server, "SELECT upload_id, number, markdown FROM core_page"):
        found.pages[canonical(key)][number] = markdown
    for owner, *event in run_query(server, "SELECT owner_id, seq, upload_id, kind, message FROM core_event"):
        found.log[canonical(owner)].append(_recorded_event(*event))
    for log in found.log.values():
        log.sort()
    found.last_seqs = last_seqs(server)
    jobs = run_query(server, "SELECT upload_id, first_page, failures, claimed_by FROM core_job")
    found.jobs = [
        f"of {canonical(job[0])}: page {job[1]}, failures {job[2]}, held {job[3]!r}" for job in jobs
    ]
    return found


def last_seqs(server: Server) -> dict[str, int]:
    """How many events each owner has had."""
    counters = run_query(server, "SELECT owner_id, seq FROM core_eventcounter")
    return {canonical(owner): seq for owner, seq in counters}


def canonical(digits: str) -> str:
    """An id as clients know it."""
    digits = digits.replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _recorded_event(seq: int, upload_id: str, kind: str, message: str) -> RecordedEvent:
    told = json.loads(message)
    status = told["instance"]["status"] if "instance" in told else told["status"]
    return RecordedEvent(seq, kind, canonical(upload_id), status)
