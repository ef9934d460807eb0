"""Page furniture that repeats on the pages of a document."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend_main.reading.documents.styled_text import TextStyle
from backend_main.reading.layout.furniture_history import MAX_REMEMBERED_PAGES, FurnitureHistory
from tests.unit.reading.sample_furniture import (
    BODY_STYLE,
    ITALIC_STYLE,
    SMALL_STYLE,
    WORDS,
    Piece,
    page_of,
    prose,
    roles_by_text,
    roles_of_document,
    styled_page_of,
)

HEAD, FOOT = 60.0, 1340.0


def document(
    pieces: Callable[[int], Sequence[Piece]], count: int = 4, body: Callable[[int], list[Piece]] = prose
) -> dict[int, dict[str, str]]:
    """Return the roles by text of a document's pages; `pieces` are those beside the body of a page."""
    pages = [page_of(number, [*pieces(number), *body(number)]) for number in range(1, count + 1)]
    found = roles_of_document(pages)
    return {page.number: roles_by_text(page, found[page.number]) for page in pages}


# --- what is furniture -------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 7])
def test_header_of_every_page_stays_on_the_first(count: int) -> None:
    roles = document(lambda _: [(380, HEAD, "The annual report")], count)
    assert roles[1] == {}
    assert [roles[n] for n in range(2, count + 1)] == [{"The annual report": "header"}] * (count - 1)


def test_header_with_the_words_of_the_title_is_furniture_on_the_first_page() -> None:
    title: list[Piece] = [(300, 120, "Annual report", 34), (300, 150, "of the society", 26)]
    roles = document(
        lambda n: [(380, HEAD, "Report of the society"), *(title if n == 1 else [])],
        body=lambda n: prose(n, top=200),
    )
    assert roles == {number: {"Report of the society": "header"} for number in range(1, 5)}


def test_header_with_a_page_number_is_furniture_on_the_first_page() -> None:
    roles = document(lambda n: [(100, HEAD, "The annual report"), (860, HEAD, f"{n}")])
    assert roles[1] == {"The annual report": "header", "1": "page_number"}


def test_numbers_in_footers_are_masked() -> None:
    roles = document(lambda n: [(300, FOOT, f"Version 2 of the report, page {n} of 4")])
    assert all(list(found.values()) == ["footer"] for found in roles.values())


def test_page_number_of_an_unusual_form_is_furniture_if_it_counts_pages() -> None:
    roles = document(lambda n: [(100, FOOT, f"A.{n + 10} | 2024")])
    assert all(list(found.values()) == ["footer"] for found in roles.values())


def test_page_number_without_a_gap_is_furniture_if_it_counts_pages() -> None:
    bottom = prose(1)[-1][1] + 24
    roles = document(lambda n: [(490, bottom, f"{n + 10}")])
    assert roles[3] == {"13": "page_number"}


def test_left_and_right_pages_have_headers_of_their_own() -> None:
    def pieces(number: int) -> list[Piece]:
        if number % 2:
            return [(100, HEAD, "Title of the book"), (860, HEAD, f"{number}")]
        return [(100, HEAD, f"{number}"), (700, HEAD, "Title of the part")]

    roles = document(pieces, 6)
    assert roles[3] == {"Title of the book": "header", "3": "page_number"}
    assert roles[4] == {"Title of the part": "header", "4": "page_number"}


def test_section_title_that_changes_rarely_is_furniture_on_its_first_page() -> None:
    titles = ["Of rivers", "Of rivers", "Of rivers", "Of stones", "Of trees", "Of trees"]
    roles = document(lambda n: [(400, HEAD, titles[n - 1])], 6)
    assert roles[4] == {"Of stones": "header"}
    assert [len(found) for found in roles.values()] == [0, 1, 1, 1, 1, 1]


def test_changing_part_beside_a_constant_part_of_a_header_is_furniture() -> None:
    roles = document(lambda n: [(100, HEAD, "A Company Ltd"), (700, HEAD, WORDS[n])])
    assert roles[2] == {"A Company Ltd": "header", WORDS[2]: "header"}


def test_footer_of_several_rows_is_furniture() -> None:
    rows = ["A Company Ltd, Example Street 1", "Registered in Exampletown, HRB 1234", "IBAN DE00 1234 5678"]
    roles = document(lambda _: [(100, 1290 + 22 * place, text, 16) for place, text in enumerate(rows)])
    assert roles[2] == dict.fromkeys(rows, "footer")


