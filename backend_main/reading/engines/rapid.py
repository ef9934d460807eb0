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

from .. import layout
from ..markdown import Writer
from ..pages import PageImage
from ..pixels import Pixels
from ..runtimes import Network, best_runtime
from ..turned import quarters_of, turned_back, upright
from ..types import Box, Line, Options
from . import early
from .base import Engine
from .detector import Detector, Quads, View, as_box, heights, scaled
from .lanes import in_order
from .recogniser import LINE_HEIGHT, MIN_LINE_WIDTH, Recogniser, shape_of
from .weights import PROFILES

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
UNREAD = {"fast": frozenset({"az", "ja", "ro"})}


Said = dict[bytes, tuple[str, float]]
"""What was read inside four corners, and how sure that is, by the corners' bytes."""


@dataclass(frozen=True)
class Sheet:
    """What lines are cut out of, `scale` times the page; `view` of it is where they are looked for."""

    image: Pixels
    scale: float
    view: View

    @classmethod
    def of(cls, page: PageImage, image_side: int, view_side: int) -> Self:
        image, scale = scaled(page.pixels, image_side)
        return cls(image, scale, View(image, view_side))

    def of_page(self, seen: Quads) -> Quads:
        """Corners found in the view, in pixels of the page."""
        return self.view.of_image(seen) / np.float32(self.scale)


class Models:
    """A profile's two networks, loaded. Lines are recognised side by side, a thread each."""

    def __init__(self, profile: str, runtime: type[Network], threads: int) -> None:
        weights = PROFILES[profile]()
        self._detector = Detector(runtime(weights.detection, threads))
        network = runtime(weights.recognition, threads, lanes=threads)
        self._recogniser = Recogniser(network, weights.characters)
        self._warm_up()

    def find(self, seen: Pixels) -> Quads:
        return self._detector.find(seen)

    def read(self, sheet: Sheet, quad: Quads) -> tuple[str, float]:
        return self._recogniser.read(sheet.image, quad * np.float32(sheet.scale))

    def _warm_up(self) -> None:
        """What libraries load and compile at their first call must not wait for the first page."""
        blank = np.full((LINE_HEIGHT, MIN_LINE_WIDTH, 3), 255, np.uint8)
        self._detector.find(View(blank, MIN_LINE_WIDTH).pixels)
        self._recogniser.read(blank, np.array([[0, 0], [99, 0], [99, 40], [0, 40]], np.float32))


class RapidEngine(Engine):
    name = "rapid"
    rewrites_page = True
    wants_layout = True
    languages = frozenset(LANGUAGES.split())
    profiles = tuple(PROFILES)

    def __init__(self, runtime: type[Network] | None = None) -> None:
        """`runtime` None: the best here."""
        self._runtime = runtime or best_runtime()
        self._loaded: dict[str, Models] = {}

    def load(self, threads: int) -> None:
        import cv2

        self._threads = threads or len(os.sched_getaffinity(0))
        cv2.setNumThreads(self._threads)
        self._pool = ThreadPoolExecutor(self._threads, thread_name_prefix="rapid")
        self._choose(self.profiles[0])

    def prepare(self, options: Options) -> None:
        """A profile's models are loaded when it is first asked for, and kept."""
        self._choose(options.profile or self.profiles[0])

    def prepared_for(self) -> frozenset[str]:
        return self.languages - self.unread(self._profile)

    @classmethod
    def unread(cls, profile: str) -> frozenset[str]:
        return UNREAD.get(profile, frozenset())

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._loaded.clear()

    def _choose(self, profile: str) -> None:
        if profile not in self._loaded:
            self._loaded[profile] = Models(profile, self._runtime, self._threads)
        self._models, self._profile = self._loaded[profile], profile

    def read_page(self, page: PageImage, may_be_turned: bool = True) -> Iterator[Line]:
        sheet = Sheet.of(page, IMAGE_SIDE, DETECTION_SIDE)
        top = self._safe_top(sheet)
        whole = self._whole(sheet)
        writer, read = Writer(), []
        for quad, line in self._read_top(page, sheet, top, writer):
            read.append(quad)
            yield line
        seen = whole()
        if _is_small_print(seen) and max(page.width, page.height) > DETECTION_SIDE:
            sheet = Sheet.of(page, SMALL_PRINT_IMAGE_SIDE, SMALL_PRINT_DETECTION_SIDE)
            seen = self._models.find(sheet.view.pixels)
        quads = sheet.of_page(seen)
        said: Said = {}
        # Where a line at the top could be read, the page stands upright.
        if may_be_turned and not read and (quarters := self._quarters(sheet, quads, said)):
            lines = self.read_page(upright(page, quarters), may_be_turned=False)
            yield from turned_back(lines, page, quarters)
        else:
            yield from self._read_rest(page, sheet, quads, writer, read, said)

    def _quarters(self, sheet: Sheet, quads: Quads, said: Said) -> int:
        """How the page is turned; what was read to find that out is noted in `said`."""

        def recognise(quad: Quads) -> float:
            words = said[quad.tobytes()] = self._models.read(sheet, quad)
            return words[1]

        return quarters_of(quads, recognise)

    def _safe_top(self, sheet: Sheet) -> Quads:
        """Of a strip at the top, what is safely first, in its order; as seen."""
        height, width = sheet.view.pixels.shape[:2]
        height = early.strip_height(height, width)
        if not height:
            return np.zeros((0, 4, 2), np.float32)
        seen = self._models.find(sheet.view.pixels[:height])
        return seen[:0] if _is_small_print(seen) else seen[early.safe_first(seen, height)]

    def _whole(self, sheet: Sheet) -> Callable[[], Quads]:
        """What finds all of the page; where there is a thread for it, it has begun."""
        find = partial(self._models.find, sheet.view.pixels)
        return self._pool.submit(find).result if self._threads > 1 else find

    def _read_top(
        self, page: PageImage, sheet: Sheet, seen: Quads, writer: Writer
    ) -> Iterator[tuple[Quads, Line]]:
        quads = sheet.of_page(seen)
        leads = [place.lead for place in layout.order(_boxes(quads, page))]
        for quad, box, lead in zip(quads, _boxes(quads, page), leads, strict=True):
            text, confidence = self._models.read(sheet, quad)
            if not text or confidence < early.SURE:
                return
            yield quad, Line(page.number, text, writer.write(lead, text), box, confidence)

    def _read_rest(
        self, page: PageImage, sheet: Sheet, quads: Quads, writer: Writer, read: Sequence[Quads], said: Said
    ) -> Iterator[Line]:
        def read_words(quad: Quads) -> tuple[str, float]:
            return said.get(quad.tobytes()) or self._models.read(sheet, quad)

        quads = np.concatenate([*(quad[np.newaxis] for quad in read), early.unread(quads, read)])
        boxes = _boxes(quads, page)
        places = [place for place in layout.order(boxes) if place.index >= len(read)]
        there = [quads[place.index] for place in places]
        words = in_order(self._pool, self._threads, read_words, there, shape_of)
        for place, (text, confidence) in zip(places, words, strict=True):
            if not text or confidence < MIN_CONFIDENCE:
                writer.skip(place.lead)
                yield Line(page.number, "", "", boxes[place.index], confidence)
                continue
            markdown = writer.write(place.lead, text)
            yield Line(page.number, text, markdown, boxes[place.index], confidence)


def _is_small_print(seen: Quads) -> bool:
    return bool(len(seen)) and float(np.median(heights(seen))) < SMALL_PRINT


def _boxes(quads: Quads, page: PageImage) -> list[Box]:
    return [as_box(quad) for quad in quads.clip(0, (page.width, page.height))]
