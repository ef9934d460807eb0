"""Tables of born-digital pages without lines, and mixed cases, on pages that reportlab draws."""

import pytest
from reportlab.pdfgen.canvas import Canvas

from tests.unit.reading.born_digital.sample_tables import (
    CITIES,
    EDGES,
    PITCH,
    TOP,
    XS,
    YS,
    grid,
    level,
    paragraph,
    pipe,
    tables_on,
    text_rows,
)


def test_rows_without_lines_are_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        text_rows(canvas, CITIES, (100, 220, 395), right=[2])
        paragraph(canvas, TOP - 6 * PITCH)

    assert tables_on(draw) == [pipe(*CITIES)]


def test_dollar_signs_in_columns_of_their_own_join_their_sums() -> None:
    rows = [
        ["", "", "Jan 26", "", "Jan 28"],
        ["Cost of revenue", "$", "178", "$", "141"],
        ["Research and development", "", "3,423", "", "2,532"],
        ["Total", "$", "4,737", "$", "(3,549)"],
    ]

    def draw(canvas: Canvas) -> None:
        text_rows(canvas, rows, (60, 250, 310, 350, 410), right=[2, 4], pitch=14)

    assert tables_on(draw) == [
        pipe(
            ["", "Jan 26", "Jan 28"],
            ["Cost of revenue", "$ 178", "$ 141"],
            ["Research and development", "3,423", "2,532"],
            ["Total", "$ 4,737", "$ (3,549)"],
        )
    ]


def test_leader_dots_between_label_and_sum_are_left_out() -> None:
    rows = [["Rent ........................", "1,200", "9"], ["Wages ..................", "310", "8"]]
    rows += [["Total ...................", "1,510", "7"]]

    def draw(canvas: Canvas) -> None:
        text_rows(canvas, rows, (60, 310, 410), right=[1, 2], pitch=14)

    assert tables_on(draw) == [pipe(["Rent", "1,200", "9"], ["Wages", "310", "8"], ["Total", "1,510", "7"])]


def test_section_rows_have_empty_cells() -> None:
    rows = [
        ["", "2024", "2023"],
        ["Revenue", "900", "800"],
        ["Operating expenses:"],
        ["Wages", "310", "290"],
        ["Rent", "120", "115"],
    ]

    def draw(canvas: Canvas) -> None:
        text_rows(canvas, rows, (60, 310, 410), right=[1, 2], pitch=14)

    rows[2] = ["Operating expenses:", "", ""]
    assert tables_on(draw) == [pipe(*rows)]


def test_head_over_two_columns_is_a_colspan() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawCentredString(350, TOP, "Year ended in January")
        text_rows(
            canvas,
            [
                ["Item", "2024", "2023"],
                ["Rent", "120", "115"],
                ["Wages", "310", "290"],
                ["Sum", "430", "405"],
            ],
            (60, 330, 400),
            top=TOP - 14,
            pitch=14,
            right=[1, 2],
        )

    assert tables_on(draw)[0].startswith(
        '<table>\n<tr><th></th><th colspan="2">Year ended in January</th></tr>\n'
    )


def test_cells_of_several_lines_without_lines_between_rows() -> None:
    def draw(canvas: Canvas) -> None:
        y = TOP
        for term, meaning, note in (
            ("Term", ["Meaning"], "Note"),
            ("Wage", ["The sum that a worker is", "paid each month"], "iron"),
            ("Coal", ["A black stone from a mine", "near the mouth of a river"], ""),
            ("Tide", ["The rise of the sea"], "office"),
        ):
            canvas.drawString(60, y, term)
            canvas.drawString(300, y, note)
            for line in meaning:
                canvas.drawString(130, y, line)
                y -= 12
            y -= 8

    assert tables_on(draw) == [
        pipe(
            ["Term", "Meaning", "Note"],
            ["Wage", "The sum that a worker is paid each month", "iron"],
            ["Coal", "A black stone from a mine near the mouth of a river", ""],
            ["Tide", "The rise of the sea", "office"],
        )
    ]


