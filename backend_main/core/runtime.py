"""Composition root of a server process: the objects that live as long as it does.

The ASGI lifespan builds one `Runtime` and puts it into the `state` that the server copies into the scope of
each request and WebSocket. Consumers and views get it from there with `runtime_of`. A worker process needs
readers and a notifier only, and builds them in `backend_main.cli.worker`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

from .auth.passwords import PasswordSignIn
from .conf import conf
from .fair_sharing import FairSemaphore
from .jobs import notify
from .jobs.notify import WorkerNotifier
from .jobs.reader_pool import ReaderPool
from .live.hub import Hub
from .live.message_memory import MessageMemory
from .live.rate_limit import MIN_LARGE_MESSAGE_CHARACTERS, MIN_THREAD_CHARACTERS, LargeMessageLimit
from .pubsub.local import LocalPubSub
from .pubsub.messages import READERS_CHANNEL
from .pubsub.workers import WorkersChannel
from .uploads.page_images import PageImageRenderer

STATE_KEY = "scanrill"
# With `listing.MAX_LIST_BYTES`, they bound the memory of lists that the clients of one user do not read.
MAX_UNREAD_LISTS_PER_USER = 2
# An export takes some MB of memory, and perhaps a temporary file, until its client has read it.
MAX_EXPORTS_PER_USER = 2


class Runtime:
    """Objects of one server process.

    Args:
        readers: Number of readers of this process.
    """

    def __init__(self, *, readers: int) -> None:
        self.unread_lists = FairSemaphore(None, MAX_UNREAD_LISTS_PER_USER)
        self.exports = FairSemaphore(None, MAX_EXPORTS_PER_USER)
        self.hub = Hub(_create_pubsub(), unread_lists=self.unread_lists)
        self.readers = ReaderPool(self.hub.pubsub, readers)
        self.page_images = PageImageRenderer()
        self.message_memory = MessageMemory(conf.max_frame_bytes + conf.message_memory_bytes)
        self.parsing_limit = LargeMessageLimit(MIN_THREAD_CHARACTERS)
        self.ingest_limit = LargeMessageLimit(MIN_LARGE_MESSAGE_CHARACTERS)
        self.password_sign_in = PasswordSignIn(conf)
        self.worker_notifier: WorkerNotifier | None = None
        self.workers_channel: WorkersChannel | None = None
        self.is_migrated = False
        """Whether all migrations were found applied; they stay so while the process lives."""
        self._has_readers = readers > 0

    def start_hub(self, enqueue: Callable[[int], None]) -> None:
        """Start the hub, and with a broker what calls workers; on the event loop.

        Args:
            enqueue: Calls a number of readers of workers; raises an exception if the broker is unavailable.
        """
        self.hub.start()
        if conf.broker:
            self.worker_notifier = WorkerNotifier(enqueue)
            self.worker_notifier.start()
            notify.add_listener(self.worker_notifier.request_readers)
            self.workers_channel = WorkersChannel(self.hub.pubsub, self.readers.wake)
            notify.add_listener(self._publish_jobs_available)
        if self._has_readers:
            self.hub.pubsub.listen(READERS_CHANNEL, self.readers.on_reader_message)

    def stop_readers(self) -> None:
        """Stop the readers, the renderer and the notifier; waits for their threads."""
        self.readers.stop()
        self.page_images.stop()
        if self.worker_notifier is not None:
            notify.remove_listener(self.worker_notifier.request_readers)
            notify.remove_listener(self._publish_jobs_available)
            self.worker_notifier.stop()

    def _publish_jobs_available(self, _jobs: int) -> None:
        if self.workers_channel is not None:
            self.workers_channel.publish_jobs_available()


def runtime_of(scope: Mapping[str, Any]) -> Runtime:
    """Return the runtime of the process that serves this ASGI scope."""
    return cast("Runtime", scope["state"][STATE_KEY])


def _create_pubsub() -> LocalPubSub:
    if not conf.redis_url:
        return LocalPubSub()
    from .pubsub.redis import RedisPubSub  # needs the extra `redis`

    return RedisPubSub(conf.redis_url, conf.redis_prefix)
