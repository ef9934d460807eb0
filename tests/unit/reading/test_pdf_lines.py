"""Lines of text from single glyphs: accents, scripts of scripts, vertical text, furigana, drop capitals."""

from dataclasses import replace
from itertools import accumulate

import pytest

from backend_main.reading.documents.pdf_characters import Glyph
from backend_main.reading.documents.pdf_lines import TextLine, text_lines
from backend_main.reading.documents.pdf_math_fonts import hangs, is_math_font, math_letter, symbol_letter
from backend_main.reading.documents.pdf_vertical import DOWNWARDS, with_vertical_text
from backend_main.reading.documents.styled_text import FontStyle
from backend_main.reading.documents.turned_page import quarter_turns_of_text

MATH = FontStyle("CMMI10", is_italic=True, is_math=True)


def glyph(
    text: str,
    x: float,
    y: float = 700.0,
    *,
    size: float = 10.0,
    width: float = 0.5,
    index: int = 0,
    font: int = 1,
) -> Glyph:
    return Glyph(text, x, x + width * size, y, size, (font, size), 0.0, index, index)


def line(text: str, x: float = 60.0, y: float = 700.0, **options: float) -> list[Glyph]:
    """Return the glyphs of a line, with a step of half the size."""
    size = options.get("size", 10.0)
    return [
        glyph(letter, x + 0.5 * size * place, y, size=size)
        for place, letter in enumerate(text)
        if letter != " "
    ]


def numbered(*groups: list[Glyph]) -> list[Glyph]:
    """Return glyphs with their places in the content."""
    glyphs = [one for group in groups for one in group]
    return [replace(one, index=index, text_object=index) for index, one in enumerate(glyphs)]


def texts(lines: list[TextLine]) -> list[str]:
    found = []
    for one in lines:
        text = ""
        for fragment in one.fragments:
            text += (" " if text and fragment.starts_word else "") + fragment.text
        found.append(text)
    return found


@pytest.mark.parametrize(
    ("base", "accent", "raise_", "expected"),
    [
        ("e", "\u00b4", 0.0, "é"),
        ("E", "\u00b4", 2.3, "É"),
        ("\u0131", "\u00b4", 0.0, "í"),
        ("o", "\u00a8", 0.0, "ö"),
        ("O", "\u02dd", 2.3, "Ő"),
        ("c", "\u00b8", 0.0, "ç"),
    ],
)
@pytest.mark.parametrize("is_first", [True, False])
def test_text_lines_with_accent_over_a_letter_compose_it(
    base: str, accent: str, raise_: float, expected: str, *, is_first: bool
) -> None:
    pair = [glyph(accent, 70.5, 700 + raise_, width=0.33), glyph(base, 70)]
    glyphs = numbered(line("ab"), pair if is_first else pair[::-1], line("cd", 75))
    assert texts(text_lines(glyphs)) == [f"ab{expected}cd"]


def test_text_lines_with_accent_drawn_far_from_its_letter_compose_it() -> None:
    glyphs = numbered(line("Mundler, Vero"), [glyph("\u00a8", 65.7, width=0.33)])
    assert texts(text_lines(glyphs)) == ["Mündler, Vero"]


def test_text_lines_with_quote_beside_a_letter_keep_it() -> None:
    assert texts(text_lines(numbered(line("a`b'c")))) == ["a`b'c"]


def test_text_lines_with_accent_that_no_letter_has_keep_it_in_a_formula() -> None:
    glyphs = numbered([glyph("\u00af", 60.2, 702), glyph("p", 60)], line(" = 1", 65))
    in_formula = [replace(one, font=MATH) for one in glyphs]
    assert texts(text_lines(in_formula))[-1].startswith("p\u0304")


def test_text_lines_with_script_of_a_script_keep_the_order() -> None:
    glyphs = numbered(
        line("see b"),
        [glyph("v", 85, 698, size=7), glyph("i", 88.5, 697, size=5), glyph(",", 91, 698, size=7)],
        [glyph("w", 94.5, 698, size=7), glyph("j", 98, 697, size=5)],
        line(" ok", 100.5),
    )
    assert texts(text_lines(glyphs)) == ["see bvi,wj ok"]


def test_text_lines_with_two_scripts_of_one_height_keep_the_bracket_between_them() -> None:
    glyphs = numbered(
        line("(W"), [glyph("K", 70, 704, size=7)], [glyph(")", 73.5)], [glyph("T", 78.5, 704, size=7)]
    )
    assert texts(text_lines(glyphs)) == ["(WK)T"]