def test_table_in_one_column_of_a_page_leaves_the_text_of_the_other() -> None:
    prose = "The old survey of the ministry had simplified"

    def draw(canvas: Canvas) -> None:
        for number in range(30):
            canvas.drawString(50, 780 - 13 * number, prose)
        for number in range(15):
            canvas.drawString(320, 780 - 13 * number, prose)
        text_rows(canvas, CITIES, (320, 400, 530), top=780 - 13 * 17, pitch=13, right=[2])

    assert tables_on(draw) == [pipe(*CITIES)]


def test_two_columns_of_running_text_are_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        for x in (50, 320):
            for number in range(30):
                canvas.drawString(
                    x, 780 - 13 * number, "The old survey of the ministry had simplified"[number % 4 :]
                )

    assert tables_on(draw) == []


def test_address_blocks_side_by_side_are_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        text_rows(
            canvas,
            [
                ["Wave Theatre Ltd.", "Invoice No. 7480"],
                ["63 Quay Street", "Date: 14 May"],
                ["Ystad", "Customer: AV"],
            ],
            (60, 400),
            pitch=13,
        )

    assert tables_on(draw) == []


def test_list_with_markers_is_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        text_rows(canvas, [[f"{number}.", f"Clause of kind {number}"] for number in range(1, 6)], (60, 100))

    assert tables_on(draw) == []


def test_contents_with_page_numbers_are_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        text_rows(
            canvas,
            [
                [f"{name} of the survey ...............", str(7 * number)]
                for number, name in enumerate(("Aims", "Methods", "Results", "Costs"), 1)
            ],
            (60, 500),
            right=[1],
        )

    assert tables_on(draw) == []


def test_labels_with_colons_and_values_are_a_table() -> None:
    rows = [["Name:", "Anna Beck"], ["Place of birth:", "Ystad"], ["Occupation:", "Driver of a tram"]]

    def draw(canvas: Canvas) -> None:
        text_rows(canvas, rows, (60, 160))

    assert tables_on(draw) == [pipe(*rows)]


def test_bars_in_cells_are_escaped() -> None:
    rows = [["Name", "Sum"], ["a|b", "12"], ["c*d", "34"], ["e", "56"]]

    def draw(canvas: Canvas) -> None:
        text_rows(canvas, rows, (60, 200), right=[1])

    assert tables_on(draw) == [pipe(["Name", "Sum"], ["a\\|b", "12"], ["c\\*d", "34"], ["e", "56"])]


def test_grid_column_of_labels_without_lines_has_a_row_for_each() -> None:
    def draw(canvas: Canvas) -> None:
        grid(canvas, (215, 335, 400), [TOP + 12 - PITCH * number for number in range(7)])
        canvas.rect(95, TOP + 12 - 6 * PITCH, 120, 6 * PITCH)
        text_rows(
            canvas, [["Name", "City", "Total"], *([f"Person {n}", "Rome", str(n)] for n in range(5))], XS
        )

    assert tables_on(draw) == [
        pipe(["Name", "City", "Total"], *([f"Person {number}", "Rome", str(number)] for number in range(5)))
    ]


def test_line_beside_the_labels_alone_keeps_labels_and_numbers_together() -> None:
    rows = [
        ["Item", "2024", "2023"],
        *([f"Item {number}", str(number), str(2 * number)] for number in range(8)),
    ]

    def draw(canvas: Canvas) -> None:
        canvas.line(200, TOP + 12, 200, TOP - 8 * PITCH)
        text_rows(canvas, rows, (100, 310, 395), right=[1, 2])

    assert tables_on(draw) == [pipe(*rows)]


def test_line_between_two_columns_of_a_page_separates_their_tables() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.line(300, TOP + 12, 300, TOP - 16 * 13)
        left = [[f"Person {number}", str(90 - number)] for number in range(8)]
        right = [[f"Office {number}", str(70 - number)] for number in range(8)]
        text_rows(canvas, left, (60, 280), right=[1], top=TOP, pitch=26)
        text_rows(canvas, right, (320, 540), right=[1], top=TOP - 13, pitch=26)

    tables = tables_on(draw)
    assert sorted(tables) == sorted(
        [
            pipe(*([f"Person {number}", str(90 - number)] for number in range(8))),
            pipe(*([f"Office {number}", str(70 - number)] for number in range(8))),
        ]
    )


