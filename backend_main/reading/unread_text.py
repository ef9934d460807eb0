"""Recognition of the parts of a PDF page that its text layer does not cover.

The engine reads one image: the page without the text of the text layer, cropped to the unread parts. An
engine without boxes reads each part as a page of its own.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from statistics import median

import msgspec

from .confidence import UNREADABLE_SHARE, length_in_heights, low_confidence_share
from .documents.document import PageImage
from .documents.pdf_graphics import Rect
from .documents.pdf_text_layer import TextLayer, TextRun
from .documents.styled_text import TextPiece, TextStyle
from .documents.turned_page import upright_box
from .documents.unread_areas import bounding_area
from .engines import Engine, lines_after_restart
from .fallback import FallbackEngines
from .output.plain_text import to_plain_text
from .page_assembly import AssemblySettings
from .types import Box, Line, Options, PageWarning, level_box, to_page_warning
from .unread_ink import boxes_outside, low_confidence_warning, read_unread_ink, unread_ink_warning
from .warning_codes import WarningCode
from .words import move_line

MARGIN = 12
"""Ground around an area, in pixels, that detectors need."""
MIN_CONFIDENCE, MIN_SHORT_CONFIDENCE, MIN_LETTER_CONFIDENCE = 0.75, 0.9, 0.98
"""A photograph has shapes that an engine takes for letters, mostly few: a nut is a C with .97."""
SHORT_TEXT = 4
MIN_CERTAIN_CONFIDENCE = 0.95
"""Confidence of a short text below which a warning names it: “PDF JS” of a logo is “POFJ” with .94."""
MAX_LETTER_LENGTH = 2.5
"""Length of a line for each of its letters, in its heights: two shapes far apart are “TT”."""
_REPEATED_LETTER = re.compile(r"([^\W\d_])\1{3}")
MAX_COPY_RATIO = 0.7
MIN_COPY_OVERLAP = 0.5
"""A recognized line copies text that lies there, as a shadow does, if texts and places agree as much."""
BASELINE, FONT_SIZE = 0.78, 0.75
"""Baseline and font size of a recognized line, in heights of its box."""
MIN_LINES_TO_COMPARE, MIN_LARGE_RATIO = 4, 1.4
"""Lines of the pictures of a page, and heights of the usual one, from which a line is large."""
MIN_UNREADABLE_LINES, MIN_UNREADABLE_HEIGHTS = 2, 6.0
"""Lines, and their length in heights, from which a picture has text that the engine cannot read."""

_log = logging.getLogger("scanrill.reading")


@dataclass(frozen=True)
class Readers:
    """A configured engine with the options of the read, and the engines for other scripts."""

    engine: Engine
    options: Options
    fallback: FallbackEngines
    settings: AssemblySettings


@dataclass
class UnreadText:
    """Recognized lines of the unread parts of a page, with boxes on the page. `unread` are boxes with ink."""

    lines: list[Line] = field(default_factory=list)
    warnings: list[PageWarning] = field(default_factory=list)
    unread: list[Box] = field(default_factory=list)


def read_unread_areas(
    page: PageImage,
    areas: Sequence[Rect],
    runs: Sequence[TextRun],
    readers: Readers,
) -> UnreadText:
    """Recognize the unread areas of a page. A failure of the engine is a warning, since the page has text.

    Args:
        page: the page without the text of its text layer.
        areas: its unread areas.
        runs: the text layer, whose copies in the picture are left out.
        readers: what reads them.
    """
    result = UnreadText()
    parts = [bounding_area(areas)] if readers.engine.provides_boxes else areas
    for part in parts:
        image, left, top = _crop(page, part)
        try:
            part_text = _read(image, readers)
        except Exception as error:  # an engine may raise any exception
            _log.exception("The pictures of page %d could not be recognized.", page.number)
            result.warnings.append(_pictures_failed(page.number, part, error))
            continue
        placed = [_warning_moved(warning, left, top) for warning in part_text.warnings]
        result.warnings += [warning for warning in placed if warning not in result.warnings]
        result.lines += [_moved(line, left, top) for line in part_text.lines]
        result.unread += [_box_moved(box, left, top) for box in part_text.unread]
    result.lines = [line for line in result.lines if not _is_copy(line, runs)]
    result.unread = boxes_outside(result.unread, [run.box for run in runs])
    if result.unread:
        result.warnings.append(unread_ink_warning(page.number, result.unread))
    uncertain = [line.box for line in result.lines if line.box and _is_uncertain(line)]
    if uncertain:
        result.warnings.append(low_confidence_warning(page.number, uncertain))
    return result


def text_runs(lines: Sequence[Line], layer: TextLayer) -> list[TextRun]:
    """Return recognized lines as runs of the text layer of their page.

    Their font size is that of the text layer, because print in a picture has a size of its own, which makes
    no heading. A line that is much higher than the others of the pictures is larger.
    """
    boxes = [upright_box(layer, line.box) for line in lines if line.box]
    if not boxes:
        return []
    heights = [bottom - top for _, top, _, bottom in map(_bounds, boxes)]
    usual = median(heights)
    body = _main_size(layer.runs) or FONT_SIZE * usual
    found = []
    for line, box, height in zip(lines, boxes, heights, strict=True):
        is_large = len(lines) >= MIN_LINES_TO_COMPARE and height > MIN_LARGE_RATIO * usual
        found.append(text_run(line, box, TextStyle(size=body * (height / usual if is_large else 1))))
    return found


def _main_size(runs: Sequence[TextRun]) -> float:
    """Return the font size of most letters; 0 without any."""
    letters: Counter[float] = Counter()
    for run in runs:
        for piece in run.pieces:
            letters[piece.style.size] += len(piece.text)
    return letters.most_common(1)[0][0] if letters else 0.0


def text_run(line: Line, upright: Box, style: TextStyle) -> TextRun:
    """Return a recognized line as a run of a text layer. Places of words follow from their letters.

    Args:
        line: a line with a box.
        upright: its box in the frame of the page's text.
        style: style of the text.
    """
    assert line.box is not None  # `read_unread_areas` gives every line a box
    left, top, right, bottom = _bounds(upright)
    height = bottom - top
    width = (right - left) / max(1, len(line.text))
    pieces, place = [], 0
    for word in line.text.split():
        place = line.text.index(word, place)
        start, end = left + place * width, left + (place + len(word)) * width
        pieces.append(TextPiece(word, start, end, top + BASELINE * height, style))
        place += len(word)
    return TextRun(line.text, line.box, tuple(pieces))


def _crop(page: PageImage, area: Rect) -> tuple[PageImage, int, int]:
    left, top = max(0, int(area[0]) - MARGIN), max(0, int(area[1]) - MARGIN)
    right, bottom = min(page.width, int(area[2]) + MARGIN), min(page.height, int(area[3]) + MARGIN)
    pixels = page.pixels[top:bottom, left:right].copy()
    height, width = pixels.shape[:2]
    return PageImage(page.number, pixels, width, height, page.info), left, top


def _read(image: PageImage, readers: Readers) -> UnreadText:
    engine = readers.engine
    lines = lines_after_restart(engine.read_page(image))
    if not engine.provides_boxes:
        markdown = engine.final_markdown(image, lines)
        return UnreadText(_lines_of_markdown(image, markdown), list(map(to_page_warning, engine.warnings())))
    warnings = list(map(to_page_warning, engine.warnings()))
    if _is_unreadable(lines, engine):
        result = readers.fallback.reread_page(image, engine, readers.options, readers.settings)
        if result.warning is not None:
            warnings.append(_about_pictures(image, result.warning))
        lines = lines if result.page is None else result.page.lines
    ink = None if engine.is_test_engine or warnings else read_unread_ink(image, lines, engine)
    sure = [line for line in (ink.all_lines(lines) if ink else lines) if line.box and _is_sure(line)]
    return UnreadText(sure, warnings, ink.unread_words if ink else [])


def _is_unreadable(lines: Sequence[Line], engine: Engine) -> bool:
    """Return whether the image has text, most of which the engine cannot read."""
    long_lines = [line for line in lines if length_in_heights(line.box) >= MIN_UNREADABLE_HEIGHTS]
    is_text = len(long_lines) >= MIN_UNREADABLE_LINES and not engine.is_test_engine
    return is_text and low_confidence_share(lines) >= UNREADABLE_SHARE


def _is_sure(line: Line) -> bool:
    text = line.text.strip()
    if line.confidence is None or not text:
        return bool(text)
    if _is_texture(text) or length_in_heights(line.box) > MAX_LETTER_LENGTH * len(text):
        return False
    if len(text) == 1:
        return line.confidence >= MIN_LETTER_CONFIDENCE
    return line.confidence >= (MIN_CONFIDENCE if len(text) > SHORT_TEXT else MIN_SHORT_CONFIDENCE)


def _is_uncertain(line: Line) -> bool:
    is_short = len(line.text.strip()) <= SHORT_TEXT
    return is_short and line.confidence is not None and line.confidence < MIN_CERTAIN_CONFIDENCE


def _is_texture(text: str) -> bool:
    """Return whether a letter repeats as no word has it, beside others: a thread is “mssssss”."""
    return len(set(text)) > 1 and bool(_REPEATED_LETTER.search(text))


def _lines_of_markdown(image: PageImage, markdown: str) -> list[Line]:
    """Return the lines of Markdown, which share the height of the image."""
    texts = [text for text in to_plain_text(markdown).splitlines() if text.strip()]
    height = image.height / max(1, len(texts))
    return [
        Line(
            image.number, text, text, level_box(0.0, index * height, float(image.width), (index + 1) * height)
        )
        for index, text in enumerate(texts)
    ]


def _moved(line: Line, left: float, top: float) -> Line:
    return move_line(line, lambda box: _box_moved(box, left, top))


def _warning_moved(warning: PageWarning, left: float, top: float) -> PageWarning:
    boxes = tuple(_box_moved(box, left, top) for box in warning.boxes)
    return msgspec.structs.replace(warning, boxes=boxes)


def _box_moved(box: Box, left: float, top: float) -> Box:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = box
    return ((x0 + left, y0 + top), (x1 + left, y1 + top), (x2 + left, y2 + top), (x3 + left, y3 + top))


def _pictures_failed(number: int, area: Rect, error: Exception) -> PageWarning:
    reason = f"{error}".strip() or "The engine failed."
    return PageWarning(
        WarningCode.UNREAD_PICTURES,
        f"The pictures on page {number} may contain text that could not be recognized. {_sentence(reason)}",
        (level_box(*area),),
    )


def _about_pictures(image: PageImage, warning: PageWarning) -> PageWarning:
    """Return a warning about an image as one about the pictures of its page."""
    message = f"Pictures on page {image.number}: {warning.message}"
    boxes = warning.boxes or (level_box(0.0, 0.0, float(image.width), float(image.height)),)
    return msgspec.structs.replace(warning, message=message, boxes=boxes)


def _is_copy(line: Line, runs: Sequence[TextRun]) -> bool:
    """Return whether a line is in the text layer already, at its place."""
    assert line.box is not None  # lines without a box are left out
    box = _bounds(line.box)
    near = [run for run in runs if _overlap(_bounds(run.box), box) > MIN_COPY_OVERLAP]
    if not near:
        return False
    text = " ".join(run.text for run in near)
    common = sum(block.size for block in SequenceMatcher(None, line.text, text, False).get_matching_blocks())
    return common >= MAX_COPY_RATIO * len(line.text)


def _bounds(box: Box) -> Rect:
    xs, ys = zip(*box, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _overlap(first: Rect, second: Rect) -> float:
    """Return the common area of two rectangles, as a share of the smaller one."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    if width <= 0 or height <= 0:
        return 0.0
    smaller = min((right - left) * (bottom - top) for left, top, right, bottom in (first, second))
    return width * height / max(1.0, smaller)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:].rstrip(".") + "."
