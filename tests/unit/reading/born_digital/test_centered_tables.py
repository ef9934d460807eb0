"""Tables with cells centered in their rows, and with borders below cells, on pages of reportlab."""

from collections.abc import Sequence
from itertools import pairwise

from reportlab.pdfgen.canvas import Canvas

from tests.unit.reading.born_digital.sample_tables import PROSE, SIZE, TOP, level, paragraph, pipe, tables_on

LEADING, PADDING = 11.5, 3.0
XS = (80, 160, 330)
Rows = Sequence[Sequence[str]]
PARTIES = (
    ("No.", "Party", "Seats"),
    ("1", "Union of\nFishermen", "1,652"),
    ("2", "Green List", "715"),
    ("3", "National Front of\nthe Northern\nProvinces", "650"),
    ("4", "Workers of\nthe Coast", "58"),
)
BORDERS = (80, 170, 260, 350)


def centered_rows(
    canvas: Canvas, rows: Rows, xs: Sequence[float] = XS, top: float = TOP, *, right: Sequence[int] = ()
) -> list[float]:
    """Draw rows whose cells are centered in their height; return the lower edges of the rows."""
    edges = []
    for row in rows:
        height = max(text.count("\n") + 1 for text in row) * LEADING + 2 * PADDING
        for column, text in enumerate(row):
            lines = text.split("\n")
            first = top - (height - len(lines) * LEADING) / 2 - SIZE
            put = canvas.drawRightString if column in right else canvas.drawString
            for number, line in enumerate(lines):
                put(xs[column], first - number * LEADING, line)
        top -= height
        edges.append(top)
    return edges


def one_line(rows: Rows) -> list[list[str]]:
    return [[text.replace("\n", " ") for text in row] for row in rows]


def borders(canvas: Canvas, ys: Sequence[float]) -> None:
    """Draw the lower borders of cells, cell by cell."""
    for y in ys:
        for left, right in pairwise(BORDERS):
            canvas.line(left, y, right, y)


def test_centered_cells_of_several_lines_are_rows() -> None:
    assert tables_on(lambda canvas: centered_rows(canvas, PARTIES) and None) == [pipe(*one_line(PARTIES))]


def test_centered_heads_over_rows_and_columns_have_spans() -> None:
    def draw(canvas: Canvas) -> None:
        xs = (80, 130, 240, 330, 420)
        canvas.drawString(xs[0], TOP - 28, "No.")
        canvas.drawString(xs[1], TOP - 28, "Party")
        for x, text in ((xs[2], "Results of March"), (xs[4], "Change of")):
            canvas.drawString(x, TOP - 14, text)
        for number, text in enumerate(("all the", "local and", "other seats")):
            canvas.drawString(xs[4], TOP - 14 - LEADING * (number + 1), text)
        canvas.drawString(xs[2], TOP - 33, "Number of")
        canvas.drawString(xs[2], TOP - 33 - LEADING, "communes")
        canvas.drawString(xs[3], TOP - 33 - LEADING / 2, "Candidates")
        body = [(*row, "12", "+3") for row in PARTIES[1:]]
        centered_rows(canvas, body, xs, TOP - 58)

    (table,) = tables_on(draw)
    assert table.startswith(
        '<table>\n<tr><th rowspan="2">No.</th><th rowspan="2">Party</th><th colspan="2">Results of March</th>'
        '<th rowspan="2">Change of all the local and other seats</th></tr>\n'
        "<tr><td>Number of communes</td><td>Candidates</td></tr>\n"
        "<tr><td>1</td><td>Union of Fishermen</td><td>1,652</td><td>12</td><td>+3</td></tr>\n"
    )


def test_centered_keys_beside_paragraphs_are_a_table_of_two_columns() -> None:
    rows = (
        ("Competence\nArea", "Recycling and reuse of materials"),
        (
            "Statement",
            "To know the basics of reuse and\ntheir place in daily life, and the\nwhole economy",
        ),
        (
            "Knowledge\nand skills",
            "To understand what is waste and\nits management, in schools\nand at home",
        ),
        ("Attitudes", "To educate others on the\nimportance of management"),
    )
    found = tables_on(lambda canvas: centered_rows(canvas, rows) and None)
    assert found == [pipe(*one_line(rows))]


