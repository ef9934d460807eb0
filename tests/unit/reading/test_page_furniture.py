"""Page furniture that one page shows by itself."""

import pytest

from backend_main.reading.documents.styled_text import TextStyle
from backend_main.reading.layout.document_furniture import find_furniture
from backend_main.reading.layout.layout_model import Region
from tests.unit.reading.sample_furniture import (
    BODY_STYLE,
    SMALL_STYLE,
    WORDS,
    Piece,
    page_of,
    prose,
    roles_by_text,
    styled_page_of,
)

FOOT = 1350.0
HEAD = 50.0


def found(
    *pieces: Piece, body: list[Piece] | None = None, regions: list[Region] | None = None
) -> dict[str, str]:
    """Return the roles that a page with these pieces beside its text shows."""
    page = page_of(1, [*pieces, *(prose(1) if body is None else body)])
    return roles_by_text(page, find_furniture(page, regions=regions or []))


@pytest.mark.parametrize("text", ["17", "- 17 -", "Page 3 of 9", "iv"])
@pytest.mark.parametrize("y", [HEAD, FOOT])
def test_page_number_alone_at_an_edge_is_furniture(text: str, y: float) -> None:
    assert found((490, y, text)) == {text: "page_number"}


def test_page_number_in_the_middle_of_the_page_is_body() -> None:
    body = [*prose(1, bottom=600), *prose(2, top=760)]
    assert found((490, 690, "17"), body=body) == {}


def test_page_number_without_a_gap_to_the_text_is_body() -> None:
    assert found((100, prose(1)[-1][1] + 26, "17")) == {}


def test_second_page_number_of_an_edge_is_body() -> None:
    body = prose(1, bottom=1200)
    assert found((490, FOOT, "Page 1 of 1"), (100, 1290, "22"), body=body) == {"Page 1 of 1": "page_number"}


def test_sum_below_a_column_of_numbers_is_body() -> None:
    rows: list[Piece] = [
        piece
        for n in range(40)
        for piece in ((100, 160 + 26 * n, f"item {n}"), (850, 160 + 26 * n, f"{n + 10}"))
    ]
    assert found((100, 1270, "Total"), (840, 1270, "980"), body=rows) == {}


def test_numbers_below_each_other_at_the_foot_are_body() -> None:
    assert found((840, 1290, "120"), (850, 1330, "45"), body=prose(1, bottom=1180)) == {}


def test_line_numbers_need_a_line_of_text_beside_most_of_them() -> None:
    numbers: list[Piece] = [(60, 160 + 26 * n, f"{n + 1}") for n in range(30)]
    body: list[Piece] = [(left, 160 + 26 * n, f"cell {n}") for n in range(3, 30) for left in (200, 400, 600)]
    assert found(*numbers, body=[*prose(1, bottom=220), *body]) == {}


@pytest.mark.parametrize("text", ["12 | Chapter 2", "Gestalt principles | 89"])
def test_barred_page_number_at_the_foot_is_furniture(text: str) -> None:
    assert found((100, FOOT, text)) == {text: "footer"}


def test_header_with_page_number_beside_a_wide_gap_has_two_roles() -> None:
    roles = found((100, HEAD, "A Running Head"), (880, HEAD, "17"))
    assert roles == {"A Running Head": "header", "17": "page_number"}


def test_header_of_a_page_without_prose_is_body() -> None:
    items: list[Piece] = [(100, 160 + 60 * n, f"item {n}") for n in range(8)]
    assert found((100, HEAD, "A Shop"), (880, HEAD, "17"), body=items) == {}


# --- browsers and notices ----------------------------------------------------------------------------------

PRINTED: list[Piece] = [
    (60, 30, "11/30/26, 5:25 AM"),
    (450, 30, "A title"),
    (60, 1375, "https://example.org/page"),
    (900, 1375, "1/3"),
]


def test_rows_that_a_browser_prints_are_furniture() -> None:
    assert found(*PRINTED) == {
        "11/30/26, 5:25 AM": "header",
        "A title": "header",
        "https://example.org/page": "footer",
        "1/3": "page_number",
    }


def test_rows_that_a_browser_prints_may_be_one_text_each() -> None:
    rows: list[Piece] = [(60, 30, "11/30/26, 5:25 AM A title"), (60, 1375, "https://example.org/page 1/3")]
    assert found(*rows) == {"11/30/26, 5:25 AM A title": "header", "https://example.org/page 1/3": "footer"}


@pytest.mark.parametrize("left_out", [0, 2, 3])
def test_time_or_address_without_the_rest_of_a_browsers_rows_is_body(left_out: int) -> None:
    pieces = [piece for place, piece in enumerate(PRINTED) if place != left_out]
    body: list[Piece] = [(100, 160 + 60 * n, f"item {n}") for n in range(18)]
    assert "A title" not in found(*pieces, body=body)


