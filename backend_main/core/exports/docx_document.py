"""Word document (DOCX): headings, lists, tables, links and pictures, each page of the file on a page.

python-docx makes the package with its styles, lists and pictures. Its document tree would take 2 GB for 1,000
pages, so the XML of the body is written to a file page by page and put into the package at the end.
"""

from __future__ import annotations

import base64
import binascii
import io
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt
from lxml import etree

from . import docx_markup
from .document import ExportDocument, ExportPage
from .docx_markup import NO_FORMAT, ParagraphFormat
from .figures import with_pictures
from .files import CHUNK_BYTES, iter_file, zip_entry
from .markup import MarkupBlock, parse_markdown
from .text_runs import TextRun
from .xml_text import without_invalid

MAX_LINKS = 1000
"""Links of a document; further ones are text. python-docx compares each new one with all before it."""
MAX_PICTURE_BYTES = 64 * 1024 * 1024
"""Pictures of a document, which are in memory until its end; further figures have their caption only."""
MAX_LEVEL = 8
CODE_FONT = "Consolas"
PAGE_WIDTH, PAGE_HEIGHT, MARGIN = 210, 297, 22
"""A4, in millimetres."""
TEXT_WIDTH = Mm(PAGE_WIDTH - 2 * MARGIN)
_CHECKS = {True: "\u2611 ", False: "\u2610 ", None: ""}
_BODY = "word/document.xml"


def write_docx(document: ExportDocument) -> Iterator[bytes]:
    """Yield the file; empty bytes after each page until it is complete."""
    with tempfile.TemporaryFile() as body, tempfile.TemporaryFile() as file:
        package = _Package(document)
        is_first = True
        for page in document.pages():
            body.write(package.page(page, is_first=is_first).encode())
            is_first = False
            yield b""
        package.save(file, body)
        yield from iter_file(file)


