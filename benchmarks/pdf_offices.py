"""Layouts of `pdf_pages.py` for offices and papers: statements, letters, receipts, forms, references."""

from collections.abc import Callable
from random import Random

from benchmarks.pdf_tables import figures
from tests.support.printed_documents import (
    Block,
    Code,
    Group,
    Heading,
    Paragraph,
    PrintedDocument,
    Raw,
    Span,
    Table,
)
from tests.support.sentences import paragraph, sentence, title, word

Draw = Callable[[Random], PrintedDocument]
NewDocument = Callable[..., PrintedDocument]

STATEMENT_CSS = (
    ".state{width:100%}.state td{padding:1pt 3pt}.state td:nth-child(n+2){text-align:right}"
    ".state .in{padding-left:14pt}.state .sum td:nth-child(n+2){border-top:.6pt solid}"
    ".state .total td:nth-child(n+2){border-bottom:2.4pt double}"
)


def _sum(random: Random) -> str:
    value = random.randint(10, 99_999)
    return random.choice((f"{value:,}", f"{value:,}", f"({value:,})", "—"))


def statement(random: Random) -> list[Block]:
    """Draw a statement of income: `$` in columns of their own, indented names, rules above sums."""
    html = "<tr><td></td><td colspan=2>2024</td><td colspan=2>2023</td></tr>"
    lines = ["|  | 2024 | 2023 |", "| --- | --- | --- |"]
    for number in range(9):
        is_total, is_section = number in (4, 8), number in (0, 5)
        name = ("Total " if is_total else "") + f"{word(random)} and {word(random)}"
        name = name[0].upper() + name[1:] + (":" if is_section else "")
        sums = ["", ""] if is_section else [_sum(random), _sum(random)]
        sign = "$" if number in (1, 8) else ""
        cells = "".join(f"<td>{sign if one else ''}</td><td>{one}</td>" for one in sums)
        look = "sum total" if is_total else ""
        inner = "" if is_total or is_section else " class=in"
        html += f'<tr class="{look}"><td{inner}>{name}</td>{cells}</tr>'
        texts = [f"{sign} {one}".strip() if one else "" for one in sums]
        lines.append(f"| {name} | {' | '.join(texts)} |")
    head = [Heading("Statement of Income"), Paragraph("(In millions, except amounts per share)")]
    table = Raw(f"<table class=state>{html}</table>", "\n".join(lines))
    return [*head, table, Paragraph("See the notes to the statements.")]


def letter(random: Random) -> list[Block]:
    sender = ["Northern Harbour Trust", f"{random.randint(1, 80)} Quay Street", "Ystad 271 43"]
    receiver = ["Mrs. Ada Tavares", "Head of Archive", "Avon Road 5", "Malmö 211 20"]
    date = f"{random.randint(1, 28)} May 2024"
    html = (
        f"<div style='text-align:right'>{'<br>'.join(sender)}</div><div>{'<br>'.join(receiver)}</div>"
        f"<p style='text-align:right;margin:2em 0'>{date}</p>"
    )
    blocks = "\n\n".join(["\n".join(sender), "\n".join(receiver), date])
    return [
        Raw(html, blocks),
        Paragraph([Span(f"Subject: {title(random)}", "bold")]),
        Paragraph("Dear Mrs. Tavares,"),
        *(Paragraph(paragraph(random, 4)) for _ in range(3)),
        Paragraph("Yours sincerely,"),
        Paragraph("Yves Tournier"),
    ]


def receipt(random: Random) -> list[Block]:
    rows = [["Item", "Qty", "EUR"]]
    rows += [[f"{word(random).title()} {word(random)}", str(random.randint(1, 9)), "12.50"] for _ in range(7)]
    return [
        Heading("Wave Store"),
        Paragraph(f"Receipt 00{random.randint(100, 999)}"),
        Table([*rows, ["Total", "", "87.50"]], "receipt"),
        Paragraph("Thank you for your visit."),
    ]


def references(random: Random) -> list[Block]:
    entries = [
        Paragraph(f"[{number}] Y. Tournier and A. Tavares. {title(random)}. {sentence(random)}", "reference")
        for number in range(1, 12)
    ]
    body = [
        Paragraph(f"{sentence(random)} This was shown before [{number}, {number + 1}].")
        for number in (1, 3, 5)
    ]
    return [Heading(title(random)), *body, Heading("References", 2), *entries]


def form(random: Random) -> list[Block]:
    """Draw labels with ruled lines to write on, and check boxes."""
    labels = ["Family name", "First name", "Date of birth", "Street and number", "Town", "Country"]
    html = "".join(f"<div class=field><span>{label}</span><span class=line></span></div>" for label in labels)
    boxes = [f"☐ {word(random).title()} and {word(random)}" for _ in range(3)]
    choices = "".join(f"<div>{box}</div>" for box in boxes)
    raw = Raw(html + choices, "\n\n".join([*labels, *boxes]))
    return [Heading("Application"), Paragraph(sentence(random)), raw, Paragraph(paragraph(random, 3))]


