"""One soak, from the start of the processes to the result."""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scanrill_client import Instance

from tests.chaos.soak import database_state, invariants
from tests.chaos.soak.chaos_monkey import ChaosMonkey
from tests.chaos.soak.database_state import DatabaseState
from tests.chaos.soak.deployment import Deployment, Embedded
from tests.chaos.soak.event_recorder import EventRecorder
from tests.chaos.soak.memory_trend import MemoryTrend, ProcessMemory
from tests.chaos.soak.plan import Plan
from tests.chaos.soak.scaled import Scaled
from tests.chaos.soak.users import User
from tests.support.accounts import Account

DEPLOYMENTS: dict[str, type[Deployment]] = {"embedded": Embedded, "scaled": Scaled}
# A dead reader's lease expires after 20 seconds; the queue needs additional time.
IDLE_TIMEOUT_SECONDS = 60
# An idle client pings the server and reconnects within this time.
DELIVERY_TIMEOUT_SECONDS = 60
# The number of uploads of each user that are retrieved with their texts at the end.
RETRIEVED_PER_USER = 3
COMPARED_FIELDS = ("id", "status", "error", "filename", "image_hash", "metadata")


@dataclass
class Result:
    """The result of a soak. All invariants hold if `violations` is empty."""

    plan: Plan
    description: str
    violations: list[str]
    outcomes: Counter[tuple[str, str]]
    injected: Counter[str]
    state: DatabaseState
    sweep_counts: tuple[int, ...]
    files: int
    partials: int
    processes: list[ProcessMemory]
    seconds: float
    events_received: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def growing(self) -> list[ProcessMemory]:
        return [process for process in self.processes if not process.is_flat]


async def run_soak(plan: Plan, directory: Path) -> Result:
    """Run the plan on new processes, and compare all that is left."""
    # Each user needs a socket and a connection; the bucket's ends are in this process too.
    _, max_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max_files, max_files))
    deployment = await asyncio.to_thread(DEPLOYMENTS[plan.mode], directory)
    try:
        await asyncio.to_thread(deployment.start)
        users = [
            User(Account.create(deployment.server), each, deployment.crash_markers) for each in plan.users
        ]
        try:
            return await _run_plan(plan, deployment, users)
        finally:
            await asyncio.gather(*(each.stop() for user in users for each in user.recorders))
    finally:
        await asyncio.to_thread(deployment.close)


async def _run_plan(plan: Plan, deployment: Deployment, users: list[User]) -> Result:
    await asyncio.gather(*(each.start() for user in users for each in user.recorders))
    chaos_monkey, memory = ChaosMonkey(deployment, plan), MemoryTrend(deployment, plan.seconds)
    started_at, started_clock = asyncio.get_running_loop().time(), time.monotonic()
    memory_task = asyncio.create_task(memory.run())
    await asyncio.gather(chaos_monkey.run(started_at), *(user.run(started_at) for user in users))
    problems = chaos_monkey.problems + await _wait_until_delivered(deployment, users)
    memory_task.cancel()
    with suppress(asyncio.CancelledError):
        await memory_task
    api_violations = [sentence for user in users for sentence in await _check_api(user)]
    await asyncio.to_thread(deployment.stop)
    sweep_counts = await asyncio.to_thread(deployment.sweep)
    state, stored_files = await asyncio.to_thread(
        lambda: (database_state.read_state(deployment.server), deployment.stored_files())
    )
    all_violations = [
        *problems,
        *deployment.problems,
        *api_violations,
        *invariants.violations(users, state, stored_files, deployment.logs),
    ]
    return Result(
        plan,
        deployment.description,
        all_violations,
        sum((user.outcomes for user in users), Counter()),
        chaos_monkey.injected,
        state,
        sweep_counts,
        len(stored_files),
        sum(each.partials for user in users for each in user.recorders),
        memory.processes,
        time.monotonic() - started_clock,
        sum(len(each.events) for user in users for each in user.recorders),
        Counter(row.status for row in state.uploads.values()),
    )


async def _wait_until_delivered(deployment: Deployment, users: list[User]) -> list[str]:
    """Wait until all uploads are terminal and every client knows it; return problems."""
    recorders = [each for user in users for each in user.recorders]
    while True:
        if not await _wait_until_terminal(recorders):
            return ["some uploads never became terminal"]
        last_seqs = await asyncio.to_thread(database_state.last_seqs, deployment.server)
        try:
            async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
                await asyncio.gather(
                    *(_wait_for_seq(user, last_seqs.get(str(user.account.id), 0)) for user in users)
                )
        except TimeoutError:
            seconds = DELIVERY_TIMEOUT_SECONDS
            return [f"{seconds} seconds after the last event, some clients have not received it"]
        # Only now does every client know the last uploads, which may still be open.
        if all(each.has_all_terminal or each.has_ended for each in recorders):
            return []


async def _wait_until_terminal(recorders: Sequence[EventRecorder]) -> bool:
    """Return False if uploads are still open although no client has received an event for a long time."""
    all_terminal = asyncio.gather(
        *(each.wait_until(lambda each=each: each.has_all_terminal) for each in recorders)
    )
    received = -1
    while not all_terminal.done() and received != (
        received := sum(len(each.events) + each.partials for each in recorders)
    ):
        await asyncio.wait({all_terminal}, timeout=IDLE_TIMEOUT_SECONDS)
    is_done = all_terminal.done()
    all_terminal.cancel()
    return is_done


async def _wait_for_seq(user: User, last_seq: int) -> None:
    for each in user.recorders:
        await each.wait_until(lambda each=each: each.seq >= last_seq)


async def _check_api(user: User) -> list[str]:
    """Retrieve some uploads, and compare the list with the state of each client; return violations."""
    client = user.client
    try:
        async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
            listed = {upload.id: upload for upload in (await client.list()).uploads}
            for key in list(listed)[:RETRIEVED_PER_USER]:
                user.final_instances[key] = await client.retrieve(key)
    except Exception as error:
        return [f"{user.plan.name}: the API did not answer at the end: {error!r}"]
    return [
        f"{user.plan.name}: the final list differs from the state of {each.name}: {key}"
        for each in user.recorders
        for key in listed.keys() | each.client.uploads.keys()
        if _compared(listed.get(key)) != _compared(each.client.uploads.get(key))
    ]


def _compared(upload: Instance | None) -> list[object]:
    """Return the fields of an upload that both events and lists contain."""
    return [getattr(upload, name, None) for name in COMPARED_FIELDS]
