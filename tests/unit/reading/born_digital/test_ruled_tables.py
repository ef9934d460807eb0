"""Tables of born-digital pages in grids of lines, between level lines and in stripes."""

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
    stripe,
    tables_on,
    text_rows,
)


def test_grid_of_lines_is_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        grid(canvas, EDGES, YS)
        text_rows(canvas, CITIES, XS)

    assert tables_on(draw) == [pipe(*CITIES)]


def test_grid_drawn_as_thin_filled_rectangles_is_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        for x in EDGES:
            canvas.rect(x, YS[-1], 0.7, YS[0] - YS[-1], stroke=0, fill=1)
        for y in YS:
            canvas.rect(EDGES[0], y, EDGES[-1] - EDGES[0], 0.7, stroke=0, fill=1)
        text_rows(canvas, CITIES, XS)

    assert tables_on(draw) == [pipe(*CITIES)]


def test_grid_of_dashed_pieces_is_a_table_even_with_two_rows() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setDash(3, 3)
        canvas.rect(EDGES[0], YS[2], EDGES[-1] - EDGES[0], YS[0] - YS[2])
        for y in YS[:3]:
            for x in range(EDGES[0], EDGES[-1], 6):
                canvas.line(x, y, x + 3, y)
        for x in EDGES:
            for y in range(round(YS[2]), round(YS[0]), 6):
                canvas.line(x, y, x, y + 3)
        text_rows(canvas, CITIES[:2], XS)

    assert tables_on(draw) == [pipe(*CITIES[:2])]


def test_grid_cell_over_two_columns_is_html_with_a_colspan() -> None:
    def draw(canvas: Canvas) -> None:
        level(canvas, 95, 400, *YS)
        for x, top in ((95, YS[0]), (215, YS[0]), (335, YS[1]), (400, YS[0])):
            canvas.line(x, top, x, YS[-1])
        text_rows(canvas, [["Name", "Sums & <totals>"], ["", "2024", "2023"], ["Anna", "1", "2"]], XS)
        text_rows(canvas, [["Ben", "3", "4"]], XS, top=TOP - 3 * PITCH)

    assert tables_on(draw) == [
        "<table>\n"
        '<tr><th>Name</th><th colspan="2">Sums & &lt;totals></th></tr>\n'
        "<tr><td></td><td>2024</td><td>2023</td></tr>\n"
        "<tr><td>Anna</td><td>1</td><td>2</td></tr>\n"
        "<tr><td>Ben</td><td>3</td><td>4</td></tr>\n"
        "</table>"
    ]


def test_grid_cell_over_two_rows_is_html_with_a_rowspan() -> None:
    def draw(canvas: Canvas) -> None:
        grid(canvas, (215, 335, 400), YS[:4])
        level(canvas, 95, 215, YS[0], YS[1], YS[3])
        canvas.line(95, YS[0], 95, YS[3])
        text_rows(canvas, [["Office", "Half", "Sum"], ["Rome", "first", "1"], ["", "second", "2"]], XS)

    assert tables_on(draw) == [
        "<table>\n"
        "<tr><th>Office</th><th>Half</th><th>Sum</th></tr>\n"
        '<tr><td rowspan="2">Rome</td><td>first</td><td>1</td></tr>\n'
        "<tr><td>second</td><td>2</td></tr>\n"
        "</table>"
    ]


def test_grid_with_a_line_below_every_third_row_has_all_rows() -> None:
    rows = [
        ["Name", "Sum", "Share"],
        *([f"Person {number}", str(number), f"{number}.5"] for number in range(6)),
    ]

    def draw(canvas: Canvas) -> None:
        top = TOP + 12
        grid(canvas, EDGES, [top, top - PITCH, top - 4 * PITCH, top - 7 * PITCH])
        text_rows(canvas, rows, XS)

    assert tables_on(draw) == [pipe(*rows)]


