"""Scores for the structure of Markdown: reading order, tables, headings; each from 0 to 1.

Implemented from the definitions of opendataloader-bench
(github.com/opendataloader-project/opendataloader-bench):

- reading order: the normalized indel similarity of both texts, white space folded, emphasis stripped, tables
  in one notation (NID)
- tables: TEDS (Zhong, ShafieiBavani and Jimeno Yepes 2020, arXiv:1911.10683): one minus the distance of the
  trees of tables, rows and cells, over the larger one's nodes
- headings: TEDS of the tree of headings, all of one level, with the text under each (MHS)

A score is None if the ground truth has no such element.
"""

import re
from dataclasses import dataclass, field
from html import escape, unescape
from html.parser import HTMLParser

from apted import APTED, Config
from rapidfuzz.distance import Indel, Levenshtein

_HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
_TABLE = re.compile(r"<table\b.*?</table>", re.IGNORECASE | re.DOTALL)
_PIPE_ROW = re.compile(r"^\s*\|.*\|\s*$")
_PIPE_RULE = re.compile(r"^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$")
_CELL_BOUND = re.compile(r"(?<!\\)\|")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_EMPHASIS = re.compile(r"(\*{1,3}|~~|__|_)(\S(?:.*?\S)?)\1", re.DOTALL)


@dataclass
class Node:
    """A tree node. Two nodes of different `kind` or `spans` have no similarity."""

    kind: str
    text: str = ""
    spans: tuple[int, int] = (1, 1)
    children: list["Node"] = field(default_factory=list)

    def count(self) -> int:
        return 1 + sum(child.count() for child in self.children)


class _Costs(Config):  # type: ignore[misc]  # apted has no types
    def rename(self, one: Node, other: Node) -> float:
        if (one.kind, one.spans) != (other.kind, other.spans):
            return 1.0
        return float(Levenshtein.normalized_distance(one.text, other.text))

    def children(self, node: Node) -> list[Node]:
        return node.children


def reading_order(read: str, truth: str) -> float | None:
    expected = _normalized(truth)
    return Indel.normalized_similarity(_normalized(read), expected) if expected else None


def tables(read: str, truth: str) -> float | None:
    expected = _tables(truth)
    return _similarity(_tables(read), expected) if expected.children else None


def headings(read: str, truth: str) -> float | None:
    expected, found = _headings(truth), _headings(read)
    if not _has_heading(expected):
        return None
    return _similarity(found, expected) if _has_heading(found) else 0.0


def _similarity(one: Node, other: Node) -> float:
    if len(one.children) == 0:
        return 0.0
    distance = APTED(one, other, _Costs()).compute_edit_distance()
    return max(0.0, 1 - float(distance) / max(one.count(), other.count()))


# --- Markdown in one notation ------------------------------------------------------------------------------


def _normalized(markdown: str) -> str:
    text, before = _with_html_tables(markdown), None
    while before != text:
        text, before = _EMPHASIS.sub(r"\2", text), text
    return _folded(text)


def _folded(text: str) -> str:
    return " ".join(text.split())


def _with_html_tables(markdown: str) -> str:
    """Return the text with all tables as compact HTML, and with escapes undone outside of tables."""
    parts: list[str] = []
    rows: list[str] = []
    for line in [*_TABLE.sub(lambda found: _html(_parsed(found[0])), markdown).split("\n"), ""]:
        if _PIPE_ROW.match(line):
            rows.append(line)
            continue
        if rows:
            parts.append(_html_of_pipe_table(rows))
            rows = []
        parts.append(_ESCAPE.sub(r"\1", line))
    return "\n".join(parts)


def _html_of_pipe_table(rows: list[str]) -> str:
    if len(rows) < 2 or not _PIPE_RULE.match(rows[1]):
        return "\n".join(_ESCAPE.sub(r"\1", row) for row in rows)
    table = Node("table")
    for row in (rows[0], *rows[2:]):
        cells = _CELL_BOUND.split(row.strip().removeprefix("|").removesuffix("|"))
        texts = [_folded(_ESCAPE.sub(r"\1", cell.replace("<br>", " "))) for cell in cells]
        table.children.append(Node("tr", children=[Node("td", text) for text in texts]))
    return _html([table])


# --- tables ------------------------------------------------------------------------------------------------


def _tables(markdown: str) -> Node:
    return Node("tables", children=_parsed(_with_html_tables(markdown)))


class _Parser(HTMLParser):
    """A collector of tables that ignores `thead`, `tbody` and the difference of `th` and `td`."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Node] = []
        self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.found.append(Node("table"))
        elif tag == "tr" and self.found:
            self.found[-1].children.append(Node("tr"))
        elif tag in ("td", "th") and self.found and self.found[-1].children:
            named = dict(attrs)
            spans = (_span(named.get("rowspan")), _span(named.get("colspan")))
            self.found[-1].children[-1].children.append(Node("td", spans=spans))
            self._in_cell = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "table"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            cell = self.found[-1].children[-1].children[-1]
            cell.text = _folded(f"{cell.text} {data}")


def _span(value: str | None) -> int:
    return int(value) if value and value.isdigit() else 1


def _parsed(html: str) -> list[Node]:
    parser = _Parser()
    for table in _TABLE.findall(html):
        parser.feed(table)
    return parser.found


def _html(found: list[Node]) -> str:
    return "".join(f"<table>{''.join(map(_html_row, table.children))}</table>" for table in found)


def _html_row(row: Node) -> str:
    return f"<tr>{''.join(f'<td{_html_spans(cell)}>{escape(cell.text)}</td>' for cell in row.children)}</tr>"


def _html_spans(cell: Node) -> str:
    names = zip(("rowspan", "colspan"), cell.spans, strict=True)
    return "".join(f' {name}="{count}"' for name, count in names if count > 1)


# --- headings ----------------------------------------------------------------------------------------------


def _headings(markdown: str) -> Node:
    root = Node("document")
    section, pending = root, list[str]()
    for line in _with_html_tables(markdown).split("\n"):
        if found := _HEADING.match(line):
            _add_content(section, pending)
            section = Node("heading", unescape(_folded(found[1])))
            root.children.append(section)
        else:
            pending.append(line)
    _add_content(section, pending)
    return root


def _add_content(section: Node, pending: list[str]) -> None:
    text = _folded(" ".join(pending))
    pending.clear()
    if text:
        section.children.append(Node("content", text))


def _has_heading(root: Node) -> bool:
    return any(child.kind == "heading" for child in root.children)
