"""Step 12 — the bell: tells hubs, from any thread, that a log has grown, and what is being read just now.

Nothing depends on its being heard: the log has every event, the pages of an upload are rows. What is heard
late is in order all the same, as each item says after which event of its owner it comes. Needs no Django.

`LocalPubSub` rings in this process. `redis_bell.RedisPubSub` rings in all processes that share a Redis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

import msgspec

from ..protocol.messages import (
    LinePosition,
)

WORKER_HEARTBEAT_SECONDS = 10.0
READERS_CHANNEL = "readers"


def user_channel(owner_id: UUID | str) -> str:
    return f"user:{owner_id}"


@dataclass(frozen=True, slots=True)
class PageSnapshot:
    """A page as far as it is read; `line` is where its newest line stands. A finished page is `done`."""

    number: int
    page_count: int | None = None
    text: str = ""
    line: LinePosition | None = None
    done: bool = False


class PubSubMessage(msgspec.Struct, frozen=True, tag=True):
    """Of the user `owner_id`. Of two with one `coalescing_key`, the second is enough for who has not heard the first."""

    owner_id: UUID

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels on which other processes receive the message."""
        return (user_channel(self.owner_id),)

    @property
    def coalescing_key(self) -> object:
        return type(self), self.owner_id

    def merge(self, earlier: PubSubMessage) -> PubSubMessage:
        """What to say in the place of both; the keys are the same."""
        return self


class LogAdvanced(PubSubMessage, frozen=True, tag=True):
    """The owner's log goes up to `seq`."""

    seq: int

    def merge(self, earlier: PubSubMessage) -> PubSubMessage:
        return earlier if isinstance(earlier, LogAdvanced) and earlier.seq > self.seq else self


class UploadScoped(PubSubMessage, frozen=True, tag=True):
    upload_id: UUID


class ReadingEnded(UploadScoped, frozen=True, tag=True):
    """The event `seq` ends the reading of an upload, if it is being read."""

    seq: int

    @property
    def channels(self) -> tuple[str, ...]:
        return user_channel(self.owner_id), READERS_CHANNEL

    @property
    def coalescing_key(self) -> object:
        return ReadingEnded, self.upload_id, self.seq


class ReadingStarted(UploadScoped, frozen=True, tag=True):
    """A reader begins, or goes on with, an upload, after the event `seq`.

    `pages` are its finished pages by their numbers; None: whoever wants them looks. `first_attempt` is the attempt with
    which this reading began, `page_ranges` are the pages that it is to read. `jobs` are the attempts that read
    now, by the first pages of their jobs; None: it is one, of the whole document.
    """

    attempt: int
    seq: int
    pages: dict[int, str] | None = None
    page_count: int | None = None
    first_attempt: int = 0
    page_ranges: str = ""
    jobs: dict[int, int] | None = None

    @property
    def attempts(self) -> dict[int, int]:
        return {1: self.attempt} if self.jobs is None else self.jobs

    @property
    def is_first_claim(self) -> bool:
        """Whether it is a reading's first claim, and no page is done: there is nothing to be looked up."""
        return self.pages == {} and self.attempt == self.first_attempt

    @property
    def coalescing_key(self) -> object:
        return ReadingStarted, self.upload_id, self.attempt


class PageTextUpdate(UploadScoped, frozen=True, tag=True):
    """A page as far as it is read, or done; of the job that begins with `first_page`."""

    attempt: int
    snapshot: PageSnapshot
    first_page: int = 1

    @property
    def coalescing_key(self) -> object:
        return PageTextUpdate, self.upload_id, self.attempt, self.snapshot.number


class SubscriberJoined(PubSubMessage, frozen=True, tag=True):
    """A process now subscribes to this user. Readers publish the user's current page again."""

    @property
    def channels(self) -> tuple[str, ...]:
        return (READERS_CHANNEL,)


class PossibleGap(msgspec.Struct, frozen=True):
    """Some items may have been lost: it is time to look."""


class JobsAvailable(PubSubMessage, frozen=True, tag=True):
    """A job waits. It is `SYSTEM_OWNER_ID`'s, whom every server follows that shares a Redis."""


class WorkerHeartbeat(PubSubMessage, frozen=True, tag=True):
    """A worker lives, and says so each `WORKER_HEARTBEAT_SECONDS`. It is `SYSTEM_OWNER_ID`'s too."""


AnyPubSubMessage = (
    LogAdvanced
    | ReadingEnded
    | ReadingStarted
    | PageTextUpdate
    | JobsAvailable
    | WorkerHeartbeat
    | SubscriberJoined
)
SYSTEM_OWNER_ID = UUID(int=0)


class Publisher(Protocol):
    """What tells: a bell, or one who only speaks."""

    def publish(self, item: AnyPubSubMessage) -> None:
        """Soon, to all who listen; from any thread."""


def publish_change(bell: Publisher, owner_id: UUID, seq: int, ended: UUID | None) -> None:
    """An event is committed; `ended` is the upload whose reading it ends."""
    bell.publish(LogAdvanced(owner_id, seq))
    if ended is not None:
        bell.publish(ReadingEnded(owner_id, ended, seq))


MessageHandler = Callable[[AnyPubSubMessage | PossibleGap, bool], None]
"""Called on the loop with an item, and whether this process said it."""

SharedMessage = ReadingEnded | SubscriberJoined
SharedHandler = Callable[[SharedMessage | PossibleGap], None]
"""Called on the loop with a message that another process published on a shared channel. Must not block."""
