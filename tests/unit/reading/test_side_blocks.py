"""Addresses, facts, slips and receipts side by side are read one after the other, and tables by rows."""

from collections.abc import Sequence
from itertools import count

import pytest

from backend_main.reading.layout import columns
from backend_main.reading.layout.column_sides import has_own_rows
from backend_main.reading.layout.columns import split_columns
from backend_main.reading.layout.geometry import LayoutBox, PageFrame
from backend_main.reading.layout_page import build_layout_page
from backend_main.reading.types import Box
from tests.unit.reading.sample_layouts import box
from tests.unit.reading.sample_pages import EDGES, formatted, lines_of

LETTER = 11
"""Width of a letter in pixels."""
Placed = list[tuple[Box, str]]

SENDER = ["Harper & Sons Ltd", "Helen Duarte", "Hafenweg 123", "33399 Portland"]
RECIPIENT = ["Castle Hardware", "Peter Novak", "Oak Avenue 9", "62610 Leeds", "United Kingdom"]
POSITIONS = [
    ["Description", "Qty", "Price"],
    ["Wall lamp", "2", "24.50"],
    ["Oak table 80 cm", "1", "80.00"],
    ["Delivery", "1", "9.90"],
    ["Hex bolts M8", "12", "14.40"],
]
LETTER_TEXT = ["The annual general meeting takes place in the town hall of the old"] * 14


def placed(x: float, y: float, texts: list[str], *, pitch: float = 30, height: float = 24) -> Placed:
    """Place texts below each other."""
    letter = LETTER * height / 24
    return [
        (box(x, y + number * pitch, len(text) * letter, height), text)
        for number, text in zip(count(), texts)
        if text
    ]


def cells(xs: list[float], y: float, rows: list[list[str]], *, pitch: float = 40) -> Placed:
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [one for x, column in zip(xs, columns, strict=True) for one in placed(x, y, column, pitch=pitch)]


def markdown(*parts: Placed) -> str:
    boxes = [one for part in parts for one, _ in part]
    texts = [text for part in parts for _, text in part]
    page = build_layout_page(PageFrame.from_boxes(boxes), lines_of(boxes, texts), EDGES)
    return formatted(page).markdown


def kept(lines: list[str]) -> str:
    return "  \n".join(lines)


def receipt(x: float, y: float, items: list[str]) -> Placed:
    head = [
        (box(x + 60, y + 30 * number, 220, 24), text)
        for number, text in enumerate(["ELBE PAPIER AG", "Station Road 39", "Date 22/12/2019 15:59"])
    ]
    prices = [f"{number}.99" for number, _ in enumerate(items, 1)]
    return [*head, *placed(x, y + 120, items, pitch=36), *placed(x + 290, y + 120, prices, pitch=36)]


def test_addresses_side_by_side_are_read_one_after_the_other() -> None:
    page = markdown(placed(100, 100, ["Bill to:", *SENDER]), placed(640, 100, ["Ship to:", *RECIPIENT]))
    assert page.split("\n\n") == [kept(["Bill to:", *SENDER]), kept(["Ship to:", *RECIPIENT])]


def test_address_beside_facts_is_read_before_them() -> None:
    facts = [["Invoice No.", "84115"], ["Date", "04/04/2024"], ["Customer", "K-742"], ["Due", "19/01/2023"]]
    page = markdown(placed(100, 100, RECIPIENT), cells([800, 1000], 104, facts))
    assert page.split("\n\n") == [kept(RECIPIENT), kept([" ".join(fact) for fact in facts])]


def test_address_above_positions_is_no_part_of_their_table() -> None:
    page = markdown(
        placed(100, 100, SENDER), placed(640, 100, RECIPIENT), cells([100, 700, 900], 280, POSITIONS)
    )
    first, second, table = page.split("\n\n")
    assert [first, second] == [kept(SENDER), kept(RECIPIENT)]
    assert table.splitlines()[0] == "| Description | Qty | Price |"
    assert len(table.splitlines()) == len(POSITIONS) + 1


def test_three_footers_side_by_side_are_read_one_after_the_other() -> None:
    footers = [
        ["Castle Hardware", "Lindenweg 12", "20095 Hamburg"],
        ["Tel. 040 331144", "info@example.org", "www.example.org"],
        ["Sparkasse Hamburg", "IBAN DE12 2005 0550", "BIC HASPDE"],
    ]
    body = placed(100, 100, LETTER_TEXT)
    page = markdown(body, *(placed(x, 900, lines) for x, lines in zip((100, 450, 800), footers, strict=True)))
    assert page.split("\n\n")[1:] == [kept(lines) for lines in footers]


def test_title_beside_lines_is_a_heading_before_them() -> None:
    body = placed(100, 400, LETTER_TEXT)
    page = markdown(placed(100, 100, ["Castle Hardware"], height=40), placed(900, 90, SENDER[2:]), body)
    assert page.split("\n\n")[:2] == ["## Castle Hardware", kept(SENDER[2:])]


def test_names_and_values_of_a_table_are_read_by_rows() -> None:
    rows = [["Width", "12 mm"], ["Weight", "3 kg"], ["Material", "Steel"], ["Finish", "Grade 8"]]
    page = markdown(cells([100, 640], 100, rows, pitch=30))
    assert page == kept([" ".join(row) for row in rows])


