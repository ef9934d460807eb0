"""ASGI lifespan: start and stop of the hub, the readers and the maintenance loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

from backend_main.core import maintenance
from backend_main.core.conf import conf
from backend_main.core.db import executor
from backend_main.core.jobs import notify, reader_pool
from backend_main.core.live.hub import hub
from backend_main.core.pubsub.messages import READERS_CHANNEL


class ProcessRole:
    """Tasks of this process beside serving. If several processes share a socket, the first has all tasks."""

    runs_readers = True
    runs_maintenance = True


async def lifespan(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # lifespan.startup
    hub.start()
    if conf.broker:
        notify.start_worker_notifier(_enqueue_read_calls)
        notify.join_workers_channel(hub.pubsub)
    count = conf.readers if conf.runs_readers and ProcessRole.runs_readers else 0
    if count:
        hub.pubsub.listen(READERS_CHANNEL, reader_pool.on_reader_message)
    await executor.run_in_db_thread(reader_pool.start, hub.pubsub, count)
    maintenance_task = (
        asyncio.create_task(maintenance.maintenance_loop()) if ProcessRole.runs_maintenance else None
    )
    # Objects that exist now stay. The garbage collector would traverse them again and again, 40 ms each time.
    gc.collect()
    gc.freeze()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    if maintenance_task is not None:
        maintenance_task.cancel()
    await asyncio.to_thread(reader_pool.stop)
    await asyncio.to_thread(notify.stop_worker_notifier)
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})


def _enqueue_read_calls(readers: int) -> None:
    from . import celery  # on the notifier's thread, so that no server waits for the import at its start

    celery.enqueue_read_calls(readers)
