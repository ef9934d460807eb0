"""Small PDFs that others found to come out wrong, read whole: printed by a browser, and written by hand.

Scripts in the folder of the cases write the second kind. Files of ours with each of these faults are in
test_pdf_glyphs.py, test_mixed_pages.py, test_pdf_annotations.py and test_pdf_visibility.py.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend_main.reading import Options, PageDone, read
from backend_main.reading.engines import Engine, load_engine
from tests.support.page_structure import structure_faults

CASES = Path(__file__).parents[4] / "shared" / "cases"
LETTER = (
    "This letter is a long enough piece of text to be taken from the page as it stands, since it is a good"
    " text layer. Invoice number 2024-0815, dated 3 March 2024."
)
PICTURE = f"{LETTER} Account DE02 1203 0000 Amount 480,00 EUR Pay before 31 March"
WRITTEN = {
    "01_glyphs": "# Payed 2017-Jan-22 by bank Total amount due: 1.234,56 EUR until Friday",
    "01_overlap": "# Text of Terms To You Second line with enough characters in it.",
    "02_dropcap": "Realized through a combination of careful engineering and patience, the bridge was opened"
    " to the public in the year after its builder had left the town for good.",
    "02_raised": "The area is 25 m<sup>2</sup> and H<sub>2</sub>O is water, see the note<sup>3</sup> below.",
    "02_runs": "Go to **page 2** and see the **terms** of payment there.",
    "03_form": "Application for membership in the city library Name: Ada Lovelace Date of birth:"
    " 10 December 1815",
    "03_notes": f"{LETTER} Approved, pay only half CANCELLED on 5 March",
    **dict.fromkeys(("04_deep", "04_nested", "04_pattern", "04_small"), PICTURE),
    **dict.fromkeys(("06_clipped", "06_covered", "06_layer_off", "06_white", "07_shifted"), LETTER),
    "07_letter_lost": "A quantile-copula approach to the problem of the density, and to that of its"
    " estimation by others.",
    "08_hebrew_words": "אבגד הוזח טיךכ לםמן נסעף",
}
"""Markdown of each file, white space apart."""

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    loaded = load_engine("rapid")
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the scripts on a copy of them; return the folder of their files."""
    skip_without_cases()
    folder = tmp_path_factory.mktemp("cases") / "files"
    shutil.copytree(CASES / "files", folder, ignore=shutil.ignore_patterns("out"))
    for number in {name[:2] for name in WRITTEN}:
        (script,) = folder.glob(f"{number}_*.py")
        subprocess.run([sys.executable, script], cwd=folder, check=True, capture_output=True)
    return folder / "out"


def skip_without_cases() -> None:
    if not CASES.is_dir():
        pytest.skip(f"LOUD: {CASES} does not exist; its PDFs were not tested")


def read_whole(path: Path, engine: Engine) -> str:
    pages = [event for event in read(path, Options(), engine) if isinstance(event, PageDone)]
    assert [fault for page in pages for fault in structure_faults(page)] == []
    return "\n\n".join(page.markdown for page in pages)


@pytest.mark.parametrize(
    "name", ["kerning", "letterspaced", "arabic", "table_without_lines", "code_and_formula"]
)
def test_markdown_of_a_page_printed_by_a_browser(name: str, engine: Engine) -> None:
    skip_without_cases()
    expected = (CASES / f"{name}.want.md").read_text()
    assert read_whole(CASES / f"{name}.pdf", engine).split() == expected.split()


@pytest.mark.parametrize("name", WRITTEN)
def test_markdown_of_a_pdf_written_by_hand(name: str, written: Path, engine: Engine) -> None:
    assert read_whole(written / f"{name}.pdf", engine).split() == WRITTEN[name].split()
