"""Tables that only horizontal lines delimit: a stack of lines of one width, as in a three-line table."""

from collections.abc import Sequence
from itertools import pairwise

from .layout_model import Region
from .ruled_tables import RulingLine

MIN_RULES = 3
# In body heights.
MAX_END_DISTANCE = 1.0
"""Between the ends of two lines of a stack."""
MAX_RULE_DISTANCE = 30.0
"""Between two lines of a stack: a three-line table has its whole body between them."""
MIN_RULE_DISTANCE = 0.7
"""Nearer lines are a double line."""


def stacked_rule_regions(rules: Sequence[RulingLine], body_height: float) -> list[Region]:
    """Return the regions between horizontal lines with the same two ends, the largest first."""
    stacks: list[list[RulingLine]] = []
    for rule in sorted(rules, key=lambda rule: rule.y):
        stack = next((stack for stack in stacks if _continues(stack[-1], rule, body_height)), None)
        if stack is None:
            stacks.append([rule])
        else:
            stack.append(rule)
    regions = [
        Region(
            "table",
            1.0,
            min(rule.left for rule in stack),
            stack[0].y,
            max(rule.right for rule in stack),
            stack[-1].y,
        )
        for stack in stacks
        if _distinct(stack, body_height) >= MIN_RULES
    ]
    return sorted(regions, key=lambda region: region.top - region.bottom)


def _continues(above: RulingLine, rule: RulingLine, body_height: float) -> bool:
    end_distance = max(abs(rule.left - above.left), abs(rule.right - above.right))
    return (
        end_distance < MAX_END_DISTANCE * body_height and rule.y - above.y < MAX_RULE_DISTANCE * body_height
    )


def _distinct(stack: Sequence[RulingLine], body_height: float) -> int:
    min_distance = MIN_RULE_DISTANCE * body_height
    return 1 + sum(rule.y - above.y > min_distance for above, rule in pairwise(stack))
