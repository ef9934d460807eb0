"""The pub/sub messages and their channels.

Delivery is best effort. Events and finished pages are in the database, so a lost message only delays. Each
message carries the `seq` of the event that it follows, so a subscriber can restore the order.

A user's channel carries notices of events, and live text. The readers' channel makes readers stop, or publish
their page again. The workers' channel carries heartbeats of workers, and wakes readers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self
from uuid import UUID

import msgspec

from ..protocol.messages import LinePosition

READERS_CHANNEL = "readers"
WORKERS_CHANNEL = "workers"


def user_channel(owner_id: UUID | str) -> str:
    return f"user:{owner_id}"


@dataclass(frozen=True, slots=True)
class PageState:
    """The text of a page so far. `line` is the position of its newest line; `done` marks the final text."""

    number: int
    page_count: int | None = None
    text: str = ""
    line: LinePosition | None = None
    done: bool = False


class PubSubMessage(msgspec.Struct, frozen=True, tag=True):
    """A message. While it is unsent, a later one with an equal `coalescing_key` replaces it."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The channels on which other processes receive the message."""
        raise NotImplementedError

    @property
    def coalescing_key(self) -> object:
        return type(self)

    def merge(self, earlier: Self) -> Self:
        """Return the message that replaces this one and an unsent earlier one with the same key."""
        return self

    @property
    def remote_form(self) -> PubSubMessage:
        """The message as other processes receive it."""
        return self


class UserMessage(PubSubMessage, frozen=True, tag=True):
    """A message about the user `owner_id`."""

    owner_id: UUID

    @property
    def channels(self) -> tuple[str, ...]:
        return (user_channel(self.owner_id),)

    @property
    def coalescing_key(self) -> object:
        return type(self), self.owner_id


class LogAdvanced(UserMessage, frozen=True, tag=True):
    """The owner's event log has grown to `seq`."""

    seq: int

    def merge(self, earlier: Self) -> Self:
        return earlier if earlier.seq > self.seq else self


class UploadMessage(UserMessage, frozen=True, tag=True):
    """A message about one upload."""

    upload_id: UUID


class ReadingEnded(UploadMessage, frozen=True, tag=True):
    """The event `seq` ends the reading of an upload, if a reader has it."""

    seq: int

    @property
    def channels(self) -> tuple[str, ...]:
        return user_channel(self.owner_id), READERS_CHANNEL

    @property
    def coalescing_key(self) -> object:
        return ReadingEnded, self.upload_id, self.seq


class ReadingStarted(UploadMessage, frozen=True, tag=True):
    """A reader starts, or continues, to read an upload.

    Attributes:
        attempt: the claim's number.
        seq: the owner's last event before this claim.
        pages: the finished pages' texts by number; None where subscribers must load them.
        first_attempt: the attempt with which this reading began.
        page_ranges: the pages to read; empty for all.
        jobs: the attempts in progress, by the first page of their job; None for one job of all pages.
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
        """Whether this is the reading's first claim, and no page is finished: there is nothing to load."""
        return self.pages == {} and self.attempt == self.first_attempt

    @property
    def coalescing_key(self) -> object:
        return ReadingStarted, self.upload_id, self.attempt

    @property
    def remote_form(self) -> PubSubMessage:
        """The message without pages, which subscribers load from the database."""
        return self if self.is_first_claim else msgspec.structs.replace(self, pages=None)


class PageTextUpdate(UploadMessage, frozen=True, tag=True):
    """The new text of a page, from the job that begins with `first_page`."""

    attempt: int
    page: PageState
    first_page: int = 1

    @property
    def coalescing_key(self) -> object:
        return PageTextUpdate, self.upload_id, self.attempt, self.page.number


class SubscriberJoined(PubSubMessage, frozen=True, tag=True):
    """A process now subscribes to a user. Readers publish the user's current page again."""

    owner_id: UUID

    @property
    def channels(self) -> tuple[str, ...]:
        return (READERS_CHANNEL,)

    @property
    def coalescing_key(self) -> object:
        return SubscriberJoined, self.owner_id


class JobsAvailable(PubSubMessage, frozen=True, tag=True):
    """A server has added jobs. Other servers wake their readers."""

    @property
    def channels(self) -> tuple[str, ...]:
        return (WORKERS_CHANNEL,)


class WorkerHeartbeat(PubSubMessage, frozen=True, tag=True):
    """A worker is alive."""

    @property
    def channels(self) -> tuple[str, ...]:
        return (WORKERS_CHANNEL,)


class PossibleGap(msgspec.Struct, frozen=True):
    """Messages may have been lost. Never published: a pub/sub creates it after a reconnect."""


AnyUserMessage = LogAdvanced | ReadingEnded | ReadingStarted | PageTextUpdate
AnySharedMessage = ReadingEnded | SubscriberJoined | JobsAvailable | WorkerHeartbeat
AnyPubSubMessage = AnyUserMessage | AnySharedMessage


class UserMessageHandler(Protocol):
    """Called on the loop. `is_local`: whether this process published the message."""

    def __call__(self, message: AnyUserMessage | PossibleGap, /, *, is_local: bool) -> None: ...


class SharedMessageHandler(Protocol):
    """Called on the loop with a message of another process. Must not block."""

    def __call__(self, message: AnySharedMessage | PossibleGap, /) -> None: ...


class Publisher(Protocol):
    """A pub/sub, or a process's sending half of one."""

    def publish(self, message: AnyPubSubMessage) -> None:
        """Send a message to all subscribers, soon; from any thread."""