def test_grid_cell_with_several_lines_is_one_cell() -> None:
    def draw(canvas: Canvas) -> None:
        grid(canvas, EDGES, [TOP + 12, TOP - 6, TOP - 36])
        text_rows(canvas, [["Term", "Meaning", "Note"], ["Wage", "The sum that a", "iron"]], XS)
        canvas.drawString(220, TOP - PITCH - 12, "worker is paid")

    assert tables_on(draw) == [
        pipe(["Term", "Meaning", "Note"], ["Wage", "The sum that a worker is paid", "iron"])
    ]


def test_grid_run_over_two_cells_is_divided_by_its_words() -> None:
    def draw(canvas: Canvas) -> None:
        grid(canvas, (95, 130, 165), YS)
        for number in range(4):
            canvas.drawString(108, TOP - PITCH * number, f"aaaaa bbbb{number}")

    assert tables_on(draw) == [pipe(*(["aaaaa", f"bbbb{number}"] for number in range(4)))]


def test_frame_around_a_paragraph_is_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.rect(50, 700, 480, 60)
        paragraph(canvas, 745)

    assert tables_on(draw) == []


def test_grid_of_a_chart_is_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        grid(canvas, range(100, 401, 50), range(500, 701, 40))
        for number in range(7):
            canvas.drawString(95 + 50 * number, 485, str(2010 + number))
        for number in range(6):
            canvas.drawRightString(92, 497 + 40 * number, str(100 * number))
        text_rows(canvas, [["Sales", "Costs"], ["Loans"]], (160, 260), top=570, pitch=80)

    assert tables_on(draw) == []


def test_level_lines_around_head_and_rows_are_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        level(canvas, 95, 400, TOP + 12, TOP - 6, TOP - 3 * PITCH - 6)
        text_rows(canvas, CITIES, (100, 220, 395), right=[2])
        paragraph(canvas, TOP - 5 * PITCH)

    assert tables_on(draw) == [pipe(*CITIES)]


def test_line_below_the_head_alone_keeps_the_head_in_the_table() -> None:
    def draw(canvas: Canvas) -> None:
        paragraph(canvas, 800)
        level(canvas, 95, 400, TOP - 6)
        text_rows(canvas, CITIES, (100, 220, 395), right=[2])

    assert tables_on(draw) == [pipe(*CITIES)]


def test_lines_below_rows_divide_cells_of_several_lines() -> None:
    def draw(canvas: Canvas) -> None:
        level(canvas, 95, 400, TOP - 6, TOP - 36, TOP - 66)
        text_rows(canvas, [["Term", "Meaning", "Note"], ["Wage", "The sum that a", "iron"]], XS)
        canvas.drawString(220, TOP - 30, "worker is paid")
        text_rows(canvas, [["Coal", "A black stone"], ["", "from a mine"]], XS, top=TOP - 48, pitch=12)

    assert tables_on(draw) == [
        pipe(
            ["Term", "Meaning", "Note"],
            ["Wage", "The sum that a worker is paid", "iron"],
            ["Coal", "A black stone from a mine", ""],
        )
    ]


def test_stripes_below_every_other_row_are_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        for number in (0, 2):
            stripe(canvas, 95, 400, TOP + 12 - number * PITCH)
        text_rows(canvas, CITIES, (100, 220, 395), right=[2])

    assert tables_on(draw) == [pipe(*CITIES)]


def test_two_tables_with_lines_of_equal_length_stay_two() -> None:
    def draw(canvas: Canvas) -> None:
        for top in (TOP, TOP - 200):
            level(canvas, 60, 500, top + 12, top - 6, top - 3 * PITCH - 6)
            text_rows(canvas, CITIES, (65, 220, 495), top=top, right=[2])
        paragraph(canvas, TOP - 100)

    assert tables_on(draw) == [pipe(*CITIES), pipe(*CITIES)]


def test_list_between_lines_is_a_table_of_one_column() -> None:
    items = ["Framework", "Reuse and reduce", "Circular economy", "Engagement", "Local action"]

    def draw(canvas: Canvas) -> None:
        level(canvas, 95, 400, *(TOP + 12 - PITCH * number for number in range(6)))
        text_rows(canvas, [[item] for item in items], XS)

    assert tables_on(draw) == [pipe(*([item] for item in items))]
