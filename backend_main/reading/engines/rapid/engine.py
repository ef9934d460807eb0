"""Step 10 - the default engine: PP-OCRv6, streamed.

A strip at the top is looked at first, and what is safely first there is read at once. Then the whole page is
looked at, its boxes are ordered, and they are read one by one in that order. What makes boxes of a
network's output is RapidOCR's.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from ...documents.document import PageImage
from ...documents.pixels import Pixels
from ...inference import InferenceSession, best_runtime
from ...layout import reading_order
from ...output.markdown import MarkdownWriter
from ...types import Box, Line, Options
from ..base import Engine
from . import first_lines
from .detector import (
    Detector,
    DetectorImage,
    Quads,
    as_box,
    heights,
    scaled,
)
from .model_files import PROFILES
from .orientation import detect_rotation, rotate_upright, to_original_coordinates
from .parallel import map_in_order
from .recognizer import (
    LINE_HEIGHT,
    MIN_LINE_WIDTH,
    Recognizer,
    aspect_ratio,
)

# Lines are cut out of an image of at most this side. From receipts of 2,700 px themselves the words came
# out worse, since the recogniser scales each line to 48 px without smoothing.
IMAGE_SIDE = 2000
# Lines are looked for in an image of at most this side. RapidOCR takes the 2000 px one: three times as long,
# and no better (word F1 of three receipts .853 there, .866 at 1536, .857 at 1280, .844 at 1024; of three PDF
# pages .948 there, .974 at 1280).
DETECTION_SIDE = 1280
# Where the boxes found are lower than this (usual is 17 to 30), the page is large and its print small: it is
# looked at again, and read, in these sizes.
SMALL_PRINT = 15
SMALL_PRINT_DETECTION_SIDE, SMALL_PRINT_IMAGE_SIDE = 2560, 4000
MIN_CONFIDENCE = 0.5  # RapidOCR's own `text_score`

# Those whose letters are all in PP-OCRv6's dictionary. Cyrillic, Korean, the letters of Vietnamese with two
# marks and the Greek ones with an accent are not.
LANGUAGES = """
af az bs ca cs cy da de en es et eu fi fr fy ga gl hr hu id is it ja la lb lt lv ms mt nl no oc pl pt ro sk sl
sq sv sw tl tr zh
"""
# Those whose letters are missing from the dictionary of a profile.
UNSUPPORTED_BY_PROFILE = {"fast": frozenset({"az", "ja", "ro"})}


RecognitionCache = dict[bytes, tuple[str, float]]
"""What was read inside four corners, and how sure that is, by the corners' bytes."""


@dataclass(frozen=True)
class ScaledPage:
    """What lines are cut out of, `scale` times the page; `view` of it is where they are looked for."""

    image: Pixels
    scale: float
    view: DetectorImage

    @classmethod
    def of(cls, page: PageImage, image_side: int, view_side: int) -> Self:
        image, scale = scaled(page.pixels, image_side)
        return cls(image, scale, DetectorImage(image, view_side))

    def of_page(self, seen: Quads) -> Quads:
        """Corners found in the view, in pixels of the page."""
        return self.view.of_image(seen) / np.float32(self.scale)


class Models:
    """A profile's two networks, loaded. Lines are recognised side by side, a thread each."""

    def __init__(self, profile: str, runtime: type[InferenceSession], threads: int) -> None:
        weights = PROFILES[profile]()
        self._detector = Detector(runtime(weights.detection, threads))
        network = runtime(weights.recognition, threads, concurrency=threads)
        self._recognizer = Recognizer(network, weights.characters)
        self._warm_up()

    def detect(self, seen: Pixels) -> Quads:
        return self._detector.detect(seen)

    def recognize(self, sheet: ScaledPage, quad: Quads) -> tuple[str, float]:
        return self._recognizer.read(sheet.image, quad * np.float32(sheet.scale))

    def _warm_up(self) -> None:
        """What libraries load and compile at their first call must not wait for the first page."""
        blank = np.full((LINE_HEIGHT, MIN_LINE_WIDTH, 3), 255, np.uint8)
        self._detector.detect(DetectorImage(blank, MIN_LINE_WIDTH).pixels)
        self._recognizer.read(blank, np.array([[0, 0], [99, 0], [99, 40], [0, 40]], np.float32))


