"""A person's correction in a page: its plain text decides, the structure and the boxes stay.

The words that changed go into the Markdown and the lines at their places. A block in which that fails is
written again as a paragraph, so that an export always has the person's words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

import msgspec

from ...reading import words
from ...reading.output.escaping import escape
from ...reading.output.markdown import PAGE_BREAK
from ...reading.output.plain_text import to_plain_text
from ...reading.types import Line
from .document import ExportPage
from .text_differences import Edit, Token, apply_edits, edits, tokens_of, transfer

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_MARKUP = re.compile(r"</?[A-Za-z][^<>\n]*>|\]\([^)\s]*\)|^\|(?:-+\|)+$", re.MULTILINE)
_MARKS = "*_~`#>|\\[]()!$"
_MARK = rf"(?<!\\)[{re.escape(_MARKS.replace(chr(92), ''))}]"
_MARKS_AROUND = re.compile(rf"^((?:{_MARK})*)(.*?)((?:{_MARK})*)$", re.DOTALL)
_LINE_START = re.compile(r"(?:#{1,6} |> |\s*(?:[-+*]|\d{1,9}[.)]) )?")


def corrected(page: ExportPage, correction: str) -> ExportPage:
    """Return a page with a person's text in place of the text that was read."""
    as_read = page.as_read or page
    if correction == as_read.text:
        return replace(page, correction=correction)
    base = tokens_of(as_read.text)
    changes = edits(base, correction)
    text = correction
    if page.text != as_read.text:  # it has page furniture, which the correction has not
        own = tokens_of(page.text)
        text = apply_edits(page.text, own, transfer(changes, base, own))
    return replace(
        page,
        markdown=_corrected_markdown(page.markdown, base, changes, text),
        text=text,
        lines=_corrected_lines(page.lines, base, changes),
        correction=correction,
        as_read=as_read,
    )


def page_corrections(texts: Sequence[str], document_text: str, correction: str) -> list[str | None]:
    """Divide the correction of a document's text into those of its pages.

    Args:
        texts: Plain texts of the pages.
        document_text: Plain text of the document, which has the words of the pages in nearly the same order.
        correction: The text as a person corrected it.

    Returns:
        The text of each page; None for a page without a change.
    """
    base = tokens_of(document_text)
    changes = edits(base, correction)
    if not changes:
        return [None] * len(texts)
    pages = [tokens_of(text) for text in texts]
    starts = [0, *accumulate(map(len, pages))]
    moved = transfer(changes, base, [token for page in pages for token in page])
    own = [
        _part(moved, start, start + len(page), is_first=not start)
        for page, start in zip(pages, starts, strict=False)
    ]
    return [
        apply_edits(text, page, changes).strip() if changes else None
        for text, page, changes in zip(texts, pages, own, strict=True)
    ]


def _part(changes: Sequence[Edit], start: int, end: int, *, is_first: bool) -> list[Edit]:
    """Return the edits of the tokens [start, end), by places from `start`.

    The first part that an edit touches gets its text; the others lose the tokens that it replaces.
    """
    own: list[Edit] = []
    for first, last, text in changes:
        if first == last:
            if start < first <= end or (first == start and is_first):
                own.append(Edit(first - start, first - start, text))
        elif first < end and last > start:
            is_start = first >= start
            own.append(Edit(max(first, start) - start, min(last, end) - start, text if is_start else ""))
    return own


def _corrected_lines(
    lines: Sequence[Line], base: Sequence[Token], changes: Sequence[Edit]
) -> tuple[Line, ...]:
    """Return the lines with the changed words, which stand at the places of those before."""
    by_line = [tokens_of(line.text) for line in lines]
    starts = [0, *accumulate(map(len, by_line))]
    moved = transfer(changes, base, [token for tokens in by_line for token in tokens])
    return tuple(
        _with_edits(line, tokens, _part(moved, start, start + len(tokens), is_first=not start))
        for line, tokens, start in zip(lines, by_line, starts, strict=False)
    )


def _with_edits(line: Line, tokens: Sequence[Token], own: Sequence[Edit]) -> Line:
    if not own:
        return line
    text = " ".join(apply_edits(line.text, tokens, own).split())
    placed = words.realigned(line.words, line.text, text, line.box)
    return msgspec.structs.replace(line, text=text, words=placed)