def test_caption_and_source_in_the_frame_are_text_beside_the_table() -> None:
    def draw(canvas: Canvas) -> None:
        ys = [TOP + 12 - PITCH * number for number in range(-1, 6)]
        grid(canvas, EDGES, ys[1:-1])
        canvas.rect(95, ys[-1], 305, ys[0] - ys[-1])
        canvas.drawString(100, TOP + PITCH, "Table 3: Persons and their cities")
        text_rows(canvas, CITIES, XS)
        canvas.drawString(100, TOP - 4 * PITCH, "Source: the survey of 1987")

    assert tables_on(draw) == [pipe(*CITIES)]


def test_rows_of_monospaced_numbers_are_a_table_and_code_is_not() -> None:
    code = [
        "def total(rows):",
        "    count = 0      # of rows",
        "    for row in rows:   # each",
        "        count += 1   # one",
    ]

    def draw(canvas: Canvas) -> None:
        canvas.setFont("Courier", 10)
        for number, line in enumerate(code):
            canvas.drawString(60, TOP - 12 * number, line)
        lines = ["Age        Share   Total", "20-29       0.26     120", "30-39       0.20      85"]
        for number, line in enumerate([*lines, "40-49       0.14      70"]):
            canvas.drawString(60, TOP - 200 - 12 * number, line)

    assert tables_on(draw) == [
        pipe(
            ["Age", "Share", "Total"],
            ["20-29", "0.26", "120"],
            ["30-39", "0.20", "85"],
            ["40-49", "0.14", "70"],
        )
    ]


def test_rule_drawn_with_dashes_separates_the_head() -> None:
    def draw(canvas: Canvas) -> None:
        text_rows(canvas, [CITIES[0]], (100, 220, 395), right=[2])
        canvas.drawString(100, TOP - 13, "-" * 75)
        text_rows(canvas, CITIES[1:], (100, 220, 395), top=TOP - 26, right=[2])

    assert tables_on(draw) == [pipe(*CITIES)]


def test_labels_of_the_axes_of_a_chart_are_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        rows = [[f"{2000 * number:,}", str(10 * number)] for number in range(8, 0, -1)]
        text_rows(canvas, rows, (100, 400), right=[0])

    assert tables_on(draw) == []


def test_numbers_below_each_other_in_cells_are_rows() -> None:
    def draw(canvas: Canvas) -> None:
        grid(canvas, EDGES, [TOP + 12, TOP - 6, TOP - 46])
        text_rows(canvas, [["Measure", "2024", "2023"]], XS)
        text_rows(
            canvas, [["Mean of all", "0.87", "0.85"], ["Gini index of", "0.09", "0.08"]], XS, top=TOP - 20
        )
        canvas.drawString(100, TOP - 20 - PITCH - 6, "")

    assert tables_on(draw) == [
        pipe(["Measure", "2024", "2023"], ["Mean of all", "0.87", "0.85"], ["Gini index of", "0.09", "0.08"])
    ]


def test_table_on_a_rotated_page_is_read_upright() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setPageRotation(90)
        canvas.rotate(90)
        canvas.translate(0, -595)
        canvas.setFont("Helvetica", 10)
        grid(canvas, EDGES, [y - 400 for y in YS])
        text_rows(canvas, CITIES, XS, top=TOP - 400)

    assert tables_on(draw) == [pipe(*CITIES)]


