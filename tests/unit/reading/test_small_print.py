"""Warning about print that is too small to be read for certain."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from backend_main.reading import Engine, Line, Options, PageDone, read
from backend_main.reading.engines import load_engine
from backend_main.reading.small_print import small_print_warning
from backend_main.reading.types import level_box
from backend_main.reading.warning_codes import WarningCode
from tests.support.language_pages import draw_page

TEXT = "twenty letters in it"


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid", 1)
    yield engine
    engine.close()


def line(height: float, *, top: float = 0.0, is_column: bool = False) -> Line:
    box = level_box(0, top, height, 300) if is_column else level_box(0, top, 300, top + height)
    return Line(1, TEXT, TEXT, box, 0.99)


@pytest.mark.parametrize(
    ("heights", "share"),
    [
        ([10.0], 1.0),
        ([10.0, 30.0, 30.0, 30.0], 0.25),
        ([10.0, *[30.0] * 5], None),
        ([14.0], None),
        ([], None),
    ],
)
def test_small_print_warning_needs_a_fifth_of_the_letters(
    heights: Sequence[float], share: float | None
) -> None:
    warning = small_print_warning(1, [line(height, top=40.0 * at) for at, height in enumerate(heights)])
    assert (warning and warning.share) == share


def test_small_print_warning_names_the_small_lines() -> None:
    small, large = line(9, is_column=True), line(30)
    warning = small_print_warning(3, [small, large])
    assert warning is not None
    assert (warning.code, warning.boxes) == (WarningCode.SMALL_PRINT, (small.box,))
    assert str(warning).startswith("About 50% of the print on page 3 is lower than 12 pixels")


def test_small_print_warning_of_lines_without_boxes_is_none() -> None:
    assert small_print_warning(1, [Line(1, TEXT, TEXT)]) is None


@pytest.mark.parametrize(("dpi", "is_small"), [(42, True), (48, True), (75, False), (100, False)])
def test_page_of_small_print_has_a_warning(
    rapid: Engine, tmp_path: Path, dpi: int, *, is_small: bool
) -> None:
    page = draw_page("de", dpi)
    assert page is not None
    page.image.save(tmp_path / "page.png")
    [done] = [event for event in read(tmp_path / "page.png", Options(), rapid) if isinstance(event, PageDone)]
    assert (WarningCode.SMALL_PRINT in {warning.code for warning in done.warnings}) is is_small
