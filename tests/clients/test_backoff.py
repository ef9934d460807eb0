"""Delays between attempts to connect."""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from scanrill_client import Backoff
from scanrill_client.backoff import INITIAL_SECONDS, MAX_SECONDS

TYPESCRIPT_BACKOFF = Path(__file__).parents[2] / "clients" / "typescript" / "src" / "backoff.ts"


@given(st.floats(0, 1, exclude_max=True), st.integers(0, 2000))
def test_backoff_delay_is_between_half_the_ceiling_and_the_ceiling(random: float, attempts: int) -> None:
    backoff = Backoff(random=lambda: random)
    backoff.attempts = attempts
    ceiling = min(MAX_SECONDS, INITIAL_SECONDS * 2 ** min(attempts, 20))
    assert ceiling / 2 <= backoff.next_seconds() <= ceiling


def test_backoff_reset_starts_with_the_initial_delay() -> None:
    backoff = Backoff(random=lambda: 0.0)
    assert [backoff.next_seconds() for _ in range(3)] == [0.25, 0.5, 1.0]
    backoff.reset()
    assert backoff.next_seconds() == 0.25


def test_backoff_defaults_equal_those_of_the_typescript_client() -> None:
    figures = re.search(
        r"(?:first|initial)Ms = (\d+), (?:most|max)Ms = ([\d_]+)", TYPESCRIPT_BACKOFF.read_text()
    )
    assert figures is not None
    assert (int(figures[1]), int(figures[2])) == (INITIAL_SECONDS * 1000, MAX_SECONDS * 1000)
