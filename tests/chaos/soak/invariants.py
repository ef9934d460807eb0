"""The invariants of a soak: acknowledgements, received events, the log, rows, pages and files must agree.

Each function yields the violations that it finds, as sentences. Call them after all processes have stopped.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from backend_main.reading.output.markdown import join_pages
from backend_main.reading.page_ranges import PageRanges
from tests.chaos.soak.database_state import DatabaseState, UploadRow
from tests.chaos.soak.deployment import SETTINGS
from tests.chaos.soak.documents import Document
from tests.chaos.soak.event_recorder import EventRecorder, RecordedEvent
from tests.chaos.soak.users import User

TERMINAL = ("processed", "error", "cancelled")
OPEN = ("pending", "processing")
MAX_WAITING, MAX_FILES = int(SETTINGS["MAX_PENDING_PER_USER"]), int(SETTINGS["MAX_UPLOADS_PER_USER"])


def violations(
    users: Iterable[User], state: DatabaseState, stored: dict[str, bytes | None], logs: dict[str, str]
) -> Iterator[str]:
    """Yield the violations of all invariants."""
    for user in users:
        yield from (f"{user.plan.name}: {sentence}" for sentence in _check_user(user, state))
    yield from (f"a job is left {job}" for job in state.jobs)
    yield from check_files(stored, state)
    for name, log in logs.items():
        yield from (f"the log of {name} has a traceback after: {line}" for line in tracebacks(log))


def _check_user(user: User, state: DatabaseState) -> Iterator[str]:
    owner = str(user.account.id)
    log = state.log.get(owner, [])
    rows = {key: row for key, row in state.uploads.items() if row.owner == owner}
    yield from user.problems
    yield from check_log(log, state.last_seqs.get(owner, 0))
    for recorder in user.recorders:
        yield from recorder.problems
        yield from check_received(recorder, log)
        yield from check_client_state(recorder, rows)
    yield from check_transitions(log, rows)
    yield from check_acknowledgements(user, rows, log)
    yield from check_limits(user, log)
    yield from check_replies(user, rows)
    for row in rows.values():
        document = user.documents.get(row.image_hash)
        if document is None:
            yield f"{row.id} has bytes that no user sent"
        else:
            cut_short = {event.upload_id for event in log if event.kind in ("cancelled", "error")}
            yield from check_text(row, state.pages.get(row.id, {}), document, cut_short=row.id in cut_short)
            yield from check_range(row, user)


def check_log(log: list[RecordedEvent], last_seq: int) -> Iterator[str]:
    """Check that the log has every number once."""
    numbers = [event.seq for event in log]
    if numbers != list(range(1, last_seq + 1)):
        gap = _first_gap(numbers)
        yield f"of {last_seq} events the log has {len(numbers)}: {gap} is missing or duplicated"


def check_received(recorder: EventRecorder, log: list[RecordedEvent]) -> Iterator[str]:
    """Check that a client received the log, each event once and in order; yield the first difference."""
    if recorder.snapshots != 1:
        yield f"{recorder.name} received {recorder.snapshots} snapshots, although every gap was recoverable"
    for one, other in zip_longest(recorder.events, _without_statuses(log)):
        if one != other:
            yield f"{recorder.name} received {one} where the log has {other}"
            return


def check_client_state(recorder: EventRecorder, rows: dict[str, UploadRow]) -> Iterator[str]:
    """Check that a client's state equals the rows."""
    known = recorder.client.uploads
    if difference := known.keys() ^ rows.keys():
        yield f"{recorder.name} knows {len(known)} uploads of {len(rows)}: {sorted(difference)[0]} differs"
    for key in known.keys() & rows.keys():
        client_row, row = (known[key].status, known[key].filename), (rows[key].status, rows[key].filename)
        if client_row != row:
            yield f"{recorder.name} has {key} as {client_row}, the row is {row}"


def check_transitions(log: list[RecordedEvent], rows: dict[str, UploadRow]) -> Iterator[str]:
    """Check that each reading in the log has one end, and that the final rows match the log."""
    state: dict[str, str] = {}
    for event in _without_statuses(log):
        before = state.get(event.upload_id, "nothing")
        if _is_inconsistent(event, before):
            yield f"{event} although the upload was {before}"
        state[event.upload_id] = "deleted" if event.kind == "deleted" else event.status
    expected = {key: status for key, status in state.items() if status != "deleted"}
    for key in expected.keys() | rows.keys():
        row = rows[key].status if key in rows else "no row"
        if row != expected.get(key, "deleted or never created"):
            yield f"{key} is {row}, but the log says {expected.get(key, 'deleted or never created')}"
        elif row in OPEN:
            yield f"{key} is not terminal but {row}"


def _is_inconsistent(event: RecordedEvent, before: str) -> bool:
    """Return whether an event is impossible after the state `before`.

    The start of a reading is left out: an upload may be pending in one event and processing in the next.
    """
    match event.kind:
        case "created":
            return before != "nothing" or event.status != "pending"
        case "deleted":
            return before in ("nothing", "deleted")
        case "updated":
            if before in OPEN:
                return event.status not in OPEN
            return before not in TERMINAL or event.status not in (before, "pending")
        case _:
            return before not in OPEN or event.status != event.kind


