"""Converter from granite-docling's DocTags to Markdown. It drops page headers and footers.

<text><loc_..>…</text>, <section_header_level_1>, <list_item>, <caption>, <formula>, <code>, <picture>, and
tables in OTSL: <fcel> cell, <ecel> empty cell, <lcel> <ucel> <xcel> cell merged with its neighbor,
<ched> <rhed> <srow> header cells, <nl> end of a row.
"""

import re

from ...output.escaping import escape
from .html_tables import pipe_table

_ELEMENT = re.compile(
    r"<(title|text|paragraph|section_header_level_\d|list_item|caption|footnote|formula|code|otsl|picture|chart"
    r"|page_header|page_footer|checkbox_(?:un)?selected|document_index|ordered_list|unordered_list)>"
    r"(.*?)(?=</\1>|\Z)",
    re.DOTALL,
)
_TAG = re.compile(r"</?[a-z_][a-z0-9_]*>|<loc_\d+>")
_CELL = re.compile(
    r"<(fcel|ecel|lcel|ucel|xcel|ched|rhed|srow|nl)>([^<]*(?:<(?!fcel|ecel|[lux]cel|ched|rhed|srow|nl)[^<]*)*)"
)
_LISTS = {"ordered_list": "{}. ", "unordered_list": "- "}
_PREFIXES = {
    "title": "# ",
    "list_item": "- ",
    "checkbox_selected": "- [x] ",
    "checkbox_unselected": "- [ ] ",
}
_SKIPPED_TAGS = {"page_header", "page_footer"}
_PARTIAL_REPLACEMENTS = (
    (re.compile(r"<title>"), "\n\n# "),
    (re.compile(r"<section_header_level_\d>"), "\n\n## "),
    (re.compile(r"<list_item>"), "\n- "),
    (re.compile(r"<(?:text|paragraph|caption|otsl|formula|code|footnote)>"), "\n\n"),
    (re.compile(r"<nl>"), "\n"),
    (re.compile(r"<(?:[felux]cel|ched|rhed|srow)>"), " | "),
    (_TAG, ""),
)


def to_partial_markdown(tags: str) -> str:
    """Convert a part of a response, in which no tag is unfinished, to text that may be shown at once."""
    parts = re.split(r"(<[a-z_/][a-z0-9_]*>)", tags)
    # Every second part is a tag.
    parts[::2] = [escape(text, at_line_start=False) for text in parts[::2]]
    text = "".join(parts)
    for pattern, replacement in _PARTIAL_REPLACEMENTS:
        text = pattern.sub(replacement, text)
    return text


def to_markdown(tags: str) -> str:
    """Convert a whole response."""
    blocks: list[str] = []
    for element in _ELEMENT.finditer(tags):
        name, content = element[1], element[2]
        if name in _LISTS:
            items = [item for item in _ELEMENT.finditer(content) if item[1] == "list_item"]
            marker = _LISTS[name]
            texts = [marker.format(number) + _text(item[2]) for number, item in enumerate(items, 1)]
            blocks.append("\n".join(texts))
        elif name not in _SKIPPED_TAGS:
            blocks.append(_block(name, content))
    return "\n\n".join(filter(None, blocks))


def _block(name: str, content: str) -> str:
    if name in ("otsl", "document_index"):
        caption = _captions(content)
        table = pipe_table(_rows(content))
        return f"{caption}\n\n{table}" if caption else table
    if name in ("picture", "chart"):
        return f"![{_captions(content)}]()"
    if name == "formula":
        return f"$$\n{_TAG.sub('', content).strip()}\n$$"
    if name == "code":
        code = re.sub(r"<_[^<>]*_>", "", _TAG.sub("", content)).strip("\n")
        return f"```\n{code}\n```"
    if name.startswith("section_header_level_"):
        level = min(6, int(name[-1]) + 1)
        return f"{'#' * level} {_text(content)}"
    return _PREFIXES.get(name, "") + _text(content)


def _text(content: str) -> str:
    return escape(" ".join(_TAG.sub("", content).split()))


def _captions(content: str) -> str:
    captions = re.findall(r"<caption>(.*?)(?:</caption>|\Z)", content, re.DOTALL)
    return " ".join(map(_text, captions))


def _rows(content: str) -> list[list[str]]:
    content = re.sub(r"<caption>.*?</caption>", "", content, flags=re.DOTALL)
    rows: list[list[str]] = [[]]
    for kind, text in _CELL.findall(content):
        if kind == "nl":
            rows.append([])
        else:
            rows[-1].append("" if kind in ("ecel", "lcel", "ucel", "xcel") else _text(text))
    return [row for row in rows if row]
