"""Step 10 - Markdown → reading text: no marks, one line a paragraph, hyphens at line ends undone."""

import re
import string

from ..layout.text_joining import LETTER, TextJoiner

# While marks are stripped, escaped punctuation is kept out of their way as the 32 noncharacters that Unicode
# sets aside for internal use; ASCII has 32 punctuation marks.
_ESCAPE_PLACEHOLDERS = {mark: chr(0xFDD0 + index) for index, mark in enumerate(string.punctuation)}
_UNESCAPE = str.maketrans({hidden: mark for mark, hidden in _ESCAPE_PLACEHOLDERS.items()})
_ESCAPED = re.compile(rf"\\([{re.escape(string.punctuation)}])")

_FENCE = re.compile(r"^\s*(?:```|~~~).*$", re.MULTILINE)
_BLOCKS = re.compile(r"\n[ \t]*\n\s*")
_TABLE_RULE = re.compile(r"\s*\|?[ :|-]*-[ :|-]*\|[ :|-]*")
_RULE = re.compile(r"\s*(?:[-*_]\s*){3,}")
_LINE_MARKS = re.compile(r"^\s*(?:#{1,6}(?:\s+|$)|(?:>\s?)+)")
_CLOSING_MARKS = re.compile(r"\s+#+\s*$")
_INLINE = (
    (re.compile(r"!?\[([^\]]*)\]\([^)\s]*(?:\s+\"[^\"]*\")?\)"), r"\1"),
    (re.compile(r"</?[A-Za-z][^<>\n]*>"), " "),
    (re.compile(r"(\*{1,3}|~~)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(rf"(?<!{LETTER})(_{{1,3}})(?=\S)(.+?)(?<=\S)\1(?!{LETTER})"), r"\2"),
    (re.compile(r"`+([^`]+)`+"), r"\1"),
)
_LIST_ITEM = re.compile(r"(?:[-+*•◦▪]|\d{1,3}[.)])\s+\S")


def to_plain_text(markdown: str) -> str:
    """The text of a document as a person reads it, paragraphs parted by a blank line.

    Lines of a paragraph are joined: with a space, without one between Chinese or Japanese characters, and
    without the hyphen where a word was broken. List items, table rows and lines that were broken hard (two
    spaces at their end) keep their own lines.
    """
    hidden = _ESCAPED.sub(lambda found: _ESCAPE_PLACEHOLDERS[found[1]], markdown)
    paragraphs = (_paragraph(block) for block in _BLOCKS.split(_FENCE.sub("", hidden)))
    return "\n\n".join(text for text in paragraphs if text)


def _paragraph(block: str) -> str:
    text, broken = TextJoiner(), False
    lines = block.split("\n")
    # Only its rule makes lines with bars a table (GitHub's addition to CommonMark).
    table = any(_TABLE_RULE.fullmatch(line) for line in lines)
    for line in lines:
        if _TABLE_RULE.fullmatch(line) or _RULE.fullmatch(line):
            continue
        bare = _strip_inline_marks(line.strip().strip("|").replace("|", " ") if table else line).translate(
            _UNESCAPE
        )
        (text.add_below if table or broken or _LIST_ITEM.match(bare) else text.add)(bare)
        broken = line.endswith("  ")
    return str(text)


def _strip_inline_marks(line: str) -> str:
    heading = line.lstrip().startswith("#")
    line = _LINE_MARKS.sub("", line)
    if heading:
        line = _CLOSING_MARKS.sub("", line)
    for pattern, replacement in _INLINE:
        line = pattern.sub(replacement, line)
    return " ".join(line.split())
