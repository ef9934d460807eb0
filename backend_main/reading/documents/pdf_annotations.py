"""Annotations of a PDF page: form fields, stamps and notes.

pdfium's text page does not contain what annotations draw. `flatten` makes them part of the page, so that
values of fields and words of stamps are read at their place, like all other text. The state of check
boxes and the text of notes come from the annotations themselves.
"""

import ctypes
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from ...control_characters import remove_controls
from .pdf_characters import Glyph
from .pdf_graphics import PointRect
from .pdf_links import LinkArea, read_links

CHECKED, UNCHECKED = "\u2612", "\u2610"
"""Ballot boxes, which the Markdown shows as `[x]` and `[ ]`."""
MAX_ANNOTATIONS = 5_000
MAX_LABEL_DISTANCE = 8.0
"""In heights of a box: its label is as near."""
BOX_BASELINE = 0.2
"""Baseline of a box without a label, in its heights."""
CHARACTER_WIDTH = 0.5
"""In font sizes: mean of Latin letters, for text whose letters have no places."""
LINE_HEIGHT = 1.2
DEFAULT_SIZE = 10.0
"""Font size in points of a text without an appearance."""


@dataclass(frozen=True, slots=True)
class Note:
    """Text that belongs to a place of the page, but is not printed there. `author` may be empty."""

    text: str
    author: str
    rect: PointRect


@dataclass(frozen=True, slots=True)
class CheckBox:
    """A check box or a radio button of a form."""

    is_checked: bool
    rect: PointRect


@dataclass(frozen=True, slots=True)
class Annotations:
    """Annotations of a page that are not hidden.

    has_drawing: some are drawn.
    texts: those that a viewer draws though the file has no appearance for them.
    fields: places of the values of form fields.
    """

    has_drawing: bool = False
    check_boxes: tuple[CheckBox, ...] = ()
    notes: tuple[Note, ...] = ()
    texts: tuple[Note, ...] = ()
    links: tuple[LinkArea, ...] = ()
    fields: tuple[PointRect, ...] = ()


NO_ANNOTATIONS = Annotations()


def read_annotations(page: Any) -> Annotations:
    """Return the annotations of a pypdfium2 page that has not been flattened."""
    import pypdfium2.raw as pdfium

    if pdfium.FPDFPage_GetAnnotCount(page.raw) <= 0:
        return NO_ANNOTATIONS
    has_drawing = False
    check_boxes, notes, texts, fields = [], [], [], []
    for annotation in _shown_annotations(page):
        subtype = pdfium.FPDFAnnot_GetSubtype(annotation)
        if subtype in (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_POPUP):
            continue
        if subtype == pdfium.FPDF_ANNOT_WIDGET:
            has_drawing = True
            boxes = _check_boxes(page, annotation)
            check_boxes += boxes
            fields += [] if boxes else [_rect(annotation)]
        elif subtype == pdfium.FPDF_ANNOT_FREETEXT:
            has_drawing = True
            if not pdfium.FPDFAnnot_GetObjectCount(annotation):
                texts += _notes(annotation)
        elif subtype == pdfium.FPDF_ANNOT_STAMP:
            has_drawing = True
        else:
            has_drawing |= subtype != pdfium.FPDF_ANNOT_TEXT
            notes += _notes(annotation)
    return Annotations(
        has_drawing=has_drawing,
        check_boxes=tuple(check_boxes),
        notes=tuple(notes),
        texts=tuple(texts),
        links=tuple(read_links(page)),
        fields=tuple(fields),
    )


def flatten(page: Any) -> None:
    """Make the drawing of annotations part of the page. A page that is loaded later has it in its text."""
    import pypdfium2.raw as pdfium

    pdfium.FPDFPage_Flatten(page.raw, pdfium.FLAT_NORMALDISPLAY)


def with_annotations(glyphs: Sequence[Glyph], annotations: Annotations) -> list[Glyph]:
    """Return the glyphs of a flattened page, with check boxes, and texts that the page does not draw."""
    boxes = annotations.check_boxes
    result = [glyph for glyph in glyphs if not any(_is_inside(glyph, box.rect) for box in boxes)]
    labels = [glyph for glyph in result if not glyph.is_space and glyph.angle == 0]
    # Negative identifiers differ from those of all text objects.
    result += [_box_glyph(box, labels, -1 - number) for number, box in enumerate(boxes)]
    for number, text in enumerate(annotations.texts, len(boxes)):
        result += _text_glyphs(text, -1 - number)
    return result


# --- annotations -------------------------------------------------------------------------------------------


