"""The hub of a process: sends the event log and live text to its connections.

The hub reads the log once for all connections of a user, encodes each message once, and puts it into each
connection's send queue. The database decides: pub/sub messages trigger a read, and a poll each second
finds what no message announced. Live text waits for the event that it follows.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from uuid import UUID

from msgspec import UNSET, UnsetType

from .. import event_log
from ..auth.accounts import is_credential_valid
from ..conf import conf
from ..db import executor
from ..errors import DatabaseUnavailable, RateLimited, RequestError, SlowConsumer, Unauthenticated
from ..event_log import UploadChange
from ..fair_sharing import FairSemaphore
from ..protocol import messages
from ..protocol.field_types import StreamName
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
from .watcher import UploadWatcher

log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
# The users of one query: 1 ms of database work, after which the loop continues with other tasks.
POLL_BATCH_USERS = 500


class Hub:
    """Everything runs on the loop but `on_change_committed`, which may be called from any thread.

    Args:
        pubsub: started and stopped by the hub. Default: within this process.
        log_reader: reads the database.
        unread_lists: limits how many lists of one user wait until clients read them.
    """

    def __init__(
        self,
        pubsub: LocalPubSub | None = None,
        log_reader: EventLogReader | None = None,
        unread_lists: FairSemaphore | None = None,
    ) -> None:
        self._unread_lists = unread_lists or FairSemaphore(None)
        self.pubsub = pubsub or LocalPubSub()
        self._log_reader = log_reader or EventLogReader()
        self._user_streams: dict[UUID, UserEventStream] = {}
        self._broadcaster = LiveTextBroadcaster(self._connections_of)
        self._readings = ActiveReadings(self._broadcaster, self._log_reader, self._user_streams, self._spawn)
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

    # ── connections ──

    async def join(self, connection: LiveConnection) -> None:
        """Add a connection: every later commit reaches it, after the live text so far.

        Raises `RateLimited`.
        """
        await self.join_without_events(connection)
        self._mark_caught_up(connection)

    async def join_without_events(self, connection: LiveConnection) -> None:
        """Add a connection that gets nothing until `open_event_stream` or `resume`. Raises `RateLimited`."""
        stream = self._open_stream(connection.owner_id)
        stream.connections.add(connection)
        try:
            await self._sync_to_head(stream)
        except BaseException:
            self.leave(connection)
            raise
        assert stream.position is not None
        connection.position = stream.position

    async def open_event_stream(self, connection: LiveConnection, since: str | None) -> None:
        """Reply with the cursor of a connection that has joined; then send events, from `since` or from here.

        Raises what `resume` raises.
        """
        if since is not None:
            await self.resume(connection, since, connection.stream)
            return
        connection.opted_in = True
        connection.reply(self._subscribed(connection))
        await self._catch_up(connection)

    def leave(self, connection: LiveConnection) -> None:
        connection.is_caught_up = False
        if stream := self._user_streams.get(connection.owner_id):
            stream.connections.discard(connection)
            self._close_if_unused(stream)

    @asynccontextmanager
    async def watching(self, watcher: UploadWatcher) -> AsyncIterator[None]:
        """Notify a watcher of the ends that are committed meanwhile. It counts as a connection of its user.

        Raises `RateLimited`.
        """
        stream = self._open_stream(watcher.owner_id)
        stream.watchers.add(watcher)
        try:
            await self._sync_to_head(stream)
            yield
        finally:
            stream.watchers.discard(watcher)
            self._close_if_unused(stream)

    def _open_stream(self, owner_id: UUID) -> UserEventStream:
        """Return the stream of a user, who may have one more connection. Raises `RateLimited`."""
        stream = self._user_streams.get(owner_id)
        if stream is None:
            stream = self._user_streams[owner_id] = UserEventStream(
                owner_id, read=self._read_events, deliver=self._deliver, on_gap=_disconnect_all
            )
            self.pubsub.subscribe(owner_id)
        if stream.user_count >= conf.max_sockets_per_user:
            raise RateLimited("This user has too many open sockets, event streams and waiting requests.")
        return stream

    def _close_if_unused(self, stream: UserEventStream) -> None:
        owner_id = stream.owner_id
        if stream.user_count or self._user_streams.get(owner_id) is not stream:
            return
        del self._user_streams[owner_id]
        stream.close()
        self.pubsub.unsubscribe(owner_id)
        self._broadcaster.drop_remote(owner_id)

    async def set_stream_mode(self, connection: LiveConnection, mode: StreamName) -> None:
        """Opt in from here on: reply with the cursor, then send the live text in this mode."""
        await self._sync_to_head(self._user_streams[connection.owner_id])
        connection.opted_in = True
        connection.reply(self._subscribed(connection))
        if mode != connection.stream:
            connection.stream = mode
            if connection.is_caught_up:
                self._broadcaster.send_all(connection)

    async def resume(self, connection: LiveConnection, since: str, mode: StreamName | None) -> None:
        """Opt in, and send every event after the cursor `since`; where some were removed, a list first.

        The reply has `recovered`, and precedes both.

        Raises:
            RequestError: the connection has had events after `since` already.
        """
        seq = replay.seq_of(since, self._epoch)
        if seq is not None and connection.opted_in and seq < connection.position:
            raise RequestError({"since": "This connection has later events. Reconnect to get them again."})
        connection.is_caught_up = False
        owner_id = connection.owner_id
        try:
            if seq is not None and await executor.run_catch_up(
                owner_id, self._log_reader.has_all_since, owner_id, seq
            ):
                self._resume_at(connection, seq, mode, recovered=True)
            else:
                await self._send_snapshot(connection, mode)
        except BaseException:
            self._spawn(self._catch_up(connection))
            raise
        await self._catch_up(connection)

    async def _send_snapshot(self, connection: LiveConnection, mode: StreamName | None) -> None:
        """Reply with the list that stands for removed events; wait until the client has read it."""
        owner_id = connection.owner_id
        async with self._unread_lists.place(owner_id):
            snapshot = await executor.run_long_query(
                owner_id, self._log_reader.snapshot, owner_id, connection.upload_id
            )
            self._resume_at(connection, snapshot.seq, mode, recovered=False)
            connection.send_queue.put_reply(snapshot.text)
            del snapshot
            await connection.send_queue.drain()

    def _resume_at(
        self, connection: LiveConnection, seq: int, mode: StreamName | None, *, recovered: bool
    ) -> None:
        # The catch-up of an earlier `resume` that failed may have set this meanwhile.
        connection.is_caught_up = False
        connection.opted_in = True
        connection.stream = mode or connection.stream
        connection.position = seq
        connection.reply(self._subscribed(connection, recovered=recovered))

    def resync(self, connection: LiveConnection, upload_id: UUID) -> None:
        """Send all of an upload's live text again."""
        self._broadcaster.send(connection, upload_id)

    def _connections_of(self, owner_id: UUID) -> set[LiveConnection]:
        stream = self._user_streams.get(owner_id)
        return set() if stream is None else stream.connections

    def _mark_caught_up(self, connection: LiveConnection) -> None:
        connection.is_caught_up = True
        self._broadcaster.send_all(connection)

    def _subscribed(
        self, connection: LiveConnection, *, recovered: bool | UnsetType = UNSET
    ) -> messages.Subscribed:
        return messages.Subscribed(
            instance_id=str(connection.upload_id) if connection.upload_id else None,
            type="subscribed",
            cursor=replay.cursor(self._epoch, connection.position),
            recovered=recovered,
        )

    # ── events ──

    def on_change_committed(self, change: UploadChange) -> None:
        """Publish a change that this process has committed."""
        event_log.publish_change(self.pubsub, change)

    async def _read_events(self, owner_id: UUID, seq: int) -> list[EncodedEvent]:
        return await executor.run_short_query(self._log_reader.events_after, owner_id, seq)

    def _deliver(self, stream: UserEventStream, event: EncodedEvent) -> None:
        if event.ends_reading:
            self._readings.end(event.upload_id, event.seq)
            stream.notify_watchers(event.upload_id)
        for connection in stream.connections:
            if connection.is_caught_up:
                connection.deliver(event, self._epoch)

    async def _sync_to_head(self, stream: UserEventStream) -> None:
        """Deliver everything committed before this call; at first, start the stream at the log's head."""
        if stream.position is not None:
            head = await executor.run_short_query(self._log_reader.latest_seq, stream.owner_id)
            await stream.wait_until_delivered(head)
            return
        state = await executor.run_short_query(self._log_reader.owner_state, stream.owner_id)
        await self._readings.load(stream.owner_id, state)
        if stream.position is None:
            self._epoch = state.epoch
            stream.start_at(state.latest_seq)
        await stream.wait_until_delivered(state.latest_seq)

    async def _catch_up(self, connection: LiveConnection) -> None:
        """Send the events after the connection's position, as fast as it reads, until it meets its stream."""
        while (
            (stream := self._user_streams.get(connection.owner_id))
            and connection in stream.connections
            and not connection.send_queue.closed
        ):
            assert stream.position is not None
            if connection.position == stream.position:
                self._mark_caught_up(connection)
                return
            try:
                await self._send_next_batch(connection, stream)
            except DatabaseUnavailable as error:
                log.warning("Events wait for the database: %s", error)
                await asyncio.sleep(POLL_SECONDS)
            except Exception:
                log.exception("Events could not be read for a connection.")
                await asyncio.sleep(POLL_SECONDS)

    async def _send_next_batch(self, connection: LiveConnection, stream: UserEventStream) -> None:
        if stream.position is None or connection.position > stream.position:
            await stream.wait_until_delivered(connection.position)
            return
        position = connection.position
        owner_id = connection.owner_id
        events = await executor.run_catch_up(
            owner_id, self._log_reader.events_after, owner_id, position, connection.upload_id
        )
        if connection.position != position:
            return  # another `resume` of the connection starts elsewhere, or has sent them
        if not events or events[0].seq != connection.position + 1:
            connection.close(_events_expired())
            connection.send_queue.close()
            return
        for event in events:
            connection.deliver(event, self._epoch)
        await connection.send_queue.wait_for_capacity()

    # ── pub/sub messages ──

    def _on_message(self, message: AnyUserMessage | PossibleGap, *, is_local: bool) -> None:
        match message:
            case LogAdvanced():
                if stream := self._user_streams.get(message.owner_id):
                    stream.notify(message.seq)
            case ReadingEnded():
                self._readings.on_ended(message)
            case ReadingStarted():
                self._readings.on_started(message, is_local=is_local)
            case PageTextUpdate():
                self._readings.on_page_text(message, is_local=is_local)
            case PossibleGap():
                self._spawn(self._poll())

    # ── polling ──

    async def _poll_loop(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._poll()
            except DatabaseUnavailable as error:
                log.warning("The hub's poll waits for the database: %s", error)
            except Exception:
                log.exception("The hub's poll failed.")

    async def _poll(self) -> None:
        """Notify streams whose logs have grown; close connections whose tokens are no longer valid."""
        owner_ids = list(self._user_streams)
        for first in range(0, len(owner_ids), POLL_BATCH_USERS):
            await self._poll_users(owner_ids[first : first + POLL_BATCH_USERS])

    async def _poll_users(self, owner_ids: list[UUID]) -> None:
        # A connection that joins during the query may be newer than its answer.
        streams = {owner_id: self._user_streams.get(owner_id) for owner_id in owner_ids}
        users = {owner_id: stream.users if stream else [] for owner_id, stream in streams.items()}
        accounts = await executor.run_short_query(self._log_reader.accounts, owner_ids)
        for owner_id in owner_ids:
            account = accounts.get(owner_id)
            if account is not None and (stream := self._user_streams.get(owner_id)):
                stream.notify(account.latest_seq)
            for user in users[owner_id]:
                if not is_credential_valid(account, user.issued_at, user.credential_id):
                    user.close(Unauthenticated("The user was deactivated, or the credential revoked."))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_task_done)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        """Log a failure. The next message or poll repeats work that the database's absence prevented."""
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, DatabaseUnavailable):
            log.warning("A task of the hub waits for the database: %s", error)
        else:
            log.error("A task of the hub failed.", exc_info=error)


def _disconnect_all(stream: UserEventStream) -> None:
    for connection in stream.connections:
        connection.close(_events_expired())
    stream.notify_watchers(None)


def _events_expired() -> SlowConsumer:
    return SlowConsumer("Events were removed before they could be sent; reconnect and resume.")
