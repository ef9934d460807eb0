"""Whether it adds up: what users were promised and told, the log, the rows, the pages and the files.

Each function gives the differences that it finds, as sentences; none: that book balances. Whoever calls them
sees to it that nothing is going on any more.
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
    users: Iterable[User], found: DatabaseState, stored: dict[str, bytes | None], logs: dict[str, str]
) -> Iterator[str]:
    """All of them; nothing is compared with itself."""
    for user in users:
        yield from (f"{user.plan.name}: {sentence}" for sentence in _check_user(user, found))
    yield from (f"a job is left {job}" for job in found.jobs)
    yield from check_files(stored, found)
    for name, log in logs.items():
        yield from (f"the log of {name} has a traceback after: {line}" for line in tracebacks(log))


def _check_user(user: User, found: DatabaseState) -> Iterator[str]:
    owner = str(user.account.id)
    log = found.log.get(owner, [])
    rows = {key: row for key, row in found.uploads.items() if row.owner == owner}
    yield from user.problems
    yield from check_log(log, found.last_seqs.get(owner, 0))
    for following in user.recorders:
        yield from following.problems
        yield from check_received(following, log)
        yield from check_client_state(following, rows)
    yield from check_transitions(log, rows)
    yield from check_acknowledgements(user, rows, log)
    yield from check_limits(user, log)
    yield from check_replies(user, rows)
    for row in rows.values():
        document = user.documents.get(row.image_hash)
        if document is None:
            yield f"{row.id} is of bytes that nobody sent"
        else:
            cut_short = {event.upload_id for event in log if event.kind in ("cancelled", "error")}
            yield from check_text(row, found.pages.get(row.id, {}), document, cut_short=row.id in cut_short)
            yield from check_range(row, user)


def check_log(log: list[RecordedEvent], head: int) -> Iterator[str]:
    """Every number once."""
    numbers = [event.seq for event in log]
    if numbers != list(range(1, head + 1)):
        yield f"of {head} events the log has {len(numbers)}: {_first_gap(numbers)} is missing or there twice"


def check_received(recorder: EventRecorder, log: list[RecordedEvent]) -> Iterator[str]:
    """A client was told all of the log, in its order, each event once. The first difference."""
    if recorder.snapshots != 1:
        yield f"{recorder.name} was sent {recorder.snapshots} lists, where all could be told since the first"
    for one, other in zip_longest(recorder.events, log):
        if one != other:
            yield f"{recorder.name} was told {one} where the log has {other}"
            return


def check_client_state(recorder: EventRecorder, rows: dict[str, UploadRow]) -> Iterator[str]:
    """What a client made of all that it was told is what there is."""
    known = recorder.client.uploads
    if lacking := known.keys() ^ rows.keys():
        yield f"{recorder.name} knows {len(known)} uploads of {len(rows)}: {sorted(lacking)[0]} makes it so"
    for key in known.keys() & rows.keys():
        here, there = (known[key].status, known[key].filename), (rows[key].status, rows[key].filename)
        if here != there:
            yield f"{recorder.name} has {key} as {here}, and it is {there}"


def check_transitions(log: list[RecordedEvent], rows: dict[str, UploadRow]) -> Iterator[str]:
    """From the beginning of each reading to its one end; and what the log says is there in the end, is."""
    state: dict[str, str] = {}
    for event in log:
        before = state.get(event.upload_id, "nothing")
        if _is_inconsistent(event, before):
            yield f"{event} where it was {before}"
        state[event.upload_id] = "deleted" if event.kind == "deleted" else event.status
    there = {key: status for key, status in state.items() if status != "deleted"}
    for key in there.keys() | rows.keys():
        row = rows[key].status if key in rows else "no row"
        if row != there.get(key, "deleted, or was never there"):
            yield f"{key} is {row}, where the log says {there.get(key, 'deleted, or was never there')}"
        elif row in OPEN:
            yield f"{key} has not ended: it is {row}"


def _is_inconsistent(event: RecordedEvent, before: str) -> bool:
    """Whether an event does not follow on what an upload was before it.

    What is being read is so without an event: it may be told of as pending, and be processing in the next.
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
    """What was acknowledged has happened, and what nobody asked for has not."""
    told = {kind: {event.upload_id for event in log if event.kind == kind} for kind in ("created", "deleted")}
    for key, digest in user.acknowledged.items():
        if key not in told["created"]:
            yield f"{key} was acknowledged, and the log has no word of its creation"
        if key in rows and rows[key].image_hash != digest:
            yield f"{key} has other bytes than it was acknowledged for"
        if key not in rows and key not in user.delete_requested:
            yield f"{key} was acknowledged, and is not there"
    if there := user.deleted & rows.keys():
        yield f"{sorted(there)[0]} was deleted, and is there"
    if gone := told["deleted"] - user.delete_requested:
        yield f"{sorted(gone)[0]} was deleted, and nobody asked for it"


