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
from tests.chaos.soak.database_state import Records
from tests.chaos.soak.deployment import Deployment, Embedded
from tests.chaos.soak.memory_trend import MemoryTrend, Weight
from tests.chaos.soak.plan import Plan
from tests.chaos.soak.scaled import Scaled
from tests.chaos.soak.users import User
from tests.support.accounts import Account

STAGES: dict[str, type[Deployment]] = {"embedded": Embedded, "scaled": Scaled}
# Whoever died with a job in hand has let go of it after 20 seconds; what waits to be read takes its time.
STILL_SECONDS = 60
# A client that was told nothing meanwhile asks whether anybody is there, and comes back.
TOLD_SECONDS = 60
# Uploads of each user that are asked for, with their texts, in the end.
ASKED = 3
SHOWN = ("id", "status", "error", "filename", "image_hash", "metadata")


@dataclass
class Result:
    """What happened. It has balanced where there are no `differences`."""

    plan: Plan
    description: str
    differences: list[str]
    outcomes: Counter[tuple[str, str]]
    struck: Counter[str]
    found: Records
    swept: tuple[int, ...]
    files: int
    partials: int
    weights: list[Weight]
    seconds: float
    events_told: int = 0
    statuses: Counter[str] = field(default_factory=Counter)

    @property
    def growing(self) -> list[Weight]:
        return [weight for weight in self.weights if not weight.is_flat]


async def soak(plan: Plan, directory: Path) -> Result:
    """Carries out the plan on processes of its own, and holds all that is left against each other."""
    # A socket and a connection for each user, and their other ends where a bucket is in this process.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    stage = await asyncio.to_thread(STAGES[plan.mode], directory)
    try:
        await asyncio.to_thread(stage.start)
        users = [User(Account.on(stage.server), each, stage.marks) for each in plan.users]
        try:
            return await _carried_out(plan, stage, users)
        finally:
            await asyncio.gather(*(each.end() for user in users for each in user.following))
    finally:
        await asyncio.to_thread(stage.close)


async def _carried_out(plan: Plan, stage: Deployment, users: list[User]) -> Result:
    await asyncio.gather(*(each.begin() for user in users for each in user.following))
    monkey, weighing = ChaosMonkey(stage, plan), MemoryTrend(stage, plan.seconds)
    began, clock = asyncio.get_running_loop().time(), time.monotonic()
    weigher = asyncio.create_task(weighing.run())
    await asyncio.gather(monkey.run(began), *(user.act(began) for user in users))
    amiss = monkey.amiss + await _all_told(stage, users)
    weigher.cancel()
    with suppress(asyncio.CancelledError):
        await weigher
    answers = [sentence for user in users for sentence in await _asked(user)]
    await asyncio.to_thread(stage.stop)
    swept = await asyncio.to_thread(stage.sweep)
    found, stored = await asyncio.to_thread(lambda: (database_state.read(stage.server), stage.stored()))
    differences = [*amiss, *stage.amiss, *answers, *invariants.violations(users, found, stored, stage.logs)]
    return Result(
        plan,
        stage.description,
        differences,
        sum((user.outcomes for user in users), Counter()),
        monkey.struck,
        found,
        swept,
        len(stored),
        sum(each.partials for user in users for each in user.following),
        weighing.weights,
        time.monotonic() - clock,
        sum(len(each.told) for user in users for each in user.following),
        Counter(row.status for row in found.uploads.values()),
    )


async def _all_told(stage: Deployment, users: list[User]) -> list[str]:
    """Until all has ended, and every client was told so; sentences on those that never were."""
    amiss = [] if await _all_ended(users) else ["not all has ended, and nothing more happens"]
    heads = await asyncio.to_thread(database_state.heads, stage.server)
    try:
        async with asyncio.timeout(TOLD_SECONDS):
            await asyncio.gather(*(_told_up_to(user, heads.get(str(user.account.id), 0)) for user in users))
    except TimeoutError:
        amiss.append(f"{TOLD_SECONDS} seconds after the last event not all clients were told of it")
    return amiss


async def _all_ended(users: list[User]) -> bool:
    """False where for a long time nobody is told of anything, and yet not all has ended."""
    everybody = [each for user in users for each in user.following]
    ending = asyncio.gather(*(each.until(lambda each=each: each.all_ended) for each in everybody))
    told = -1
    while not ending.done() and told != (told := sum(len(each.told) + each.partials for each in everybody)):
        await asyncio.wait({ending}, timeout=STILL_SECONDS)
    ended = ending.done()
    ending.cancel()
    return ended


async def _told_up_to(user: User, head: int) -> None:
    for each in user.following:
        await each.until(lambda each=each: each.seq >= head)


async def _asked(user: User) -> list[str]:
    """What the API says in the end, of all and of some; the list is what the clients made of the events."""
    client = user.client
    try:
        async with asyncio.timeout(TOLD_SECONDS):
            listed = {upload.id: upload for upload in (await client.list()).uploads}
            for key in list(listed)[:ASKED]:
                user.answers[key] = await client.retrieve(key)
    except Exception as error:
        return [f"{user.plan.name}: in the end the API did not answer: {error!r}"]
    return [
        f"{user.plan.name}: the list in the end is not what {each.name} was told: {key}"
        for each in user.following
        for key in listed.keys() | each.client.uploads.keys()
        if _shown(listed.get(key)) != _shown(each.client.uploads.get(key))
    ]


def _shown(upload: Instance | None) -> list[object]:
    """What events tell of an upload, and a list too."""
    return [getattr(upload, name, None) for name in SHOWN]
