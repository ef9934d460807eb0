"""HTML: one file without scripts, whose styles and pictures are inside it."""

from __future__ import annotations

import html
from collections import defaultdict
from collections.abc import Iterator, Sequence

from .document import ExportDocument, ExportPage
from .figures import with_pictures
from .markup import MarkupBlock, parse_markdown
from .text_runs import MarkupCell, TextRun, is_from_right

# Text colours have a contrast of at least 7:1 (WCAG 2.2, 1.4.6).
STYLE = """
:root { color-scheme: light dark; --line: light-dark(#767676, #9a9a9a);
  --muted: light-dark(#4a4a4a, #c4c4c4); }
body { margin: 0 auto; padding: 2rem 1rem; max-width: 46rem; font: 1rem/1.55 system-ui, sans-serif;
  background: light-dark(#fff, #16181c); color: light-dark(#1b1b1b, #ececec); overflow-wrap: anywhere; }
section + section { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: 1.5rem; }
.page-number { margin: 0 0 1rem; font-size: .8rem; color: var(--muted); text-align: end; }
h1, h2, h3, h4, h5, h6 { line-height: 1.25; margin: 1.5em 0 .5em; overflow-wrap: break-word; }
a { color: light-dark(#0b4d94, #9cc7ff); }
table { border-collapse: collapse; margin: 1rem 0; max-width: 100%; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: start; vertical-align: top;
  overflow-wrap: normal; }
.table { overflow-x: auto; }
figure { margin: 1rem 0; padding: .75rem; border: 1px dashed var(--line); }
figure img { max-width: 100%; height: auto; }
figcaption { color: var(--muted); }
blockquote { margin: 1rem 0; border-inline-start: 3px solid var(--line); padding-inline-start: 1rem; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
.formula { font-family: math, serif; font-size: 1.05em; }
p.formula { text-align: center; }
ul.checks { list-style: none; padding-inline-start: 1rem; }
@media print { section { break-after: page; border: 0 !important; } }
"""
_LANGUAGES_FROM_RIGHT = {"ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ku"}
_CHECKS = {True: "\u2611 ", False: "\u2610 ", None: ""}


