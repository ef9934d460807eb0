"""Step 12 — the bell: tells hubs, from any thread, that a log has grown, and what is being read just now.

Nothing depends on its being heard: the log has every event, the pages of an upload are rows. What is heard
late is in order all the same, as each item says after which event of its owner it comes. Needs no Django.

`LocalBell` rings in this process. `redis_bell.RedisBell` rings in all processes that share a Redis.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol
from uuid import UUID

import msgspec

from .slot import Draft

log = logging.getLogger(__name__)

HERE_SECONDS = 10.0


class Item(msgspec.Struct, frozen=True, tag=True):
    """Of the user `owner_id`. Of two with one `key`, the second is enough for who has not heard the first."""

    owner_id: UUID

    @property
    def key(self) -> object:
        return type(self), self.owner_id

    def after(self, earlier: Item) -> Item:
        """What to say in the place of both; the keys are the same."""
        return self


class Ring(Item, frozen=True, tag=True):
    """The owner's log goes up to `seq`."""

    seq: int

    def after(self, earlier: Item) -> Item:
        return earlier if isinstance(earlier, Ring) and earlier.seq > self.seq else self


class OfUpload(Item, frozen=True, tag=True):
    upload_id: UUID


class Over(OfUpload, frozen=True, tag=True):
    """The event `seq` ends the reading of an upload, if it is being read."""

    seq: int

    @property
    def key(self) -> object:
        return Over, self.upload_id, self.seq


class Taken(OfUpload, frozen=True, tag=True):
    """A reader begins, or goes on with, an upload, after the event `seq`.

    `pages` are its finished pages by their numbers; None: whoever wants them looks. `run` is the attempt with
    which this reading began, `wanted` are the pages that it is to read. `jobs` are the attempts that read
    now, by the first pages of their jobs; None: it is one, of the whole document.
    """

    attempt: int
    seq: int
    pages: dict[int, str] | None = None
    page_count: int | None = None
    run: int = 0
    wanted: str = ""
    jobs: dict[int, int] | None = None

    @property
    def attempts(self) -> dict[int, int]:
        return {1: self.attempt} if self.jobs is None else self.jobs

    @property
    def begins(self) -> bool:
        """Whether it is a reading's first claim, and no page is done: there is nothing to be looked up."""
        return self.pages == {} and self.attempt == self.run

    @property
    def key(self) -> object:
        return Taken, self.upload_id, self.attempt


class PageText(OfUpload, frozen=True, tag=True):
    """A page as far as it is read, or done; of the job that begins with `first_page`."""

    attempt: int
    page: Draft
    first_page: int = 1

    @property
    def key(self) -> object:
        return PageText, self.upload_id, self.attempt, self.page.number


class Listening(Item, frozen=True, tag=True):
    """A process listens to this user from now on; who reads something of theirs says it once more."""


class Missed(msgspec.Struct, frozen=True):
    """Some items may have been lost: it is time to look."""


class Work(Item, frozen=True, tag=True):
    """A job waits. It is `NOBODY`'s, whom every server follows that shares a Redis."""


class Here(Item, frozen=True, tag=True):
    """A worker lives, and says so each `HERE_SECONDS`. It is `NOBODY`'s too."""


Heard = Ring | Over | Taken | PageText | Work | Here | Listening
NOBODY = UUID(int=0)


class Says(Protocol):
    """What tells: a bell, or one who only speaks."""

    def say(self, item: Heard) -> None:
        """Soon, to all who listen; from any thread."""


def tell(bell: Says, owner_id: UUID, seq: int, ended: UUID | None) -> None:
    """An event is committed; `ended` is the upload whose reading it ends."""
    bell.say(Ring(owner_id, seq))
    if ended is not None:
        bell.say(Over(owner_id, ended, seq))


Hear = Callable[[Heard | Missed, bool], None]
"""Called on the loop with an item, and whether this process said it."""


class Mailbox:
    """What was said and nobody has heard yet: in order, the newest of each key in the place of the oldest."""

    def __init__(self) -> None:
        self._items: dict[object, Item] = {}
        self._lock = threading.Lock()

    def put(self, item: Item) -> bool:
        """Whether there was nothing before."""
        with self._lock:
            first, key = not self._items, item.key
            earlier = self._items.get(key)
            self._items[key] = item if earlier is None else item.after(earlier)
        return first

    def take_all(self) -> list[Item]:
        with self._lock:
            items, self._items = self._items, {}
        return list(items.values())


class LocalBell:
    """`start` and `stop`, `follow` and `unfollow` on the loop; `say` from any thread."""

    def __init__(self) -> None:
        self._mailbox = Mailbox()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._hear: Hear | None = None
        self._worker_heard_at = time.monotonic()

    @property
    def problem(self) -> str | None:
        """Why it is not heard everywhere just now."""
        return None

    @property
    def unheard_seconds(self) -> float:
        """How long no worker has said that it lives, of the time in which it would have been heard."""
        return time.monotonic() - self._worker_heard_at

    def start(self, hear: Hear) -> None:
        self._hear, self._loop = hear, asyncio.get_running_loop()

    async def stop(self) -> None:
        self._hear = self._loop = None
        self._mailbox.take_all()

    def follow(self, owner_id: UUID) -> None:
        """From now on what other processes say of this user is heard too."""

    def unfollow(self, owner_id: UUID) -> None:
        pass

    def say(self, item: Heard) -> None:
        if (loop := self._loop) is not None and self._mailbox.put(item):
            with suppress(RuntimeError):  # the loop has been closed since
                loop.call_soon_threadsafe(self._ring)

    def _ring(self) -> None:
        for item in self._mailbox.take_all():
            self._heard(item, local=True)

    def _heard(self, item: Item | Missed, *, local: bool) -> None:
        """What fails here is our defect, and is not to end the one who rang, or what else is heard."""
        if isinstance(item, Here | Missed):
            self._worker_heard_at = time.monotonic()
        try:
            if self._hear is not None:
                self._hear(item, local)  # type: ignore[arg-type] # only what `say` takes comes here
        except Exception:
            log.exception("what the bell said could not be taken in")
