"""Hypothesis strategies for printed documents: texts, blocks and styles.

Each construct of `CONSTRUCTS` is one kind of block, so that a failure names what cannot be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from tests.support.printed_documents import (
    Block,
    Cell,
    Code,
    Group,
    Heading,
    Items,
    Paragraph,
    PrintedDocument,
    Quote,
    Span,
    Table,
)
from tests.support.sentences import OTHER, RIGHT_TO_LEFT


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


LATIN = _words(
    "AVATAR Type To Wave Yves office fluffy affine first floor 1.234,56 EUR 2019 (7b) 3.5% $4,737 don’t “Yes”"
    " R&D the of a and in terms, report. Total: x naïve Größe façade Łódź year; TÜV LTD. i.e. 12:30 §7 p.m."
    " 50/50"
)
HYPHENATED = _words("well-known e-mail twenty-five first-class so-called")
SOFT = _words(
    "dif\u00adfer\u00adence hy\u00adphen\u00adation in\u00adter\u00adna\u00adtion\u00adal"
    " ef\u00adfi\u00adcient"
)
# Without words in Latin letters: beside a number, their order in a right-to-left line is ambiguous.
SCRIPTS = {
    language: tuple(
        word
        for word in dict.fromkeys(OTHER[language].replace("|", " ").split())
        if not word.isascii() or word.isdigit()
    )
    for language in ("ru", "el", "ar", "fa", "he")
}
FAMILIES = ("DejaVu Sans", "DejaVu Serif")
NAMES = ("Item", "Rope", "Iron and salt", "Flour", "Wages", "Total", "Letter", "Oat bread")


Words = Sequence[str]


def phrase(words: Words = LATIN, *, least: int = 1, most: int = 8) -> st.SearchStrategy[str]:
    """Draw words, of which the first begins with a letter, so that a text does not look like a list item.

    Permutations make even the simplest example varied.
    """
    repeats = 1 + most // len(words)
    return st.builds(
        _first_words,
        st.integers(least, most),
        st.lists(st.permutations(words), min_size=repeats, max_size=repeats),
    )


def _first_words(count: int, permutations: list[list[str]]) -> str:
    drawn = [word for one in permutations for word in one]
    first = next(word for word in drawn if word[0].isalpha() and len(word) > 1)
    return " ".join([first, *drawn][:count])


def paragraphs(words: Words = LATIN) -> st.SearchStrategy[Block]:
    """Draw paragraphs of two lines or so at least: a short one below columns looks like their next line."""
    return st.builds(Paragraph, phrase(words, least=30, most=80))


def headings(words: Words = LATIN) -> st.SearchStrategy[Block]:
    return st.builds(Heading, phrase(words, most=6), st.integers(1, 3))


def lists(words: Words = LATIN) -> st.SearchStrategy[Block]:
    text = phrase(words, most=25)
    flat = st.builds(Items, st.lists(text, min_size=1, max_size=4), st.booleans())
    item = st.one_of(text, st.tuples(text, flat))
    return st.builds(Items, st.lists(item, min_size=2, max_size=5), st.booleans())


def emphasized() -> st.SearchStrategy[Block]:
    span = st.builds(Span, phrase(), st.sampled_from((None, "bold", "italic", "code")))
    link = st.builds(Span, phrase(), st.none(), st.just("https://example.org/"))
    marked = st.lists(st.one_of(span, link), min_size=2, max_size=6)
    return st.builds(lambda spans: Paragraph(_separated(spans)), marked)


def _separated(spans: list[Span]) -> list[Span]:
    return [part for span in spans for part in (span, Span(" "))][:-1]


def raised() -> st.SearchStrategy[Block]:
    """Draw words with a raised or lowered figure beside them."""
    mark = st.sampled_from(("sup", "sub"))
    pair = st.tuples(phrase(most=5), st.sampled_from(("m", "H", "page", "a")), st.integers(1, 99), mark)
    return st.builds(
        lambda parts: Paragraph(
            [
                span
                for text, base, figure, mark in parts
                for span in (Span(f"{text} {base}"), Span(str(figure), mark), Span(" end "))
            ]
        ),
        st.lists(pair, min_size=1, max_size=5),
    )


def codes() -> st.SearchStrategy[Block]:
    line = st.builds(
        lambda depth, text: "    " * depth + text,
        st.integers(0, 2),
        st.sampled_from(
            ("def add(a, b):", "return a + b;", "}", "x = y[0] * 2", "# the end", "if (a < b) {")
        ),
    )
    return st.builds(
        lambda lines: Code("\n".join(["begin()", *lines])), st.lists(line, min_size=1, max_size=6)
    )


def quotes() -> st.SearchStrategy[Block]:
    return st.builds(Quote, phrase(least=5, most=40))


def cell_texts(words: Words = LATIN) -> st.SearchStrategy[str]:
    return phrase(words, most=3)


def sums() -> st.SearchStrategy[str]:
    return st.one_of(
        st.integers(0, 999_999).map(lambda value: f"{value:,}"),
        st.integers(0, 99_999).map(lambda value: f"({value / 100:,.2f})"),
        st.just("–"),
    )


@st.composite
def number_tables(draw: st.DrawFn, css_class: str) -> Block:
    columns = draw(st.integers(1, 4))
    head = ["Item", *(str(2019 + number) for number in range(columns))]
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=6))
    return Table([head, *([name, *(draw(sums()) for _ in range(columns))] for name in names)], css_class)


@st.composite
def text_tables(draw: st.DrawFn, css_class: str, words: Words = LATIN) -> Block:
    """Draw a table with cells of several lines, and with empty ones that are not in the first column."""
    columns = draw(st.integers(2, 4))
    first, other = cell_texts(words), st.one_of(st.just(""), phrase(words, most=12))
    head = [draw(cell_texts(words)) for _ in range(columns)]
    rows = [[draw(first), *(draw(other) for _ in range(columns - 1))] for _ in range(draw(st.integers(2, 5)))]
    return Table([head, *rows], css_class)


@st.composite
def spanned_tables(draw: st.DrawFn) -> Block:
    rows: list[list[str | Cell]] = [["Office", Cell("First half", columns=2), Cell("Second half", columns=2)]]
    for _ in range(draw(st.integers(1, 3))):
        rows.append([Cell(draw(st.sampled_from(NAMES)), rows=2), *(draw(sums()) for _ in range(4))])
        rows.append([draw(sums()) for _ in range(4)])
    return Table(rows, "ruled")


def column_groups(words: Words = LATIN) -> st.SearchStrategy[Block]:
    """Draw columns of some ten lines at least: shorter ones look like a table."""
    block = st.builds(Paragraph, phrase(words, least=40, most=90))
    return st.builds(
        Group, st.lists(block, min_size=3, max_size=5), st.sampled_from(("columns2", "columns3"))
    )


CONSTRUCTS: dict[str, Callable[[], st.SearchStrategy[Block]]] = {
    "paragraph": paragraphs,
    "heading": headings,
    "list": lists,
    "emphasis": emphasized,
    "raised": raised,
    "code": codes,
    "quote": quotes,
    "columns": column_groups,
    "hyphens": lambda: paragraphs([*LATIN, *HYPHENATED]),
    "soft hyphens": lambda: column_groups([*LATIN[:30], *SOFT]),
    "ruled numbers": lambda: number_tables("ruled"),
    "unruled numbers": lambda: number_tables("unruled"),
    "ruled texts": lambda: text_tables("ruled"),
    "unruled texts": lambda: text_tables("unruled"),
    "spans": spanned_tables,
}
"""Strategies of blocks in Latin script, by construct."""
SCRIPT_CONSTRUCTS: dict[str, Callable[[list[str]], st.SearchStrategy[Block]]] = {
    "paragraph": paragraphs,
    "list": lists,
    "columns": column_groups,
    "ruled texts": lambda words: text_tables("ruled", words),
}
"""Strategies of blocks with the words of another script."""

BLOCK_CSS = (
    ".columns2,.columns3{font-size:9pt;letter-spacing:0;margin:1.2em 0}"
    ".columns2{columns:2;column-gap:8mm}.columns3{columns:3;column-gap:6mm}"
    "pre,code{font-family:'DejaVu Sans Mono'}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:4pt 9pt;text-align:start;vertical-align:top}"
    "tr,pre,li{break-inside:avoid}.ruled td,.ruled th{border:1px solid #333}"
)


@st.composite
def styles(draw: st.DrawFn) -> str:
    """Draw a style sheet: font, size, leading, alignment, letter spacing, space between paragraphs."""
    family, size = draw(st.sampled_from(FAMILIES)), draw(st.integers(8, 13))
    leading, spacing = draw(st.sampled_from((1.2, 1.4, 1.7))), draw(st.sampled_from((0, 0.02, 0.06)))
    align = draw(st.sampled_from(("start", "justify")))
    gap = draw(st.sampled_from(("margin:0 0 .8em", "margin:0;text-indent:1.5em")))
    heading = draw(st.sampled_from(("", "letter-spacing:.2em", "font-style:italic", "font-weight:normal")))
    return (
        f"@page{{size:A4;margin:20mm}}body{{font:{size}pt/{leading} '{family}';letter-spacing:{spacing}em;"
        f"text-align:{align}}}p{{{gap}}}h1,h2,h3{{{heading}}}{BLOCK_CSS}"
    )


def documents(block: st.SearchStrategy[Block], language: str = "en") -> st.SearchStrategy[PrintedDocument]:
    """Draw a document in which paragraphs surround one block or two."""
    words = SCRIPTS.get(language, LATIN)
    blocks = st.tuples(paragraphs(words), block, paragraphs(words))
    return st.builds(PrintedDocument, blocks, styles(), st.just(language), st.just(_direction(language)))


def script_documents(language: str) -> st.SearchStrategy[PrintedDocument]:
    """Draw a document with every construct of a script."""
    words = SCRIPTS[language]
    drawn = st.tuples(*(part for block in blocks(language).values() for part in (paragraphs(words), block)))
    return st.builds(PrintedDocument, drawn, styles(), st.just(language), st.just(_direction(language)))


def blocks(language: str) -> dict[str, st.SearchStrategy[Block]]:
    """Return the strategies of blocks by construct."""
    if language == "en":
        return {name: construct() for name, construct in CONSTRUCTS.items()}
    return {name: construct(SCRIPTS[language]) for name, construct in SCRIPT_CONSTRUCTS.items()}


def _direction(language: str) -> str:
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def mixed_documents() -> st.SearchStrategy[PrintedDocument]:
    """Draw documents of several constructs."""
    block = st.sampled_from(sorted(CONSTRUCTS)).flatmap(lambda name: CONSTRUCTS[name]())
    return st.builds(PrintedDocument, st.lists(block, min_size=3, max_size=6), styles())