def test_recognition_errors_in_a_header_are_tolerated() -> None:
    texts = ["Proceedings of the society", "Proceedlngs of the society", "Proceedings of the soc1ety"]
    roles = document(lambda n: [(300, HEAD + 4 * n, texts[n - 1])], 3)
    assert [list(found.values()) for found in roles.values()] == [[], ["header"], ["header"]]


def test_rows_that_recognition_groups_in_another_way_are_compared_by_their_parts() -> None:
    def pieces(number: int) -> list[Piece]:
        shift = 15 if number == 1 else 0
        return [
            (100, 1320, "HRB 12345"),
            (500, 1320 + shift, "A bank with a name"),
            (100, 1344, "A Company Ltd"),
        ]

    roles = document(pieces, 3)
    assert roles[2] == roles[3] == dict.fromkeys((text for _, _, text in pieces(1)), "footer")


def test_vertical_text_that_repeats_in_the_margin_is_furniture() -> None:
    quad = ((30.0, 900.0), (30.0, 700.0), (50.0, 700.0), (50.0, 900.0))
    pages = [page_of(n, prose(n), [(quad, "Form 27 B")]) for n in (1, 2)]
    found = roles_of_document(pages)
    assert [roles_by_text(page, found[page.number]) for page in pages] == [{"Form 27 B": "margin"}] * 2


def test_oblique_text_that_repeats_is_a_watermark() -> None:
    quad = ((300.0, 900.0), (700.0, 500.0), (760.0, 560.0), (360.0, 960.0))
    pages = [page_of(n, prose(n), [(quad, "Property of nobody")]) for n in (1, 2)]
    found = roles_of_document(pages)
    assert [roles_by_text(page, found[page.number]) for page in pages] == [
        {"Property of nobody": "watermark"}
    ] * 2


# --- what is body ------------------------------------------------------------------------------------------


def test_letterhead_on_the_first_page_only_is_body() -> None:
    head: list[Piece] = [(100, 50, "A Company Ltd"), (100, 74, "Example Street 1"), (100, 98, "Exampletown")]
    roles = document(lambda n: head if n == 1 else [(380, HEAD, "Letter of 1 May")])
    assert roles[1] == {}
    assert roles[2] == {"Letter of 1 May": "header"}


def test_letterhead_of_every_page_stays_on_the_first() -> None:
    head: list[Piece] = [(100, 50, "A Company Ltd"), (100, 74, "Example Street 1"), (100, 98, "Exampletown")]
    roles = document(lambda _: head)
    assert roles[1] == {}
    assert set(roles[2].values()) == {"header"}
    assert len(roles[3]) == 3


def test_letterhead_of_two_rows_with_an_address_stays_on_the_first_page() -> None:
    head: list[Piece] = [(100, 50, "Harbour Works", 16), (100, 70, "Quay 5, Tel. 0421 345678", 16)]
    roles = document(lambda _: head)
    assert roles[1] == {}
    assert len(roles[2]) == len(roles[3]) == 2


def test_letterhead_of_a_second_letter_stays_on_its_first_page() -> None:
    def pieces(number: int) -> list[Piece]:
        sender = ["Harbour Works", "Quay 5"] if number < 3 else ["Orchard and Garden", "Meadow Lane 17"]
        return [(100, 50 + 24 * place, text) for place, text in enumerate([*sender, "Tel. 0421 345678"])]

    roles = document(pieces, 4)
    assert [len(found) for found in roles.values()] == [0, 3, 0, 3]


def test_bank_account_at_the_foot_stays_on_the_first_page() -> None:
    rows = ["A Company Ltd, Example Street 1", "IBAN DE00 1234 5678 1234 5678 00"]
    roles = document(lambda _: [(100, 1310 + 22 * place, text, 16) for place, text in enumerate(rows)])
    assert roles[1] == {}
    assert roles[2] == dict.fromkeys(rows, "footer")


def test_address_of_a_website_at_the_foot_is_furniture_on_the_first_page() -> None:
    roles = document(lambda _: [(400, FOOT, "www.example.org")])
    assert roles[1] == {"www.example.org": "footer"}


