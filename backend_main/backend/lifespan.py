"""What starts before the first request and ends after the last: the hub, the readers, the sweeping."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

from backend_main.core import dispatch, orm, readers, sweep
from backend_main.core.bell import NOBODY, Work
from backend_main.core.conf import conf
from backend_main.core.live import hub

COURIER_SECONDS = 1.0


class Duties:
    """What this process does beside serving. Of several that share a socket, one does all of it."""

    reads = True
    sweeps = True


async def lifespan(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # lifespan.startup
    hub.start()
    if conf.broker:
        dispatch.start_courier(_call_workers)
        dispatch.tell_others_by(lambda: hub.bell.say(Work(NOBODY)))
        hub.bell.follow(NOBODY)
    count = conf.readers if conf.reads_here and Duties.reads else 0
    await orm.run(readers.start, hub.bell, count)
    sweeping = asyncio.create_task(sweep.forever()) if Duties.sweeps else None
    # What is here now stays. The collector would look at all of it, for 40 ms, whenever enough is new.
    gc.collect()
    gc.freeze()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    if sweeping is not None:
        sweeping.cancel()
    await asyncio.to_thread(readers.stop)
    await asyncio.to_thread(dispatch.stop_courier, COURIER_SECONDS)
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})


def _call_workers(readers: int) -> None:
    from . import celery  # on the courier's thread: no start of a server waits for Celery to be imported

    celery.call(readers)
