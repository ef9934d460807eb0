"""The execution of a plan's faults, each at its time; faults may overlap."""

from __future__ import annotations

import asyncio
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.soak.deployment import Deployment
from tests.chaos.soak.plan import FATAL_FAULTS_SHARE, Fault, Plan


class ChaosMonkey:
    """The injector of a plan's faults.

    `injected` counts the faults; `problems` lists those after which a process did not recover.
    """

    def __init__(self, deployment: Deployment, plan: Plan) -> None:
        self._deployment, self._plan = deployment, plan
        # Many faults may wait for one process. The loop's default threads stay free for the users.
        self._threads = ThreadPoolExecutor(max(1, len(plan.faults)), thread_name_prefix="monkey")
        self.injected: Counter[str] = Counter()
        self.problems: list[str] = []

    async def run(self, started_at: float) -> None:
        """Run until all faults are over and all processes have recovered."""
        last_fatal_at = started_at + self._plan.seconds * FATAL_FAULTS_SHARE
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stop_fatal_faults(last_fatal_at))
            for fault in self._plan.faults:
                group.create_task(self._inject_fault(fault, started_at + fault.at))

    async def _stop_fatal_faults(self, time: float) -> None:
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
