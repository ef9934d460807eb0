"""Tests of the signs that PP-OCRv6 does not read, found by their shape."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from backend_main.reading import Engine, Options, PageDone, load_engine, read
from backend_main.reading.documents.pixels import Pixels
from backend_main.reading.engines.rapid import unread_signs
from backend_main.reading.engines.rapid.line_ink import LineInk
from tests.support.fonts import find_font
from tests.support.mixed_scripts import LATIN_FONT, draw_lines

FONTS = ("NotoSans-Regular.ttf", "NotoSerif-Regular.ttf", "DejaVuSans.ttf", "DejaVuSerif.ttf")
MARGIN = 12
PRINTED = (
    "Er sagte: „Haus am Meer“ heißt es",
    "„Wasser ist kalt“, sagte er",
    "Ein Wort (das „letzte“) noch.",
    "¡Gracias por su visita!",
    "Dijo: ¡no puede ser! y salió",
    "¡ATENCIÓN! ¡PELIGRO!",
    "Der Anteil beträgt 0,1 ‰ im Jahr",
    "Salzgehalt 35‰, davon",
)
UNREAD = {"„": "", "¡": "", "‰": "%"}
SHAPED = (
    "‹Bonjour› dit-elle, et ‹merci›.",
    "Das ›Haus‹ am Meer ist alt",
    "Add ¼ cup and ¾ spoon, ½ litre",
    "Boil 2½ cups and 3¼ litres",
    "Prix 250 ₽ ou 300 ₽ en tout",
    "Total 12000 ₩ ou ₩ 5000",
    "Add 1/4 cup and 3/4 of (25 %)",
    "«Oui» 12 W and P 13, W 5, 7 P",
)
"""Lines whose signs the network reads as others, and lines that look alike."""
PLAIN = (
    "The share is 19 % of all, or 5% on top",
    "5% oder 6% o 7%, 100% e 80%; 9%.",
    "in the interior it is just jam; Jim, joint: injury",
    "one, two, three. Four; five: six...",
    "3, 4, 5 and , , 6 - ... : ;",
    "WORD, WORD; 10,50 - 1.234,56 EUR",
)


@pytest.fixture(scope="module")
def rapid() -> Iterator[Engine]:
    engine = load_engine("rapid")
    yield engine
    engine.close()


def with_unread_signs(text: str, positions: list[float], line: Pixels) -> str:
    """Return the text of a line with the signs that were not read; the rings of a percent sign are zeros."""
    ink = LineInk.of(line)
    return unread_signs.with_unread_signs(text, positions, ink, lambda _: "0") if ink else text


def drawn_line(text: str, font_name: str, size: int) -> tuple[Pixels, list[float]]:
    """Return the image of a line, and the middle of each character."""
    font = find_font(font_name, size)
    if font is None:
        pytest.skip(f"LOUD: {font_name} is not installed; its signs were not tested")
    width = round(font.getlength(text)) + 2 * MARGIN
    image = Image.new("RGB", (width, round(1.5 * size)), "white")
    ImageDraw.Draw(image).text((MARGIN, 0), text, fill="black", font=font)
    edges = [MARGIN + font.getlength(text[:number]) for number in range(len(text) + 1)]
    middles = [(left + right) / 2 for left, right in pairwise(edges)]
    return np.asarray(image)[:, :, ::-1].copy(), middles


@pytest.mark.parametrize("size", [18, 32, 50])
@pytest.mark.parametrize("font_name", FONTS)
@pytest.mark.parametrize("text", PRINTED)
def test_with_unread_signs_restores_signs_of_a_line(text: str, font_name: str, size: int) -> None:
    line, middles = drawn_line(text, font_name, size)
    read_as = [UNREAD.get(character, character) for character in text]
    positions = [middle for middle, character in zip(middles, read_as, strict=True) if character]
    assert with_unread_signs("".join(read_as), positions, line) == text


@pytest.mark.parametrize(
    ("printed", "read_as"),
    [("¡Hola!", "iHola!"), ("„Haus“", ",Haus“"), ("0,1 ‰ im", "0,1 %o im"), ("25 ‰", "25 %0")],
)
def test_with_unread_signs_replaces_look_alikes(printed: str, read_as: str) -> None:
    line, middles = drawn_line(printed, LATIN_FONT, 32)
    # The network returns %o for one sign.
    positions = [*middles, *middles[-1:]] if len(read_as) > len(printed) else middles
    assert with_unread_signs(read_as, positions, line) == printed


@pytest.mark.parametrize("size", [18, 32])
@pytest.mark.parametrize("font_name", FONTS)
@pytest.mark.parametrize("text", PLAIN)
def test_with_unread_signs_keeps_other_text(text: str, font_name: str, size: int) -> None:
    line, positions = drawn_line(text, font_name, size)
    assert with_unread_signs(text, positions, line) == text


@pytest.mark.parametrize("read_as", ["jumps over the dog", "jumps over!", "umps over the dog", "itch over!"])
def test_with_unread_signs_keeps_a_word_that_starts_with_a_bent_j(read_as: str) -> None:
    """The j of a curled page looks like the sign."""
    line, positions = drawn_line("¡" + read_as[read_as[0] in "ij" :], LATIN_FONT, 32)
    assert with_unread_signs(read_as, positions[-len(read_as) :], line) == read_as


def test_with_unread_signs_ignores_tops_of_the_next_line() -> None:
    """The crop of a line may show them: on a receipt they passed for low quotation marks."""
    text = "Goods sold are not refundable"
    line, positions = drawn_line(text, "DejaVuSerif.ttf", 32)
    below, _ = drawn_line("„„„„ „„„„ „„„„ „„„„ „„„„", "DejaVuSerif.ttf", 32)
    tops = below[24:36, : line.shape[1]]
    line = np.vstack([line, np.full((12, line.shape[1], 3), 255, np.uint8)])
    line[-12:, : tops.shape[1]] = tops
    assert with_unread_signs(text, positions, line) == text


def test_with_unread_signs_keeps_a_blank_line() -> None:
    assert with_unread_signs("a", [5.0], np.full((30, 60, 3), 255, np.uint8)) == "a"


def test_rapid_reads_the_signs_of_a_page(rapid: Engine, tmp_path: Path) -> None:
    lines = (
        "¡Atención! ¿Qué pasa aquí?",
        "¡Gracias por su visita!",
        "Sie nannte es „ihr Haus am Meer“ und schwieg.",
        "Der Salzgehalt beträgt 35 ‰ und steigt um 0,1 ‰ im Jahr.",
        "Die Summe ist 1.234,56 EUR, davon 19 % Steuer.",
    )
    path = tmp_path / "page.png"
    path.write_bytes(draw_lines([(LATIN_FONT, line) for line in lines]))
    [done] = [event for event in read(path, Options(), rapid) if isinstance(event, PageDone)]
    text = " ".join(done.text.split()).replace('"', "“")
    assert [line for line in lines if line not in text] == []
    assert done.warnings == []


@pytest.mark.parametrize("font_name", ["NotoSans-Regular.ttf", "DejaVuSans.ttf"])
def test_rapid_reads_fractions_angles_and_currencies_by_their_shape(
    rapid: Engine, tmp_path: Path, font_name: str
) -> None:
    font = find_font(font_name, 34)
    if font is None:
        pytest.skip(f"LOUD: {font_name} is not installed; its signs were not tested")
    image = Image.new("RGB", (800, 60 * len(SHAPED) + 40), "white")
    for number, text in enumerate(SHAPED):
        ImageDraw.Draw(image).text((30, 20 + 60 * number), text, fill="black", font=font)
    image.save(tmp_path / "signs.png")
    pages = [event for event in read(tmp_path / "signs.png", Options(), rapid) if isinstance(event, PageDone)]
    assert [line.text for line in pages[0].lines] == list(SHAPED)
