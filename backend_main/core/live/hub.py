"""Step 12 — one hub per process: the log of events and live text → the sockets that want them.

The log is read once for all sockets of a user (`feed.py`), a message is encoded once, and each socket takes
it at its own pace (`outbox.py`). What decides is the log: the bell only says when to look, and a look every
few seconds finds what no bell told. Live text (`streaming.py`) waits for the event that it comes after.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import NamedTuple
from uuid import UUID

from msgspec import UNSET, UnsetType

from .. import event_log
from ..auth.accounts import is_token_valid
from ..conf import conf
from ..db import executor
from ..errors import (
    DatabaseUnavailable,
    RateLimited,
    RequestError,
    SlowConsumer,
    Unauthenticated,
)
from ..event_log import UploadChange
from ..protocol import messages
from ..protocol.messages import Stream
from ..pubsub.local import LocalPubSub
from ..pubsub.messages import (
    AnyUserMessage,
    LogAdvanced,
    PageTextUpdate,
    PossibleGap,
    ReadingEnded,
    ReadingStarted,
)
from . import replay
from .active_readings import ActiveReadings
from .connection import LiveConnection
from .live_text import LiveTextBroadcaster
from .replay import EncodedEvent, EventLogReader
from .user_events import UserEventStream

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# About so many users the database is asked at once: 1 ms of work, and the loop goes on with other things.
POLL_BATCH_USERS = 500


class _Snapshot(NamedTuple):
    seq: int
    text: str


class Hub:
    """Everything runs on the loop, but `on_change_committed`, which is for any thread."""

    def __init__(self, bell: LocalPubSub | None = None, log: EventLogReader | None = None) -> None:
        self.pubsub = bell or LocalPubSub()
        self._event_log = log or EventLogReader()
        self._user_streams: dict[UUID, UserEventStream] = {}
        self._broadcaster = LiveTextBroadcaster(self._sockets)
        self._readings = ActiveReadings(self._broadcaster, self._event_log, self._user_streams, self._spawn)
        self._epoch = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._broadcaster.start()
        self.pubsub.start(self._on_message)
        event_log.add_listener(self.on_change_committed)
        self._spawn(self._poll_loop())

    async def stop(self) -> None:
        event_log.remove_listener(self.on_change_committed)
        for task in self._tasks:
            task.cancel()
        await self.pubsub.stop()
        self._broadcaster.stop()

    # ── sockets ──

    async def join(self, socket: LiveConnection) -> None:
        """What commits from now on reaches the socket, after the text of what is being read.

        Raises `RateLimited`.
        """
        feed = self._user_streams.get(socket.owner_id) or self._open(socket.owner_id)
        if len(feed.sockets) >= conf.max_sockets_per_user:
            raise RateLimited("This user has too many open sockets.")
        feed.sockets.add(socket)
        try:
            await self._sync_to_head(feed)
        except BaseException:
            self.leave(socket)
            raise
        assert feed.cursor is not None
        socket.position = feed.cursor
        self._mark_caught_up(socket)

    def leave(self, socket: LiveConnection) -> None:
        socket.is_caught_up = False
        if (feed := self._user_streams.get(socket.owner_id)) is None:
            return
        feed.sockets.discard(socket)
        if not feed.sockets:
            del self._user_streams[socket.owner_id]
            feed.close()
            self.pubsub.unsubscribe(socket.owner_id)
            self._broadcaster.drop_remote(socket.owner_id)

    async def set_stream_mode(self, socket: LiveConnection, stream: Stream) -> None:
        """Opts in from here on: the reply says after which event, then comes the live text in this way."""
        await self._sync_to_head(self._user_streams[socket.owner_id])
        socket.opted_in = True
        socket.reply(self._subscribed(socket))
        if stream != socket.stream:
            socket.stream = stream
            if socket.is_caught_up:
                self._broadcaster.send_all(socket)

    async def resume(self, socket: LiveConnection, since: str, stream: Stream | None) -> None:
        """Opts in, and gives every event after the cursor `since`; or a list, and every event after that.

        The reply, which says which of the two, comes first. What was sent before it does not count.

        Raises:
            Invalid: where this socket has had cursors after `since` already.
        """
        seq = replay.seq_of(since, self._epoch)
        if seq is not None and socket.opted_in and seq < socket.position:
            raise RequestError(
                {"since": "This socket has had later events; connect anew to have them again."}
            )
        socket.is_caught_up = False
        try:
            snapshot = await executor.run_short_query(self._snapshot_if_gap, socket, seq)
        except BaseException:
            self._spawn(self._catch_up(socket))
            raise
        # The catching up of a subscription that failed may have made it live meanwhile.
        socket.is_caught_up, socket.opted_in, socket.stream = False, True, stream or socket.stream
        if snapshot is None:
            assert seq is not None
            socket.position = seq
            socket.reply(self._subscribed(socket, recovered=True))
        else:
            socket.position = snapshot.seq
            socket.reply(self._subscribed(socket, recovered=False))
            socket.send_queue.put_reply(snapshot.text)
        await self._catch_up(socket)

    def resync(self, socket: LiveConnection, upload_id: UUID) -> None:
        """What there is of an upload's live text, once more."""
        self._broadcaster.send(socket, upload_id)

    def _open(self, owner_id: UUID) -> UserEventStream:
        feed = self._user_streams[owner_id] = UserEventStream(
            owner_id, self._read, self._deliver, _disconnect_all
        )
        self.pubsub.subscribe(owner_id)
        return feed

    def _sockets(self, owner_id: UUID) -> set[LiveConnection]:
        feed = self._user_streams.get(owner_id)
        return set() if feed is None else feed.sockets

    def _mark_caught_up(self, socket: LiveConnection) -> None:
        socket.is_caught_up = True
        self._broadcaster.send_all(socket)

    def _subscribed(
        self, socket: LiveConnection, *, recovered: bool | UnsetType = UNSET
    ) -> messages.Subscribed:
        return messages.Subscribed(
            instance_id=str(socket.upload_id) if socket.upload_id else None,
            type="subscribed",
            cursor=replay.cursor(self._epoch, socket.position),
            recovered=recovered,
        )

    # ── events ──

    def on_change_committed(self, change: UploadChange) -> None:
        """A change has been committed in this process."""
        event_log.publish_change(self.pubsub, change)

    async def _read(self, owner_id: UUID, seq: int) -> list[EncodedEvent]:
        return await executor.run_short_query(self._event_log.events_after, owner_id, seq)

    def _deliver(self, feed: UserEventStream, entry: EncodedEvent) -> None:
        if entry.ends_reading:
            self._readings.end(entry.upload_id, entry.seq)
        for socket in feed.sockets:
            if socket.is_caught_up:
                socket.deliver(entry, self._epoch)

    async def _sync_to_head(self, feed: UserEventStream) -> None:
        """Delivers all that was committed before this call; the first time, finds out where to begin."""
        if feed.cursor is not None:
            await feed.wait_until_delivered(
                await executor.run_short_query(self._event_log.latest_seq, feed.owner_id)
            )
            return
        standing = await executor.run_short_query(self._event_log.owner_state, feed.owner_id)
        await self._readings.load(feed.owner_id, standing)
        if feed.cursor is None:
            self._epoch = standing.epoch
            feed.start_at(standing.latest_seq)
        await feed.wait_until_delivered(standing.latest_seq)

    async def _catch_up(self, socket: LiveConnection) -> None:
        """What came after the socket's position, as fast as it takes it; live where it meets its feed."""
        while (
            (feed := self._user_streams.get(socket.owner_id))
            and socket in feed.sockets
            and not socket.send_queue.closed
        ):
            assert feed.cursor is not None
            if socket.position == feed.cursor:
                self._mark_caught_up(socket)
                return
            try:
                await self._send_next_batch(socket, feed)
            except DatabaseUnavailable as error:
                log.warning("events wait: %s", error)
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                log.exception("events could not be read again; it is tried once more")
                await asyncio.sleep(POLL_SECONDS)

    async def _send_next_batch(self, socket: LiveConnection, feed: UserEventStream) -> None:
        if feed.cursor is None or socket.position > feed.cursor:
            await feed.wait_until_delivered(socket.position)
            return
        position = socket.position
        entries = await executor.run_short_query(
            self._event_log.events_after, socket.owner_id, position, socket.upload_id
        )
        if socket.position != position:
            return  # another subscription of the same socket begins elsewhere, or has read them
        if not entries or entries[0].seq != socket.position + 1:
            socket.close(_events_expired())
            socket.send_queue.close()
            return
        for entry in entries:
            socket.deliver(entry, self._epoch)
        await socket.send_queue.wait_for_capacity()

    def _snapshot_if_gap(self, socket: LiveConnection, seq: int | None) -> _Snapshot | None:
        """What has to stand for the events that are not there any more; None: they are all there."""
        if seq is not None and self._event_log.has_all_since(socket.owner_id, seq):
            return None
        snapshot = self._event_log.snapshot(socket.owner_id, socket.upload_id)
        return _Snapshot(snapshot.seq, messages.encode(snapshot.message))

    # ── what the bell says ──

    def _on_message(self, message: AnyUserMessage | PossibleGap, *, is_local: bool) -> None:
        match message:
            case LogAdvanced():
                if feed := self._user_streams.get(message.owner_id):
                    feed.notify(message.seq)
            case ReadingEnded():
                self._readings.on_ended(message)
            case ReadingStarted():
                self._readings.on_started(message, is_local=is_local)
            case PageTextUpdate():
                self._readings.on_page_text(message, is_local=is_local)
            case PossibleGap():
                self._spawn(self._poll())

    # ── what no bell tells ──

    async def _poll_loop(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._poll()
            except DatabaseUnavailable as error:
                log.warning("the hub's look waits: %s", error)
            except Exception:
                log.exception("the hub's look at the database failed; the next one follows")

    async def _poll(self) -> None:
        """Of all users with sockets: whose log has grown, and whose tokens stand no more."""
        owners = list(self._user_streams)
        for first in range(0, len(owners), POLL_BATCH_USERS):
            await self._poll_users(owners[first : first + POLL_BATCH_USERS])

    async def _poll_users(self, owners: list[UUID]) -> None:
        # The sockets of now: one that joins while the database is asked is not in its answer.
        asked = {owner_id: list(self._sockets(owner_id)) for owner_id in owners}
        accounts = await executor.run_short_query(self._event_log.accounts, owners)
        for owner_id, sockets in asked.items():
            account = accounts.get(owner_id)
            if account is not None and (feed := self._user_streams.get(owner_id)):
                feed.notify(account.latest_seq)
            for socket in sockets:
                if not is_token_valid(account, socket.issued_at):
                    socket.close(Unauthenticated("The user was deactivated, or the token revoked."))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        """What waits for a database that is away is done anew when the next is said, or at the next look."""
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, DatabaseUnavailable):
            log.warning("work of the hub waits: %s", error)
        else:
            log.error("work of the hub failed", exc_info=error)


def _disconnect_all(feed: UserEventStream) -> None:
    for socket in feed.sockets:
        socket.close(_events_expired())


def _events_expired() -> SlowConsumer:
    return SlowConsumer("Events were removed before they could be sent; reconnect and resume.")


def _create_pubsub() -> LocalPubSub:
    if not conf.redis_url:
        return LocalPubSub()
    from ..pubsub.redis import RedisPubSub  # the extra `redis` is for who has one

    return RedisPubSub(conf.redis_url, conf.redis_prefix)


hub = Hub(_create_pubsub())