@pytest.mark.parametrize("indent", [0.0, 12.0, -14.0])
def test_text_lines_with_drop_cap_put_it_before_the_first_line(indent: float) -> None:
    """The first line may be indented, or lie on the capital."""
    cap = [glyph("T", 60, 676, size=34)]
    rows = [
        line("he fifth chapter", 78 + indent, 700),
        line("rarely offers", 78, 688),
        line("a ticket", 78, 676),
    ]
    assert texts(text_lines(numbered(cap, *rows)))[0] == "The fifth chapter"


def test_text_lines_of_small_capitals_with_mixed_mapping_are_in_lower_case() -> None:
    word = [glyph("Y", 60, size=18, width=0.7), *line("earlY", 72.6, size=12.6)]
    assert texts(text_lines(numbered([replace(one, end=one.end + 0.3) for one in word]))) == ["Yearly"]


def test_text_lines_of_small_capitals_in_capitals_stay_capitals() -> None:
    word = [glyph("Y", 60, size=18, width=0.7), *line("EARLY", 72.6, size=12.6)]
    assert texts(text_lines(numbered(word))) == ["YEARLY"]


def test_text_lines_with_furigana_put_it_in_brackets() -> None:
    base = [glyph(letter, 60 + 14 * place, size=14, width=1.0) for place, letter in enumerate("この漢字です")]
    ruby = [glyph(letter, 89 + 8.5 * place, 713, size=7, width=1.0) for place, letter in enumerate("かんじ")]
    assert texts(text_lines(numbered(base, ruby))) == ["この漢字（かんじ）です"]


def test_text_lines_of_spread_ideographs_have_no_space() -> None:
    base = [glyph(letter, 60 + 18 * place, size=14, width=1.0) for place, letter in enumerate("東京都")]
    assert texts(text_lines(numbered(base))) == ["東京都"]


def test_text_lines_of_vertical_columns_run_from_right_to_left() -> None:
    columns = ["北の港は冬", "でも凍らない"]
    glyphs = numbered(
        *(
            [
                glyph(letter, 300 - 20 * number, 700 - 10 * place, width=1.0)
                for place, letter in enumerate(column)
            ]
            for number, column in enumerate(columns)
        )
    )
    vertical = with_vertical_text(glyphs)
    assert {one.angle for one in vertical} == {DOWNWARDS}
    assert texts(text_lines(vertical)) == columns
    assert quarter_turns_of_text(vertical, 0) == 3


def test_with_vertical_text_of_latin_letters_below_each_other_changes_nothing() -> None:
    glyphs = numbered([glyph(letter, 60, 700 - 12 * place) for place, letter in enumerate("NAMES")])
    assert with_vertical_text(glyphs) is glyphs


@pytest.mark.parametrize(
    ("name", "letter", "expected"),
    [
        ("CMEX10", "X", "∑"),
        ("CMEX10", "\x00", "("),
        ("CMEX10", "\x12", "("),
        ("CMSY8", ">", "⊤"),
        ("CMSY10", "0", "′"),
        ("CMMI10", "x", "x"),
        ("CMSY10", "\uf8f1", "⎧"),
    ],
)
def test_math_letter_of_unmapped_code_is_the_symbol_of_the_font(
    name: str, letter: str, expected: str
) -> None:
    assert math_letter(name, letter, is_mapped=False) == expected


@pytest.mark.parametrize(
    ("code", "letter"),
    [(0x2B, "+"), (0x61, "α"), (0x7E, "∼"), (0xA3, "≤"), (0xB7, "•"), (0xE5, "∑"), (0xF2, "∫")],
)
def test_symbol_letter_of_private_character_is_that_of_adobes_encoding(code: int, letter: str) -> None:
    assert symbol_letter("SymbolMT", chr(0xF000 + code)) == letter
    assert symbol_letter("Wingdings", chr(0xF000 + code)) == chr(0xF000 + code)


def test_math_letter_of_mapped_letter_stays() -> None:
    assert math_letter("CMSY10", "∈", is_mapped=True) == "∈"


@pytest.mark.parametrize(
    "name", ["CMMI10", "CMSY7", "CMEX10", "MSBM10", "CambriaMath", "LatinModernMath-Regular"]
)
def test_is_math_font_of_fonts_for_formulas_is_true(name: str) -> None:
    assert is_math_font(name)


@pytest.mark.parametrize("name", ["CMR10", "CMTI10", "Times-Italic", "Matheson", "CMTT10"])
def test_is_math_font_of_text_fonts_is_false(name: str) -> None:
    assert not is_math_font(name)


def test_hangs_is_true_for_large_operators_and_roots() -> None:
    assert (hangs("CMEX10", "∑"), hangs("CMSY10", "√"), hangs("CMSY10", "∈")) == (True, True, False)


