"""What starts before the first request and ends after the last: the hub, the readers, the sweeping."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any

from backend_main.core import orm, readers, sweep
from backend_main.core.live import hub


async def lifespan(
    _scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    await receive()  # lifespan.startup
    hub.start()
    await orm.run(readers.start)
    sweeping = asyncio.create_task(sweep.forever())
    # What is here now stays. The collector would look at all of it, for 40 ms, whenever enough is new.
    gc.collect()
    gc.freeze()
    await send({"type": "lifespan.startup.complete"})
    await receive()  # lifespan.shutdown
    sweeping.cancel()
    await asyncio.to_thread(readers.stop)
    await hub.stop()
    await send({"type": "lifespan.shutdown.complete"})