def figure(random: Random) -> list[Block]:
    """Draw pictures without words, with captions under them, in columns."""
    blocks: list[Block] = []
    for number in (1, 2):
        caption = f"Figure {number}. {title(random)}."
        drawing = "<svg height=90><rect width=160 height=80 fill='#8ac'/><circle cx=80 cy=45 r=30 /></svg>"
        blocks += [
            Paragraph(paragraph(random, 5)),
            Raw(f"<figure>{drawing}<figcaption>{caption}</figcaption></figure>", caption),
            Paragraph(paragraph(random, 4)),
        ]
    return [Heading(title(random)), Group(blocks, "columns")]


def table_in_columns(random: Random) -> list[Block]:
    parts: list[Block] = []
    for _ in range(2):
        parts += [Paragraph(paragraph(random, 5)), figures(random, 4, 2), Heading(title(random), 2)]
        parts += [Paragraph(paragraph(random, 5))]
    return [Heading(title(random)), Group(parts, "columns")]


def long_table(random: Random) -> list[Block]:
    """Draw a table of more than one page, whose head is repeated on each page."""
    table = figures(random, 60, 3)
    html = table.html().replace("<tr>", "<thead><tr>", 1).replace("</tr>", "</tr></thead>", 1)
    return [Heading(title(random)), Paragraph(sentence(random)), Raw(html, table.markdown())]


def definitions(random: Random) -> list[Block]:
    """Draw pairs of a name and its value in two columns without lines."""
    rows = [[f"{word(random).title()} {word(random)}", sentence(random)] for _ in range(7)]
    html = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    text = "\n\n".join(f"**{name}** {value}" for name, value in rows)
    return [Heading(title(random)), Paragraph(paragraph(random, 3)), Raw(f"<dl>{html}</dl>", text)]


def numbered_code(random: Random) -> list[Block]:
    names = [word(random) for _ in range(3)]
    lines = [
        f"def {names[0]}(a, b):",
        f"    if a > {names[1]}:",
        "        return a",
        "",
        f"    return {names[2]}",
    ]
    return [Heading(title(random)), Paragraph(sentence(random)), Code("\n".join(lines)), *_prose(random)]


def two_decks(random: Random) -> list[Block]:
    """Draw two parts one below the other, each with columns of its own number."""
    return [
        Heading(title(random)),
        Group([Paragraph(paragraph(random, 6)) for _ in range(3)], "columns"),
        Heading(title(random)),
        Group([Paragraph(paragraph(random, 6)) for _ in range(4)], "thirds"),
    ]


def _prose(random: Random) -> list[Block]:
    return [Paragraph(paragraph(random, 4)) for _ in range(2)]


COLUMNS = (
    ".columns{columns:2;column-gap:7mm;font-size:9pt}.thirds{columns:3;column-gap:6mm;font-size:9pt}"
    "figure{margin:6pt 0}"
)
LAYOUTS: dict[str, tuple[Callable[[Random], list[Block]], str]] = {
    "statement": (statement, STATEMENT_CSS),
    "letter": (letter, ""),
    "receipt": (
        receipt,
        "@page{size:80mm 150mm;margin:6mm}body{font-size:8pt}.receipt td:nth-child(n+2){text-align:right}",
    ),
    "references": (references, ".reference{padding-left:18pt;text-indent:-18pt;margin:3pt 0}"),
    "form": (form, ".field{display:flex;gap:6pt;margin:8pt 0}.line{flex:1;border-bottom:1px solid}"),
    "figure": (figure, COLUMNS + "figcaption{font-size:8pt;font-style:italic}"),
    "columntable": (table_in_columns, COLUMNS + "td,th{padding:2pt 4pt;border-bottom:.5pt solid #888}"),
    "longtable": (long_table, "td:not(:first-child){text-align:right}td,th{border-bottom:.5pt solid #888}"),
    "definitions": (
        definitions,
        "dl{display:grid;grid-template-columns:45mm 1fr;gap:4pt}dt{font-weight:bold}dd{margin:0}",
    ),
    "codebox": (numbered_code, "pre{background:#222;color:#eee;padding:8pt;border-radius:4pt}"),
    "decks": (two_decks, COLUMNS),
}


def layouts(document: NewDocument) -> dict[str, Draw]:
    """Return the layouts by name. `document` adds the base style."""

    def bind(blocks: Callable[[Random], list[Block]], css: str) -> Draw:
        return lambda random: document(random, blocks(random), css)

    return {name: bind(blocks, css) for name, (blocks, css) in LAYOUTS.items()}