def test_text_lines_with_letters_that_a_logo_shifts_keep_the_word_together() -> None:
    """TeX lowers its E, and LaTeX raises a small A; a raised figure that overlaps no letter stays one."""
    logo = [
        glyph("L", 60, width=0.64),
        glyph("A", 62.8, 702.2, size=7, width=0.85),
        glyph("T", 67.3, width=0.74),
        glyph("E", 73.0, 697.8, width=0.69),
        glyph("X", 78.6, width=0.77),
    ]
    glyphs = numbered(logo, line("x", 90), [glyph("i", 95, 698, size=7)], line("y", 98.5))
    (found,) = text_lines(glyphs)
    assert texts([found]) == ["LaTeX xiy"]
    assert [one.text for one in found.fragments if one.glyph.script] == ["i"]


@pytest.mark.parametrize("y", [700.0, 703.0, 697.5])
def test_text_lines_with_small_text_over_a_line_are_apart(y: float) -> None:
    """The columns of a table that is too wide lie over the text beside it."""
    cells = [line(f"{number}.25", 64 + 24 * number, y, size=7) for number in range(8)]
    between = line("words of the text between that are far below " * 9, y=400)
    glyphs = numbered(line("terms of the text", 60), between, *cells)
    found = texts(text_lines(glyphs))
    assert "terms of the text" in found
    assert [text for text in found if text[0].isdigit()]
    assert not any(piece.glyph.script for one in text_lines(glyphs) for piece in one.fragments)


def test_text_lines_with_space_that_is_moved_back_do_not_end_the_word() -> None:
    """As groff does for kerning: the space and the letters are of one text object."""
    spaced = [*line("giv"), glyph(" ", 75, width=0.25), *line("en", 75.1)]
    together = [replace(one, index=place, text_object=1) for place, one in enumerate(spaced)]
    assert texts(text_lines(together)) == ["given"]
    assert texts(text_lines(numbered(spaced))) == ["giv en"]


@pytest.mark.parametrize(("width", "expected"), [(0.34, "13-24"), (0.0, "1324")])
def test_text_lines_with_soft_hyphen_keep_one_that_is_drawn(width: float, expected: str) -> None:
    after = 70 + 10 * width
    glyphs = numbered(line("13"), [glyph("\u00ad", 70, width=width)], line("24", after))
    assert texts(text_lines(glyphs)) == [expected]


@pytest.mark.parametrize(("size", "shift"), [(9.0, 4.0), (9.7, 3.6), (8.0, -5.0)])
def test_text_lines_with_figure_of_nearly_full_size_keep_it_at_its_word(size: float, shift: float) -> None:
    figure = glyph("2", 70.0, 700.0 + shift, size=size)
    glyphs = numbered(line("am"), [figure], line("end", 80.0))
    assert texts(text_lines(glyphs)) == ["am2 end"]


def test_text_lines_of_a_list_number_on_a_right_to_left_page_are_in_logical_order() -> None:
    marker = [glyph(".", 200.0), glyph("1", 205.0)]
    glyphs = numbered(line("שלום", 60.0, 600.0), marker)
    assert "1." in texts(text_lines(glyphs))


def test_text_drawn_over_other_text_of_narrow_letters_stays_apart() -> None:
    """A letter of one text covers a narrow one of the other: neither is woven into the other."""
    widths = dict.fromkeys("first", 0.3) | dict.fromkeys("second", 0.55)
    texts_drawn = []
    for word in ("first", "second"):
        x, glyphs = 60.0, []
        for letter in word:
            glyphs.append(glyph(letter, x, width=widths[letter]))
            x += 10 * widths[letter]
        texts_drawn.append(glyphs)
    assert texts(text_lines(numbered(*texts_drawn))) == ["first", "second"]


def test_text_lines_with_figure_after_a_counted_line_end_keep_it_at_its_word() -> None:
    glyphs = [glyph("H", 70.0, index=1), glyph("6", 75.0, 704.0, size=9.2, index=4)]
    assert texts(text_lines(glyphs)) == ["H6"]


def test_text_lines_of_letter_spaced_text_with_a_kerned_pair_keep_its_words() -> None:
    # Gaps are 2, between words 7, and 0.4 in the kerned pair.
    steps = [*[7.0] * 5, 12.0, 5.4, 7.0, 7.0, 12.0, *[7.0] * 5]
    xs = accumulate(steps, initial=60.0)
    spaced = [glyph(letter, x) for letter, x in zip("reportTypeOffice", xs, strict=False)]
    words = [one for place in range(20) for one in line("of", 60.0 + 12.0 * place, 600.0)]
    assert texts(text_lines(numbered(spaced, words)))[0] == "report Type Office"
