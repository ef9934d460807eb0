"""The scores of structure, by cases whose value is plain."""

import pytest

from tests.support.markdown_structure_score import headings, reading_order, tables

ONE = "<table><tr><td>abc</td></tr></table>"
PIPES = "| a | b |\n|---|---|\n| 1 | 2 |"
SAME = "<table><thead><tr><th>a</th><th>b</th></tr></thead><tr><td> 1 </td><td>2</td></tr></table>"


def test_the_notation_of_a_table_does_not_matter() -> None:
    assert tables(PIPES, SAME) == reading_order(PIPES, SAME) == 1


def test_a_cell_that_differs_costs_its_share() -> None:
    assert tables(ONE.replace("abc", "xyz"), ONE) == pytest.approx(3 / 4)


def test_what_is_missing_scores_nothing_and_what_the_truth_lacks_is_not_scored() -> None:
    assert (tables("none", ONE), headings("Title", "# Title")) == (0, 0)
    assert (tables(ONE, "none"), headings("# Title", "Title")) == (None, None)


def test_levels_of_headings_are_equal_and_their_text_is_not() -> None:
    assert headings("### A\nx\n# B\ny", "# A\nx\n## B\ny") == 1
    assert 0.5 < (headings("# A\nx\n# C\ny", "# A\nx\n# B\ny") or 0) < 1
