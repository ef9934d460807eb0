"""Carries out the accidents of a plan, each at its time; several may last at once."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.chaos.soak.plan import KILLS_OF_ALL_UNTIL, Blow, Plan
from tests.chaos.soak.stage import Stage


class Monkey:
    """`struck` counts the accidents; `amiss` are sentences on those from which something never came back."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage, self._plan = stage, plan
        self.struck: Counter[str] = Counter()
        self.amiss: list[str] = []

    async def run(self, began: float) -> None:
        """Until all that came to harm has come back."""
        calm = began + self._plan.seconds * KILLS_OF_ALL_UNTIL
        async with asyncio.TaskGroup() as group:
            group.create_task(self._calm(calm))
            for blow in self._plan.blows:
                group.create_task(self._strike(blow, began + blow.at))

    async def _calm(self, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        self._stage.calm()

    async def _strike(self, blow: Blow, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        try:
            if await asyncio.to_thread(self._stage.harm, blow):
                self.struck[blow.do] += 1
        except Exception as error:
            self.amiss.append(f"after {blow.do} at {blow.at:.1f} s: {error!r}")