def _corrected_markdown(markdown: str, base: Sequence[Token], changes: Sequence[Edit], text: str) -> str:
    blocks = _BLANK_LINES.split(markdown)
    plain = [to_plain_text(block) for block in blocks]
    tokens = [tokens_of(block) for block in plain]
    starts = [0, *accumulate(map(len, tokens))]
    moved = transfer(changes, base, [token for block in tokens for token in block])
    written = []
    for number, block in enumerate(blocks):
        end = starts[number] + len(tokens[number])
        own = _part(moved, starts[number], end, is_first=not starts[number])
        written.append(_corrected_block(block, plain[number], tokens[number], own) if own else block)
    joined = PAGE_BREAK.join(block for block in written if block)
    return joined if _has_words(joined, text) else _as_paragraphs(text)


def _corrected_block(block: str, plain: str, tokens: Sequence[Token], own: Sequence[Edit]) -> str:
    if own[-1].first == own[-1].last == len(tokens) and own[-1].text.startswith("\n\n"):
        above = _corrected_block(block, plain, tokens, own[:-1]) if own[:-1] else block
        return above + PAGE_BREAK + _as_paragraphs(own[-1].text)
    wanted = apply_edits(plain, tokens, own)
    if not wanted.strip():
        return ""
    marked = _marked_tokens(block)
    in_markup = [
        _in_markup(block, marked, change) for change in transfer(own, tokens, [token for token, _ in marked])
    ]
    edited = apply_edits(block, [place for _, place in marked], in_markup)
    if _has_words(edited, wanted):
        return edited
    start = _LINE_START.match(block)
    return (start[0] if start else "") + _as_paragraphs(wanted, at_line_start=not (start and start[0]))


def _marked_tokens(block: str) -> list[tuple[Token, Token]]:
    """Return the words of Markdown: each as plain text has it, and as it stands there."""
    masked = _MARKUP.sub(lambda found: " " * len(found[0]), block)
    found = [
        (Token(_without_marks(token.text), token.start, token.end), token) for token in tokens_of(masked)
    ]
    return [(plain, token) for plain, token in found if plain.text]


def _without_marks(text: str) -> str:
    without_escapes = re.sub(r"\\(.)", lambda found: f"\\{chr(0xE000 + ord(found[1]) % 128)}", text)
    bare = without_escapes.translate({ord(mark): None for mark in _MARKS})
    return "".join(chr(ord(letter) - 0xE000) if 0xE000 <= ord(letter) < 0xE080 else letter for letter in bare)


def _in_markup(block: str, marked: Sequence[tuple[Token, Token]], change: Edit) -> Edit:
    """Return an edit whose text is Markdown, with the marks around the words that it replaces."""
    leading = change.text[: len(change.text) - len(change.text.lstrip())]
    content = change.text.strip()
    escaped = escape(content, at_line_start=False) if content else ""
    if change.first == change.last or not content:
        return Edit(change.first, change.last, leading + escaped + change.text[len(leading) + len(content) :])
    first, last = marked[change.first][1], marked[change.last - 1][1]
    before, after = _split_marks(first.text)[0], _split_marks(last.text)[2]
    old = block[first.start : last.end]
    return Edit(change.first, change.last, _inner(old, content) or before + escaped + after)


def _inner(old: str, new: str) -> str | None:
    """Return a word with marks inside, such as `**word**,`, after a change of its letters; else None."""
    plain = _without_marks(old)
    if any(letter in old for letter in "\\ ") or plain == old or any(mark in plain + new for mark in _MARKS):
        return None
    start = 0
    while start < min(len(plain), len(new)) and plain[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(plain), len(new)) - start and plain[-1 - end] == new[-1 - end]:
        end += 1
    places = [place for place, letter in enumerate(old) if letter not in _MARKS]
    first = places[start] if start < len(places) else len(old)
    last = places[len(plain) - end - 1] + 1 if len(plain) - end else 0
    return old[:first] + new[start : len(new) - end] + old[max(first, last) :]


def _split_marks(text: str) -> tuple[str, str, str]:
    found = _MARKS_AROUND.match(text)
    assert found is not None  # the pattern matches every text
    return found[1], found[2], found[3]


def _has_words(markdown: str, text: str) -> bool:
    return to_plain_text(markdown).split() == text.split()


def _as_paragraphs(text: str, *, at_line_start: bool = True) -> str:
    """Return plain text as Markdown, with its lines."""
    return "\n".join(_escaped_lines(text, at_line_start=at_line_start))


def _escaped_lines(text: str, *, at_line_start: bool) -> Iterator[str]:
    lines = text.strip("\n").split("\n")
    for number, line in enumerate(lines):
        escaped = escape(line, at_line_start=at_line_start or number > 0)
        has_break = line.strip() and number + 1 < len(lines) and lines[number + 1].strip()
        yield escaped + "  " if has_break else escaped