def write_html(document: ExportDocument) -> Iterator[bytes]:
    """Yield the file, page by page."""
    language = document.languages[0] if document.languages else "und"
    direction = "rtl" if language in _LANGUAGES_FROM_RIGHT else "ltr"
    title = html.escape(document.filename)
    yield (
        f'<!DOCTYPE html>\n<html lang="{html.escape(language)}" dir="{direction}">\n<head>\n'
        f'<meta charset="utf-8">\n<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    ).encode()
    for page in document.pages():
        yield _section(page, document).encode()
    yield b"</main>\n</body>\n</html>\n"


def _section(page: ExportPage, document: ExportDocument) -> str:
    blocks = parse_markdown(with_pictures(page, document))
    name = f"Page {page.number}"
    number = f'<p class="page-number" lang="en">{name}</p>\n' if document.page_count > 1 else ""
    body = "".join(_body(blocks))
    return f'<section id="page-{page.number}" aria-label="{name}">\n{number}{body}</section>\n'


def _body(blocks: Sequence[MarkupBlock]) -> Iterator[str]:
    """Yield the elements of a page. Lists and quotes open and close between the blocks."""
    nesting = _Nesting()
    for block in blocks:
        yield nesting.move_to(block)
        yield _element(block)
    yield nesting.close()


class _Nesting:
    """Open elements around a block: quotes, and lists with their items."""

    def __init__(self) -> None:
        self._quotes = 0
        self._lists: list[str] = []

    def move_to(self, block: MarkupBlock) -> str:
        """Return the tags between the block before and this one."""
        parts = []
        if block.quote_level != self._quotes:
            parts.append(self.close())
            parts.append("<blockquote>\n" * block.quote_level)
            self._quotes = block.quote_level
        if block.kind == "list_item":
            parts.append(self._move_to_item(block))
        else:
            parts.append(self._close_lists(0))
        return "".join(parts)

    def close(self) -> str:
        """Return the end tags of all open elements."""
        tags = self._close_lists(0) + "</blockquote>\n" * self._quotes
        self._quotes = 0
        return tags

    def _move_to_item(self, block: MarkupBlock) -> str:
        tag = "ul" if block.marker == "-" else "ol"
        depth = min(block.level, len(self._lists))
        parts = [self._close_lists(depth + 1)]
        if len(self._lists) > depth:
            parts.append("</li>\n")
            if self._lists[-1] != tag:
                parts.append(f"</{self._lists.pop()}>\n")
        if len(self._lists) == depth:
            self._lists.append(tag)
            parts.append(f'<{tag} class="checks">\n' if block.is_checked is not None else f"<{tag}>\n")
        value = "".join(letter for letter in block.marker if letter.isdecimal())
        parts.append(f'<li value="{int(value)}" dir="auto">' if value else '<li dir="auto">')
        return "".join(parts)

    def _close_lists(self, depth: int) -> str:
        closed = [f"</li>\n</{tag}>\n" for tag in reversed(self._lists[depth:])]
        del self._lists[depth:]
        return "".join(closed)


def _element(block: MarkupBlock) -> str:
    content = _inline(block.runs)
    match block.kind:
        case "heading":
            return f'<h{block.level} dir="auto">{content}</h{block.level}>\n'
        case "list_item":
            return _CHECKS[block.is_checked] + content
        case "table":
            return _table(block.cells)
        case "figure":
            return _figure(block, content)
        case "code":
            return f'<pre tabindex="0"><code>{html.escape(block.text)}</code></pre>\n'
        case "formula":
            return f'<p class="formula" title="{html.escape(block.source)}">{html.escape(block.text)}</p>\n'
        case "rule":
            return "<hr>\n"
    return f'<p dir="auto">{content}</p>\n' if content else ""


def _figure(block: MarkupBlock, caption: str) -> str:
    # Only pictures inside the file or of the server: a page must not make a browser fetch others.
    has_picture = block.source.startswith(("data:image/", "/api/"))
    label = html.escape(block.text or "Figure")
    picture = f'<img src="{html.escape(block.source)}" alt="{label}">\n' if has_picture else ""
    note = caption or ("" if has_picture else '<span lang="en">Figure</span>')
    return f'<figure>\n{picture}<figcaption dir="auto">{note}</figcaption>\n</figure>\n'


def _table(cells: Sequence[MarkupCell]) -> str:
    rows: dict[int, list[MarkupCell]] = defaultdict(list)
    for cell in cells:
        rows[cell.row].append(cell)
    body = "".join(f"<tr>{''.join(map(_cell, rows[row]))}</tr>\n" for row in range(max(rows, default=-1) + 1))
    direction = "rtl" if is_from_right("".join(cell.text for cell in cells)) else "ltr"
    scrolled = '<div class="table" tabindex="0" role="group" aria-label="Table">'
    return f'{scrolled}\n<table dir="{direction}">\n{body}</table>\n</div>\n'


def _cell(cell: MarkupCell) -> str:
    # An empty header cell names nothing, so it is an ordinary cell.
    is_header = cell.is_header and bool(cell.text.strip())
    tag = "th" if is_header else "td"
    sizes = {"rowspan": cell.row_span, "colspan": cell.column_span}
    attributes = "".join(f' {name}="{size}"' for name, size in sizes.items() if size > 1)
    scope = ' scope="col"' if is_header else ""
    return f'<{tag}{scope}{attributes} dir="auto">{_inline(cell.runs)}</{tag}>'


def _inline(runs: Sequence[TextRun]) -> str:
    return "".join(map(_run, runs))


def _run(run: TextRun) -> str:
    text = html.escape(run.text).replace("\n", "<br>\n")
    if run.latex:
        text = f'<span class="formula" title="{html.escape(run.latex)}">{text}</span>'
    for is_set, tag in (
        (run.is_code, "code"),
        (bool(run.script), run.script),
        (run.is_struck, "s"),
        (run.is_italic, "em"),
        (run.is_bold, "strong"),
    ):
        if is_set:
            text = f"<{tag}>{text}</{tag}>"
    if run.href.startswith(("http://", "https://", "mailto:")):
        text = f'<a href="{html.escape(run.href)}" rel="noreferrer">{text}</a>'
    return text