def check_acknowledgements(user: User, rows: dict[str, UploadRow], log: list[RecordedEvent]) -> Iterator[str]:
    """Check that acknowledged changes happened, and that no other deletes did."""
    logged = {
        kind: {event.upload_id for event in log if event.kind == kind} for kind in ("created", "deleted")
    }
    for key, digest in user.acknowledged.items():
        if key not in logged["created"]:
            yield f"{key} was acknowledged, but the log has no creation event"
        if key in rows and rows[key].image_hash != digest:
            yield f"{key} has other bytes than those acknowledged"
        if key not in rows and key not in user.delete_requested:
            yield f"{key} was acknowledged, but does not exist"
    if existing := user.deleted & rows.keys():
        yield f"{sorted(existing)[0]} was deleted, but exists"
    if unrequested := logged["deleted"] - user.delete_requested:
        yield f"{sorted(unrequested)[0]} was deleted without a request"


def check_replies(user: User, rows: dict[str, UploadRow]) -> Iterator[str]:
    """Check that the final API responses equal the rows."""
    for key, instance in user.final_instances.items():
        row = rows.get(key)
        expected = None if row is None else (row.status, row.raw_text, row.pages_done, row.page_count)
        if (instance.status, instance.raw_text, instance.pages_done, instance.page_count) != expected:
            yield f"{key} was returned as {instance}, but the row is {expected}"


def check_limits(user: User, log: list[RecordedEvent]) -> Iterator[str]:
    """Check that no limit was exceeded, and that every limit rejection happened at the limit."""
    counts: dict[str, list[int]] = {"many waiting": [0], "many files": [0]}
    state: dict[str, str] = {}
    for event in log:
        if event.kind == "deleted":
            state.pop(event.upload_id, None)
        else:
            state[event.upload_id] = event.status
        counts["many files"].append(len(state))
        counts["many waiting"].append(sum(status in OPEN for status in state.values()))
    for reason, limit in {"many files": MAX_FILES, "many waiting": MAX_WAITING}.items():
        if max(counts[reason]) > limit:
            yield f"{reason}: {max(counts[reason])}, although {limit} are allowed"
        for action, rejected_reason, seq in user.limit_rejections:
            if rejected_reason == reason and max(counts[reason][seq:], default=0) < limit:
                yield f"{action} was rejected for {reason} at event {seq}, below the limit"


def check_text(
    row: UploadRow, pages: dict[int, str], document: Document, *, cut_short: bool = False
) -> Iterator[str]:
    """Check that an upload has all requested pages with their texts, and that its text joins them in order.

    `cut_short`: a reading was cancelled or failed. A retry of single pages then reads only those
    (`docs/decisions/0068`).
    """
    requested = {n for n in range(1, document.spec.pages + 1) if n in PageRanges(row.requested_pages)}
    required = (
        requested
        if row.reread_pages is None or not cut_short
        else {n for n in requested if n in PageRanges(row.reread_pages)}
    )
    for number, markdown in pages.items():
        if document.is_readable and markdown != document.page(number):
            yield f"page {number} of {row.id} is {markdown!r}"
    if row.raw_text != join_pages(pages[number] for number in sorted(pages)):
        yield f"the text of {row.id} is not that of its pages {sorted(pages)}: {row.raw_text!r}"
    if row.pages_done != len(pages):
        yield f"{row.id} has {len(pages)} pages, but pages_done is {row.pages_done}"
    if pages.keys() - requested:
        yield f"{row.id} has pages {sorted(pages)}, but {sorted(requested)} were requested"
    if row.status == "processed" and required - pages.keys():
        yield f"{row.id} is processed with pages {sorted(pages)} of {sorted(required)}"
    if row.status == "processed" and row.page_count != document.spec.pages:
        yield f"{row.id} has {row.page_count} pages, but the file has {document.spec.pages}"
    yield from _check_final_status(row, document)


def _check_final_status(row: UploadRow, document: Document) -> Iterator[str]:
    expected = ("processed", "cancelled") if document.is_readable else ("error", "cancelled")
    if row.status in TERMINAL and row.status not in expected:
        yield f"{row.id}, a {document.spec.kind}, ended as {row.status}: {row.error}"


def check_range(row: UploadRow, user: User) -> Iterator[str]:
    """Check the requested pages of an upload; a retry may have added page 1."""
    requested = PageRanges(user.requested_pages[row.image_hash])
    allowed = {str(requested), str(requested | PageRanges("1"))}
    if row.image_hash in user.resubmitted:
        allowed.add("")
    if str(PageRanges(row.requested_pages)) not in allowed:
        yield f"{row.id} must have pages {row.requested_pages or 'all'}, but {requested} were requested"


def check_files(stored: dict[str, bytes | None], state: DatabaseState) -> Iterator[str]:
    """Check that rows and files correspond, and that files have the uploaded bytes."""
    hashes = {row.image_path: row.image_hash for row in state.uploads.values()}
    for key in sorted(stored.keys() - hashes.keys()):
        yield f"the file {key} has no upload"
    for key in sorted(hashes.keys() - stored.keys()):
        yield f"the file {key} is missing"
    for key in sorted(hashes.keys() & stored.keys()):
        if hashlib.sha256(stored[key] or b"").hexdigest() != hashes[key]:
            yield f"the file {key} has other bytes than those uploaded"


def tracebacks(log: str) -> list[str]:
    """Return the log lines before each traceback, except those of engines whose script raises."""
    return re.findall(r"(?m)^(?!ERROR scanrill\.reading:)(.+)\nTraceback ", log)


def _without_statuses(log: list[RecordedEvent]) -> list[RecordedEvent]:
    """Return the events that the client yields: it adds the others to the end of the reading."""
    return [event for event in log if event.kind not in ("started", "ended")]


def _first_gap(numbers: list[int]) -> int:
    return next((at for at, number in enumerate(numbers, 1) if at != number), len(numbers) + 1)
