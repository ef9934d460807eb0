"""Plain text of Markdown: no markup, one line for each paragraph, hyphens at line ends removed.

Regular expressions do this, not a Markdown parser: they lose no text whatever the input
(docs/decisions/0102-plain-text-by-regular-expressions.md).
"""

import re
import string

from ..layout.text_joining import LETTER, TextJoiner
from .emphasis import EmphasisMarks
from .escaping import unescape_html
from .latex import FORMULA, latex_text

# Escaped punctuation is not markup: it is replaced by the 32 noncharacters that Unicode reserves for internal
# use (U+FDD0 to U+FDEF) until the markup is removed. ASCII has 32 punctuation marks.
_ESCAPE_PLACEHOLDERS = {mark: chr(0xFDD0 + index) for index, mark in enumerate(string.punctuation)}
_PROTECT = str.maketrans(_ESCAPE_PLACEHOLDERS)
_UNESCAPE = str.maketrans({placeholder: mark for mark, placeholder in _ESCAPE_PLACEHOLDERS.items()})
_ESCAPED = re.compile(rf"\\([{re.escape(string.punctuation)}])")

# An HTML table of ours: a line for each row. Recognized text cannot begin like this, its "<" is escaped.
# Each pattern below ends at the start of another match, so its time is linear in the length of the text.
_HTML_TABLE = re.compile(r"^<table>\n((?:(?!</?table>$).*\n)*+)</table>$", re.MULTILINE)
_INLINE_TAG = re.compile(r"</?(?:su[bp]|[abis]|code)\b[^<>]*>")
_TAG = re.compile(r"<[^<>]*>")

_FENCE = re.compile(r"^[^\S\n]*(?:```|~~~).*$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_DELIMITER_ROW = re.compile(r"\s*+[ :|]*+-[ :-]*+\|[ :|-]*")
_THEMATIC_BREAK = re.compile(r"\s*(?:[-*_]\s*){3,}")
_LINE_MARKS = re.compile(r"^\s*(?:#{1,6}(?:\s+|$)|(?:>\s?)+)")
_CLOSING_MARKS = re.compile(r"(?<!\s)\s+#+\s*$")
_BEFORE_EMPHASIS = (
    (re.compile(r"</?su[bp]>"), ""),
    (re.compile(r"!?\[([^\]]{0,1000})\]\([^)\s]{0,2100}(?:\s+\"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>\n]*>"), " "),
)
_EMPHASIS = (
    EmphasisMarks(("~~",), opening="", closing=""),
    EmphasisMarks(("***", "**", "*"), opening="", closing=""),
    EmphasisMarks(("___", "__", "_"), opening=rf"(?<!{LETTER})", closing=rf"(?!{LETTER})"),
)
_CODE = re.compile(r"(?<!`)`++([^`]+)`+")
_CODE_ON_ONE_LINE = re.compile(r"(?<![\\`])(`+)(?!`)([^`\n]+)\1(?!`)")
_INLINE_MARK = re.compile(r"[\\`*_~<\[$]")
_MARKUP = re.compile(r"[\\`*_<>\[\]()~|#]")
_LIST_ITEM = re.compile(r"(?:[-+*•◦▪]|\d{1,3}[.)])\s+\S")


def to_plain_text(markdown: str) -> str:
    """Return the text of Markdown, with a blank line between paragraphs.

    Lines of a paragraph are joined: with a space, without one between Chinese or Japanese characters, and
    without the hyphen of a divided word. List items, table rows and lines before a hard break (two spaces)
    keep their own lines.
    """
    parts = _HTML_TABLE.split(markdown)  # text and rows of a table alternate
    texts = [
        text for number, part in enumerate(parts) for text in (_table if number % 2 else _paragraphs)(part)
    ]
    return "\n\n".join(text for text in texts if text)


def inline_text(markdown: str) -> str:
    """Return the text of inline Markdown, such as that of a cell, on one line."""
    if _INLINE_MARK.search(markdown) is None:
        return " ".join(markdown.split())
    return _strip_inline_marks(_with_protected_marks(markdown)).translate(_UNESCAPE)


def html_text(html: str) -> str:
    """Return the text of inline HTML, such as that of a cell, on one line."""
    return unescape_html(" ".join(_TAG.sub(" ", _INLINE_TAG.sub("", html)).split()))


def _formula_text(found: re.Match[str]) -> str:
    """Return the readable text of a formula; its punctuation is escaped, since it is not markup."""
    text = latex_text(found["displayed"] or found["inline"])
    return _MARKUP.sub(r"\\\g<0>", text)


def _table(rows: str) -> list[str]:
    return ["\n".join(line for line in map(html_text, rows.split("\n")) if line)]


def _paragraphs(markdown: str) -> list[str]:
    # HTML has no formulas: a dollar sign there is a letter.
    protected = _with_protected_marks(markdown)
    return [_paragraph(block) for block in _BLANK_LINES.split(_FENCE.sub("", protected))]


def _with_protected_marks(markdown: str) -> str:
    """Return Markdown with the text of its formulas, and placeholders for punctuation that is not markup."""
    markdown = _CODE_ON_ONE_LINE.sub(_protected_code, markdown)
    markdown = FORMULA.sub(_formula_text, markdown)
    return _ESCAPED.sub(lambda found: _ESCAPE_PLACEHOLDERS[found[1]], markdown)


def _protected_code(found: re.Match[str]) -> str:
    """Return code without its backticks. A table escapes bars in code too (GitHub's extension)."""
    return found[2].replace("\\|", "|").translate(_PROTECT)


def _paragraph(block: str) -> str:
    text, after_hard_break = TextJoiner(), False
    lines = block.split("\n")
    # Only the delimiter row makes lines with bars a table (GitHub's extension of CommonMark).
    is_table = any(map(_DELIMITER_ROW.fullmatch, lines))
    for line in lines:
        if _DELIMITER_ROW.fullmatch(line) or _THEMATIC_BREAK.fullmatch(line):
            continue
        content = line.strip().strip("|").replace("|", " ") if is_table else line
        plain = _strip_inline_marks(_without_line_marks(content)).translate(_UNESCAPE)
        is_own_line = is_table or after_hard_break or _LIST_ITEM.match(plain)
        (text.add_below if is_own_line else text.add)(plain)
        after_hard_break = line.endswith("  ")
    return str(text)


def _without_line_marks(line: str) -> str:
    is_heading = line.lstrip().startswith("#")
    line = _LINE_MARKS.sub("", line)
    return _CLOSING_MARKS.sub("", line) if is_heading else line


def _strip_inline_marks(line: str) -> str:
    for pattern, replacement in _BEFORE_EMPHASIS:
        line = pattern.sub(replacement, line)
    for marks in _EMPHASIS:
        line = marks.remove(line)
    return " ".join(_CODE.sub(r"\1", line).split())
