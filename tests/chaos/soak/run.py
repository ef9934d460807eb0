"""A soak from its beginning to its books."""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from scanrill_client import Instance

from tests.chaos.soak import database_state, invariants
from tests.chaos.soak.chaos_monkey import ChaosMonkey
from tests.chaos.soak.database_state import DatabaseState
from tests.chaos.soak.deployment import Deployment, Embedded
from tests.chaos.soak.memory_trend import MemoryTrend, ProcessMemory
from tests.chaos.soak.plan import Plan
from tests.chaos.soak.scaled import Scaled
from tests.chaos.soak.users import User
from tests.support.accounts import Account

DEPLOYMENTS: dict[str, type[Deployment]] = {"embedded": Embedded, "scaled": Scaled}
# Whoever died with a job in hand has let go of it after 20 seconds; what waits to be read takes its time.
IDLE_TIMEOUT_SECONDS = 60
# A client that was told nothing meanwhile asks whether anybody is there, and comes back.
DELIVERY_TIMEOUT_SECONDS = 60
# Uploads of each user that are asked for, with their texts, in the end.
RETRIEVED_PER_USER = 3
COMPARED_FIELDS = ("id", "status", "error", "filename", "image_hash", "metadata")


@dataclass
class Result:
    """What happened. It has balanced where there are no `differences`."""

    plan: Plan
    description: str
    violations: list[str]
    outcomes: Counter[tuple[str, str]]
    injected: Counter[str]
    state: DatabaseState
    swept: tuple[int, ...]
    files: int
    partials: int
    processes: list[ProcessMemory]
    seconds: float
    events_received: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def growing(self) -> list[ProcessMemory]:
        return [weight for weight in self.processes if not weight.is_flat]


async def run_soak(plan: Plan, directory: Path) -> Result:
    """Carries out the plan on processes of its own, and holds all that is left against each other."""
    # A socket and a connection for each user, and their other ends where a bucket is in this process.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
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
    monkey, weighing = ChaosMonkey(deployment, plan), MemoryTrend(deployment, plan.seconds)
    began, clock = asyncio.get_running_loop().time(), time.monotonic()
    weigher = asyncio.create_task(weighing.run())
    await asyncio.gather(monkey.run(began), *(user.run(began) for user in users))
    problems = monkey.problems + await _wait_until_delivered(deployment, users)
    weigher.cancel()
    with suppress(asyncio.CancelledError):
        await weigher
    answers = [sentence for user in users for sentence in await _check_api(user)]
    await asyncio.to_thread(deployment.stop)
    swept = await asyncio.to_thread(deployment.sweep)
    found, stored = await asyncio.to_thread(
        lambda: (database_state.read_state(deployment.server), deployment.stored_files())
    )
    differences = [
        *problems,
        *deployment.problems,
        *answers,
        *invariants.violations(users, found, stored, deployment.logs),
    ]
    return Result(
        plan,
        deployment.description,
        differences,
        sum((user.outcomes for user in users), Counter()),
        monkey.injected,
        found,
        swept,
        len(stored),
        sum(each.partials for user in users for each in user.recorders),
        weighing.processes,
        time.monotonic() - clock,
        sum(len(each.events) for user in users for each in user.recorders),
        Counter(row.status for row in found.uploads.values()),
    )


async def _wait_until_delivered(deployment: Deployment, users: list[User]) -> list[str]:
    """Until all has ended, and every client was told so; sentences on those that never were."""
    problems = [] if await _wait_until_terminal(users) else ["not all has ended, and nothing more happens"]
    heads = await asyncio.to_thread(database_state.last_seqs, deployment.server)
    try:
        async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
            await asyncio.gather(*(_wait_for_seq(user, heads.get(str(user.account.id), 0)) for user in users))
    except TimeoutError:
        problems.append(
            f"{DELIVERY_TIMEOUT_SECONDS} seconds after the last event not all clients were told of it"
        )
    return problems


async def _wait_until_terminal(users: list[User]) -> bool:
    """False where for a long time nobody is told of anything, and yet not all has ended."""
    everybody = [each for user in users for each in user.recorders]
    ending = asyncio.gather(*(each.wait_until(lambda each=each: each.has_all_terminal) for each in everybody))
    told = -1
    while not ending.done() and told != (told := sum(len(each.events) + each.partials for each in everybody)):
        await asyncio.wait({ending}, timeout=IDLE_TIMEOUT_SECONDS)
    ended = ending.done()
    ending.cancel()
    return ended


async def _wait_for_seq(user: User, head: int) -> None:
    for each in user.recorders:
        await each.wait_until(lambda each=each: each.seq >= head)


async def _check_api(user: User) -> list[str]:
    """What the API says in the end, of all and of some; the list is what the clients made of the events."""
    client = user.client
    try:
        async with asyncio.timeout(DELIVERY_TIMEOUT_SECONDS):
            listed = {upload.id: upload for upload in (await client.list()).uploads}
            for key in list(listed)[:RETRIEVED_PER_USER]:
                user.final_instances[key] = await client.retrieve(key)
    except Exception as error:
        return [f"{user.plan.name}: in the end the API did not answer: {error!r}"]
    return [
        f"{user.plan.name}: the list in the end is not what {each.name} was told: {key}"
        for each in user.recorders
        for key in listed.keys() | each.client.uploads.keys()
        if _compared(listed.get(key)) != _compared(each.client.uploads.get(key))
    ]


def _compared(upload: Instance | None) -> list[object]:
    """What events tell of an upload, and a list too."""
    return [getattr(upload, name, None) for name in COMPARED_FIELDS]