@pytest.mark.parametrize("is_top", [True, False])
def test_paragraph_that_begins_or_ends_every_page_is_body(is_top: bool) -> None:
    """The lines are full, in the print of the text, and have a gap to the rest of the page."""
    lines = [" ".join(WORDS[start : start + 11]) for start in (0, 3)] + ["market window garden"]
    top = 80 if is_top else 1270
    roles = document(lambda _: [(100, top + 26 * place, line) for place, line in enumerate(lines)])
    assert set(map(str, roles.values())) == {"{}"}


def test_short_row_in_the_print_of_the_text_without_a_gap_is_body() -> None:
    roles = document(lambda _: [(100, 134, "Note of the translator")], 6)
    assert set(map(str, roles.values())) == {"{}"}


def test_repeated_note_under_a_title_that_changes_is_body() -> None:
    roles = document(
        lambda n: [
            (100, 80, f"Number of the {WORDS[n]} and the {WORDS[n + 7]}"),
            (380, 104, "[In thousands]"),
        ]
    )
    assert set(map(str, roles.values())) == {"{}"}


def test_last_row_of_a_grid_on_every_page_is_body() -> None:
    def grid(number: int) -> list[Piece]:
        return [
            (left, 150 + 200 * row, f"A = {row * number if row < 6 else 0}.{column}")
            for row in range(7)
            for column, left in enumerate((100, 350, 600))
        ]

    roles = document(lambda _: [], 3, grid)
    assert set(map(str, roles.values())) == {"{}"}


def test_numbers_that_do_not_count_pages_are_body() -> None:
    """Each page is an invoice of its own."""
    roles = document(lambda n: [(100, HEAD, f"Invoice number {4711 + 40 * n * n}")])
    assert set(map(str, roles.values())) == {"{}"}


def test_number_that_moves_from_left_to_right_counts_pages() -> None:
    roles = document(
        lambda n: [
            (
                100,
                FOOT,
                f"{n + 15}—Industry sales and usage" if n % 2 else f"Industry sales and usage—{n + 15}",
            )
        ]
    )
    assert all(list(found.values()) == ["footer"] for found in roles.values())


def test_title_of_the_first_page_that_is_the_header_of_others_is_body() -> None:
    roles = document(
        lambda n: [(300, 90, "The annual report", 34)] if n == 1 else [(380, HEAD, "The annual report")]
    )
    assert roles[1] == {}
    assert roles[2] == {"The annual report": "header"}


@pytest.mark.parametrize("word", ["Chapter", "Figure", "Question"])
def test_numbered_heading_at_the_top_of_pages_is_body(word: str) -> None:
    roles = document(lambda n: [(100, 100, f"{word} {n}")])
    assert set(map(str, roles.values())) == {"{}"}


def test_large_heading_on_two_pages_is_body() -> None:
    roles = document(lambda n: [(100, 100, "Results", 34)] if n in (2, 3) else [])
    assert set(map(str, roles.values())) == {"{}"}


def table(number: int) -> list[Piece]:
    head: list[Piece] = [(100, 160, "Name"), (400, 160, "Unit"), (700, 160, "Price")]
    return head + [
        piece
        for row in range(1, 40)
        for piece in (
            (100, 160 + 26 * row, WORDS[(number + 5 * row) % len(WORDS)]),
            (400, 160 + 26 * row, "piece"),
            (700, 160 + 26 * row, f"{row * number}.50"),
        )
    ]


@pytest.mark.parametrize("top", [100, 160])
def test_head_of_a_table_that_continues_is_body(top: float) -> None:
    roles = document(
        lambda _: [(380, HEAD, "The price list")],
        body=lambda n: [(left, y - 160 + top, text) for left, y, text, *_ in table(n)],
    )
    assert [roles[n] for n in (2, 3, 4)] == [{"The price list": "header"}] * 3


def test_first_line_that_two_of_six_pages_share_without_a_gap_is_body() -> None:
    roles = document(lambda n: [(100, 134, "Note of the translator")] if n in (2, 5) else [], 6)
    assert set(map(str, roles.values())) == {"{}"}


