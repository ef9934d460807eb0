"""Tables with level lines between rows and one upright line between two columns, as LaTeX draws them."""

from reportlab.pdfgen.canvas import Canvas

from tests.unit.reading.born_digital.sample_tables import TOP, level, paragraph, pipe, tables_on, text_rows

COMMANDS = ("apt update", "apt remove", "dpkg -S")
WRAPPED = (
    ("Download the lists of packages", "from all their sources"),
    ("Remove it",),
    ("Search in", "packages"),
)
HEIGHT = 26.0


def _draw(canvas: Canvas, left: float, *, rows: int = len(COMMANDS), top: float = TOP) -> None:
    """Draw a card: the last row has no line below it."""
    level(canvas, left, left + 230, *(top - HEIGHT * row for row in range(rows)))
    canvas.line(left + 75, top, left + 75, top - HEIGHT * rows)
    for row in range(rows):
        text_rows(canvas, [[COMMANDS[row]]], [left + 5], top=top - HEIGHT * row - 15)
        text_rows(
            canvas, [[text] for text in WRAPPED[row]], [left + 80], top=top - HEIGHT * row - 10, pitch=11
        )


EXPECTED = pipe(*((command, " ".join(lines)) for command, lines in zip(COMMANDS, WRAPPED, strict=True)))


def test_level_lines_with_one_upright_line_are_a_table_with_an_open_last_row() -> None:
    assert tables_on(lambda canvas: _draw(canvas, 60)) == [EXPECTED]


def test_halved_tables_side_by_side_stay_two() -> None:
    def draw(canvas: Canvas) -> None:
        _draw(canvas, 40)
        _draw(canvas, 310, top=TOP - 7)

    assert tables_on(draw) == [EXPECTED, EXPECTED]


def test_line_between_columns_of_a_page_is_not_a_table() -> None:
    def draw(canvas: Canvas) -> None:
        level(canvas, 40, 555, 780, 400)
        canvas.line(297, 780, 297, 400)
        paragraph(canvas, 760, lines=20, x=50)

    assert tables_on(draw) == []


def test_full_stop_of_another_style_stays_in_a_cell() -> None:
    def draw(canvas: Canvas) -> None:
        _draw(canvas, 60, rows=2)
        canvas.line(60, TOP - 2 * HEIGHT, 290, TOP - 2 * HEIGHT)
        canvas.setFont("Courier", 10)
        canvas.drawString(140, TOP - 2 * HEIGHT - 12, "users")
        canvas.setFont("Helvetica", 10)
        canvas.drawString(170, TOP - 2 * HEIGHT - 12, ".")
        canvas.drawString(65, TOP - 2 * HEIGHT - 12, "lists")
        canvas.line(135, TOP, 135, TOP - 3 * HEIGHT)

    assert "`users`." in tables_on(draw)[0]
