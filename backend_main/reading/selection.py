"""Step 10 - which pages of a document: “3”, “2-5”, “1-3,7,9-”; "" is all of them."""

import re

_RANGE = re.compile(r"([0-9]{1,7})(-([0-9]{1,7})?)?")
MOST_CHARACTERS = 200


class Selection:
    """Raises ValueError with a sentence where the text is none."""

    def __init__(self, text: str = "") -> None:
        if len(text) > MOST_CHARACTERS:
            raise ValueError(f"At most {MOST_CHARACTERS} characters are expected.")
        parts = [part.strip() for part in text.split(",")] if text.strip() else []
        self._ranges = sorted(map(_range, parts)) or [(1, _NO_END)]

    def after(self, number: int) -> int | None:
        """The first page behind this one; None where there is none, in any document."""
        return next((max(first, number + 1) for first, last in self._ranges if last > number), None)

    def __contains__(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._ranges)


_NO_END = 10**9


def _range(part: str) -> tuple[int, int]:
    found = _RANGE.fullmatch(part)
    if found is None:
        raise ValueError("Pages are expected as in “3”, “2-5” or “1-3,7,9-”.")
    first = int(found[1])
    last = first if found[2] is None else int(found[3]) if found[3] else _NO_END
    if first < 1 or last < first:
        raise ValueError("Pages count from 1, and a range begins with the smaller number.")
    return first, last