def test_centered_table_in_small_print_beside_a_column_of_text() -> None:
    def draw(canvas: Canvas) -> None:
        for number in range(20):
            canvas.drawString(330, TOP - 14 * number, "the committee of members met")
            if number > 12:
                canvas.drawString(60, TOP - 14 * number, "and compared the whole question")
        canvas.setFont("Helvetica", 8)
        centered_rows(canvas, PARTIES, (60, 90, 200))

    assert tables_on(draw) == [pipe(*one_line(PARTIES))]


def test_columns_of_text_with_level_tops_are_not_a_centered_table() -> None:
    def draw(canvas: Canvas) -> None:
        y = TOP
        for left, right in ((3, 2), (4, 1), (2, 5), (3, 4)):
            for number in range(left):
                canvas.drawString(60, y - LEADING * number, "the committee of members met")
            for number in range(right):
                canvas.drawString(320, y - LEADING * number, "and compared all questions")
            y -= LEADING * max(left, right) + 12

    assert tables_on(draw) == []


def test_borders_below_cells_give_columns_and_head() -> None:
    rows = (
        ("Tube", "Enzyme\nmixture", "Suspect"),
        ("S1", "3 ml", ""),
        ("EA\nor\nEB", "", "10 ml"),
        ("S2", "4 ml", ""),
    )

    def draw(canvas: Canvas) -> None:
        paragraph(canvas, TOP + 40)
        borders(canvas, centered_rows(canvas, rows, (86, 254, 344), right=(1, 2)))

    assert tables_on(draw) == [pipe(*one_line(rows))]


def test_borders_below_cells_of_an_empty_form_are_a_table() -> None:
    rows = (("", "Mitosis", "Meiosis"), ("chromosomes", "", ""), ("divisions", "", ""), ("purpose", "", ""))

    def draw(canvas: Canvas) -> None:
        borders(canvas, centered_rows(canvas, rows, (86, 176, 266)))

    assert tables_on(draw) == [pipe(*rows)]


def test_head_over_all_columns_above_borders_is_a_colspan() -> None:
    rows = (
        ("Species on the list of the union", "", ""),
        ("Pupfish", "Rio", "12"),
        ("Splitfin", "Nazas", "3"),
    )

    def draw(canvas: Canvas) -> None:
        borders(canvas, centered_rows(canvas, rows, (86, 176, 266)))

    (table,) = tables_on(draw)
    assert '<th colspan="2">Species on the list of the union</th>' in table


def test_paragraph_above_borders_of_cells_is_not_in_the_table() -> None:
    def draw(canvas: Canvas) -> None:
        canvas.drawString(BORDERS[0], TOP + PADDING + 2, PROSE[:40])
        ys = centered_rows(canvas, (("Name", "City", "Sum"), ("Anna", "Rome", "7")), (86, 176, 266))
        borders(canvas, [TOP, *ys])

    assert tables_on(draw) == [pipe(("Name", "City", "Sum"), ("Anna", "Rome", "7"))]


def test_paragraph_between_two_tables_with_equal_borders_divides_them() -> None:
    rows = (("Name", "City", "Sum"), ("Anna", "Rome", "7"), ("Ben", "Oslo", "9"))

    def draw(canvas: Canvas) -> None:
        for top in (TOP, TOP - 120):
            borders(canvas, centered_rows(canvas, rows, (86, 176, 266), top))
        for number in range(3):
            canvas.drawString(BORDERS[0], TOP - 76 - 12 * number, PROSE[:54])

    assert tables_on(draw) == [pipe(*rows), pipe(*rows)]


def test_dashes_of_a_line_are_not_borders_of_cells() -> None:
    def draw(canvas: Canvas) -> None:
        for y in (TOP + 14, TOP - 4, TOP - 40):
            for x in range(80, 350, 9):
                canvas.line(x, y, x + 4, y)
        level(canvas, 80, 350, TOP - 58)
        canvas.drawString(80, TOP, "The committee of twelve members compared")
        canvas.drawString(80, TOP - 18, "the whole question without delay, and then")

    assert tables_on(draw) == []