def test_columns_of_names_are_read_by_rows() -> None:
    goods = ["White wall lamp", "Round table", "Chair with arms", "Wooden shutter"]
    makers = ["Castle Hardware", "Vogel Metall", "Elbe Papier", "Nordwind Technik"]
    rows = [list(row) for row in zip(goods, makers, strict=True)]
    page = markdown(cells([100, 640], 100, rows, pitch=30))
    assert page == kept([" ".join(row) for row in rows])


def test_form_beside_an_address_is_read_after_it_where_its_lines_are_not_level() -> None:
    form = ["If paying by card, fill out below", "Card number", "Expiry date", "Signature"]
    page = markdown(placed(100, 100, RECIPIENT), placed(640, 112, form, pitch=41))
    assert page.split("\n\n") == [kept(RECIPIENT), kept(form)]


def test_positions_with_sums_are_read_by_rows() -> None:
    sums = [["", "Net", "128.80"], ["", "VAT", "25.76"], ["", "Total", "154.56"]]
    page = markdown(cells([100, 640, 900], 100, [*POSITIONS, *sums], pitch=34))
    assert "| Wall lamp | 2 | 24.50 |" in page
    assert "|  | Total | 154.56 |" in page


def test_label_of_a_sum_over_two_columns_does_not_join_them() -> None:
    rows = [["Pos.", "Description", "Qty", "Price", "Amount"]]
    rows += [[str(number), "Wall lamp", "17", "138.00", "2,346.00"] for number in range(1, 5)]
    sums = [
        [
            (box(620, 300 + 40 * number, 230, 24), "Net without delivery"),
            (box(900, 300 + 40 * number, 88, 24), "9,384.00"),
        ]
        for number in range(3)
    ]
    page = markdown(cells([100, 200, 600, 720, 900], 100, rows), *sums)
    assert "| 4 | Wall lamp | 17 | 138.00 | 2,346.00 |" in page
    assert page.count("Net without delivery | 9,384.00 |") == 3


def test_receipts_side_by_side_are_read_one_after_the_other() -> None:
    receipts = [
        receipt(40 + 410 * number, 100 + 24 * number, [f"Item {letter * length}" for length in (3, 9, 5, 7)])
        for number, letter in enumerate("abc")
    ]
    page = markdown(*receipts)
    places = [page.index(f"Item {letter * length}") for letter in "abc" for length in (3, 9, 5, 7)]
    assert places == sorted(places)
    assert page.count("Item aaa 1.99") == 1


def test_split_columns_of_receipts_with_dots_between_compares_few_sides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = 0

    def counted(side: Sequence[LayoutBox]) -> bool:
        nonlocal compared
        compared += 1
        assert compared < 10_000  # without a limit, about six times as many with each receipt
        return has_own_rows(side)

    monkeypatch.setattr(columns, "has_own_rows", counted)
    split_columns(receipts_with_dots(receipts=9, dots=5), 10.0)
    assert compared > 100


def receipts_with_dots(*, receipts: int, dots: int) -> list[LayoutBox]:
    """Return receipts side by side, dots between them, and a column of texts at the right."""
    places = []
    for number in range(receipts):
        x = (95 + 12 * dots) * number
        for row in range(3):
            places += [(x, 40 * row, 20 + 12 * row), (x + 70, 40 * row, 20), (x, 40 * row + 20, 85)]
        places += [(x + 95 + 12 * dot, 125 + 12 * (number * dots + dot), 3) for dot in range(dots)]
    places += [((95 + 12 * dots) * receipts + 10, 20 * row, 60) for row in range(4)]
    return [LayoutBox(index, x, y, x + width, y + 10, 10) for index, (x, y, width) in enumerate(places)]


def test_slip_beside_a_letter_is_read_after_it() -> None:
    slip = ["REMITTANCE", "Membership no.", "4300181", "Name", "Rosa Duarte", "Amount due", "63.00"]
    page = markdown(placed(60, 100, LETTER_TEXT), placed(900, 110, slip, pitch=61))
    assert [page.index(text) for text in slip] == sorted(page.index(text) for text in slip)
    assert page.rindex("annual") < page.index(slip[0])


def test_sums_that_end_at_the_right_edge_stay_lines() -> None:
    sums = ["Net 4,742.72", "VAT 948.54", "To pay 5,691.26"]
    right = [
        (box(1100 - len(text) * LETTER, 700 + 30 * number, len(text) * LETTER, 24), text)
        for number, text in enumerate(sums)
    ]
    assert markdown(placed(100, 100, LETTER_TEXT), right).endswith(kept(sums))


@pytest.mark.parametrize(
    "line", ["£41.00", "-12,50", "$ 7", "+49 40 331144", "info@example.org", "www.example.org"]
)
def test_amount_or_contact_in_a_narrow_block_stays_a_line(line: str) -> None:
    lines = ["Amount due", line, "Pay before"]
    assert markdown(placed(100, 100, lines)) == kept(lines)


def test_lines_of_a_narrow_address_of_equal_widths_stay_lines() -> None:
    address = ["Rosa Duarte", "Rue Basse 9", "20556 Lyon", "La France"]
    assert markdown(placed(100, 100, address)) == kept(address)
