"""Step 9 — claims the next job, has it read, finishes it. All that a reader writes is fenced by its attempt.

A reader whose upload was deleted, or taken by another, finds that out at its next write and writes nothing.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import msgspec
from django.db import close_old_connections, transaction
from django.utils import timezone

from .. import reading
from . import events, serializers, storage
from .conf import conf
from .events import Event, Taken
from .live import Hub
from .models import Job, Page, Status, Upload
from .text import join_pages

log = logging.getLogger(__name__)

MAX_FAILURES = 3


class LostUpload(Exception):
    """The upload is no longer this attempt's: deleted, cancelled, or taken by another reader."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One job, held by one reader. `pages` are the finished pages' Markdown, of this attempt and before."""

    job_id: UUID
    upload: Upload
    attempt: int
    pages: list[str]


def void_claims() -> None:
    """At the start of the only server of a data directory nobody else can hold a claim."""
    Job.objects.exclude(claimed_by="").update(claimed_by="", lease_until=None)


class Reader:
    """One engine in a child process, used by one thread; `read_next` is what the thread does."""

    def __init__(self, hub: Hub, host: reading.Host) -> None:
        self._hub, self._host = hub, host
        self._name = f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"
        self._current: UUID | None = None
        self._stopping = threading.Event()

    @property
    def warm(self) -> bool:
        return self._host.warm

    def stop(self) -> None:
        """From any thread: what is being read is given back, and nothing more is taken."""
        self._stopping.set()
        self._host.stop()

    def heed(self, event: Event) -> None:
        """A listener: an upload that ends while it is read, because it was deleted, ends the reading."""
        if event.over and event.upload_id == self._current:
            self._host.cancel()

    def read_next(self) -> bool:
        """Reads one job to its end; False when there is none."""
        close_old_connections()
        self._warm_up()
        if self._stopping.is_set() or (claim := self._claim()) is None:
            return False
        self._current = claim.upload.pk
        try:
            self._read(claim)
        finally:
            self._current = None
        return True

    # ── the steps ──

    def _warm_up(self) -> None:
        """A child that crashed, or has read enough, is replaced now, while nobody waits for it."""
        if self._stopping.is_set():
            return
        try:
            self._host.start()
        except reading.ReadingError as error:
            log.error("the reader could not start: %s", error)

    def _claim(self) -> Claim | None:
        with events.transaction() as happened:
            job = _next_job()
            if job is None:
                return None
            upload = job.upload
            job.attempt = upload.attempt = upload.attempt + 1
            job.claimed_by = self._name
            job.save(update_fields=["attempt", "claimed_by"])
            upload.status, upload.engine = Status.PROCESSING, conf.engine
            upload.save(update_fields=["attempt", "status", "engine", "updated_at"])
            pages = list(upload.pages.order_by("number").values_list("markdown", flat=True))
            taken = Taken(upload.attempt, tuple(pages))
            happened.append(Event(upload.owner_id, upload.pk, None, taken=taken))
        return Claim(job.pk, upload, upload.attempt, pages)

    def _read(self, claim: Claim) -> None:
        try:
            with storage.local_copy(claim.upload.image_path) as path:
                self._read_pages(claim, path)
            _finish(claim)
        except LostUpload:
            log.info("upload %s was taken from its reader", claim.upload.pk)
        except reading.Cancelled:
            _give_back(claim)
        except (reading.EngineCrashed, reading.EngineTimeout) as error:
            _count_failure(claim, str(error))
        except reading.ReadingError as error:
            _fail(claim, str(error))
        except Exception:
            log.exception("reading upload %s failed", claim.upload.pk)
            _count_failure(
                claim, "Reading failed for a reason that is not the file's; the server's log has it."
            )

    def _read_pages(self, claim: Claim, path: Path) -> None:
        options = reading.Options(
            engine=conf.engine,
            first_page=len(claim.pages) + 1,
            max_pixels=conf.max_pixels,
            max_pages=conf.max_pages,
            page_seconds=conf.page_seconds,
        )
        text = ""
        for event in self._host.read(path, options):
            match event:
                case reading.PageStarted():
                    text = ""
                case reading.Line():
                    text += event.markdown
                    self._hub.page_text(claim.upload.pk, claim.attempt, text)
                case reading.PageDone():
                    _save_page(claim, event)
                    self._hub.page_done(claim.upload.pk, claim.attempt, event.markdown)


def _next_job() -> Job | None:
    """The job that has waited longest. On PostgreSQL it stays locked; SQLite has one writer at a time."""
    waiting = Job.objects.filter(claimed_by="").order_by("created_at")
    return waiting.select_related("upload__owner").select_for_update(skip_locked=True, of=("self",)).first()


def _fenced(claim: Claim, **changes: object) -> None:
    """Writes to the upload while it is this attempt's, in the caller's transaction. Raises `LostUpload`."""
    held = Upload.objects.filter(pk=claim.upload.pk, attempt=claim.attempt, status=Status.PROCESSING)
    if not held.update(**changes, updated_at=timezone.now()):
        raise LostUpload


def _save_page(claim: Claim, page: reading.PageDone) -> None:
    with transaction.atomic():
        _fenced(claim, page_count=page.page_count, pages_done=page.number)
        Page.objects.create(
            upload=claim.upload,
            attempt=claim.attempt,
            number=page.number,
            width=page.width,
            height=page.height,
            markdown=page.markdown,
            text=page.text,
            lines=[msgspec.to_builtins(line) for line in page.lines],
            warnings=page.warnings,
        )
        Job.objects.filter(pk=claim.job_id).update(failures=0)


def _finish(claim: Claim) -> None:
    _end(claim, status=Status.PROCESSED, error=None)


def _fail(claim: Claim, sentence: str) -> None:
    _end(claim, status=Status.ERROR, error=sentence)


def _end(claim: Claim, *, status: Status, error: str | None) -> None:
    """The upload's end, with the text of the pages that were read, and its terminal event."""
    try:
        with events.transaction() as happened:
            pages = list(Page.objects.filter(upload=claim.upload).order_by("number"))
            _fenced(
                claim,
                status=status,
                error=error,
                raw_text=join_pages(page.markdown for page in pages),
                reading_text=join_pages(page.text for page in pages),
                warnings=_once(warning for page in pages for warning in page.warnings),
            )
            Job.objects.filter(pk=claim.job_id).delete()
            upload = Upload.objects.select_related("owner").get(pk=claim.upload.pk)
            happened.append(Event(upload.owner_id, upload.pk, serializers.terminal(upload), over=True))
    except LostUpload:
        log.info("upload %s was taken from its reader at its end", claim.upload.pk)


def _give_back(claim: Claim) -> None:
    """The job waits again, as if nothing had happened; the finished pages stay."""
    Job.objects.filter(pk=claim.job_id, attempt=claim.attempt).update(claimed_by="")


def _count_failure(claim: Claim, sentence: str) -> None:
    """The job waits again, unless it has brought down a reader too often without one more page."""
    job = Job.objects.filter(pk=claim.job_id, attempt=claim.attempt).first()
    if job is None:
        return
    if job.failures + 1 >= MAX_FAILURES:
        _fail(claim, sentence)
        return
    job.failures += 1
    job.claimed_by = ""
    job.save(update_fields=["failures", "claimed_by"])


def _once(warnings: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(warnings))
