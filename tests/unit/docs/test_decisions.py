"""Tests of `docs/decisions`: one title format, and an index that is complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from docs.generate import decisions


def entry(path: Path) -> str:
    title = path.read_text().partition("\n")[0].partition(". ")[2]
    return f"- **{int(path.name[:4])}** [{title}]({path.name})"


@pytest.mark.parametrize("path", decisions.files(), ids=lambda path: path.stem)
def test_decision_begins_with_its_number_and_title(path: Path) -> None:
    assert re.match(rf"# {int(path.name[:4])}\. \S.*\n\n\S", path.read_text())


def test_index_lists_each_decision_once_with_its_title() -> None:
    lines = [line for line in decisions.INDEX.read_text().splitlines() if line.startswith("- ")]
    assert sorted(lines) == sorted(entry(path) for path in decisions.files())


def test_index_page_links_to_the_page_of_each_decision() -> None:
    links = re.findall(r"\]\(([^)]+)\)", decisions.page_of_decisions())
    assert sorted(f"explanation/{link}" for link in links) == sorted(decisions.texts())


def test_links_between_decisions_lead_to_files() -> None:
    for path in decisions.files():
        for name in re.findall(r"\]\((\d{4}-[^)]+)\)", path.read_text()):
            assert (decisions.DECISIONS / name).is_file(), f"{path.name}: {name}"
