"""The waits between attempts to connect."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Backoff
from scanrill_client.backoff import INITIAL_SECONDS, MAX_SECONDS

SISTER = Path(__file__).parents[2] / "clients" / "typescript" / "src" / "backoff.ts"


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2000))
def test_a_wait_lies_between_half_a_doubling_ceiling_and_all_of_it(random: float, attempts: int) -> None:
    backoff = Backoff(random=lambda: random)
    backoff.attempts = attempts
    ceiling = min(MAX_SECONDS, INITIAL_SECONDS * 2 ** min(attempts, 20))
    assert ceiling / 2 <= backoff.next_seconds() <= ceiling


def test_after_a_reset_the_waits_begin_anew() -> None:
    backoff = Backoff(random=lambda: 0.0)
    assert [backoff.next_seconds() for _ in range(3)] == [0.25, 0.5, 1.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.25


def test_the_client_in_typescript_waits_alike() -> None:
    figures = re.search(r"firstMs = (\d+), mostMs = ([\d_]+)", SISTER.read_text())
    assert figures is not None
    assert (int(figures[1]), int(figures[2])) == (INITIAL_SECONDS * 1000, MAX_SECONDS * 1000)
