"""Small things said in text: the pages of a document joined, durations; pure."""

import re
from collections.abc import Iterable

_UNIT_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


PAGE_BREAK = "\n\n"


def join_pages(pages: Iterable[str]) -> str:
    """Pages joined by one blank line; an empty page leaves no trace."""
    return PAGE_BREAK.join(page for page in pages if page)


def seconds_of(duration: str) -> float:
    """Of 90s, 15m, 24h, 7d, or a bare number of seconds; above 0. Raises ValueError."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,6})?)([smhd]?)", duration.strip())
    if match is None or not (seconds := float(match[1]) * _UNIT_SECONDS[match[2]]):
        raise ValueError("a number and s, m, h or d are expected, as in 15m")
    return seconds