@pytest.mark.timeout(30)
def test_page_of_thousands_of_lines_and_words_ends() -> None:
    """It takes some seconds; a search of all pairs of lines would take minutes."""

    def draw(canvas: Canvas) -> None:
        for number in range(4000):
            canvas.line(20 + number % 500, 20 + number // 8, 22 + number % 500 + number % 7, 20 + number // 8)
        for number in range(3000):
            canvas.drawString(20 + 17 * (number % 30), 20 + 7.5 * (number // 30), "ab1"[: 1 + number % 3])

    tables_on(draw)


def test_lines_above_sums_leave_the_labels_in_the_table() -> None:
    names = ["Rent", "Wages", "Subtotal", "Travel", "Paper", "Lamps", "Gates", "Subtotal", "Geese", "Total"]
    rows = [["", "2024", "2023", "2022"]]
    rows += [[name, *(str(99 - 7 * number - year) for year in range(3))] for number, name in enumerate(names)]

    def draw(canvas: Canvas) -> None:
        level(canvas, 270, 480, *(TOP - number * 14 - 4 for number in (2, 7, 9)))
        text_rows(canvas, rows, (60, 320, 395, 470), right=[1, 2, 3], pitch=14)

    assert tables_on(draw) == [pipe(*rows)]


def test_rows_with_keys_of_several_lines_are_found_by_their_distance() -> None:
    def draw(canvas: Canvas) -> None:
        y = TOP
        for key, value in (
            (["Branch"], ["Task in the year"]),
            (["Office of", "Research"], ["Measures the lamp", "Of the lighthouse"]),
            (["Office of", "Finance"], ["Counts the geese", "Of the harbour"]),
            (["Office of", "Traffic"], ["Opens the gates", "In the spring"]),
        ):
            for left, right in zip(key, value, strict=True):
                canvas.setFont("Helvetica-Bold" if key == ["Branch"] else "Helvetica", 10)
                canvas.drawString(60, y, left)
                canvas.drawString(160, y, right)
                y -= 12
            y -= 8

    assert tables_on(draw) == [
        pipe(
            ["Branch", "Task in the year"],
            ["Office of Research", "Measures the lamp Of the lighthouse"],
            ["Office of Finance", "Counts the geese Of the harbour"],
            ["Office of Traffic", "Opens the gates In the spring"],
        )
    ]


def test_head_cell_in_the_middle_of_the_cells_beside_it_is_no_column_of_text() -> None:
    xs = (100, 200, 300, 400)
    heads = [("Year",), ("Recovery", "rate"), ("Unadjusted", "basis"), ("Depreciation", "expense")]
    rows = [(str(year), f".{year}667", "$100,000", f"${year}6,670") for year in range(1, 5)]

    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        for x, lines in zip(xs, heads, strict=True):
            top = TOP - 6 * (2 - len(lines))
            for number, line in enumerate(lines):
                canvas.drawString(x, top - 12 * number, line)
        text_rows(canvas, rows, xs, top=TOP - 30)

    head = ("Year", "Recovery rate", "Unadjusted basis", "Depreciation expense")
    assert tables_on(draw) == [pipe(head, *rows)]


def test_table_of_two_rows_below_a_bold_head() -> None:
    rows = [["Rope", "new", "sold"], ["Oat bread and salt", "", ""], ["Iron", "old", "kept"]]

    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        canvas.setFont("Helvetica-Bold", 10)
        text_rows(canvas, rows[:1], (60, 200, 310))
        canvas.setFont("Helvetica", 10)
        text_rows(
            canvas, [row[:1] if not row[1] else row for row in rows[1:]], (60, 200, 310), top=TOP - PITCH
        )
        paragraph(canvas, TOP - 5 * PITCH)

    assert tables_on(draw) == [pipe(*rows)]


def test_table_whose_cells_have_many_lines_is_one_table() -> None:
    """Drawn cell by cell: the lines of a cell before the next cell of its row."""
    rows = [
        [["Rope"], ["new"], ["sold"]],
        [["Iron"], ["old", "and", "worn", "long", "ago"], ["one"]],
        [["Salt", "of sea"], ["two"], ["kept"]],
        [["Oat"], ["cut", "by", "hand", "with", "care"], ["none"]],
        [["Tar", "in", "kegs"], ["six"], ["left"]],
    ]

    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        y = TOP
        for row in rows:
            for x, lines in zip((60, 200, 310), row, strict=True):
                for number, line in enumerate(lines):
                    canvas.drawString(x, y - 12 * number, line)
            y -= 12 * max(map(len, row)) + 8
        paragraph(canvas, y - 20)

    assert tables_on(draw) == [pipe(*([" ".join(cell) for cell in row] for row in rows))]


def test_table_with_a_long_last_cell_has_each_word_once() -> None:
    rows = [
        [["Rope"], ["new"], ["sold"]],
        [["Wine"], ["old"], ["drunk"]],
        [["Iron"], ["old"], ["Stored", "in the", "north", "tower", "today"]],
        [["Salt"], ["dry"], ["kept"]],
        [["Tar"], ["hot"], ["left"]],
        [["Oat"], ["raw"], ["gone"]],
    ]

    def draw(canvas: Canvas) -> None:
        y = TOP
        for row in rows:
            for x, lines in zip((60, 200, 310), row, strict=True):
                for number, line in enumerate(lines):
                    canvas.drawString(x, y - 12 * number, line)
            y -= 12 * max(map(len, row)) + 5

    assert "".join(tables_on(draw)).count("tower") == 1


ITEMS = (
    ("ITEM", "DESCRIPTION", "SUM"),
    ("A-7", "Steel bolts, zinc plated", "10.00"),
    ("M-22", "Copper pipe", "87.00"),
    ("W-01", "Delivery", "12.00"),
)


def test_columns_with_a_gap_as_narrow_as_a_space_are_known_by_their_common_edge() -> None:
    assert tables_on(lambda canvas: text_rows(canvas, ITEMS, (100, 128, 395), right=[2])) == [pipe(*ITEMS)]


def test_numbers_that_end_a_wide_space_before_the_next_texts_are_a_column() -> None:
    rows = [("NO", "DESCRIPTION", "SUM"), *((str(n), *row[1:]) for n, row in enumerate(ITEMS[1:], 1))]
    # The first column ends at 120, and the next begins 0.36 of the font size later.
    found = tables_on(lambda canvas: text_rows(canvas, rows, (120, 123.6, 395), right=[0, 2]))
    assert found == [pipe(*rows)]


def test_words_behind_texts_of_one_width_are_not_a_column() -> None:
    rows = [(f"{label} {text}", number) for label, (_, text, number) in zip("BABB", ITEMS, strict=True)]
    found = tables_on(lambda canvas: text_rows(canvas, rows, (100, 395), right=[1]))
    assert found == [pipe(*rows)]


SHIPS = (("Year", "Ships"), ("2019", "41"), ("2020", "38"), ("2021", "52"))
PORTS = (("Port", "Tons"), ("Kiel", "812"), ("Rostock", "455"), ("Emden", "390"))


def test_level_tables_drawn_one_after_the_other_are_two() -> None:
    def draw(canvas: Canvas) -> None:
        text_rows(canvas, SHIPS, (100, 160))
        text_rows(canvas, PORTS, (240, 320))

    assert sorted(tables_on(draw)) == sorted([pipe(*SHIPS), pipe(*PORTS)])


def test_level_tables_drawn_row_by_row_are_one() -> None:
    rows = [(*ship, *port) for ship, port in zip(SHIPS, PORTS, strict=True)]
    assert tables_on(lambda canvas: text_rows(canvas, rows, (100, 160, 240, 320))) == [pipe(*rows)]


def test_numbers_drawn_after_the_labels_of_a_table_are_columns_of_it() -> None:
    ports = [
        ("Port", "City", "Tons", "Docks"),
        *(("Kiel", "Kiel", str(n), str(n + 7)) for n in (812, 455, 390)),
    ]

    def draw(canvas: Canvas) -> None:
        text_rows(canvas, [row[:2] for row in ports], (100, 160))
        text_rows(canvas, [row[2:] for row in ports], (240, 320))

    assert tables_on(draw) == [pipe(*ports)]
