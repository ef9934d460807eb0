"""Text layer of a PDF page: what the page shows of it, and what the page shows beside it.

Text that nobody sees is left out. Parts of the page that look like text, but are not in the text layer, are
listed, so that an engine can read them. A scan may carry the invisible text of an earlier recognition.
"""

import ctypes
import math
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..types import Box, Word, level_box
from .glyph_outlines import fonts_with_other_outlines
from .pdf_annotations import NO_ANNOTATIONS, Annotations, with_annotations
from .pdf_characters import LINE_END_HYPHENS, UNMAPPED, Glyph, read_glyphs
from .pdf_graphics import NO_GRAPHICS, Graphics, Mapping, Rect, pixel_rect, read_graphics
from .pdf_lines import TextLine, text_lines
from .pdf_links import with_links
from .pdf_objects import page_objects, text_objects
from .pdf_structure import NO_TAGS, PageTags, read_tags
from .pdf_vertical import with_vertical_text
from .pdf_visibility import Flags, hidden_glyphs, render_ink
from .pdf_word_boxes import shown_fragments, words_of_fragments
from .pdf_words import Fragment
from .styled_text import TextPiece, TextStyle, text_of_pieces
from .text_plausibility import is_implausible
from .turned_blocks import frame_turn, turned_rotations
from .turned_page import quarter_turns_of_text, turned_mapping
from .unread_areas import unread_areas

UNMAPPED_CATEGORIES = frozenset({"Cc", "Co", "Cn", "Cs"})
"""Unicode categories that text does not have: control, private use, unassigned and surrogate."""
MAX_UNMAPPED_SHARE = 0.02
MAX_WORD_CHARACTERS, MAX_LONG_WORD_SHARE = 40, 0.1
"""Text with more ASCII words of such a length has lost the spaces between its words."""
MIN_UNSEEN_SHARE = 0.5
"""Share of invisible letters from which they may be the text of a scan."""
MIN_UNSEEN_ON_PRINT = 0.7
"""Share of the invisible letters that lie on print, if they are the text of a scan."""
SUSPECT_SAMPLE, UNSEEN_SAMPLE = 4, 6
"""Runs that are compared with the page."""
FIGURE_WEIGHT = 2
LAST_LATIN = "\u024f"
MAX_LAYOUT_RUNS = 5000
"""Runs of a page with a layout. A page of a newspaper has 3,000; 6,000 fractions took 11 s."""
DEVICE_LONG_SIDE = 1 << 24
"""Long side of the device to which pdfium maps coordinates; large, because it returns whole pixels."""
MIN_OBLIQUENESS = 1e-3


@dataclass(frozen=True)
class TextRun:
    """Stretch of a line without wide gaps; `box` is in pixels of the rendered page.

    `pieces` are in logical order, and make up the text. `place` orders the runs by the content of the page;
    recognized ones have none. `rotation` is that of a block which is read in its own frame, in degrees
    counter-clockwise, and the pieces are in pixels of that frame. `words` are in pixels of the page.
    """

    text: str
    box: Box
    pieces: tuple[TextPiece, ...] = ()
    place: int | None = None
    rotation: float | None = None
    words: tuple[Word, ...] = ()


@dataclass(frozen=True)
class PageNote:
    """A note at a place of the page, in pixels of the rendered page. `author` may be empty."""

    text: str
    author: str
    box: Box


@dataclass(frozen=True)
class TextLayer:
    """Text and drawing of a page; `width` and `height` are pixels of the rendered page.

    unread_areas: parts that look like text and are not in the runs.
    is_unseen: the runs are invisible, and lie on print: somebody recognized the scan before.
    sample: indices of runs to compare with the page; empty if none is suspect.
    with_lost_letters: indices of runs in which a glyph within a word has no mapping to a letter.
    notes: text that readers of the file attached to places of the page.
    tags: headings and quotes by the structure tree; none if the text is rotated.
    fields: places of the values of form fields; none if the text is rotated.
    """

    width: int
    height: int
    runs: tuple[TextRun, ...]
    graphics: Graphics = NO_GRAPHICS
    unread_areas: tuple[Rect, ...] = ()
    is_unseen: bool = False
    sample: tuple[int, ...] = ()
    with_lost_letters: tuple[int, ...] = ()
    notes: tuple[PageNote, ...] = ()
    quarter_turns: int = 0
    tags: PageTags = NO_TAGS
    fields: tuple[Rect, ...] = ()

    @property
    def is_too_dense(self) -> bool:
        """Whether the page has more runs than a layout is found for in a few seconds."""
        return len(self.runs) > MAX_LAYOUT_RUNS


