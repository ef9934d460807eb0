"""Scores of Markdown structure, by cases whose score is known."""

import pytest

from tests.support.markdown_structure_score import headings, reading_order, tables

ONE = "<table><tr><td>abc</td></tr></table>"
PIPES = "| a | b |\n|---|---|\n| 1 | 2 |"
SAME = "<table><thead><tr><th>a</th><th>b</th></tr></thead><tr><td> 1 </td><td>2</td></tr></table>"


def test_scores_do_not_depend_on_table_notation() -> None:
    assert tables(PIPES, SAME) == reading_order(PIPES, SAME) == 1


def test_tables_score_with_different_cell_loses_its_share() -> None:
    assert tables(ONE.replace("abc", "xyz"), ONE) == pytest.approx(3 / 4)


def test_scores_of_missing_parts_are_0_and_of_extra_parts_none() -> None:
    assert (tables("none", ONE), headings("Title", "# Title")) == (0, 0)
    assert (tables(ONE, "none"), headings("# Title", "Title")) == (None, None)


def test_headings_score_ignores_levels_but_not_text() -> None:
    assert headings("### A\nx\n# B\ny", "# A\nx\n## B\ny") == 1
    assert 0.5 < (headings("# A\nx\n# C\ny", "# A\nx\n# B\ny") or 0) < 1