class _Package:
    def __init__(self, document: ExportDocument) -> None:
        self._document = document
        self._docx = docx.Document()
        self._lists = _Lists(self._docx)
        self._links: dict[str, str] = {}
        self._picture_bytes = 0
        self._is_after_page_break = False
        section = self._docx.sections[0]
        section.page_width, section.page_height = Mm(PAGE_WIDTH), Mm(PAGE_HEIGHT)
        section.left_margin = section.right_margin = section.top_margin = section.bottom_margin = Mm(MARGIN)
        properties = self._docx.core_properties
        properties.title = without_invalid(document.filename)[:255]
        properties.author = properties.comments = ""
        _add_styles(self._docx)
        _set_language(self._docx, document.languages)

    def page(self, page: ExportPage, *, is_first: bool) -> str:
        """Return the XML of a page."""
        self._is_after_page_break = not is_first
        parts: list[str] = []
        kind_above = ""
        for block in parse_markdown(with_pictures(page, self._document)):
            # Tables that touch would be one, and a table cannot begin a page.
            if block.kind == "table" and (kind_above == "table" or self._is_after_page_break):
                parts.append(self._paragraph(()))
            parts.append(self._block(block))
            kind_above = block.kind
        if self._is_after_page_break or kind_above == "table":
            parts.append(self._paragraph(()))
        return "".join(parts)

    def save(self, file: IO[bytes], body: IO[bytes]) -> None:
        """Write the package to a file, with the XML of `body` as its text."""
        empty = io.BytesIO()
        self._docx.save(empty)
        with zipfile.ZipFile(empty) as source, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                content = source.read(name)
                with target.open(zip_entry(name), "w", force_zip64=name == _BODY) as entry:
                    if name != _BODY:
                        entry.write(content)
                        continue
                    start, mark, end = content.partition(b"<w:sectPr")
                    entry.write(start)
                    body.seek(0)
                    while chunk := body.read(CHUNK_BYTES):
                        entry.write(chunk)
                    entry.write(mark + end)

    def _block(self, block: MarkupBlock) -> str:
        match block.kind:
            case "heading":
                return self._paragraph(block.runs, ParagraphFormat(f"Heading{block.level}"))
            case "list_item":
                runs = (TextRun(_CHECKS[block.is_checked]), *block.runs)
                level = min(block.level, MAX_LEVEL)
                numbering = self._lists.numbering(block.marker, level)
                return self._paragraph(runs, ParagraphFormat("ListParagraph", numbering, level))
            case "table":
                return docx_markup.table(block.cells, self._runs)
            case "figure":
                return self._figure(block)
            case "code":
                return self._paragraph([TextRun(block.text, is_code=True)], ParagraphFormat("NoSpacing"))
            case "formula":
                return self._paragraph(block.runs, ParagraphFormat(is_centered=True))
            case "rule":
                return ""
        return self._paragraph(block.runs, ParagraphFormat("Quote" if block.quote_level else ""))

    def _paragraph(self, runs: Sequence[TextRun], form: ParagraphFormat = NO_FORMAT) -> str:
        form = form._replace(is_after_page_break=self._is_after_page_break)
        self._is_after_page_break = False
        return docx_markup.paragraph(self._runs(runs), "".join(run.text for run in runs), form)

    def _runs(self, runs: Sequence[TextRun]) -> str:
        return "".join(map(self._run, runs))

    def _run(self, run: TextRun) -> str:
        if run.href.startswith(("http://", "https://", "mailto:")):
            relation = self._links.get(run.href)
            if relation is None and len(self._links) < MAX_LINKS:
                relation = self._docx.part.relate_to(run.href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
                self._links[run.href] = relation
            if relation is not None:
                return docx_markup.hyperlink(relation, docx_markup.run(run))
        return docx_markup.run(run._replace(href="")) if run.text else ""

    def _figure(self, block: MarkupBlock) -> str:
        picture = self._picture(block.source)
        shown = ""
        if picture:
            self._picture_bytes += len(picture)
            inline = self._docx.part.new_pic_inline(io.BytesIO(picture), width=TEXT_WIDTH, height=None)
            drawing = etree.tostring(inline).decode()
            form = ParagraphFormat(is_after_page_break=self._is_after_page_break, is_centered=True)
            self._is_after_page_break = False
            shown = docx_markup.paragraph(f"<w:r><w:drawing>{drawing}</w:drawing></w:r>", form=form)
        if picture and not block.text:
            return shown
        caption = block.runs or (TextRun("[Figure]"),)
        return shown + self._paragraph(caption, ParagraphFormat("Caption"))

    def _picture(self, address: str) -> bytes:
        head, _, data = address.partition(";base64,")
        if not head.startswith("data:image/") or self._picture_bytes + len(data) > MAX_PICTURE_BYTES:
            return b""
        try:
            return base64.b64decode(data)
        except binascii.Error:
            return b""


class _Lists:
    """Numbering of lists. A number is part of the text that was read, so each list starts with its own."""

    def __init__(self, document: docx.document.Document) -> None:
        self._part = document.part.numbering_part.element
        first_num = self._part.find(qn("w:num"))
        self._kinds = {}
        for place, (mark, text) in enumerate((("-", "\u2022"), (".", "%{}."), (")", "%{})"))):
            number = 1000 + place
            first_num.addprevious(_abstract_list(number, text))
            self._kinds[mark] = number
        self._bullets = self._part.add_num(self._kinds["-"]).numId
        self._open: dict[int, tuple[str, int, int]] = {}  # level → mark, number of the last item, id

    def numbering(self, marker: str, level: int) -> int:
        """Return the id of the list that the next item belongs to."""
        if marker == "-":
            return int(self._bullets)
        self._open = {key: value for key, value in self._open.items() if key <= level}
        mark, number = marker[-1], int(marker[:-1])
        before = self._open.get(level)
        if before is None or before[0] != mark or before[1] + 1 != number:
            num = self._part.add_num(self._kinds[mark])
            num.add_lvlOverride(ilvl=level).add_startOverride(number)
            before = (mark, number, int(num.numId))
        self._open[level] = (mark, number, before[2])
        return before[2]


def _abstract_list(number: int, text: str) -> etree._Element:
    levels = "".join(
        f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/>'
        f'<w:numFmt w:val="{"bullet" if text == chr(0x2022) else "decimal"}"/>'
        f'<w:lvlText w:val="{text.format(level + 1)}"/><w:lvlJc w:val="left"/>'
        f'<w:pPr><w:ind w:left="{720 * (level + 1)}" w:hanging="360"/></w:pPr></w:lvl>'
        for level in range(MAX_LEVEL + 1)
    )
    kind = '<w:multiLevelType w:val="multilevel"/>'
    return parse_xml(
        f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">{kind}{levels}</w:abstractNum>'
    )


def _add_styles(document: docx.document.Document) -> None:
    code = document.styles.add_style("Code Text", WD_STYLE_TYPE.CHARACTER)
    code.element.set(qn("w:styleId"), docx_markup.CODE_STYLE)
    code.font.name = CODE_FONT
    style = document.styles.add_style("Table Text", WD_STYLE_TYPE.PARAGRAPH)
    style.element.set(qn("w:styleId"), docx_markup.TABLE_STYLE)
    style.font.size = Pt(9)
    style.paragraph_format.space_after = Pt(0)
    style.paragraph_format.line_spacing = 1.0


def _set_language(document: docx.document.Document, languages: Sequence[str]) -> None:
    """Set the language of the spelling check; a wrong one would underline every word."""
    fonts = document.styles.element.find(f"{qn('w:docDefaults')}/{qn('w:rPrDefault')}/{qn('w:rPr')}")
    language = fonts.find(qn("w:lang"))
    if languages and language is not None:
        for attribute in ("w:val", "w:eastAsia", "w:bidi"):
            language.set(qn(attribute), languages[0])
