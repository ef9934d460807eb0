"""The rows and events that a soak has left, after all processes have stopped."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.chaos.soak.event_recorder import RecordedEvent
from tests.support.database_rows import run_query
from tests.support.server import Server


class UploadRow(NamedTuple):
    """The columns of an upload that the invariants use."""

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
    """The final state. Ids have the form of the API.

    `pages` maps an upload and a number to Markdown. `log` maps an owner to the events, `last_seqs` to their
    number.
    """

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
    state = DatabaseState()
    for key, owner, *columns, options_json in run_query(server, UPLOADS_QUERY):
        options: dict[str, Any] = json.loads(options_json) if isinstance(options_json, str) else options_json
        row = UploadRow(
            canonical(key), canonical(owner), *columns, options.get("pages") or "", options.get("anew")
        )
        state.uploads[row.id] = row
    for key, number, markdown in run_query(server, "SELECT upload_id, number, markdown FROM core_page"):
        state.pages[canonical(key)][number] = markdown
    for owner, *event in run_query(server, "SELECT owner_id, seq, upload_id, kind, message FROM core_event"):
        state.log[canonical(owner)].append(_recorded_event(*event))
    for log in state.log.values():
        log.sort()
    state.last_seqs = last_seqs(server)
    jobs = run_query(server, "SELECT upload_id, first_page, failures, claimed_by FROM core_job")
    state.jobs = [
        f"of {canonical(job[0])}: page {job[1]}, failures {job[2]}, claimed by {job[3]!r}" for job in jobs
    ]
    return state


def last_seqs(server: Server) -> dict[str, int]:
    """Return the number of events of each owner."""
    counters = run_query(server, "SELECT owner_id, seq FROM core_eventcounter")
    return {canonical(owner): seq for owner, seq in counters}


def canonical(digits: str) -> str:
    """Return an id in the form of the API."""
    digits = digits.replace("-", "")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _recorded_event(seq: int, upload_id: str, kind: str, message: str) -> RecordedEvent:
    data = json.loads(message)
    status = data["instance"]["status"] if "instance" in data else data["status"]
    return RecordedEvent(seq, kind, canonical(upload_id), status)
