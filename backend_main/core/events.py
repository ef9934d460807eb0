"""Step 11 — what happened to an upload, told to this process's listeners after the commit, in commit order.

    with events.transaction() as happened:
        …change rows…
        happened.append(Event(…))

Nothing is told when the transaction fails. A listener is called on the thread that committed; it must be
quick and must not raise.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction as database

from .protocol import AnyMessage, Message


@dataclass(frozen=True, slots=True)
class Event:
    """One message about one upload.

    `origin` is the socket whose request caused it: there `reply`, or else the message itself, takes the
    event's place. `taken` and `over` frame the time in which a reader has the upload.
    """

    owner_id: UUID
    upload_id: UUID
    message: AnyMessage | None
    origin: str | None = None
    reply: Message | None = None
    taken: Taken | None = None
    over: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """A reader begins, or goes on with, an upload whose finished pages are `pages`, from the first on."""

    attempt: int
    pages: tuple[str, ...] = ()
    page_count: int | None = None


Listener = Callable[[Event], None]

_listeners: list[Listener] = []
# Held over commit and telling, so that both happen in one order; SQLite has one writer at a time anyway.
_order = threading.Lock()


@contextmanager
def transaction() -> Iterator[list[Event]]:
    """A database transaction; the events appended to what it yields are told once it has committed."""
    happened: list[Event] = []
    with _order:
        with database.atomic():
            yield happened
        for event in happened:
            for listener in _listeners:
                listener(event)


def listen(listener: Listener) -> None:
    _listeners.append(listener)


def unlisten(listener: Listener) -> None:
    _listeners.remove(listener)
