"""Layouts of `pdf_pages.py` with tables, invoices and forms."""

from collections.abc import Callable
from random import Random

from tests.support.printed_documents import Block, Cell, Heading, Paragraph, PrintedDocument, Raw, Table
from tests.support.sentences import amount, paragraph, sentence, title, word

RULED = "td,th{border:1px solid #333}"
HEAD_RULE = "table{border-top:1.5px solid;border-bottom:1.5px solid}th{border-bottom:1px solid}"
STRIPES = "tr:nth-child(odd) td{background:#e8eef4}th{background:#246;color:#fff}"
ROW_RULES = "td,th{border-bottom:1px solid #bbb}"
NO_RULES = "th{font-weight:bold}"
FIGURES_RIGHT = "td:not(:first-child),th:not(:first-child){text-align:right}"
Draw = Callable[[Random], PrintedDocument]


def figures(random: Random, rows: int, columns: int) -> Table:
    """Return a table of names and sums, with a total."""
    head = ["Item", *(str(2019 + number) for number in range(columns))]
    body = [
        [f"{word(random).title()} and {word(random)}", *(amount(random) for _ in range(columns))]
        for _ in range(rows)
    ]
    return Table([head, *body, ["Total", *(amount(random) for _ in range(columns))]])


def texts(random: Random) -> Table:
    """Return a table whose cells have several lines, and some empty ones."""
    rows = [["Term", "Meaning", "Note"]]
    for _ in range(random.randint(3, 6)):
        note = "" if random.random() < 0.3 else word(random)
        rows.append([word(random).title(), sentence(random), note])
    return Table(rows)


def spanned(random: Random) -> Table:
    years = [Cell("", rows=1), Cell("First half", columns=2), Cell("Second half", columns=2)]
    names = ["Office", "Q1", "Q2", "Q3", "Q4"]
    rows: list[list[str | Cell]] = [list(years), list(names)]
    for _ in range(2):
        rows.append([Cell(word(random).title(), rows=2), *(amount(random) for _ in range(4))])
        rows.append([amount(random) for _ in range(4)])
    return Table(rows)


def dollars(random: Random) -> Block:
    """Return a financial statement: `$` has a column of its own, and stands before its sum in Markdown."""
    head = "<tr><td></td><td colspan=2>2024</td><td colspan=2>2023</td></tr>"
    html, lines = [head], ["|  | 2024 | 2023 |", "|---|---|---|"]
    for number in range(6):
        name = f"{word(random).title()} and {word(random)}"
        sums = [f"{random.randint(100, 99_999):,}" for _ in range(2)]
        sign = "$" if number in (0, 5) else ""
        html.append(
            f"<tr><td>{name}</td>{''.join(f'<td>{sign}</td><td class=sum>{one}</td>' for one in sums)}</tr>"
        )
        lines.append(f"| {name} | {' | '.join(f'{sign} {one}'.strip() for one in sums)} |")
    return Raw(f"<table class=money>{''.join(html)}</table>", "\n".join(lines))


def invoice(random: Random) -> list[Block]:
    """Return two address blocks side by side, positions, and totals."""
    left = ["Wave Theatre Ltd.", f"{random.randint(1, 90)} Quay Street", "Ystad 271 43"]
    right = [f"Invoice No. {random.randint(1000, 9999)}", "Date: 14 May 2024", "Customer: AV-1187"]
    html = "".join(f"<div class=side>{'<br>'.join(lines)}</div>" for lines in (left, right))
    addresses = Raw(
        f"<div class=sides>{html}</div>", "\n\n".join("\n".join(lines) for lines in (left, right))
    )
    rows = [["Pos.", "Description", "Quantity", "Price", "Sum"]]
    rows += [
        [str(number), f"{word(random)} {word(random)}", str(random.randint(1, 40)), "12.50", "1,250.00"]
        for number in range(1, random.randint(4, 8))
    ]
    return [
        addresses,
        Heading("Invoice"),
        Table(rows),
        Paragraph(f"Total: EUR {random.randint(1, 9)},234.56"),
    ]


def layouts(document: Callable[..., PrintedDocument]) -> dict[str, Draw]:
    """Return the layouts by name. `document` adds the base style."""

    def around(table: Callable[[Random], Block], css: str) -> Draw:
        def draw(random: Random) -> PrintedDocument:
            before, after = Paragraph(paragraph(random, 3)), Paragraph(paragraph(random, 3))
            blocks = [Heading(title(random)), before, table(random), after, table(random)]
            return document(random, blocks, css)

        return draw

    def numbers(random: Random) -> Table:
        return figures(random, random.randint(3, 9), random.randint(2, 5))

    wide = "table{width:100%}"
    return {
        "ruled": around(numbers, RULED + FIGURES_RIGHT),
        "ruledtext": around(texts, RULED),
        "headrule": around(numbers, HEAD_RULE + FIGURES_RIGHT),
        "rowrules": around(texts, ROW_RULES + wide),
        "stripes": around(numbers, STRIPES + FIGURES_RIGHT + wide),
        "unruled": around(numbers, NO_RULES + FIGURES_RIGHT),
        "unruledtext": around(texts, NO_RULES + wide),
        "spans": around(spanned, RULED),
        "dollars": around(
            dollars, ".money td{padding:2pt 3pt}.money .sum{text-align:right;padding-right:14pt}"
        ),
        "invoice": lambda random: document(
            random,
            invoice(random),
            ".sides{display:flex;justify-content:space-between}.side{width:60mm}" + ROW_RULES + wide,
        ),
    }