def extract_text_layer(
    page: Any, scale: float, annotations: Annotations = NO_ANNOTATIONS
) -> TextLayer | None:
    """Return a page's text layer, or None if its image must be read instead.

    Args:
        page: a pypdfium2 page, flattened if it has fields or stamps.
        scale: pixels per point of the rendered page.
        annotations: of the page before it was flattened.
    """
    width, height = (side * scale for side in page.get_size())
    to_pixels = _pixel_mapping(page, width, height)
    textpage = page.get_textpage()
    try:
        glyphs = read_glyphs(textpage)
        turns = quarter_turns_of_text(glyphs, page.get_rotation())
        objects = page_objects(page)
        ink = render_ink(page, text_objects(objects))
        hidden = hidden_glyphs(page, textpage, glyphs, ink, _scaled(to_pixels, ink.scale / scale))
    finally:
        textpage.close()
    graphics = read_graphics(objects, to_pixels)
    areas = unread_areas(ink.without_text, scale / ink.scale, graphics.images)
    is_unseen = _is_text_of_scan(glyphs, hidden, areas, to_pixels)
    seen = [glyph for glyph, is_hidden in zip(glyphs, hidden, strict=True) if is_unseen or not is_hidden]
    linked = with_links(with_annotations(seen, annotations), annotations.links)
    placed = with_vertical_text(linked)
    if placed is not linked:
        turns = quarter_turns_of_text(placed, page.get_rotation())
    runs = tuple(_text_runs(placed, page, scale, turns))
    notes = page_notes(page, scale, annotations)
    if not (is_usable("\n".join(run.text for run in runs)) or (notes and not runs)):
        return None
    if is_unseen:
        areas = unread_areas(ink.without_text, scale / ink.scale, [], [run.box for run in runs])
    return TextLayer(
        width=round(width),
        height=round(height),
        runs=runs,
        graphics=graphics,
        unread_areas=areas,
        is_unseen=is_unseen,
        sample=sample_of_text(runs, UNSEEN_SAMPLE)
        if is_unseen
        else sample_of_suspect_text(runs, fonts_with_other_outlines(seen)),
        with_lost_letters=tuple(index for index, run in enumerate(runs) if _has_lost_letters(run)),
        notes=notes,
        quarter_turns=turns or 0,
        tags=NO_TAGS if turns else read_tags(page, to_pixels),
        fields=() if turns else tuple(pixel_rect(field, to_pixels) for field in annotations.fields),
    )


def _has_lost_letters(run: TextRun) -> bool:
    """Return whether a glyph without a mapping is part of a word of its own font.

    A file may hold such glyphs apart from the others, as a font of the same name.
    """
    return any(_is_lost(piece.text) for piece in run.pieces)


def _is_lost(text: str) -> bool:
    lost = sum(map(is_unmapped, text))
    return lost > 0 and (2 * lost > len(text) or any(map(str.isalpha, text)))


def sample_of_suspect_text(runs: Sequence[TextRun], fonts: Collection[str] = ()) -> tuple[int, ...]:
    """Return the longest runs in fonts whose letters form no words, or in fonts that are named.

    A page of signs alone is suspect: fonts without a mapping have codes of signs for their letters.
    """
    if not any(map(str.isalnum, "".join(run.text for run in runs))):
        return sample_of_text(runs, SUSPECT_SAMPLE)
    words: dict[str, list[str]] = {}
    for run in runs:
        for piece in run.pieces:
            if is_comparable(piece):
                words.setdefault(piece.style.font.name, []).append(piece.text)
    suspect = {font for font, texts in words.items() if is_implausible(texts)} | set(fonts)
    if not suspect:
        return ()
    return sample_of_text(runs, SUSPECT_SAMPLE, suspect)