def test_time_at_the_end_of_a_receipt_is_body() -> None:
    body: list[Piece] = [(100, 100 + 60 * n, f"item {n}") for n in range(18)]
    assert found((100, 1370, "21/03/2018 09:13:31"), body=body) == {}


def test_notice_of_a_download_at_the_edge_is_furniture() -> None:
    text = "Downloaded from https://example.org on July 12, 2017"
    assert found((200, 20, text)) == {text: "header"}


def test_vertical_notice_in_the_margin_is_furniture() -> None:
    text = "arXiv:2301.00001v1 [cs.CL] 1 Jan 2023"
    quad = ((30.0, 900.0), (30.0, 500.0), (50.0, 500.0), (50.0, 900.0))
    page = page_of(1, prose(1), [(quad, text)])
    assert roles_by_text(page, find_furniture(page)) == {text: "margin"}


def test_vertical_label_in_the_margin_of_one_page_is_body() -> None:
    quad = ((30.0, 900.0), (30.0, 700.0), (50.0, 700.0), (50.0, 900.0))
    page = page_of(1, prose(1), [(quad, "Section A")])
    assert find_furniture(page) == {}


# --- headers by the text below, and by the layout model ----------------------------------------------------


@pytest.mark.parametrize("length", [24, 29, 200])
@pytest.mark.parametrize("height", [16, 20])
def test_header_with_the_beginning_of_the_text_is_furniture(length: int, height: float) -> None:
    text = prose(1)[0][2][:length].strip()
    assert found((300, HEAD, f"- {text}", height)) == {f"- {text}": "header"}


def test_header_with_the_beginning_of_a_column_is_furniture() -> None:
    left: list[Piece] = [(100, 160 + 26 * n, f"left {WORDS[n]} of the column") for n in range(19)]
    right: list[Piece] = [(520, 150 + 26 * n, f"right {WORDS[n]} of the column") for n in range(19)]
    text = "left river of the column left stone"
    assert found((300, HEAD, text), body=[*left, *right]) == {text: "header"}


def test_header_of_two_rows_with_the_beginning_of_the_text_is_furniture() -> None:
    words = prose(1)[0][2].split()
    rows = [" ".join(words[:2]), " ".join(words[2:5])]
    assert found((300, 36, rows[0]), (300, 60, rows[1])) == dict.fromkeys(rows, "header")


def test_small_header_with_the_first_word_of_the_text_is_furniture() -> None:
    text = prose(1)[0][2].split()[0]
    assert found((450, HEAD, text, 16)) == {text: "header"}


@pytest.mark.parametrize("height", [20, 30])
def test_short_heading_that_the_text_begins_with_is_body(height: float) -> None:
    word = prose(1)[0][2].split()[0]
    assert found((100, 100, word, height)) == {}


def region(kind: str, y: float) -> Region:
    return Region(kind, 0.9, 0, y - 30, 1000, y + 30)


def test_footer_of_the_layout_model_is_furniture() -> None:
    assert found((100, FOOT, "A journal"), regions=[region("footer", FOOT)]) == {"A journal": "footer"}


def test_small_header_of_the_layout_model_is_furniture() -> None:
    assert found((100, HEAD, "A journal"), regions=[region("header", HEAD)]) == {"A journal": "header"}


@pytest.mark.parametrize(
    ("y", "height"), [(HEAD, 30), (110, 20), (128, 20)], ids=["large", "low", "near the text"]
)
def test_heading_in_a_header_of_the_layout_model_is_body(y: float, height: float) -> None:
    assert found((100, y, "The first heading", height), regions=[region("header", y)]) == {}


def test_second_row_of_a_letterhead_in_a_header_of_the_layout_model_is_body() -> None:
    roles = found((100, 40, "A Company"), (100, 66, "A Street 1"), regions=[region("header", 53)])
    assert roles == {}


# --- watermarks and line numbers ---------------------------------------------------------------------------

OBLIQUE = ((300.0, 900.0), (700.0, 500.0), (760.0, 560.0), (360.0, 960.0))


@pytest.mark.parametrize(("text", "role"), [("DRAFT", {"DRAFT": "watermark"}), ("PAID", {})])
def test_large_oblique_word_on_one_page_is_a_watermark_by_its_meaning(
    text: str, role: dict[str, str]
) -> None:
    page = page_of(1, prose(1), [(OBLIQUE, text)])
    assert roles_by_text(page, find_furniture(page)) == role