def _shown_annotations(page: Any) -> Iterator[Any]:
    import pypdfium2.raw as pdfium

    count = min(pdfium.FPDFPage_GetAnnotCount(page.raw), MAX_ANNOTATIONS)
    for index in range(count):
        with _annotation(page, index) as annotation:
            hidden = pdfium.FPDF_ANNOT_FLAG_HIDDEN | pdfium.FPDF_ANNOT_FLAG_NOVIEW
            if annotation and not pdfium.FPDFAnnot_GetFlags(annotation) & hidden:
                yield annotation


@contextmanager
def _annotation(page: Any, index: int) -> Iterator[Any]:
    import pypdfium2.raw as pdfium

    annotation = pdfium.FPDFPage_GetAnnot(page.raw, index)
    try:
        yield annotation
    finally:
        if annotation:
            pdfium.FPDFPage_CloseAnnot(annotation)


def _check_boxes(page: Any, annotation: Any) -> list[CheckBox]:
    import pypdfium2.raw as pdfium

    if page.formenv is None:
        return []
    kind = pdfium.FPDFAnnot_GetFormFieldType(page.formenv.raw, annotation)
    if kind not in (pdfium.FPDF_FORMFIELD_CHECKBOX, pdfium.FPDF_FORMFIELD_RADIOBUTTON):
        return []
    is_checked = bool(pdfium.FPDFAnnot_IsChecked(page.formenv.raw, annotation))
    return [CheckBox(is_checked, _rect(annotation))]


def _notes(annotation: Any) -> list[Note]:
    text = "\n".join(" ".join(line.split()) for line in _string(annotation, b"Contents").splitlines())
    author = " ".join(_string(annotation, b"T").split())
    return [Note(text.strip(), author, _rect(annotation))] if text.strip() else []


def _string(annotation: Any, key: bytes) -> str:
    import pypdfium2.raw as pdfium

    size = pdfium.FPDFAnnot_GetStringValue(annotation, key, None, 0)
    buffer = ctypes.create_string_buffer(size)
    pointer = ctypes.cast(buffer, ctypes.POINTER(pdfium.FPDF_WCHAR))
    pdfium.FPDFAnnot_GetStringValue(annotation, key, pointer, size)
    text = buffer.raw[: max(0, size - 2)].decode("utf-16-le", "replace")
    return remove_controls(text.replace("\r\n", "\n").replace("\r", "\n"))


def _rect(annotation: Any) -> PointRect:
    import pypdfium2.raw as pdfium

    rect = pdfium.FS_RECTF()
    pdfium.FPDFAnnot_GetRect(annotation, rect)
    left, right = sorted((rect.left, rect.right))
    bottom, top = sorted((rect.bottom, rect.top))
    return left, bottom, right, top


# --- glyphs ------------------------------------------------------------------------------------------------


def _is_inside(glyph: Glyph, rect: PointRect) -> bool:
    left, bottom, right, top = rect
    x, y = (glyph.start + glyph.end) / 2, glyph.baseline + glyph.size / 4
    return glyph.angle == 0 and left <= x <= right and bottom <= y <= top


def _box_glyph(box: CheckBox, labels: Sequence[Glyph], identifier: int) -> Glyph:
    """Return the glyph of a check box, on the baseline of its label so that both are on one line."""
    left, bottom, right, top = box.rect
    height = top - bottom
    text = CHECKED if box.is_checked else UNCHECKED

    def distance(glyph: Glyph) -> float:
        return glyph.start - right if glyph.start >= (left + right) / 2 else left - glyph.end

    beside = [
        glyph
        for glyph in labels
        if bottom - height / 4 < glyph.baseline < top and distance(glyph) < MAX_LABEL_DISTANCE * height
    ]
    if beside:
        label = min(beside, key=distance)
        return replace(label, text=text, start=left, end=right, text_object=identifier, script="")
    return Glyph(
        text, left, right, bottom + BOX_BASELINE * height, height, (0, round(height, 1)), 0.0, 0, identifier
    )


def _text_glyphs(note: Note, identifier: int) -> Iterator[Glyph]:
    """Yield the glyphs of a text without places, line by line from the top of its rectangle."""
    left, _, _, top = note.rect
    size = DEFAULT_SIZE
    for number, line in enumerate(note.text.split("\n")):
        baseline = top - size - number * LINE_HEIGHT * size
        for place, letter in enumerate(line):
            start = left + place * CHARACTER_WIDTH * size
            end = start + CHARACTER_WIDTH * size
            yield Glyph(letter, start, end, baseline, size, (0, size), 0.0, place, identifier)