def is_comparable(piece: TextPiece) -> bool:
    """Return whether the picture of the page shows the letters of a piece.

    A font that is not embedded is drawn with another one, which may lack letters that are not Latin. Then the
    picture has letters of the other font, and the mapping of the file is all that is known.
    """
    is_latin = not any(letter > LAST_LATIN and letter.isalpha() for letter in piece.text)
    return piece.style.font.is_embedded or is_latin


def sample_of_text(
    runs: Sequence[TextRun], count: int, fonts: Collection[str] | None = None
) -> tuple[int, ...]:
    """Return the indices of the longest runs, in their order. Figures count more, since they must be right.

    Args:
        runs: of a page.
        count: number of runs.
        fonts: names of fonts that have to set most of a run; None: any.
    """

    def is_sampled(piece: TextPiece) -> bool:
        return fonts is None or (piece.style.font.name in fonts and is_comparable(piece))

    def letters(index: int) -> int:
        in_fonts = [piece for piece in runs[index].pieces if is_sampled(piece)]
        figures = sum(letter.isdigit() for piece in in_fonts for letter in piece.text)
        return sum(len(piece.text) for piece in in_fonts) + FIGURE_WEIGHT * figures

    chosen = sorted(range(len(runs)), key=letters, reverse=True)[:count]
    return tuple(sorted(index for index in chosen if letters(index)))


def page_notes(page: Any, scale: float, annotations: Annotations) -> tuple[PageNote, ...]:
    """Return the notes of a page in pixels of the rendered page."""
    width, height = (side * scale for side in page.get_size())
    to_pixels = _pixel_mapping(page, width, height)
    notes = []
    for note in annotations.notes:
        box = level_box(*pixel_rect(note.rect, to_pixels))
        notes.append(PageNote(note.text, note.author, box))
    return tuple(notes)


def _scaled(to_pixels: Mapping, factor: float) -> Mapping:
    def scaled(x: float, y: float) -> tuple[float, float]:
        left, top = to_pixels(x, y)
        return left * factor, top * factor

    return scaled


def _is_text_of_scan(
    glyphs: Sequence[Glyph], hidden: Flags, areas: Sequence[Rect], to_pixels: Mapping
) -> bool:
    """Return whether most letters are invisible, and lie on print that the text layer lacks."""
    unseen = [
        glyph for glyph, is_hidden in zip(glyphs, hidden, strict=True) if is_hidden and not glyph.is_space
    ]
    letters = sum(not glyph.is_space for glyph in glyphs)
    if not areas or len(unseen) < MIN_UNSEEN_SHARE * letters:
        return False
    on_print = 0
    for glyph in unseen:
        cosine, sine = math.cos(glyph.angle), math.sin(glyph.angle)
        along, across = (glyph.start + glyph.end) / 2, glyph.baseline + glyph.size / 4
        x, y = to_pixels(along * cosine - across * sine, along * sine + across * cosine)
        on_print += any(left <= x <= right and top <= y <= bottom for left, top, right, bottom in areas)
    return on_print >= MIN_UNSEEN_ON_PRINT * len(unseen)


def is_usable(text: str) -> bool:
    """Return whether a page's text has characters, and hardly any that cannot be meant."""
    shown = [letter for letter in text if not letter.isspace() and letter not in LINE_END_HYPHENS]
    if not shown:
        return False
    words = text.split()
    # Not those that stand alone: a bullet of a symbol font is often a private use character.
    unmapped = sum(sum(map(is_unmapped, word)) for word in words if len(word) > 1)
    if unmapped == 0 and all(map(is_unmapped, shown)):
        return False
    # Only ASCII words: Chinese and Japanese have no spaces between words.
    long_words = sum(
        len(word) > MAX_WORD_CHARACTERS
        and word.isascii()
        and "/" not in word  # an address
        and sum(map(str.isalnum, word)) > MAX_WORD_CHARACTERS
        for word in words
    )
    return unmapped <= MAX_UNMAPPED_SHARE * len(shown) and long_words <= MAX_LONG_WORD_SHARE * len(words)


def is_unmapped(letter: str) -> bool:
    """Return whether a character is not text, so that the code of its glyph has no mapping."""
    if letter in LINE_END_HYPHENS:
        return False
    return letter == UNMAPPED or unicodedata.category(letter) in UNMAPPED_CATEGORIES


