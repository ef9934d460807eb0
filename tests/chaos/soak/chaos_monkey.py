"""Carries out the accidents of a plan, each at its time; several may last at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.soak.deployment import Deployment
from tests.chaos.soak.plan import KILLS_OF_ALL_UNTIL, Fault, Plan


class ChaosMonkey:
    """`struck` counts the accidents; `amiss` are sentences on those from which something never came back."""

    def __init__(self, stage: Deployment, plan: Plan) -> None:
        self._stage, self._plan = stage, plan
        # Many may wait for the same process to be back; who works here needs the loop's own threads.
        self._hands = ThreadPoolExecutor(max(1, len(plan.blows)), thread_name_prefix="monkey")
        self.struck: Counter[str] = Counter()
        self.amiss: list[str] = []

    async def run(self, began: float) -> None:
        """Until all that came to harm has come back."""
        calm = began + self._plan.seconds * KILLS_OF_ALL_UNTIL
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stop_faults(calm))
            for blow in self._plan.blows:
                group.create_task(self._inject_fault(blow, began + blow.at))

    async def _stop_faults(self, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        self._stage.stop_faults()

    async def _inject_fault(self, blow: Fault, at: float) -> None:
        await asyncio.sleep(at - asyncio.get_running_loop().time())
        try:
            loop = asyncio.get_running_loop()
            if await loop.run_in_executor(self._hands, self._stage.inject_fault, blow):
                self.struck[blow.do] += 1
        except Exception as error:
            self.amiss.append(f"after {blow.do} at {blow.at:.1f} s: {error!r}")