def check_replies(user: User, rows: dict[str, UploadRow]) -> Iterator[str]:
    """What the API said when nothing went on any more is what stands in the rows."""
    for key, answer in user.final_instances.items():
        row = rows.get(key)
        there = None if row is None else (row.status, row.raw_text, row.pages_done, row.page_count)
        if (answer.status, answer.raw_text, answer.pages_done, answer.page_count) != there:
            yield f"{key} was said to be {answer}, where there is {there}"


def check_limits(user: User, log: list[RecordedEvent]) -> Iterator[str]:
    """As many as a user may have, never more; and who was refused had so many."""
    had: dict[str, list[int]] = {"many waiting": [0], "many files": [0]}
    state: dict[str, str] = {}
    for event in log:
        if event.kind == "deleted":
            state.pop(event.upload_id, None)
        else:
            state[event.upload_id] = event.status
        had["many files"].append(len(state))
        had["many waiting"].append(sum(status in OPEN for status in state.values()))
    for reason, most in {"many files": MAX_FILES, "many waiting": MAX_WAITING}.items():
        if max(had[reason]) > most:
            yield f"it had {reason}: {max(had[reason])} where {most} are allowed"
        for do, why, seq in user.limit_rejections:
            if why == reason and max(had[reason][seq:], default=0) < most:
                yield f"{do} was refused for {reason} at event {seq}, where it never had so many since"


def check_text(
    row: UploadRow, pages: dict[int, str], document: Document, *, cut_short: bool = False
) -> Iterator[str]:
    """All the pages that were asked for, each with what stands on it, and the whole in their order.

    What was `cut_short` once, and had a page read anew then, has no more than that and what it had
    (`docs/decisions/0068`).
    """
    wanted = {n for n in range(1, document.spec.pages + 1) if n in PageRanges(row.requested_pages)}
    must = (
        wanted
        if row.reread_pages is None or not cut_short
        else {n for n in wanted if n in PageRanges(row.reread_pages)}
    )
    for number, markdown in pages.items():
        if document.is_readable and markdown != document.page(number):
            yield f"page {number} of {row.id} is {markdown!r}"
    if row.raw_text != join_pages(pages[number] for number in sorted(pages)):
        yield f"the text of {row.id} is not that of its pages {sorted(pages)}: {row.raw_text!r}"
    if row.pages_done != len(pages):
        yield f"{row.id} has {len(pages)} pages, and says that {row.pages_done} are done"
    if pages.keys() - wanted:
        yield f"{row.id} has pages {sorted(pages)}, where {sorted(wanted)} were asked for"
    if row.status == "processed" and must - pages.keys():
        yield f"{row.id} is processed with pages {sorted(pages)} of {sorted(must)}"
    if row.status == "processed" and row.page_count != document.spec.pages:
        yield f"{row.id} has {row.page_count} pages, where the file has {document.spec.pages}"
    yield from _check_final_status(row, document)


def _check_final_status(row: UploadRow, document: Document) -> Iterator[str]:
    expected = ("processed", "cancelled") if document.is_readable else ("error", "cancelled")
    if row.status in TERMINAL and row.status not in expected:
        yield f"{row.id}, a {document.spec.kind}, ended as {row.status}: {row.error}"


def check_range(row: UploadRow, user: User) -> Iterator[str]:
    """The pages that were asked for at first; page 1 with them, where it was read anew later."""
    asked = PageRanges(user.requested_pages[row.image_hash])
    allowed = {str(asked), str(asked | PageRanges("1"))}
    if row.image_hash in user.resubmitted:
        allowed.add("")
    if str(PageRanges(row.requested_pages)) not in allowed:
        yield f"{row.id} is to have pages {row.requested_pages or 'all'}, where {asked} were asked for"


def check_files(stored: dict[str, bytes | None], found: DatabaseState) -> Iterator[str]:
    """A file for each row and a row for each file, and in it the bytes that came in."""
    hashes = {row.image_path: row.image_hash for row in found.uploads.values()}
    for key in sorted(stored.keys() - hashes.keys()):
        yield f"the file {key} is no upload's"
    for key in sorted(hashes.keys() - stored.keys()):
        yield f"the file {key} is missing"
    for key in sorted(hashes.keys() & stored.keys()):
        if hashlib.sha256(stored[key] or b"").hexdigest() != hashes[key]:
            yield f"the file {key} has other bytes than came in"


def tracebacks(log: str) -> list[str]:
    """The lines before them, but for those of an engine whose script told it to raise."""
    return re.findall(r"(?m)^(?!ERROR scanrill\.reading:)(.+)\nTraceback ", log)


def _first_gap(numbers: list[int]) -> int:
    return next((at for at, number in enumerate(numbers, 1) if at != number), len(numbers) + 1)
