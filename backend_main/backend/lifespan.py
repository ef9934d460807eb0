"""ASGI lifespan: builds the `Runtime` of the process, starts it, and stops it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from backend_main.core import maintenance
from backend_main.core.auth import tokens
from backend_main.core.conf import conf
from backend_main.core.db import disk_reserve, executor
from backend_main.core.live.server_connection import MESSAGE_MEMORY
from backend_main.core.runtime import STATE_KEY, Runtime
from backend_main.core.webhooks import sender
from backend_main.sandbox.privileges import protect_server


class ProcessRole(NamedTuple):
    """Tasks of a process beside serving. If several processes share a socket, the first has all tasks."""

    runs_readers: bool = True
    runs_maintenance: bool = True


class Lifespan:
    """ASGI application of the lifespan protocol."""

    def __init__(self, role: ProcessRole) -> None:
        self._role = role

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[dict[str, Any]]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        await receive()  # lifespan.startup
        protect_server()
        runtime = Runtime(readers=conf.readers if conf.runs_readers and self._role.runs_readers else 0)
        scope["state"] |= {STATE_KEY: runtime, MESSAGE_MEMORY: runtime.message_memory}
        tokens.prefetch_keys()
        runtime.start_hub(_enqueue_read_calls)
        await executor.run_in_db_thread(runtime.readers.start)
        await asyncio.to_thread(disk_reserve.fill)
        loops = [maintenance.maintenance_loop, sender.send_loop] if self._role.runs_maintenance else []
        periodic_tasks = [asyncio.create_task(loop()) for loop in loops]
        # Objects that exist now stay. The garbage collector would traverse them again, 40 ms each time.
        gc.collect()
        gc.freeze()
        await send({"type": "lifespan.startup.complete"})
        await receive()  # lifespan.shutdown
        for task in periodic_tasks:
            task.cancel()
        await asyncio.to_thread(runtime.stop_readers)
        await runtime.hub.stop()
        await runtime.password_sign_in.close()
        await send({"type": "lifespan.shutdown.complete"})


def _enqueue_read_calls(readers: int) -> None:
    from . import celery  # on the notifier's thread, so that no server waits for the import at its start

    celery.enqueue_read_calls(readers)
