"""Sequences of measures: runs of items that belong together, and the weighted median."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def group_runs(items: Iterable[Item], belongs: Callable[[list[Item], Item], bool]) -> list[list[Item]]:
    """Group items into runs, in their order; an item joins the run before it if `belongs(run, item)`."""
    runs: list[list[Item]] = []
    for item in items:
        if runs and belongs(runs[-1], item):
            runs[-1].append(item)
        else:
            runs.append([item])
    return runs


def weighted_median(values: Iterable[tuple[float, float]]) -> float:
    """Return the weighted median of (value, weight) pairs, 0 for no pairs."""
    ranked = sorted(values)
    half, passed = sum(weight for _, weight in ranked) / 2, 0.0
    for value, weight in ranked:
        passed += weight
        if passed >= half:
            return value
    return 0.0
