"""Layouts of `pdf_pages.py`: each draws a document from a random generator."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import pyphen

from benchmarks import pdf_offices, pdf_tables
from tests.support.printed_documents import (
    Block,
    Code,
    Group,
    Heading,
    Items,
    Paragraph,
    PrintedDocument,
    Quote,
    Raw,
    Span,
    Table,
)
from tests.support.sentences import RIGHT_TO_LEFT, paragraph, sentence, title, word

FAMILIES = (
    "Liberation Serif", "Liberation Sans", "EB Garamond", "Lato", "Noto Sans", "Noto Serif", "DejaVu Serif",
    "DejaVu Sans",
)  # fmt: skip
PAGE_SIZES = ("A4", "letter", "170mm 240mm")
BOTH = ("chrome", "weasy")
WORLD_FONTS = (
    "body{font-family:'Noto Sans','Noto Sans Arabic','Noto Sans Hebrew','Noto Sans CJK JP','DejaVu Sans'}"
)
RUNNING_HEADS = (
    "@page{@top-left{content:'Survey of the Northern Harbour';font-size:8pt}"
    "@top-right{content:'Chapter ' counter(page);font-size:8pt}@bottom-center{content:counter(page)}}"
)
BROWSER_HEADER = (
    '<div style="font-size:8px;width:100%;padding:0 12mm">'
    '<span class="date"></span> <span class="title"></span></div>'
)
BROWSER_FOOTER = (
    '<div style="font-size:8px;width:100%;padding:0 12mm;text-align:right">https://harbour.example/survey '
    '<span class="pageNumber"></span>/<span class="totalPages"></span></div>'
)


@dataclass(frozen=True)
class Layout:
    draw: Callable[[Random], PrintedDocument]
    printers: tuple[str, ...] = BOTH
    chromium_header: str = ""
    chromium_footer: str = ""


def base_css(random: Random) -> str:
    """Return a page and a text style: font, size, leading, alignment, kerning, margins."""
    size = random.choice((8.5, 9, 10, 10.5, 11, 12))
    family = random.choice(FAMILIES)
    leading = random.choice((1.15, 1.25, 1.4, 1.6))
    gap = random.choice(("p{margin:0 0 .7em}", "p{margin:0;text-indent:1.5em}", "p{margin:.4em 0}"))
    align = random.choice(("start", "justify"))
    return (
        f"@page{{size:{random.choice(PAGE_SIZES)};margin:{random.choice((15, 20, 25))}mm}}"
        f"body{{font:{size}pt/{leading} '{family}';text-align:{align};font-kerning:normal}}{gap}"
        "pre,code{font-family:'DejaVu Sans Mono';font-size:.85em}table{border-collapse:collapse;margin:1em 0}"
        "td,th{padding:2pt 8pt;text-align:start;vertical-align:top}"
    )


def document(random: Random, blocks: list[Block], css: str = "", language: str = "en") -> PrintedDocument:
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"
    return PrintedDocument(blocks, base_css(random) + css, language, direction)


def prose(random: Random, count: int = 3, language: str = "en") -> list[Block]:
    return [Paragraph(paragraph(random, random.randint(2, 6), language)) for _ in range(count)]


def sections(random: Random, count: int = 3, level: int = 2, language: str = "en") -> list[Block]:
    blocks: list[Block] = []
    for _ in range(count):
        blocks += [Heading(title(random, language), level), *prose(random, random.randint(1, 3), language)]
    return blocks


def report(random: Random) -> PrintedDocument:
    return document(random, [Heading(title(random)), *prose(random, 1), *sections(random, 3)])


def columns(count: int) -> Callable[[Random], PrintedDocument]:
    def draw(random: Random) -> PrintedDocument:
        css = f".columns{{columns:{count};column-gap:{random.choice((5, 7, 10))}mm}}h2{{font-size:1.15em}}"
        body = Group(sections(random, 4 if count == 2 else 5), "columns")
        return document(
            random, [Heading(title(random)), *prose(random, 1), body], css + "body{font-size:9pt}"
        )

    return draw


def hyphenated(random: Random) -> PrintedDocument:
    """Draw justified narrow columns whose words have soft hyphens."""
    hyphenate = pyphen.Pyphen(lang="en_US").inserted
    css = ".columns{columns:3;column-gap:5mm}body{text-align:justify;font-size:9pt}"
    texts = (paragraph(random, 5) for _ in range(5))
    soft = [
        Paragraph(" ".join(hyphenate(word, "\u00ad") if word.isalpha() else word for word in text.split(" ")))
        for text in texts
    ]
    return document(random, [Heading(title(random)), Group(soft, "columns")], css)


def running_heads(random: Random) -> PrintedDocument:
    blocks = [Heading(title(random)), *sections(random, 9)]
    return document(random, blocks, RUNNING_HEADS + "@page{margin:22mm}")


def browser_furniture(random: Random) -> PrintedDocument:
    return document(random, [Heading(title(random)), *sections(random, 7)], "@page{margin:20mm}")


def numbered_headings(random: Random) -> PrintedDocument:
    blocks: list[Block] = [Heading(title(random))]
    for chapter in range(1, 4):
        blocks += [Heading(f"{chapter} {title(random)}", 2), *prose(random, 1)]
        for part in range(1, random.randint(2, 4)):
            blocks += [Heading(f"{chapter}.{part} {title(random)}", 3), *prose(random, 1)]
    return document(random, blocks, "h3{font-size:1em}h2{font-size:1.2em}")


def small_capitals(random: Random) -> PrintedDocument:
    css = (
        "h1{letter-spacing:.2em;text-transform:uppercase;font-weight:normal}"
        "h2{font-variant:small-caps;letter-spacing:.05em}.lead{letter-spacing:.03em}"
    )
    heading = title(random)
    shown = Raw(Heading(heading).html(), f"# {heading.upper()}")
    return document(random, [shown, Paragraph(paragraph(random), "lead"), *sections(random)], css)


def drop_cap(random: Random) -> PrintedDocument:
    css = ".first::first-letter{float:left;font-size:3.4em;line-height:.8;padding-right:.06em}"
    first = Paragraph(paragraph(random, 6), "first")
    return document(random, [Heading(title(random)), first, *prose(random, 3)], css)


def emphasis(random: Random) -> PrintedDocument:
    blocks: list[Block] = [Heading(title(random))]
    for _ in range(5):
        marked = [
            Span(sentence(random) + " See "),
            Span(f"{word(random)} {word(random)}", random.choice(("bold", "italic"))),
            Span(f", {word(random)} and "),
            Span(f"the {word(random)} page", href=f"https://example.org/{word(random)}"),
            Span(f" first. {sentence(random)}"),
        ]
        blocks.append(Paragraph(marked))
    return document(random, blocks)


def raised(random: Random) -> PrintedDocument:
    blocks: list[Block] = [Heading(title(random))]
    for number in range(1, 6):
        area = [Span(f"The {word(random)} covers {number * 25} m"), Span("2", "sup"), Span(" of the floor")]
        water = [Span(str(number), "sup"), Span(". Some H"), Span("2", "sub"), Span("O and CO")]
        blocks.append(Paragraph([*area, *water, Span("2", "sub"), Span(f" remain. {sentence(random)}")]))
    return document(random, blocks)


def footnotes(random: Random) -> PrintedDocument:
    """Draw notes at the foot of one page; their text comes after the text of the page."""
    css = ".note{float:footnote;font-size:8pt}"
    html, body, notes = [], [], []
    for number in range(1, 4):
        before, after, note = sentence(random), paragraph(random, 3), sentence(random)
        html.append(f"<p>{before}<span class=note>{note}</span> {after}</p>")
        body.append(f"{before}<sup>{number}</sup> {after}")
        notes.append(f"{number}. {note}")
    raw = Raw("".join(html), "\n\n".join(body + notes))
    return document(random, [Heading(title(random)), raw], css)


def lists(random: Random) -> PrintedDocument:
    def short() -> str:
        return f"{word(random)} and {word(random)}"

    nested = Items(
        [sentence(random), (sentence(random), Items([short(), sentence(random), short()])), short()]
    )
    ordered = Items(
        [short(), (sentence(random), Items([sentence(random), short()], ordered=True)), paragraph(random, 2)],
        ordered=True,
    )
    many = Items([short() for _ in range(12)], ordered=True)
    css = random.choice(("", "ul{list-style:square}", "ul{list-style:'– '}", "ul{list-style:'→ '}"))
    blocks = [Heading(title(random)), *prose(random, 1), nested, *prose(random, 1), ordered]
    return document(random, [*blocks, Heading(title(random), 2), many], css)


def program(random: Random) -> PrintedDocument:
    names = [word(random) for _ in range(3)]
    code = (
        f"def {names[0]}(a, b):\n    # {sentence(random)}\n    if a > b:\n        return a - b\n\n"
        f"    total = {names[1]}[0] + {names[2]}['key']\n    return total * 2"
    )
    css = random.choice(("", "pre{background:#eee;padding:6pt}", "pre{border:1px solid #999;padding:6pt}"))
    inline = Paragraph(
        [Span("Call "), Span(f"{names[0]}(1, 2)", "code"), Span(f" first. {sentence(random)}")]
    )
    return document(
        random,
        [Heading(title(random)), inline, Code(code), *prose(random, 1), Code("make test\nmake run")],
        css,
    )


def quotes(random: Random) -> PrintedDocument:
    css = random.choice(("", "blockquote{border-left:3px solid #999;padding-left:10pt}"))
    blocks = [Heading(title(random)), *prose(random, 1), Quote(paragraph(random, 3)), *prose(random, 2)]
    return document(random, blocks, css)


def contents(random: Random) -> PrintedDocument:
    """Draw a table of contents; Markdown leaves its leader dots out."""
    css = ".toc{margin:0;text-indent:0}.toc::after{content:leader('.') attr(data-page)}"
    html, lines = [], []
    for number in range(1, 9):
        text, page = f"{number} {title(random)}", str(number * 7)
        html.append(f'<p class=toc data-page="{page}">{text}</p>')
        lines.append(f"{text} {page}")
    return document(random, [Heading("Contents"), Raw("".join(html), "\n\n".join(lines))], css)


def slides(random: Random) -> PrintedDocument:
    css = "@page{size:254mm 143mm;margin:12mm}body{font-size:16pt;text-align:start}h1{break-before:page}"
    blocks: list[Block] = []
    for _ in range(4):
        items = Items([f"{word(random)} for {word(random)} and {word(random)}" for _ in range(4)])
        blocks += [Heading(title(random)), items, Paragraph(sentence(random))]
    return document(random, blocks, css)


def marginalia(random: Random) -> PrintedDocument:
    """Draw a watermark on each page, and a download line in the margin."""
    css = (
        ".mark{position:fixed;top:40%;left:10%;font-size:60pt;color:#ddd;transform:rotate(-45deg)}"
        ".side{position:fixed;top:45%;right:-38mm;font-size:7pt;transform:rotate(90deg)}"
    )
    furniture = (
        "<div class=mark>CONFIDENTIAL</div><div class=side>Downloaded from harbour.example on 3 May</div>"
    )
    blocks = [Heading(title(random)), *sections(random, 6)]
    return PrintedDocument(blocks, base_css(random) + css, furniture=furniture)


def in_language(*languages: str, css: str = "") -> Callable[[Random], PrintedDocument]:
    def draw(random: Random) -> PrintedDocument:
        language = random.choice(languages)
        blocks = [
            Heading(title(random, language)),
            *prose(random, 1, language),
            *sections(random, 2, 2, language),
        ]
        items = Items([title(random, language) for _ in range(3)])
        return document(random, [*blocks, items], WORLD_FONTS + css, language)

    return draw


def right_to_left_table(random: Random) -> PrintedDocument:
    language = random.choice(("ar", "he"))
    names = {"ar": ("الاسم", "العدد", "السعر"), "he": ("שם", "מספר", "מחיר")}[language]
    rows = [[title(random, language), str(random.randint(1, 500)), "12.50"] for _ in range(3)]
    css = "td,th{border:1px solid #555}body{font-family:'Noto Sans','Noto Sans Arabic','DejaVu Sans'}"
    return document(
        random,
        [Heading(title(random, language)), Table([list(names), *rows]), *prose(random, 1, language)],
        css,
        language,
    )


LAYOUTS = {
    "report": Layout(report),
    "columns2": Layout(columns(2)),
    "columns3": Layout(columns(3)),
    "hyphenated": Layout(hyphenated),
    "heads": Layout(running_heads),
    "browser": Layout(browser_furniture, ("chrome",), BROWSER_HEADER, BROWSER_FOOTER),
    "numbered": Layout(numbered_headings),
    "capitals": Layout(small_capitals),
    "dropcap": Layout(drop_cap),
    "emphasis": Layout(emphasis),
    "raised": Layout(raised),
    "footnotes": Layout(footnotes, ("weasy",)),
    "lists": Layout(lists),
    "program": Layout(program),
    "quotes": Layout(quotes),
    "contents": Layout(contents, ("weasy",)),
    "slides": Layout(slides),
    "marginalia": Layout(marginalia),
    "latin": Layout(in_language("de", "fr", "pl", "tr", "vi")),
    "cyrillic": Layout(in_language("ru", "el")),
    "arabic": Layout(in_language("ar", "fa")),
    "hebrew": Layout(in_language("he")),
    "rtltable": Layout(right_to_left_table),
    "cjk": Layout(in_language("zh", "ja", "ko")),
    "vertical": Layout(in_language("ja", css="html{writing-mode:vertical-rl}"), ("chrome",)),
    **{name: Layout(draw) for name, draw in pdf_tables.layouts(document).items()},
    **{name: Layout(draw) for name, draw in pdf_offices.layouts(document).items()},
}
