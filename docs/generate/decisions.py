"""`docs/decisions/` → a list of them, and the decisions themselves."""

from __future__ import annotations

import re
from pathlib import Path

from .markdown import page

DECISIONS = Path(__file__).parents[1] / "decisions"
LINK = re.compile(r"decisions/(\d{4})\.md")


def page_of_decisions() -> str:
    lines = [f"- **{_number(path)}** [{_title(path)}](decisions/{path.name})" for path in _files()]
    return page(
        "Decisions",
        "Where a plan proved wrong, or an obvious way was not taken: what was done instead, and why.",
        "\n".join(lines),
    )


def texts() -> dict[str, str]:
    return {f"explanation/decisions/{path.name}": path.read_text() for path in _files()}


def with_full_links(text: str) -> str:
    """Replace links such as `decisions/0079.md` by the decision's file name.

    A page names a decision by its number alone, because the rest of the name may change.
    """
    names = {path.name[:4]: path.name for path in _files()}
    return LINK.sub(lambda found: f"decisions/{names.get(found[1], found[1])}", text)


def _files() -> list[Path]:
    return sorted(DECISIONS.glob("*.md"))


def _number(path: Path) -> int:
    return int(path.name[:4])


def _title(path: Path) -> str:
    return path.read_text().partition("\n")[0].partition(". ")[2]
