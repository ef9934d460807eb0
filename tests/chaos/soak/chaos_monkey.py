"""Carries out the accidents of a plan, each at its time; several may last at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.soak.deployment import Deployment
from tests.chaos.soak.plan import FATAL_FAULTS_SHARE, Fault, Plan


class ChaosMonkey:
    """`struck` counts the accidents; `problems` are sentences on those from which something never came back."""

    def __init__(self, deployment: Deployment, plan: Plan) -> None:
        self._deployment, self._plan = deployment, plan
        # Many may wait for the same process to be back; who works here needs the loop's own threads.
        self._threads = ThreadPoolExecutor(max(1, len(plan.faults)), thread_name_prefix="monkey")
        self.injected: Counter[str] = Counter()
        self.problems: list[str] = []

    async def run(self, began: float) -> None:
        """Until all that came to harm has come back."""
        calm = began + self._plan.seconds * FATAL_FAULTS_SHARE
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stop_faults(calm))
            for fault in self._plan.faults:
                group.create_task(self._inject_fault(fault, began + fault.at))

    async def _stop_faults(self, time: float) -> None:
        await asyncio.sleep(time - asyncio.get_running_loop().time())
        self._deployment.stop_fatal_faults()

    async def _inject_fault(self, fault: Fault, time: float) -> None:
        await asyncio.sleep(time - asyncio.get_running_loop().time())
        try:
            loop = asyncio.get_running_loop()
            if await loop.run_in_executor(self._threads, self._deployment.inject_fault, fault):
                self.injected[fault.kind] += 1
        except Exception as error:
            self.problems.append(f"after {fault.kind} at {fault.at:.1f} s: {error!r}")
