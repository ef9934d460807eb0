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

from . import bell, dispatch, events, orm, protocol, queries, replay
from .bell import Heard, LocalBell, Missed, Over, PageText, Ring, Taken, Work
from .conf import conf
from .errors import Invalid, TooMany, TooSlow, Unauthenticated, Unavailable
from .events import Change
from .feed import Feed
from .heard import Coming, Newest
from .protocol import Stream
from .replay import Entry, Log, Standing
from .sockets import Socket
from .streaming import Streams

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
# About so many users the database is asked at once: 1 ms of work, and the loop goes on with other things.
LOOK_USERS = 500


class _Snapshot(NamedTuple):
    seq: int
    text: str


class Hub:
    """Everything runs on the loop, but `tell`, which is for any thread."""

    def __init__(self, bell: LocalBell | None = None, log: Log | None = None) -> None:
        self.bell = bell or LocalBell()
        self._log = log or Log()
        self._feeds: dict[UUID, Feed] = {}
        self._streams = Streams(self._sockets)
        self._coming: dict[tuple[UUID, int], Coming] = {}
        self._ended, self._refused = Newest(), Newest()
        self._epoch = ""
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        self._streams.start()
        self.bell.start(self._hear)
        events.listen(self.tell)
        self._spawn(self._look_for_ever())

    async def stop(self) -> None:
        events.unlisten(self.tell)
        for task in self._tasks:
            task.cancel()
        await self.bell.stop()
        self._streams.stop()

    # ── sockets ──

    async def join(self, socket: Socket) -> None:
        """What commits from now on reaches the socket, after the text of what is being read.

        Raises `TooMany`.
        """
        feed = self._feeds.get(socket.owner_id) or self._open(socket.owner_id)
        if len(feed.sockets) >= conf.max_sockets_per_user:
            raise TooMany("This user has too many open sockets.")
        feed.sockets.add(socket)
        try:
            await self._bring_up(feed)
        except BaseException:
            self.leave(socket)
            raise
        assert feed.cursor is not None
        socket.position = feed.cursor
        self._go_live(socket)

    def leave(self, socket: Socket) -> None:
        socket.live = False
        if (feed := self._feeds.get(socket.owner_id)) is None:
            return
        feed.sockets.discard(socket)
        if not feed.sockets:
            del self._feeds[socket.owner_id]
            feed.close()
            self.bell.unfollow(socket.owner_id)
            self._streams.forget_remote(socket.owner_id)

    async def follow(self, socket: Socket, stream: Stream) -> None:
        """Opts in from here on: the reply says after which event, then comes the live text in this way."""
        await self._bring_up(self._feeds[socket.owner_id])
        socket.opted_in = True
        socket.answer(self._subscribed(socket))
        if stream != socket.stream:
            socket.stream = stream
            if socket.live:
                self._streams.send_all(socket)

    async def resume(self, socket: Socket, since: str, stream: Stream | None) -> None:
        """Opts in, and gives every event after the cursor `since`; or a list, and every event after that.

        The reply, which says which of the two, comes first. What was sent before it does not count.

        Raises:
            Invalid: where this socket has had cursors after `since` already.
        """
        seq = replay.seq_of(since, self._epoch)
        if seq is not None and socket.opted_in and seq < socket.position:
            raise Invalid({"since": "This socket has had later events; connect anew to have them again."})
        socket.live = False
        try:
            snapshot = await orm.look(self._missing, socket, seq)
        except BaseException:
            self._spawn(self._catch_up(socket))
            raise
        # The catching up of a subscription that failed may have made it live meanwhile.
        socket.live, socket.opted_in, socket.stream = False, True, stream or socket.stream
        if snapshot is None:
            assert seq is not None
            socket.position = seq
            socket.answer(self._subscribed(socket, recovered=True))
        else:
            socket.position = snapshot.seq
            socket.answer(self._subscribed(socket, recovered=False))
            socket.outbox.put_reply(snapshot.text)
        await self._catch_up(socket)

    def resync(self, socket: Socket, upload_id: UUID) -> None:
        """What there is of an upload's live text, once more."""
        self._streams.send(socket, upload_id)

    def _open(self, owner_id: UUID) -> Feed:
        feed = self._feeds[owner_id] = Feed(owner_id, self._read, self._deliver, _cut_off)
        self.bell.follow(owner_id)
        return feed

    def _sockets(self, owner_id: UUID) -> set[Socket]:
        feed = self._feeds.get(owner_id)
        return set() if feed is None else feed.sockets

    def _go_live(self, socket: Socket) -> None:
        socket.live = True
        self._streams.send_all(socket)

    def _subscribed(self, socket: Socket, *, recovered: bool | UnsetType = UNSET) -> protocol.Subscribed:
        return protocol.Subscribed(
            instance_id=str(socket.upload_id) if socket.upload_id else None,
            type="subscribed",
            cursor=replay.cursor(self._epoch, socket.position),
            recovered=recovered,
        )

    # ── events ──

    def tell(self, change: Change) -> None:
        """A change has been committed in this process."""
        bell.tell(self.bell, change.owner_id, change.seq, change.upload_id if change.last else None)

    async def _read(self, owner_id: UUID, seq: int) -> list[Entry]:
        return await orm.look(self._log.since, owner_id, seq)

    def _deliver(self, feed: Feed, entry: Entry) -> None:
        if entry.last:
            self._end(entry.upload_id, entry.seq)
        for socket in feed.sockets:
            if socket.live:
                socket.hear(entry, self._epoch)

    async def _bring_up(self, feed: Feed) -> None:
        """Delivers all that was committed before this call; the first time, finds out where to begin."""
        if feed.cursor is not None:
            await feed.reach(await orm.look(self._log.head, feed.owner_id))
            return
        standing = await orm.look(self._log.standing, feed.owner_id)
        await self._set_stage(feed, standing)
        if feed.cursor is None:
            self._epoch = standing.epoch
            feed.begin(standing.head)
        await feed.reach(standing.head)

    async def _catch_up(self, socket: Socket) -> None:
        """What came after the socket's position, as fast as it takes it; live where it meets its feed."""
        while (
            (feed := self._feeds.get(socket.owner_id)) and socket in feed.sockets and not socket.outbox.over
        ):
            assert feed.cursor is not None
            if socket.position == feed.cursor:
                self._go_live(socket)
                return
            try:
                await self._give_next(socket, feed)
            except Unavailable as error:
                log.warning("events wait: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
            except Exception:
                log.exception("events could not be read again; it is tried once more")
                await asyncio.sleep(LOOK_SECONDS)

    async def _give_next(self, socket: Socket, feed: Feed) -> None:
        if feed.cursor is None or socket.position > feed.cursor:
            await feed.reach(socket.position)
            return
        position = socket.position
        entries = await orm.look(self._log.since, socket.owner_id, position, socket.upload_id)
        if socket.position != position:
            return  # another subscription of the same socket begins elsewhere, or has read them
        if not entries or entries[0].seq != socket.position + 1:
            socket.close(_lost())
            socket.outbox.end()
            return
        for entry in entries:
            socket.hear(entry, self._epoch)
        await socket.outbox.room()

    def _missing(self, socket: Socket, seq: int | None) -> _Snapshot | None:
        """What has to stand for the events that are not there any more; None: they are all there."""
        if seq is not None and self._log.covers(socket.owner_id, seq):
            return None
        snapshot = self._log.snapshot(socket.owner_id, socket.upload_id)
        return _Snapshot(snapshot.seq, protocol.encode(snapshot.message))

    # ── what the bell says ──

    def _hear(self, item: Heard | Missed, local: bool) -> None:
        match item:
            case Ring():
                if feed := self._feeds.get(item.owner_id):
                    feed.ring(item.seq)
            case Over():
                self._over(item)
            case Taken():
                self._take(item, local)
            case PageText():
                self._page(item, local)
            case Work() if not local:
                dispatch.wake()
            case Missed():
                self._spawn(self._look())

    def _over(self, over: Over) -> None:
        """Where sockets listen, the event itself ends the text when its turn comes."""
        feed = self._feeds.get(over.owner_id)
        if feed is None or feed.cursor is None or feed.cursor >= over.seq:
            self._end(over.upload_id, over.seq)

    def _end(self, upload_id: UUID, seq: int) -> None:
        self._ended.note(upload_id, seq)
        self._streams.end(upload_id, seq)

    def _take(self, taken: Taken, local: bool) -> None:
        feed = self._feeds.get(taken.owner_id)
        if feed is None and not local:
            return  # nobody here listens any longer
        here = feed is None or feed.cursor is None or feed.cursor >= taken.seq
        if here and (_is_whole(taken, local) or (local and self._streams.knows(taken))):
            self._begin(taken, local)
        elif feed is not None:
            coming = self._coming[taken.upload_id, taken.attempt] = Coming()
            self._spawn(self._bring(feed, taken, coming, local))

    def _begin(self, taken: Taken, local: bool) -> None:
        if self._ended.get(taken.upload_id) <= taken.seq:
            self._streams.begin(taken, local)

    async def _bring(self, feed: Feed, taken: Taken, coming: Coming, local: bool) -> None:
        """Begins a text when all events are here that come before it; pages that lack are looked up."""
        key = taken.upload_id, taken.attempt
        try:
            found = taken if _is_whole(taken, local) else await self._look_up(taken)
            if found is not None:
                await feed.reach(found.seq)
                self._begin(found, local)
                for said in coming.pages:
                    self._streams.hear(said)
        finally:
            if self._coming.get(key) is coming:
                del self._coming[key]

    async def _look_up(self, taken: Taken) -> Taken | None:
        found = await orm.look(self._log.taken, taken.owner_id, taken.upload_id, taken.attempt)
        if found is None:
            self._refused.note(taken.upload_id, taken.attempt)
        return found

    def _page(self, said: PageText, local: bool) -> None:
        key = said.upload_id, said.attempt
        if key not in self._coming and not local and self._is_missing_something(said):
            self._take(Taken(said.owner_id, said.upload_id, said.attempt, 0), local)
        if coming := self._coming.get(key):
            coming.add(said)
        else:
            self._streams.hear(said)

    def _is_missing_something(self, said: PageText) -> bool:
        """Of a text that began before this process listened, or of pages whose end it did not hear."""
        if said.attempt <= self._refused.get(said.upload_id):
            return False
        return said.attempt > self._streams.attempt(said.upload_id) or self._streams.misses_before(said)

    async def _set_stage(self, feed: Feed, standing: Standing) -> None:
        """The texts of what is being read now, before the first of its sockets is live."""
        self._streams.keep(feed.owner_id, set(standing.reading), standing.head)
        for upload_id, (attempt, pages_done) in standing.reading.items():
            if not self._streams.has(upload_id, attempt, pages_done):
                taken = await orm.look(self._log.taken, feed.owner_id, upload_id, attempt)
                if taken is not None:
                    self._begin(taken, local=False)

    # ── what no bell tells ──

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except Unavailable as error:
                log.warning("the hub's look waits: %s", error)
            except Exception:
                log.exception("the hub's look at the database failed; the next one follows")

    async def _look(self) -> None:
        """Of all users with sockets: whose log has grown, and whose tokens stand no more."""
        owners = list(self._feeds)
        for first in range(0, len(owners), LOOK_USERS):
            await self._look_at(owners[first : first + LOOK_USERS])

    async def _look_at(self, owners: list[UUID]) -> None:
        # The sockets of now: one that joins while the database is asked is not in its answer.
        asked = {owner_id: list(self._sockets(owner_id)) for owner_id in owners}
        accounts = await orm.look(self._log.accounts, owners)
        for owner_id, sockets in asked.items():
            account = accounts.get(owner_id)
            if account is not None and (feed := self._feeds.get(owner_id)):
                feed.ring(account.head)
            for socket in sockets:
                if not queries.token_stands(account, socket.issued_at):
                    socket.close(Unauthenticated("The user was deactivated, or the token revoked."))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        """What waits for a database that is away is done anew when the next is said, or at the next look."""
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, Unavailable):
            log.warning("work of the hub waits: %s", error)
        else:
            log.error("work of the hub failed", exc_info=error)


def _is_whole(taken: Taken, local: bool) -> bool:
    """Whether it has the pages there are: of what comes from elsewhere, where there are none."""
    return taken.begins or (local and taken.pages is not None)


def _cut_off(feed: Feed) -> None:
    for socket in feed.sockets:
        socket.close(_lost())


def _lost() -> TooSlow:
    return TooSlow("Events were removed before they could be sent; reconnect and resume.")


def _bell() -> LocalBell:
    if not conf.redis_url:
        return LocalBell()
    from .redis_bell import RedisBell  # the extra `redis` is for who has one

    return RedisBell(conf.redis_url, conf.redis_prefix)


hub = Hub(_bell())
