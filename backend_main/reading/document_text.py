"""Plain text of a document: that of its pages, with the paragraphs joined that a page break divides.

The Markdown of a page stands alone, since clients receive it page by page. So the plain texts are joined
afterwards. A paragraph goes on if the next page begins with a small letter, or a hyphen divides its last
word. It also goes on if its last words need a noun, which German writes with a capital letter. Footnotes,
figures and tables that stand between its parts follow it.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

from .born_digital.numbering import list_item_marker
from .errors import ReadingError
from .layout.text_joining import CAPTION, HYPHENATED, ends_sentence, join_lines, starts_lower
from .output.markdown import HARD_BREAK, PAGE_BREAK
from .output.plain_text import to_plain_text

MAX_BLOCKS_BETWEEN = 8
"""Footnotes, figures, tables and captions at a page break that a paragraph goes on behind."""
MIN_SMALL_SHARE = 0.5
"""Share of small letters in a paragraph; a page number or the number of a book has fewer."""
MIN_CHARACTERS = 20
"""Less than a line of a narrow column, the least part of a paragraph on a page. Labels are shorter."""
MAX_OPEN_CHARACTERS = 50_000
"""Text of earlier pages that may go on over a further page. The limit bounds the cost of long sentences."""
MAX_WORD = 100
"""Letters of a divided word that are compared: more than any word has."""
_BLANK_LINES = re.compile(r"\n{2,}")
_FLOAT = re.compile(r"!\[|\||<table>")
_CLOSED = re.compile(r"#{1,6} |```|~~~|\$\$")
_NOTE = re.compile(r"<sup>|\d{1,3}\\?\s|(?:\\?\*|[†‡§¶‖]){1,3}\s?\w")
_WITHOUT_STOPS = re.compile(r"[\u0e00-\u0eff\u1780-\u17ff]")
"""Thai, Lao and Khmer: no mark ends a sentence."""
_NEEDS_NOUN = re.compile(
    r"(?<!\w)(?:the|an?|of|and|or|for|with|by|from|"
    r"(?:der|die|das|den|dem|des|(?:k?ein|mein|sein|ihr|unser)(?:e[mnrs]?)?|diese[mnrs]?|jede[mnrs]?|"
    r"und|oder|sowie|für|mit|vo[mn]|zu[mr]?|i[mn]|beim?|nach|über|unter|durch|zwischen|ohne|gegen)"
    r"(?: [a-zäöüß]{2,}e[mnrs]?){0,2})$"
)
"""Articles, prepositions and conjunctions of English and German, the latter also with adjectives behind."""
_LAST_WORD, _FIRST_WORD = re.compile(r"(?<!\w)\w+[-\u2010]$"), re.compile(r"\w+")


class PageText(Protocol):
    """Finished page."""

    @property
    def number(self) -> int: ...
    @property
    def markdown(self) -> str: ...
    @property
    def text(self) -> str: ...


def document_text(pages: Iterable[PageText]) -> str:
    """Return the plain text of pages in order: a blank line between pages, none within a paragraph."""
    return "".join(text_parts(pages))


def text_parts(pages: Iterable[PageText]) -> Iterator[str]:
    """Yield the plain text of pages in parts: the end of a page may go on, and follows with the next page.

    Raises:
        ReadingError: `pages` raised it; the text of all pages before it has been yielded.
    """
    above: PageText | None = None
    pending = gap = ""
    failure: ReadingError | None = None
    try:
        for page in pages:
            joined = _joined(pending, above, page) if above and page.number == above.number + 1 else None
            finished, pending = joined or (pending, page.text)
            if finished:
                yield gap + finished
                gap = PAGE_BREAK
            above = page
    except ReadingError as error:
        failure = error
    if pending:
        yield gap + pending
    if failure:
        raise failure


def _joined(text: str, above: PageText, page: PageText) -> tuple[str, str] | None:
    """Return the finished text, and the text from a paragraph on that a page break divides; None without one.

    Args:
        text: plain text that ends with that of the page above.
        above: the page above.
        page: the page that follows.
    """
    if len(text) > len(above.text) + MAX_OPEN_CHARACTERS:
        return None
    rest = next((block for block in _blocks(page) if not _is_float(block)), "")
    if not (rest := _plain_paragraph(rest)) or rest not in (paragraphs := page.text.split(PAGE_BREAK)):
        return None
    open_text = next(
        (block for block in _open_blocks(above) if _goes_on(block, rest) and block in text), None
    )
    if open_text is None:
        return None
    start = text.rindex(open_text)
    finished, _, block = text[:start].rpartition(PAGE_BREAK)
    paragraph = _joined_paragraph(open_text, rest, f"{above.text}\n{page.text}")
    paragraphs.remove(rest)
    return finished, PAGE_BREAK.join([block + paragraph + text[start + len(open_text) :], *paragraphs])


def _blocks(page: PageText) -> list[str]:
    """Return the first blocks of a page's Markdown."""
    return _BLANK_LINES.split(page.markdown.strip("\n"), MAX_BLOCKS_BETWEEN)[:MAX_BLOCKS_BETWEEN]


def _open_blocks(page: PageText) -> Iterator[str]:
    """Yield the plain text of the blocks that may go on on the next page, the likeliest first.

    The last block comes first, unless it begins as a footnote does: then the one above the footnotes does.
    """
    blocks = _BLANK_LINES.split(page.markdown.strip("\n"))[: -MAX_BLOCKS_BETWEEN - 1 : -1]
    notes: list[str] = []
    for block in blocks:
        if _is_float(block) or not _is_prose(block):
            continue
        if _NOTE.match(block):
            notes.append(block)
            continue
        if text := _plain_paragraph(block):
            yield text
        break
    yield from filter(None, map(_plain_paragraph, notes[:1]))


def _is_float(block: str) -> bool:
    return bool(_FLOAT.match(block) or CAPTION.match(block)) or HARD_BREAK in block


def _is_prose(block: str) -> bool:
    small = sum(letter.isalpha() and not letter.isupper() for letter in block)
    return small >= MIN_SMALL_SHARE * len(block)


def _plain_paragraph(block: str) -> str:
    """Return the plain text of a paragraph, or of the last item of a list; "" for other blocks."""
    return "" if _CLOSED.match(block) else to_plain_text(block).rpartition("\n")[2]


def _goes_on(text: str, rest: str) -> bool:
    """Return whether a text at the start of a page continues one at the end of the page above."""
    if len(text) < MIN_CHARACTERS or ends_sentence(text) or list_item_marker(rest) or not rest[0].isalpha():
        return False
    if starts_lower(rest) or HYPHENATED.fullmatch(text[-2:]) or _NEEDS_NOUN.search(text[-MAX_WORD:]):
        return True
    return not rest[0].isupper() and not _WITHOUT_STOPS.match(rest)


def _joined_paragraph(text: str, rest: str, near: str) -> str:
    """Join the parts of a paragraph. A hyphen stays if the text near it has the word with it elsewhere."""
    last, first = _LAST_WORD.search(text[-MAX_WORD:]), _FIRST_WORD.match(rest[:MAX_WORD])
    if last and first and f"{last[0]}{first[0]}".lower() in near.lower():
        return text + rest
    return join_lines(text, rest)
