"""The account of the ink of a page: rows like text that no line covers, shares, and blank pages."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading import Line
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.ink_account import InkAccount
from backend_main.reading.types import Box, level_box

TEXT = "The library is closed on Monday"
SIZE = (1240, 1754)


def page(*texts: tuple[str, tuple[int, int]], ink: int = 0, paper: int = 255, size: int = 30) -> Pixels:
    image = Image.new("RGB", SIZE, (paper, paper, paper))
    draw = ImageDraw.Draw(image)
    for text, place in texts:
        draw.text(place, text, font=ImageFont.load_default(size), fill=(ink, ink, ink))
    return np.asarray(image)[:, :, ::-1].copy()


def line(box: Box, text: str = TEXT) -> Line:
    return Line(1, text, text, box, 0.99)


def box_at(x: int, y: int) -> Box:
    """Return the box of `TEXT` at a place."""
    left, top, right, bottom = ImageFont.load_default(30).getbbox(TEXT)
    return level_box(x + left, y + top, x + right, y + bottom)


FIRST, SECOND = (200, 300), (200, 900)


def test_row_that_no_line_covers_is_in_the_account() -> None:
    account = InkAccount(page((TEXT, FIRST), (TEXT, SECOND)), [line(box_at(*FIRST))])
    assert account.rows
    for row in account.rows:
        (left, top), _, (right, bottom), _ = row.box
        assert 190 <= left < right <= 760
        assert 890 <= top < bottom <= 945


def test_rows_under_lines_are_not_in_the_account() -> None:
    lines = [line(box_at(*FIRST)), line(box_at(*SECOND))]
    assert InkAccount(page((TEXT, FIRST), (TEXT, SECOND)), lines).rows == []


def test_line_without_text_covers_nothing() -> None:
    assert InkAccount(page((TEXT, FIRST)), [line(box_at(*FIRST), "")]).rows


@pytest.mark.parametrize(("ink", "paper"), [(245, 255), (138, 128), (255, 128), (240, 20)])
def test_rows_of_pale_and_light_ink_are_in_the_account(ink: int, paper: int) -> None:
    assert InkAccount(page((TEXT, FIRST), ink=ink, paper=paper), []).rows


def test_turned_row_is_in_the_account() -> None:
    pixels = np.rot90(page((TEXT, FIRST))).copy()
    (left, top), _, (right, bottom), _ = InkAccount(pixels, []).rows[0].box
    assert bottom - top > 10 * (right - left)


def test_row_at_the_edge_of_the_page_is_not_in_the_account() -> None:
    assert InkAccount(page((TEXT, (200, 0))), []).rows == []


def test_noise_rules_and_boxes_have_ink_but_no_rows() -> None:
    random = np.random.default_rng(1)
    noise = random.normal(200, 12, (*SIZE[::-1], 1)).clip(0, 255).astype(np.uint8).repeat(3, 2)
    assert InkAccount(noise, []).rows == []
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    for row in range(20):
        draw.rectangle((100, 100 + 60 * row, 900, 160 + 60 * row), outline="black", width=2)
    drawn = InkAccount(np.asarray(image), [])
    assert drawn.has_ink()
    assert drawn.rows == []


def test_share_is_that_of_the_ink_in_the_boxes() -> None:
    account = InkAccount(page((TEXT, FIRST), (TEXT, SECOND)), [line(box_at(*FIRST))])
    assert account.share([box_at(*SECOND)]) == pytest.approx(0.5, abs=0.05)
    assert account.share([]) == 0.0
    assert account.share([box_at(*FIRST)]) == 0.0


def test_blank_page_has_no_ink_and_a_pale_word_is_ink() -> None:
    assert not InkAccount(page(), []).has_ink()
    assert InkAccount(page(("word", FIRST), ink=245), []).has_ink()
