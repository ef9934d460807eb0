"""What starts before the first request and ends after the last: the hub, the readers, the sweeping."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

from backend_main.core import dispatch, orm, readers, sweep
from backend_main.core.conf import conf
from backend_main.core.live import hub

COURIER_SECONDS = 1.0


async def lifespan(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # lifespan.startup
    hub.start()
    if conf.broker:
        dispatch.start_courier(_call_workers)
    await orm.run(readers.start, hub.bell, conf.readers if conf.reads_here else 0)
    sweeping = asyncio.create_task(sweep.forever())
    # What is here now stays. The collector would look at all of it, for 40 ms, whenever enough is new.
    gc.collect()
    gc.freeze()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    sweeping.cancel()
    await asyncio.to_thread(readers.stop)
    await asyncio.to_thread(dispatch.stop_courier, COURIER_SECONDS)
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})


def _call_workers(readers: int) -> None:
    from . import celery  # on the courier's thread: no start of a server waits for Celery to be imported

    celery.call(readers)