def test_large_level_word_behind_the_text_is_a_watermark() -> None:
    quad = ((150.0, 600.0), (850.0, 600.0), (850.0, 760.0), (150.0, 760.0))
    page = page_of(1, prose(1), [(quad, "CONFIDENTIAL")])
    assert roles_by_text(page, find_furniture(page)) == {"CONFIDENTIAL": "watermark"}


def test_large_heading_that_reads_like_a_watermark_is_body() -> None:
    assert found((100, 120, "Draft", 44)) == {}


@pytest.mark.parametrize(("step", "count"), [(1, 30), (5, 8)])
def test_line_numbers_beside_running_text_are_furniture(step: int, count: int) -> None:
    numbers: list[Piece] = [(60, 160 + 26 * step * n, f"{step * (n + 1)}") for n in range(count)]
    assert found(*numbers) == {text: "line_number" for _, _, text, *_ in numbers}


def test_numbers_of_a_table_are_body() -> None:
    rows: list[Piece] = [
        piece
        for n in range(30)
        for piece in (
            (100, 160 + 26 * n, f"{n + 1}"),
            (200, 160 + 26 * n, f"Item {n}"),
            (500, 160 + 26 * n, f"{n}.50"),
        )
    ]
    assert found(body=rows) == {}


def test_numbers_of_a_list_are_body() -> None:
    rows: list[Piece] = [
        piece
        for n in range(30)
        for piece in (
            (100, 160 + 26 * n, f"{n + 1}"),
            (160, 160 + 26 * n, f"Buy {'bread and butter ' * (1 + n % 3)}"),
        )
    ]
    assert found(body=rows) == {}


def test_page_whose_only_text_would_be_furniture_keeps_it() -> None:
    assert found((490, FOOT, "17"), body=[]) == {}


# --- text layers: the size of print is known ---------------------------------------------------------------


def roles_of_styled_page(piece: Piece, style: TextStyle, body: list[Piece] | None = None) -> dict[str, str]:
    page = styled_page_of(1, [piece, *(body or prose(1))], {piece[2]: style})
    return roles_by_text(page, find_furniture(page))


@pytest.mark.parametrize(("y", "role"), [(50.0, "header"), (1350.0, "footer")])
def test_short_row_of_small_print_far_outside_is_furniture(y: float, role: str) -> None:
    assert roles_of_styled_page((400, y, "Annals of the harbour"), SMALL_STYLE) == {
        "Annals of the harbour": role
    }


@pytest.mark.parametrize(
    ("piece", "style"),
    [
        ((400.0, 50.0, "Annals of the harbour"), BODY_STYLE),
        ((400.0, 132.0, "Annals of the harbour"), SMALL_STYLE),
        (
            (100.0, 50.0, "A note in small print that is as wide as the text below it and not short"),
            SMALL_STYLE,
        ),
        ((400.0, 50.0, "Harbour Works, Tel. 0421 345678"), SMALL_STYLE),
    ],
    ids=["body size", "near the text", "wide", "sender"],
)
def test_other_row_at_the_edge_of_one_page_is_body(piece: Piece, style: TextStyle) -> None:
    assert roles_of_styled_page(piece, style) == {}


@pytest.mark.parametrize("years", [(2019, 2020, 2021, 2022), (2021, 2022)])
def test_years_over_the_columns_of_a_table_are_not_page_numbers(years: tuple[int, ...]) -> None:
    lefts = [100.0 + 180 * place for place in range(len(years) + 1)]
    head: list[Piece] = [(left, 100, str(text)) for left, text in zip(lefts, ["Item", *years], strict=True)]
    cells = ["Boats", "many", "few", "none", "some"]
    rows: list[Piece] = [
        (left, 150 + 50 * row, cell) for row in range(3) for left, cell in zip(lefts, cells, strict=False)
    ]
    page = styled_page_of(1, [*head, *rows, *prose(1, top=320)])
    assert find_furniture(page) == {}


def test_years_far_above_the_rows_of_their_table_are_not_page_numbers() -> None:
    head: list[Piece] = [(100, 60, "Boats"), (400, 60, "2021"), (700, 60, "2022")]
    rows: list[Piece] = [
        (left, 170 + 50 * row, cell)
        for row in range(3)
        for left, cell in ((100, "one"), (400, "few"), (700, "many"))
    ]
    assert found(*head, *rows, body=prose(1, top=340)) == {}


def test_year_in_the_head_of_a_table_of_two_columns_is_not_a_page_number() -> None:
    rows: list[Piece] = [
        piece for row in range(3) for piece in ((100, 150 + 50 * row, "Boats"), (700, 150 + 50 * row, "many"))
    ]
    assert found((100, 100, "Kind"), (700, 100, "2019"), *rows, body=prose(1, top=320)) == {}