def _text_runs(glyphs: Sequence[Glyph], page: Any, scale: float, turns: int | None) -> Iterator[TextRun]:
    """Yield the runs that are on the page at least in part."""
    width, height = (side * scale for side in page.get_size())
    to_pixels = _pixel_mapping(page, width, height)
    to_frame = turned_mapping(to_pixels, turns or 0, width, height)
    lines = text_lines(glyphs)
    rotations = turned_rotations(lines, glyphs, page.get_rotation(), turns)
    for line, rotation in zip(lines, rotations, strict=True):
        box = _box(line, to_pixels)
        xs, ys = zip(*box, strict=True)
        own_frame = to_frame if rotation is None else _in_frame(to_pixels, rotation, width, height)
        fragments = shown_fragments(line)
        pieces = _pieces(fragments, line.angle, own_frame, scale)
        reaches_page = max(xs) > max(min(xs), 0) and max(ys) > max(min(ys), 0)
        if pieces and reaches_page and min(xs) < width and min(ys) < height:
            place = min(fragment.glyph.index for fragment in line.fragments)
            text = text_of_pieces(pieces)
            words = words_of_fragments(text, fragments, line.angle, to_pixels)
            yield TextRun(text, box, pieces, place, rotation, words)


def _in_frame(to_pixels: Mapping, rotation: float, width: float, height: float) -> Mapping:
    turn, _, _ = frame_turn(rotation, width, height)
    return lambda x, y: turn(*to_pixels(x, y))


def _pieces(
    fragments: Sequence[Fragment], angle: float, to_pixels: Mapping, scale: float
) -> tuple[TextPiece, ...]:
    """Return the pieces of a line, in pixels of the frame of the page's text."""
    cosine, sine = math.cos(angle), math.sin(angle)

    def point(along: float, across: float) -> tuple[float, float]:
        return to_pixels(along * cosine - across * sine, along * sine + across * cosine)

    pieces = []
    for fragment in fragments:
        glyph = fragment.glyph
        x0, y = point(fragment.start, glyph.baseline)
        x1, _ = point(fragment.end, glyph.baseline)
        style = TextStyle(glyph.font, glyph.size * scale, glyph.color)
        piece = TextPiece(
            text=fragment.text,
            left=min(x0, x1),
            right=max(x0, x1),
            baseline=y,
            style=style,
            script=glyph.script,
            starts_word=fragment.starts_word,
            link=glyph.link,
        )
        pieces.append(piece)
    return tuple(pieces)


def _pixel_mapping(page: Any, width: float, height: float) -> Mapping:
    """Return the function from points of the page to pixels of the rendered page of `width` × `height`.

    pdfium applies the rotation and the boxes of the page.
    """
    import pypdfium2.raw as pdfium

    device_scale = DEVICE_LONG_SIDE / max(width, height)
    device_width, device_height = round(width * device_scale), round(height * device_scale)

    def to_device(x: float, y: float) -> tuple[float, float]:
        device_x, device_y = ctypes.c_int(), ctypes.c_int()
        pdfium.FPDF_PageToDevice(page.raw, 0, 0, device_width, device_height, 0, x, y, device_x, device_y)
        return device_x.value / device_scale, device_y.value / device_scale

    unit = max(page.get_size())
    (x0, y0), (x1, y1), (x2, y2) = to_device(0, 0), to_device(unit, 0), to_device(0, unit)

    def to_pixels(x: float, y: float) -> tuple[float, float]:
        x, y = x / unit, y / unit
        return x0 + (x1 - x0) * x + (x2 - x0) * y, y0 + (y1 - y0) * x + (y2 - y0) * y

    return to_pixels


def _box(line: TextLine, to_pixels: Mapping) -> Box:
    """Return the box of a line; an upright rectangle, unless the line is oblique."""
    cosine, sine = math.cos(line.angle), math.sin(line.angle)
    corners = [
        to_pixels(along * cosine - across * sine, along * sine + across * cosine)
        for along, across in (
            (line.start, line.top),
            (line.end, line.top),
            (line.end, line.bottom),
            (line.start, line.bottom),
        )
    ]
    if abs(cosine * sine) > MIN_OBLIQUENESS:
        return corners[0], corners[1], corners[2], corners[3]
    xs, ys = zip(*corners, strict=True)
    return level_box(min(xs), min(ys), max(xs), max(ys))
