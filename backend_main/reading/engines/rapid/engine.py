"""The default engine: PP-OCRv6, streamed line by line.

1. Detect the lines in a strip at the top, and read those that are first in any case.
2. Detect the lines of the whole page, and order them.
3. Read them one after the other in that order.

RapidOCR turns the output of the detection network into boxes.
"""

import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from ...documents.document import PageImage
from ...inference import InferenceSession, best_runtime
from ...layout.reading_order import NEW_PARAGRAPH, reading_order
from ...output.markdown import MarkdownWriter
from ...types import Box, Line, Options
from ...words import move_line
from ..base import Engine, PageRestarted, UnreadWord
from ..rotated_page import rotate_upright, to_original_coordinates
from . import first_lines
from .bleed_through import without_bleed_through
from .curl import Curl
from .detector import Quads, print_heights, to_box
from .letters import LANGUAGES_BY_PROFILE
from .line_reading import LineReading
from .mirrored_page import MAX_LINES_TRIED, is_mirrored, mirror, to_unmirrored_coordinates
from .model_files import PROFILES
from .models import Models
from .orientation import detect_rotation
from .overprint import Layers, separate_overprint
from .parallel import map_in_order
from .print_size import is_large_print, is_small_print, print_scale_factor
from .recognizer import aspect_ratio
from .repeated_lines import without_repetitions
from .scaled_page import DETECTION_SIDE, IMAGE_SIDE, ScaledPage
from .second_look import SecondLook, has_few_words, has_little_text, is_sure
from .tiles import tile_scale
from .turned_words import join_turned_words

SMALL_PRINT_DETECTION_SIDE, SMALL_PRINT_IMAGE_SIDE = 2560, 4000
"""Sides of a large page with small print, which is detected a second time."""
MIN_CONFIDENCE = 0.5
"""Confidence below which a line is not text; RapidOCR's `text_score`."""

RecognitionCache = dict[bytes, LineReading]
"""Readings of boxes that are already read, by the bytes of their corners."""


