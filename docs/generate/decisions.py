"""Pages of the design decisions: the index `docs/decisions/README.md`, and each decision as it is."""

from __future__ import annotations

import re
from pathlib import Path

from .markdown import page

DECISIONS = Path(__file__).parents[1] / "decisions"
INDEX = DECISIONS / "README.md"
LINK = re.compile(r"\]\((\d{4}-[^)]+\.md)\)")


def page_of_decisions() -> str:
    """Return the index by topic; its links lead to the pages of `texts()`."""
    title, about, rest = INDEX.read_text().split("\n\n", 2)
    return page(title.removeprefix("# "), " ".join(about.split()), LINK.sub(r"](decisions/\1)", rest).strip())


def texts() -> dict[str, str]:
    """Map the path of each decision's page to its Markdown."""
    return {f"explanation/decisions/{path.name}": path.read_text() for path in files()}


def files() -> list[Path]:
    return sorted(DECISIONS.glob("[0-9]*.md"))
