"""hOCR 1.2: XHTML with the boxes and confidences of lines and words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ... import __version__
from ...reading.types import Line
from .document import ExportDocument, ExportPage
from .word_boxes import LineGroup, Rectangle, angle, line_groups, rectangle, words_with_spaces
from .xml_text import xml_attributes, xml_text

MIN_TEXT_ANGLE = 45.0
"""Degrees from which a line is turned text; below it is slanted, which the slope of its baseline says."""
_CAPABILITIES = "ocr_page ocr_carea ocr_par ocr_line ocr_header ocr_footer ocrx_word"
_LINE_CLASSES = {"page_header": "ocr_header", "page_footer": "ocr_footer"}


def write_hocr(document: ExportDocument) -> Iterator[bytes]:
    """Yield the file, page by page."""
    language = document.languages[0] if document.languages else None
    languages = xml_attributes(**{"xml:lang": language, "lang": language})
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        f'<html xmlns="http://www.w3.org/1999/xhtml"{languages}>\n'
        f"<head>\n<title>{xml_text(document.filename)}</title>\n"
        '<meta http-equiv="Content-Type" content="text/html;charset=utf-8"/>\n'
        f'<meta name="ocr-system" content="scanrill {__version__}"/>\n'
        f'<meta name="ocr-capabilities" content="{_CAPABILITIES}"/>\n'
        f'<meta name="ocr-number-of-pages" content="{len(document.page_numbers)}"/>\n'
        "</head>\n<body>\n"
    ).encode()
    for page in document.pages():
        yield "".join(_page(page, document)).encode()
    yield b"</body>\n</html>\n"


def _page(page: ExportPage, document: ExportDocument) -> Iterator[str]:
    # A quotation mark would end the name (hOCR 1.2, `image`).
    image = "".join(letter for letter in document.filename if letter not in "\"\\;'")
    box = Rectangle(0, 0, page.width, page.height)
    title = f'image "{image}"; {_bbox(box)}; ppageno {page.number - 1}'
    yield f'<div class="ocr_page" id="page_{page.number}"{xml_attributes(title=title)}>\n'
    for number, group in enumerate(line_groups(page, document), 1):
        yield _area(page, group, f"{page.number}_{number}")
    yield "</div>\n"


def _area(page: ExportPage, group: LineGroup, name: str) -> str:
    box = _bbox(rectangle([line.box for line in group.lines], page))
    line_class = _LINE_CLASSES.get(group.type, "ocr_line")
    lines = "".join(
        _line(page, line, f"{name}_{number}", line_class) for number, line in enumerate(group.lines, 1)
    )
    return (
        f'<div class="ocr_carea" id="block_{name}" title="{box}">\n'
        f'<p class="ocr_par" id="par_{name}" title="{box}">\n{lines}</p>\n</div>\n'
    )


def _line(page: ExportPage, line: Line, name: str, line_class: str) -> str:
    box = rectangle([line.box], page)
    words = "".join(
        f'{" " if has_space else ""}<span class="ocrx_word" id="word_{name}_{number}" '
        f'title="{_bbox(rectangle([word.box or line.box], page))}{_confidence(word.confidence)}">'
        f"{xml_text(word.text)}</span>"
        for number, (word, has_space) in enumerate(words_with_spaces(line), 1)
    )
    title = _bbox(box) + _direction(line, box)
    return f'<span class="{line_class}" id="line_{name}" title="{title}">{words}</span>\n'


def _direction(line: Line, box: Rectangle) -> str:
    """Return the baseline of a line, or the angle of turned text, as a property of its title."""
    if line.box is None:
        return ""
    degrees = angle(line.box)
    if abs(degrees) >= MIN_TEXT_ANGLE:
        return f"; textangle {round(degrees) % 360}"
    (_, _), (_, _), (right, right_bottom), (left, left_bottom) = line.box
    slope = (right_bottom - left_bottom) / (right - left) if right > left else 0.0
    # The baseline begins at the left side of the box; the offset is from its bottom (hOCR 1.2, `baseline`).
    offset = left_bottom - slope * (left - box.left) - box.bottom
    return f"; baseline {slope:.3f} {math.floor(offset)}"


def _bbox(box: Rectangle) -> str:
    return f"bbox {box.left} {box.top} {box.right} {box.bottom}"


def _confidence(confidence: float | None) -> str:
    return "" if confidence is None else f"; x_wconf {round(100 * confidence)}"
