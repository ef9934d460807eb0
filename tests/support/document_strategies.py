"""Hypothesis strategies for printed documents: texts, blocks and styles.

Each construct of `CONSTRUCTS` is one kind of block, so that a failure names what cannot be read.

Some documents have two readings that look alike on paper, and are not drawn:

- A paragraph ends with a full stop. Otherwise, it could go on behind a table, or in the next column.
- A table does not go on behind a page break: its last row alone looks like boxes side by side.
- A soft hyphen does not divide a ligature. WeasyPrint maps the ligature of such a word to no text.
- Latin words in a right-to-left line are not beside figures: both orders of the two look alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hypothesis import strategies as st

from tests.support.printed_documents import (
    SMALL_CAPITALS,
    Block,
    Cell,
    Code,
    Figure,
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
    "re\u00admain\u00adder hy\u00adphen\u00adation in\u00adter\u00adna\u00adtion\u00adal"
    " cer\u00adtain\u00adty"
)
# Without words in Latin letters: beside a number, their order in a right-to-left line is ambiguous.
SCRIPTS = {
    language: tuple(
        word
        for word in dict.fromkeys(OTHER[language].replace("|", " ").split())
        if not word.isascii() or word.isdigit()
    )
    for language in ("ru", "el", "vi", "tr", "ko", "ar", "fa", "he")
}
PLAIN_LATIN = tuple(word for word in LATIN if word.isascii() and word.isalpha())
"""Words of ASCII letters alone, for lines with two directions of writing."""
JAPANESE = (
    "北の港は冬でもめったに凍らない",
    "初版がどこへ消えたのか誰も知らない",
    "古い本が三百冊ある",
    "2019年に十二件の申請を調べた",
    "川のそばの家にはだれもいない",
)
"""Clauses without spaces, of characters that Korean fonts have too."""
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


def sentences(words: Words = LATIN, *, least: int = 30, most: int = 80) -> st.SearchStrategy[str]:
    """Draw words that end with a full stop."""
    return phrase(words, least=least, most=most).map(_with_full_stop)


def _with_full_stop(text: str) -> str:
    return text if text.endswith(".") else f"{text.rstrip(',;:،')}."


def paragraphs(words: Words = LATIN) -> st.SearchStrategy[Block]:
    """Draw paragraphs of two lines or so at least: a short one below columns looks like their next line."""
    return st.builds(Paragraph, sentences(words))


def headings(words: Words = LATIN) -> st.SearchStrategy[Block]:
    """Draw headings of one line and of two."""
    return st.builds(Heading, phrase(words, most=14), st.integers(1, 3))


def lists(words: Words = LATIN, depth: int = 2) -> st.SearchStrategy[Block]:
    """Draw lists with lists in them, `depth` deep."""
    text = phrase(words, most=25)
    items: st.SearchStrategy[Items] = st.builds(Items, st.lists(text, min_size=1, max_size=4), st.booleans())
    for _ in range(depth):
        item = st.one_of(text, st.tuples(text, items))
        items = st.builds(Items, st.lists(item, min_size=2, max_size=4), st.booleans())
    return items


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
    return st.builds(Quote, sentences(least=5, most=40))


def footnotes() -> st.SearchStrategy[Block]:
    """Draw paragraphs with the marks of notes, and the notes in small type below a short line."""
    pair = st.tuples(phrase(least=6, most=30), sentences(least=3, most=25))
    return st.builds(_with_notes, st.lists(pair, min_size=1, max_size=3))


def _with_notes(pairs: list[tuple[str, str]]) -> Block:
    marked = [
        span
        for number, (text, _) in enumerate(pairs, 1)
        for span in (Span(text), Span(str(number), "sup"), Span(" Then. "))
    ]
    notes = [
        Paragraph([Span(str(number), "sup"), Span(f" {note}")]) for number, (_, note) in enumerate(pairs, 1)
    ]
    return Group([Paragraph([*marked[:-1], Span(" Then.")]), Group(notes, "notes")], "")


def documents_with_footnotes() -> st.SearchStrategy[PrintedDocument]:
    """Draw documents with notes at their end, where Markdown has them."""
    return _documents(st.tuples(paragraphs(), paragraphs(), footnotes()), "en")


def figures() -> st.SearchStrategy[Block]:
    """Draw pictures without text, each with a caption below it."""
    caption = st.builds("Figure {}: {}".format, st.integers(1, 9), phrase(least=2, most=25))
    return st.builds(Figure, caption.map(_with_full_stop))


def small_capitals() -> st.SearchStrategy[Block]:
    """Draw words in small capitals in a paragraph."""
    small = st.builds(Span, phrase(PLAIN_LATIN, least=2, most=5), st.just(SMALL_CAPITALS))
    plain = st.builds(Span, phrase(most=8))
    return st.lists(st.tuples(plain, small), min_size=1, max_size=5).map(
        lambda pairs: Paragraph([*_separated([span for pair in pairs for span in pair]), Span(" end.")])
    )


def letter_spaced() -> st.SearchStrategy[Block]:
    """Draw short letter-spaced text in a paragraph of its own, as labels and running titles have it.

    Short words in capitals are not drawn: in wide letter spacing, they look like initials.
    """
    words = [word for word in LATIN if len(word) > 2 and not (word.isupper() and len(word) <= 4)]
    return st.builds(Paragraph, phrase(words, most=6), st.sampled_from(("spaced1", "spaced2", "spaced3")))


def two_directions(language: str) -> st.SearchStrategy[Block]:
    """Draw paragraphs of one direction of writing with phrases of the other one in them."""
    own, other = SCRIPTS.get(language, PLAIN_LATIN), PLAIN_LATIN if language in SCRIPTS else SCRIPTS["he"]
    own, other = (tuple(word for word in words if word.isalpha()) for words in (own, other))
    pair = st.tuples(phrase(own, least=4, most=15), phrase(other, most=4))
    pairs = st.lists(pair, min_size=2, max_size=6)
    texts = pairs.map(lambda drawn: " ".join([*(text for pair in drawn for text in pair), own[0]]))
    return st.builds(Paragraph, texts.map(_with_full_stop))


def unspaced() -> st.SearchStrategy[Block]:
    """Draw Japanese paragraphs, which have no spaces."""
    clauses = st.lists(st.sampled_from(JAPANESE), min_size=4, max_size=16)
    return st.builds(Paragraph, clauses.map(lambda parts: "、".join(parts) + "。"))


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
    return _columns(st.builds(Paragraph, sentences(words, least=40, most=90)))


def _columns(block: st.SearchStrategy[Block]) -> st.SearchStrategy[Block]:
    css_class = st.sampled_from(("columns2", "columns3"))
    return st.builds(Group, st.lists(block, min_size=3, max_size=5), css_class)


CONSTRUCTS: dict[str, Callable[[], st.SearchStrategy[Block]]] = {
    "paragraph": paragraphs,
    "heading": headings,
    "list": lists,
    "emphasis": emphasized,
    "raised": raised,
    "code": codes,
    "quote": quotes,
    "columns": column_groups,
    "figure": figures,
    "small capitals": small_capitals,
    "letter spacing": letter_spaced,
    "two directions": lambda: two_directions("en"),
    "hyphens": lambda: paragraphs([*LATIN, *HYPHENATED]),
    "soft hyphens": lambda: column_groups([*LATIN[:30], *SOFT]),
    "ruled numbers": lambda: number_tables("ruled"),
    "unruled numbers": lambda: number_tables("unruled"),
    "ruled texts": lambda: text_tables("ruled"),
    "unruled texts": lambda: text_tables("unruled"),
    "centered texts": lambda: text_tables("ruled centered"),
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
NOT_IN_REPORTLAB = frozenset({"two directions", "letter spacing", "small capitals", "figure"})
"""Constructs that reportlab does not have."""

BLOCK_CSS = (
    ".columns2,.columns3{font-size:9pt;letter-spacing:0;margin:1.2em 0}"
    ".columns2{columns:2;column-gap:8mm}.columns3{columns:3;column-gap:6mm}"
    "pre,code{font-family:'DejaVu Sans Mono'}"
    "table{border-collapse:collapse;margin:1em 0}td,th{padding:4pt 9pt;text-align:start;vertical-align:top}"
    "table,tr,pre,li,figure{break-inside:avoid}.ruled td,.ruled th{border:1px solid #333}"
    ".centered td,.centered th{vertical-align:middle}"
    ".notes{border-top:.5pt solid #333;font-size:.8em;margin-top:1em}"
    ".spaced1{letter-spacing:.1em}.spaced2{letter-spacing:.2em}.spaced3{letter-spacing:.35em}"
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
    around = _text(language)
    return _documents(st.tuples(around, block, around), language)


def script_documents(language: str) -> st.SearchStrategy[PrintedDocument]:
    """Draw a document with one of the constructs of a script."""
    return documents(st.one_of(*blocks(language).values()), language)


def vertical_documents() -> st.SearchStrategy[PrintedDocument]:
    """Draw a Japanese document of vertical lines from right to left."""
    css = styles().map(lambda style: f"{style} body{{writing-mode:vertical-rl}}")
    drawn = st.lists(unspaced(), min_size=2, max_size=5)
    return st.builds(PrintedDocument, drawn, css, st.just("ja"))


def _text(language: str) -> st.SearchStrategy[Block]:
    return unspaced() if language == "ja" else paragraphs(SCRIPTS.get(language, LATIN))


def _documents(
    drawn: st.SearchStrategy[tuple[Block, ...]], language: str
) -> st.SearchStrategy[PrintedDocument]:
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    return st.builds(PrintedDocument, drawn, styles(), st.just(language), st.just(direction))


def blocks(language: str) -> dict[str, st.SearchStrategy[Block]]:
    """Return the strategies of blocks by construct."""
    if language == "en":
        return {name: construct() for name, construct in CONSTRUCTS.items()}
    if language == "ja":
        return {"paragraph": unspaced(), "columns": _columns(unspaced())}
    drawn = {name: construct(list(SCRIPTS[language])) for name, construct in SCRIPT_CONSTRUCTS.items()}
    return drawn | ({"two directions": two_directions(language)} if language in RIGHT_TO_LEFT else {})


def mixed_documents(names: Iterable[str]) -> st.SearchStrategy[PrintedDocument]:
    """Draw documents of several of these constructs."""
    block = st.sampled_from(sorted(names)).flatmap(lambda name: CONSTRUCTS[name]())
    return st.builds(PrintedDocument, st.lists(block, min_size=3, max_size=6), styles())