class RapidEngine(Engine):
    name = "rapid"
    has_final_markdown = True
    uses_layout_analysis = True
    languages = frozenset(LANGUAGES.split())
    profiles = tuple(PROFILES)

    def __init__(self, runtime: type[InferenceSession] | None = None) -> None:
        """`runtime` None: the best here."""
        self._runtime = runtime or best_runtime()
        self._loaded: dict[str, Models] = {}

    def load(self, threads: int) -> None:
        import cv2

        self._threads = threads or len(os.sched_getaffinity(0))
        cv2.setNumThreads(self._threads)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="rapid")
        self._choose(self.profiles[0])

    def configure(self, options: Options) -> None:
        """A profile's models are loaded when it is first asked for, and kept."""
        self._choose(options.profile or self.profiles[0])

    def configured_languages(self) -> frozenset[str]:
        return self.languages - self.unsupported_languages(self._profile)

    @classmethod
    def unsupported_languages(cls, profile: str) -> frozenset[str]:
        return UNSUPPORTED_BY_PROFILE.get(profile, frozenset())

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._loaded.clear()

    def _choose(self, profile: str) -> None:
        if profile not in self._loaded:
            self._loaded[profile] = Models(profile, self._runtime, self._threads)
        self._models, self._profile = self._loaded[profile], profile

    def read_page(self, page: PageImage, may_be_turned: bool = True) -> Iterator[Line]:
        sheet = ScaledPage.of(page, IMAGE_SIDE, DETECTION_SIDE)
        top = self._detect_top_strip(sheet)
        whole = self._start_full_detection(sheet)
        writer, read = MarkdownWriter(), []
        for quad, line in self._read_top(page, sheet, top, writer):
            read.append(quad)
            yield line
        seen = whole()
        if _is_small_print(seen) and max(page.width, page.height) > DETECTION_SIDE:
            sheet = ScaledPage.of(page, SMALL_PRINT_IMAGE_SIDE, SMALL_PRINT_DETECTION_SIDE)
            seen = self._models.detect(sheet.view.pixels)
        quads = sheet.of_page(seen)
        said: RecognitionCache = {}
        # Where a line at the top could be read, the page stands upright.
        if may_be_turned and not read and (quarters := self._detect_rotation(sheet, quads, said)):
            lines = self.read_page(rotate_upright(page, quarters), may_be_turned=False)
            yield from to_original_coordinates(lines, page, quarters)
        else:
            yield from self._read_rest(page, sheet, quads, writer, read, said)

    def _detect_rotation(self, sheet: ScaledPage, quads: Quads, said: RecognitionCache) -> int:
        """How the page is turned; what was read to find that out is noted in `recognized`."""

        def recognize(quad: Quads) -> float:
            words = said[quad.tobytes()] = self._models.recognize(sheet, quad)
            return words[1]

        return detect_rotation(quads, recognize)

    def _detect_top_strip(self, sheet: ScaledPage) -> Quads:
        """Of a strip at the top, what is safely first, in its order; as seen."""
        height, width = sheet.view.pixels.shape[:2]
        height = first_lines.strip_height(height, width)
        if not height:
            return np.zeros((0, 4, 2), np.float32)
        seen = self._models.detect(sheet.view.pixels[:height])
        return seen[:0] if _is_small_print(seen) else seen[first_lines.lines_safe_to_read(seen, height)]

    def _start_full_detection(self, sheet: ScaledPage) -> Callable[[], Quads]:
        """What finds all of the page; where there is a thread for it, it has begun."""
        find = partial(self._models.detect, sheet.view.pixels)
        return self._pool.submit(find).result if self._threads > 1 else find

    def _read_top(
        self, page: PageImage, sheet: ScaledPage, seen: Quads, writer: MarkdownWriter
    ) -> Iterator[tuple[Quads, Line]]:
        quads = sheet.of_page(seen)
        leads = [place.prefix for place in reading_order.reading_order(_boxes(quads, page))]
        for quad, box, lead in zip(quads, _boxes(quads, page), leads, strict=True):
            text, confidence = self._models.recognize(sheet, quad)
            if not text or confidence < first_lines.ACCEPT_CONFIDENCE:
                return
            yield quad, Line(page.number, text, writer.write(lead, text), box, confidence)

    def _read_rest(
        self,
        page: PageImage,
        sheet: ScaledPage,
        quads: Quads,
        writer: MarkdownWriter,
        read: Sequence[Quads],
        said: RecognitionCache,
    ) -> Iterator[Line]:
        def read_words(quad: Quads) -> tuple[str, float]:
            return said.get(quad.tobytes()) or self._models.recognize(sheet, quad)

        quads = np.concatenate(
            [*(quad[np.newaxis] for quad in read), first_lines.exclude_already_read(quads, read)]
        )
        boxes = _boxes(quads, page)
        places = [place for place in reading_order.reading_order(boxes) if place.index >= len(read)]
        there = [quads[place.index] for place in places]
        words = map_in_order(self._pool, self._threads, read_words, there, aspect_ratio)
        for place, (text, confidence) in zip(places, words, strict=True):
            if not text or confidence < MIN_CONFIDENCE:
                writer.skip(place.prefix)
                yield Line(page.number, "", "", boxes[place.index], confidence)
                continue
            markdown = writer.write(place.prefix, text)
            yield Line(page.number, text, markdown, boxes[place.index], confidence)


def _is_small_print(seen: Quads) -> bool:
    return bool(len(seen)) and float(np.median(heights(seen))) < SMALL_PRINT


def _boxes(quads: Quads, page: PageImage) -> list[Box]:
    return [as_box(quad) for quad in quads.clip(0, (page.width, page.height))]