class RapidEngine(Engine):
    """Engine that reads with PP-OCRv6."""

    name = "rapid"
    provides_words = True
    has_final_markdown = True
    uses_layout_analysis = True
    languages = LANGUAGES_BY_PROFILE["accurate"]
    profiles = tuple(PROFILES)

    def __init__(self, runtime: type[InferenceSession] | None = None) -> None:
        """Create an engine. `runtime` None is the best one on this machine."""
        self._runtime = runtime or best_runtime()
        self._loaded: dict[str, Models] = {}

    @classmethod
    def unsupported_languages(cls, profile: str) -> frozenset[str]:
        return cls.languages - LANGUAGES_BY_PROFILE.get(profile, cls.languages)

    def load(self, threads: int) -> None:
        import cv2

        self._threads = threads or len(os.sched_getaffinity(0))
        cv2.setNumThreads(self._threads)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="rapid")
        self.configure(Options())

    def configure(self, options: Options) -> None:
        # A profile is loaded at its first use, and kept.
        self._profile = options.profile or self.profiles[0]
        if self._profile not in self._loaded:
            self._loaded[self._profile] = Models(self._profile, self._runtime, self._threads)
        self._models = self._loaded[self._profile]

    def configured_languages(self) -> frozenset[str]:
        return self.languages - self.unsupported_languages(self._profile)

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._loaded.clear()

    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        self._models.clear_words()
        lines: list[Line] = []
        for line in self._read_page(page, may_be_rotated=True, is_as_scanned=True):
            lines.append(line)
            yield line
            if len(lines) == MAX_LINES_TRIED and (yield from self._read_mirrored(page, lines)):
                return
        if len(lines) < MAX_LINES_TRIED:
            yield from self._read_mirrored(page, lines)

    def _read_mirrored(
        self, page: PageImage, lines: Sequence[Line]
    ) -> Generator[Line | PageRestarted, None, bool]:
        """Read a page again if its first lines are mirrored. Returns whether they are."""
        if not is_mirrored(page, lines, self._models.recognize_on):
            return False
        yield PageRestarted()
        self._models.clear_words()
        mirrored = self._read_page(mirror(page), may_be_rotated=True, is_as_scanned=True)
        yield from to_unmirrored_coordinates(mirrored, page)
        return True

    def unsure_words(self) -> Mapping[str, str]:
        return self._models.unsure_words()

    def unread_words(self, line: Line) -> Sequence[UnreadWord]:
        return self._models.unread_words(line.text, line.confidence or 0.0)

    def read_column(self, page: PageImage) -> Iterator[Line]:
        scaled = ScaledPage.of(page, SMALL_PRINT_IMAGE_SIDE, DETECTION_SIDE)
        quads = scaled.to_page_coordinates(self._models.detect(scaled.detector_image.pixels))
        return self._read_rest(page, scaled, quads, MarkdownWriter(), [], {})

    def _read_page(self, page: PageImage, *, may_be_rotated: bool, is_as_scanned: bool) -> Iterator[Line]:
        if scale := tile_scale(page.width, page.height):
            yield from self._read_in_tiles(page, scale, may_be_rotated=may_be_rotated)
            return
        scaled = ScaledPage.of(page, IMAGE_SIDE, DETECTION_SIDE)
        top = self._detect_top(scaled, first_lines.strip_height(*scaled.detector_image.pixels.shape[:2]))
        detect_page = partial(self._models.detect_with_cores, scaled)
        # With more than one thread, detection of the page runs while the lines at the top are read.
        finish_detection = self._pool.submit(detect_page).result if self._threads > 1 else detect_page
        writer = MarkdownWriter()
        read: list[Quads] = []
        for quad, line in self._read_top(page, scaled, top, writer):
            read.append(quad)
            yield line
        detected, cores = finish_detection()
        quads, recognize = scaled.to_page_coordinates(detected), partial(self._models.recognize, scaled)
        if is_as_scanned and (front := without_bleed_through(page.pixels, quads, recognize)) is not None:
            page = replace(page, pixels=front)
            scaled = ScaledPage.of(page, IMAGE_SIDE, DETECTION_SIDE)
            detected, cores = self._models.detect_with_cores(scaled)
        if is_as_scanned and (curl := Curl.detect(cores, page.width, page.height)):
            yield from self._read_curled(page, curl, writer, read, may_be_rotated=may_be_rotated)
            return
        if layers := _layers(page, scaled, detected):
            yield from self._read_layers(page, layers, writer, read, may_be_rotated=may_be_rotated)
            return
        scaled, quads = self._detect_at_print_scale(page, scaled, detected)
        yield from self._read_detected(page, scaled, quads, writer, read, may_be_rotated=may_be_rotated)

    def _read_in_tiles(self, page: PageImage, scale: float, *, may_be_rotated: bool) -> Iterator[Line]:
        """Yield the lines of a page of extreme shape; of a tall one, the first lines before all tiles."""
        writer = MarkdownWriter()
        read: list[Quads] = []
        if page.height > page.width:
            scaled = ScaledPage.top_of(page, scale)
            top = self._detect_top(scaled, len(scaled.detector_image.pixels))
            for quad, line in self._read_top(page, scaled, top, writer):
                read.append(quad)
                yield line
        scaled, quads = self._models.detect_at(page, scale)
        if (factor := print_scale_factor(quads * np.float32(scale))) != 1.0:
            scaled, quads = self._models.detect_at(page, min(1.0, scale * factor))
        yield from self._read_detected(page, scaled, quads, writer, read, may_be_rotated=may_be_rotated)

    def _read_layers(
        self,
        page: PageImage,
        layers: Layers,
        writer: MarkdownWriter,
        read: Sequence[Quads],
        *,
        may_be_rotated: bool,
    ) -> Iterator[Line]:
        """Yield the lines of a page but those `read`, and then those of the print that lies across them."""
        for pixels, known in ((layers.text, read), (layers.overprint, [])):
            layer = PageImage(page.number, pixels, page.width, page.height, page.info, page.warnings)
            scaled = ScaledPage.of(layer, IMAGE_SIDE, DETECTION_SIDE)
            detected = self._models.detect(scaled.detector_image.pixels)
            scaled, quads = self._detect_at_print_scale(layer, scaled, detected)
            yield from self._read_detected(layer, scaled, quads, writer, known, may_be_rotated=may_be_rotated)
            writer.skip(NEW_PARAGRAPH)

    def _detect_at_print_scale(
        self, page: PageImage, scaled: ScaledPage, detected: Quads
    ) -> tuple[ScaledPage, Quads]:
        """Return the page and its boxes, detected again if the print is small or large."""
        side = max(page.width, page.height)
        if is_small_print(detected) and side > DETECTION_SIDE:
            scaled = ScaledPage.of(page, SMALL_PRINT_IMAGE_SIDE, SMALL_PRINT_DETECTION_SIDE)
            detected = self._models.detect(scaled.detector_image.pixels)
            scale = SMALL_PRINT_DETECTION_SIDE / side
            if scale < 1 and is_small_print(detected):
                return self._models.detect_at(page, min(1.0, scale * print_scale_factor(detected)))
        elif is_large_print(detected):
            scale = max(scaled.detector_image.pixels.shape[:2]) / side
            return self._models.detect_at(page, scale * print_scale_factor(detected))
        return scaled, scaled.to_page_coordinates(detected)

    def _read_detected(
        self,
        page: PageImage,
        scaled: ScaledPage,
        quads: Quads,
        writer: MarkdownWriter,
        read: Sequence[Quads],
        *,
        may_be_rotated: bool,
    ) -> Iterator[Line]:
        """Yield the lines of the boxes of a page but those `read`, after a second look if they are few."""
        recognized: RecognitionCache = {}
        # A page with a readable line at its top is upright.
        may_be_rotated = may_be_rotated and not read
        turns = 0
        if has_little_text(quads):
            quads, turns = self._look_again(
                page, scaled, quads, read, recognized, may_be_rotated=may_be_rotated
            )
        elif may_be_rotated:
            turns = self._detect_rotation(scaled, quads, recognized)
        if turns:
            lines = self._read_page(rotate_upright(page, turns), may_be_rotated=False, is_as_scanned=True)
            yield from to_original_coordinates(lines, page, turns)
        else:
            quads = self._with_pale_lines(page, scaled, quads, recognized)
            yield from self._read_rest(page, scaled, quads, writer, read, recognized)

    def _with_pale_lines(
        self, page: PageImage, scaled: ScaledPage, quads: Quads, recognized: RecognitionCache
    ) -> Quads:
        """Return the boxes of a page with those on its equalized image, if it has few and other ink."""
        if not has_few_words(quads):
            return quads
        look = SecondLook(page, self._models.detect, self._models.recognize_on, may_be_rotated=True)
        look.look_at_equalized(scaled.image, scaled.scale, list(quads))
        if not look.found:
            return quads
        read = [
            (quad, recognized.get(quad.tobytes()) or self._models.recognize(scaled, quad)) for quad in quads
        ]
        lines = without_repetitions([*read, *((line.quad, line.best()) for line in look.found)])
        recognized |= {quad.tobytes(): reading for quad, reading in lines}
        return np.stack([quad for quad, _ in lines])

    def _look_again(
        self,
        page: PageImage,
        scaled: ScaledPage,
        quads: Quads,
        read: Sequence[Quads],
        recognized: RecognitionCache,
        *,
        may_be_rotated: bool,
    ) -> tuple[Quads, int]:
        """Return the boxes of a page with those of a second look, and its quarter turns."""
        sure, unsure = list(read), list[Quads]()
        for quad in first_lines.exclude_already_read(quads, read):
            recognized[quad.tobytes()] = reading = self._models.recognize(scaled, quad)
            is_known = bool(reading.text) and is_sure(quad, reading.confidence, may_be_rotated=may_be_rotated)
            (sure if is_known else unsure).append(quad)
        look = SecondLook(page, self._models.detect, self._models.recognize_on, may_be_rotated)
        look.look(scaled.image, scaled.scale, sure)
        if not look.found:
            may_turn = may_be_rotated and len(quads) and not sure
            return quads, self._detect_rotation(scaled, quads, recognized) if may_turn else 0
        if may_be_rotated and (turns := look.rotation(len(sure))):
            return quads, turns
        for line in look.found:
            recognized[line.quad.tobytes()] = line.readings.get(0) or line.best()
        found = [line.quad for line in look.found]
        kept = [quad for quad in unsure if len(first_lines.exclude_already_read(quad[np.newaxis], found))]
        return np.stack([*sure, *kept, *found]), 0

    def _read_curled(
        self,
        page: PageImage,
        curl: Curl,
        writer: MarkdownWriter,
        read: Sequence[Quads],
        *,
        may_be_rotated: bool,
    ) -> Iterator[Line]:
        """Yield the lines of a curled page, without those of the boxes `read`, with boxes on the page."""
        flat = curl.flatten(page)
        if read:
            scaled = ScaledPage.of(flat, IMAGE_SIDE, DETECTION_SIDE)
            quads = scaled.to_page_coordinates(self._models.detect(scaled.detector_image.pixels))
            flat_read = [curl.to_flat_page(quad) for quad in read]
            lines = self._read_rest(flat, scaled, quads, writer, flat_read, {})
        else:
            lines = self._read_page(flat, may_be_rotated=may_be_rotated, is_as_scanned=False)
        for line in lines:
            yield move_line(line, lambda box: _curled_box(box, curl, page))

    def _detect_rotation(self, scaled: ScaledPage, quads: Quads, recognized: RecognitionCache) -> int:
        """Return the quarter turns of the page; add the boxes read for that to `recognized`."""

        def recognize(quad: Quads) -> float:
            recognized[quad.tobytes()] = reading = self._models.recognize(scaled, quad)
            return reading.confidence

        return detect_rotation(quads, recognize)

    def _detect_top(self, scaled: ScaledPage, strip_height: int) -> Quads:
        """Return the detected boxes in a strip at the top that are safe to read at once, in their order."""
        if not strip_height:
            return np.zeros((0, 4, 2), np.float32)
        detected = self._models.detect(scaled.detector_image.pixels[:strip_height])
        if is_small_print(detected) or is_large_print(detected):
            return detected[:0]
        return detected[first_lines.lines_safe_to_read(detected, strip_height)]

    def _read_top(
        self, page: PageImage, scaled: ScaledPage, detected: Quads, writer: MarkdownWriter
    ) -> Iterator[tuple[Quads, Line]]:
        """Yield boxes and lines at the top, until one has too little confidence."""
        quads = scaled.to_page_coordinates(detected)
        boxes = _boxes(quads, page)
        prefixes = [box.prefix for box in reading_order(boxes)]
        for quad, box, prefix in zip(quads, boxes, prefixes, strict=True):
            reading = self._models.recognize(scaled, quad)
            is_accepted = reading.confidence >= first_lines.ACCEPT_CONFIDENCE
            if not is_accepted or not first_lines.shows_direction(quad, reading.text):
                return
            yield quad, _line(reading, quad, box, writer.write(prefix, reading.text), page)

    def _read_rest(
        self,
        page: PageImage,
        scaled: ScaledPage,
        quads: Quads,
        writer: MarkdownWriter,
        read: Sequence[Quads],
        recognized: RecognitionCache,
    ) -> Iterator[Line]:
        """Yield all lines of a page but those of the boxes `read`."""

        def recognize(quad: Quads) -> LineReading:
            return recognized.get(quad.tobytes()) or self._models.recognize(scaled, quad)

        unread, turned = join_turned_words(first_lines.exclude_already_read(quads, read), recognize)
        recognized |= turned
        quads = np.concatenate([*(quad[np.newaxis] for quad in read), unread])
        boxes = _boxes(quads, page)
        ordered = [box for box in reading_order(boxes) if box.index >= len(read)]
        results = map_in_order(
            self._pool, self._threads, recognize, [quads[box.index] for box in ordered], aspect_ratio
        )
        for box, reading in zip(ordered, results, strict=True):
            if not reading.text or reading.confidence < MIN_CONFIDENCE:
                writer.skip(box.prefix)
                yield Line(page.number, "", "", boxes[box.index], reading.confidence)
            else:
                markdown = writer.write(box.prefix, reading.text)
                yield _line(reading, quads[box.index], boxes[box.index], markdown, page)


def _line(reading: LineReading, quad: Quads, box: Box, markdown: str, page: PageImage) -> Line:
    """Return a line of a page. Its words lie in the box as it was read, which may reach over the page."""
    words = reading.words_in(quad)
    return Line(page.number, reading.text, markdown, box, reading.confidence, words=words)


def _curled_box(box: Box, curl: Curl, page: PageImage) -> Box:
    """Return the box on a curled page of a box on the flat one."""
    return _boxes(curl.to_curled_page(np.array(box, np.float32))[np.newaxis], page)[0]


def _layers(page: PageImage, scaled: ScaledPage, detected: Quads) -> Layers | None:
    """Return the page without colored print across its text, and that print; None if there is none."""
    if not len(detected):
        return None
    height = float(np.median(print_heights(detected)))
    small = scaled.detector_image.pixels
    if separate_overprint(small, height) is None:
        return None
    return separate_overprint(page.pixels, height * max(page.width, page.height) / max(small.shape[:2]))


def _boxes(quads: Quads, page: PageImage) -> list[Box]:
    return [to_box(quad) for quad in quads.clip(0, (page.width, page.height))]
