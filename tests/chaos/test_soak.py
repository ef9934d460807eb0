"""S16 to S25, S33 - user actions and faults at once, generated from a seed: all invariants hold.

`python -m benchmarks.soak` is the long run, with the seed as an argument.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.soak.plan import FAULTS_BY_MODE, draw
from tests.chaos.soak.run import run_soak

SEED, SECONDS, USERS, SPEEDUP = 11, 8, 50, 3


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", FAULTS_BY_MODE)
async def test_soak_in_each_mode_violates_no_invariant(mode: str, tmp_path: Path) -> None:
    plan = draw(SEED, seconds=SECONDS, users=USERS, mode=mode, speedup=SPEEDUP)
    result = await run_soak(plan, tmp_path)
    print(f"seed {SEED}, plan {plan.digest}: {dict(result.injected)}, {dict(result.statuses)}")
    assert result.violations == []
    assert result.injected.total() > 0
    assert result.statuses["processed"] > 0


def test_draw_with_equal_seeds_gives_equal_plans() -> None:
    plans = [draw(seed, seconds=60, users=5, mode="scaled") for seed in (1, 1, 2)]
    assert plans[0] == plans[1] != plans[2]
