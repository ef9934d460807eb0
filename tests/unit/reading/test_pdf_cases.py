"""Words of small PDFs that a browser printed, against their Markdown.

Only words are compared. Their structure (code fences, tables, formulas) is not part of the text layer.
"""

import re
from pathlib import Path

import pytest

from backend_main.reading import Options
from backend_main.reading.documents.document import open_document

CASES = Path(__file__).parents[4] / "shared" / "cases"
MARKS = re.compile(r"^#+ |^```$|^\|[-|]+\|$|<[^>]+>|[|$^]", re.MULTILINE)


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["kerning", "letterspaced", "arabic", "table_without_lines", "code_and_formula"]
)
def test_text_layer_of_a_printed_page_has_its_words(name: str) -> None:
    if not CASES.is_dir():
        pytest.skip(f"LOUD: {CASES} does not exist; {name}.pdf was not tested")
    with open_document(CASES / f"{name}.pdf", Options()) as document:
        layer = document.text_layer(1)
    assert layer is not None
    expected = (CASES / f"{name}.want.md").read_text()
    assert words(" ".join(run.text for run in layer.runs)) == words(expected)


def words(text: str) -> list[str]:
    """Return the words without Markdown marks; `$` is one, since it begins and ends a formula."""
    return MARKS.sub("", text).split()