def test_rows_of_filled_copies_of_one_form_are_body() -> None:
    labels = [
        "Application for a permit",
        "Name",
        "Street",
        "Town",
        "Date of birth",
        "Signature",
        "For office use",
    ]

    def body(number: int) -> list[Piece]:
        rows: list[Piece] = [(100, 80 + 200 * place, label) for place, label in enumerate(labels)]
        return rows + [(400, 80 + 200 * place, WORDS[3 * number + place]) for place in range(1, 6)]

    roles = document(lambda _: [], 3, body)
    assert set(map(str, roles.values())) == {"{}"}


def test_pages_without_text_have_no_roles() -> None:
    assert document(lambda _: [], 3, lambda _: []) == {1: {}, 2: {}, 3: {}}


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_body_lines_are_never_furniture(data: st.DataObject) -> None:
    """Running text between the margins stays, whatever is at the edges of its pages."""
    texts = st.sampled_from(["A header", "Part 3", "17", "Page 2", "www.example.org", "A", ""])
    count = data.draw(st.integers(1, 5))
    edges = [
        [
            (data.draw(st.floats(50, 800)), y, data.draw(texts))
            for y in data.draw(st.sampled_from([[50], [50, 80], [1350], [50, 1350]]))
        ]
        for _ in range(count)
    ]
    bodies = [prose(data.draw(st.integers(1, 9)), top=250, bottom=1150) for _ in range(count)]
    pages = [page_of(n + 1, [*edges[n], *bodies[n]]) for n in range(count)]
    found = roles_of_document(pages)
    for page, body, edge in zip(pages, bodies, edges, strict=True):
        assert all(index < len(edge) for index in found[page.number]), body


def listing(number: int) -> list[Piece]:
    return [(100, 160 + 26 * row, f"{WORDS[(7 * number + row) % 20]} {WORDS[row % 20]}") for row in range(40)]


def test_row_that_begins_a_list_on_every_page_without_a_gap_is_body() -> None:
    roles = document(lambda _: [(100, 134, "stone garden")], 6, listing)
    assert set(map(str, roles.values())) == {"{}"}


def test_header_with_a_page_number_over_a_list_is_furniture_on_the_first_page() -> None:
    roles = document(lambda n: [(100, HEAD, "The annual report"), (860, HEAD, f"{n}")], 4, listing)
    assert roles[1] == {"The annual report": "header", "1": "page_number"}


# --- text layers: styles are known, and texts have no errors of recognition ---------------------------------


def styled_document(
    head: Callable[[int], Piece], style: TextStyle, count: int = 4
) -> dict[int, dict[str, str]]:
    pages = [
        styled_page_of(number, [head(number), *prose(number)], {head(number)[2]: style})
        for number in range(1, count + 1)
    ]
    found = roles_of_document(pages)
    return {page.number: roles_by_text(page, found[page.number]) for page in pages}


@pytest.mark.parametrize(
    ("style", "role"), [(BODY_STYLE, None), (SMALL_STYLE, "header"), (ITALIC_STYLE, "header")]
)
def test_row_of_a_text_layer_without_a_gap_is_furniture_in_another_print_only(
    style: TextStyle, role: str | None
) -> None:
    roles = styled_document(lambda _: (100, 134, "Note of the translator"), style, 6)
    assert roles[3] == ({"Note of the translator": role} if role else {})


def test_similar_texts_of_a_text_layer_are_not_equal() -> None:
    texts = [
        "Winter in the harbours",
        "Winters in the harbour",
        "Winter on the harbours",
        "Winter in a harbour",
    ]
    roles = styled_document(lambda n: (300, HEAD, texts[n - 1]), BODY_STYLE)
    assert set(map(str, roles.values())) == {"{}"}


# --- history -----------------------------------------------------------------------------------------------


def test_history_returns_the_pages_added_before() -> None:
    history = FurnitureHistory()
    pages = [page_of(number, prose(number)) for number in (1, 2, 3)]
    assert [[other.number for other in history.add(page)] for page in pages] == [[], [1], [1, 2]]
    assert [other.number for other in history.add(pages[1])] == [1, 3], "a page that is read again"


def test_history_keeps_the_last_pages_only() -> None:
    history = FurnitureHistory()
    for number in range(1, 2 * MAX_REMEMBERED_PAGES):
        others = history.add(page_of(number, []))
    assert len(others) == MAX_REMEMBERED_PAGES
    assert others[-1].number == 2 * MAX_REMEMBERED_PAGES - 2
