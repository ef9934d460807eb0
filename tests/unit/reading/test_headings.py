"""Headings in the size of running text: by bold or colored print, and by Chinese section numbers."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading.layout.geometry import PageFrame
from backend_main.reading.layout.print_styles import emphasized_boxes
from backend_main.reading.layout.text_joining import is_cjk_section
from backend_main.reading.page_assembly import assemble_page
from backend_main.reading.types import Box
from tests.unit.reading.sample_layouts import box, transformed
from tests.unit.reading.sample_pages import blank, lines_of, pixels_of, rendered

BLACK, RED, WHITE = (0, 0, 0), (200, 30, 30), (255, 255, 255)
SIZE = 24
PROSE = "a line of running text that is as long as its column, number"


def printed_page(
    *, title: str, bold: int, color: tuple[int, int, int], dark_ground: bool = False
) -> Image.Image:
    """Draw a title above eight lines of text of one size; `bold` is the width added to strokes."""
    image = blank(1000, 500)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(SIZE)
    if dark_ground:
        draw.rectangle((80, 44, 520, 84), fill=(20, 60, 110))
    draw.text((100, 50), title, color, font, stroke_width=bold)
    for line in range(8):
        draw.text((100, 120 + 34 * line), f"{PROSE} {line}", BLACK, font)
    return image


def printed_boxes(title: str) -> tuple[list[Box], list[str]]:
    """Return the boxes and texts of `printed_page`, as much larger as detected boxes are."""
    font = ImageFont.load_default(SIZE)
    texts = [title, *(f"{PROSE} {line}" for line in range(8))]
    tops = [50, *(120 + 34 * line for line in range(8))]
    return [
        box(96, top - 2, font.getlength(text) + 8, SIZE + 10) for top, text in zip(tops, texts, strict=True)
    ], texts


@pytest.mark.parametrize("degrees", [0, 4])
@pytest.mark.parametrize(
    ("bold", "color", "dark_ground"), [(1, BLACK, False), (0, RED, False), (0, WHITE, True)]
)
def test_line_in_bold_colored_or_reversed_print_is_a_heading(
    degrees: float, bold: int, color: tuple[int, int, int], dark_ground: bool
) -> None:
    title = "General provisions"
    image = printed_page(title=title, bold=bold, color=color, dark_ground=dark_ground)
    image = image.rotate(-degrees, center=(0, 0), fillcolor="white")
    boxes, texts = printed_boxes(title)
    boxes = [transformed(one, degrees=degrees) for one in boxes]
    markdown = assemble_page(pixels_of(image), lines_of(boxes, texts)).markdown
    assert markdown.startswith(f"### {title}\n\n")
    assert markdown.count("#") == 3


@pytest.mark.parametrize("title", ["General provisions", "Bold words that end a sentence."])
def test_line_in_plain_print_or_sentence_is_not_a_heading(title: str) -> None:
    image = printed_page(title=title, bold=int(title.endswith(".")), color=BLACK)
    markdown = assemble_page(pixels_of(image), lines_of(*printed_boxes(title))).markdown
    assert "#" not in markdown


def test_emphasized_boxes_of_blank_page_are_none() -> None:
    boxes, _ = printed_boxes("x")
    level = PageFrame.from_boxes(boxes).layout_boxes(boxes)
    assert emphasized_boxes(np.full((500, 1000, 3), 255, np.uint8), boxes, level) == frozenset()


@pytest.mark.parametrize("text", ["一、生字复习", "第三章 税收", "十二．结论与建议"])
def test_is_cjk_section_of_heading(text: str) -> None:
    assert is_cjk_section(text)


@pytest.mark.parametrize(
    "text", ["一、坚持原则；", "一般情况", "第三章规定，税收由国家征收。", "三、四月的天气："]
)
def test_is_cjk_section_of_sentence_is_false(text: str) -> None:
    assert not is_cjk_section(text)


def test_chinese_section_between_paragraphs_is_a_heading() -> None:
    boxes = [box(100, 100 + 30 * line, 40 * 20 if line != 4 else 120, 20) for line in range(9)]
    texts = ["九月的开罗夕阳是金色的田野沙漠也是金色的" * 2] * 9
    texts[4] = "二、会用"
    assert "\n\n### 二、会用\n\n" in rendered(boxes, texts).markdown


def test_vertical_text_in_margin_is_not_a_heading() -> None:
    boxes = [box(200, 100 + 30 * line, 700) for line in range(9)] + [box(20, 100, 30, 260)]
    texts = [*(f"{PROSE} {line}" for line in range(9)), "Annual report"]
    assert "#" not in rendered(boxes, texts).markdown


def test_line_of_amounts_is_not_a_heading() -> None:
    boxes = [box(100, 100, 500, 60), *(box(100, 200 + 30 * line, 700) for line in range(9))]
    texts = ["THRU 12/31/94 $ 210,910", *(f"{PROSE} {line}" for line in range(9))]
    assert "#" not in rendered(boxes, texts).markdown
