"""ALTO 4.4 (Library of Congress): XML with the boxes and confidences of lines and words."""

from __future__ import annotations

from collections.abc import Iterator

from ... import __version__
from ...reading.types import Line, Word
from .document import ExportDocument, ExportPage
from .word_boxes import LineGroup, Rectangle, line_groups, rectangle, words_with_spaces
from .xml_text import xml_attributes, xml_text

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"
_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{NAMESPACE} {SCHEMA}" SCHEMAVERSION="4.4">
"""
_TAGS = ("heading", "list_item", "table", "caption", "formula", "code", "quote", "footnote")
_FURNITURE_TAGS = ("page_header", "page_footer", "page_number", "other_furniture")
TYPES = (*_TAGS, *_FURNITURE_TAGS)
"""Types of blocks that have a tag. A block without one is a paragraph."""


def write_alto(document: ExportDocument) -> Iterator[bytes]:
    """Yield the file, page by page."""
    tags = "".join(f'<LayoutTag ID="type_{name}" LABEL="{name}"/>\n' for name in TYPES)
    yield (
        f"{_HEAD}<Description>\n<MeasurementUnit>pixel</MeasurementUnit>\n"
        f"<sourceImageInformation><fileName>{xml_text(document.filename)}</fileName></sourceImageInformation>\n"
        '<Processing ID="processing_1"><processingStepDescription>OCR</processingStepDescription>'
        f"<processingStepSettings>{xml_text(_settings(document))}</processingStepSettings>"
        f"<processingSoftware><softwareName>scanrill</softwareName>"
        f"<softwareVersion>{__version__}</softwareVersion></processingSoftware></Processing>\n"
        f"</Description>\n<Tags>\n{tags}</Tags>\n<Layout>\n"
    ).encode()
    for page in document.pages():
        yield "".join(_page(page, document)).encode()
    yield b"</Layout>\n</alto>\n"


def _settings(document: ExportDocument) -> str:
    return f"engine: {document.engine or 'unknown'}; languages: {','.join(document.languages) or 'default'}"


def _page(page: ExportPage, document: ExportDocument) -> Iterator[str]:
    size = {"WIDTH": page.width, "HEIGHT": page.height}
    attributes = xml_attributes(ID=f"page_{page.number}", PHYSICAL_IMG_NR=page.number, **size)
    yield f"<Page{attributes}>\n<PrintSpace{_place(Rectangle(0, 0, page.width, page.height))}>\n"
    for number, group in enumerate(line_groups(page, document), 1):
        yield _block(page, group, f"{page.number}_{number}")
    yield "</PrintSpace>\n</Page>\n"


def _block(page: ExportPage, group: LineGroup, name: str) -> str:
    box = rectangle([line.box for line in group.lines], page)
    tag = f"type_{group.type}" if group.type in TYPES else None
    lines = "".join(_line(page, line, f"{name}_{number}") for number, line in enumerate(group.lines, 1))
    attributes = xml_attributes(ID=f"block_{name}", TAGREFS=tag)
    return f"<TextBlock{attributes}{_place(box)}>\n{lines}</TextBlock>\n"


def _line(page: ExportPage, line: Line, name: str) -> str:
    parts: list[str] = []
    for number, (word, has_space) in enumerate(words_with_spaces(line), 1):
        parts += ["<SP/>"] if has_space else []
        parts.append(_word(page, line, word, f"{name}_{number}"))
    shape = "" if line.box is None else f'<Shape><Polygon POINTS="{_points(line)}"/></Shape>'
    place = _place(rectangle([line.box], page))
    return f'<TextLine ID="line_{name}"{place}>{shape}{"".join(parts)}</TextLine>\n'


def _word(page: ExportPage, line: Line, word: Word, name: str) -> str:
    place = _place(rectangle([word.box or line.box], page))
    confidence = None if word.confidence is None else f"{word.confidence:.2f}"
    return f"<String{xml_attributes(ID=f'word_{name}', CONTENT=word.text, WC=confidence)}{place}/>"


def _points(line: Line) -> str:
    return " ".join(f"{round(x)},{round(y)}" for x, y in line.box or ())


def _place(box: Rectangle) -> str:
    return xml_attributes(HPOS=box.left, VPOS=box.top, WIDTH=box.width, HEIGHT=box.height)
