"""Step 10 - the default engine: RapidOCR's bundled PP-OCR models on ONNX Runtime, streamed.

Detect once, order the boxes, then recognise one by one in that order. Nothing is ever downloaded: the models
are named by path, so RapidOCR's downloader is not reached.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from .. import layout
from ..markdown import Writer
from ..pages import PageImage
from ..pixels import Pixels
from ..turned import quarters_of, turned_back, upright
from ..types import Box, Line
from .base import Engine

DETECTION_MODEL = "PP-OCRv6_det_small.onnx"
RECOGNITION_MODEL = "PP-OCRv6_rec_small.onnx"
# Lines are cut out of an image of at most this side. From receipts of 2,700 px themselves the words came
# out worse, since the recogniser scales each line to 48 px without smoothing.
IMAGE_SIDE = 2000
# Lines are looked for in an image of at most this side. RapidOCR takes the 2000 px one: three times as long,
# and no better (word F1 of three receipts .853 there, .866 at 1536, .857 at 1280, .844 at 1024; of three PDF
# pages .948 there, .974 at 1280). What comes before the first text is nearly all detection.
DETECTION_SIDE = 1280
# Smaller images are enlarged, as RapidOCR does.
MIN_DETECTION_SIDE = 736
# Where the boxes found are lower than this (usual is 17 to 30), the page is large and its print small: it is
# looked at again, and read, in these sizes.
SMALL_PRINT = 15
SMALL_PRINT_DETECTION_SIDE, SMALL_PRINT_IMAGE_SIDE = 2560, 4000
# RapidOCR pads each line to 320 px at least and recognises six at once. One at a time, padded to 160, takes
# 0.7 of the time on receipts and no longer elsewhere: none is padded to the longest of its six.
LINE_HEIGHT, MIN_LINE_WIDTH = 48, 160
MIN_CONFIDENCE = 0.5  # RapidOCR's own `text_score`
# RapidOCR's own bounds for what it pads.
MIN_HEIGHT, MAX_WIDTH_TO_HEIGHT = 30, 8

# Those whose letters are all in PP-OCRv6's dictionary. Cyrillic, Korean, the letters of Vietnamese with two
# marks and the Greek ones with an accent are not.
LANGUAGES = """
af az bs ca cs cy da de en es et eu fi fr fy ga gl hr hu id is it ja la lb lt lv ms mt nl no oc pl pt ro sk sl
sq sv sw tl tr zh
"""

Quads = npt.NDArray[np.float32]


class RapidEngine(Engine):
    name = "rapid"
    rewrites_page = True
    wants_layout = True
    languages = frozenset(LANGUAGES.split())

    def load(self, threads: int) -> None:
        import cv2
        import rapidocr

        threads = threads or len(os.sched_getaffinity(0))
        cv2.setNumThreads(threads)
        models = Path(rapidocr.__file__).parent / "models"
        ocr: Any = rapidocr.RapidOCR(
            params={
                "Global.log_level": "warning",
                "Det.model_path": str(models / DETECTION_MODEL),
                "Det.limit_type": "max",
                "Det.limit_side_len": SMALL_PRINT_IMAGE_SIDE,  # no limit: images are scaled here
                "Rec.model_path": str(models / RECOGNITION_MODEL),
                "Rec.rec_img_shape": [3, LINE_HEIGHT, MIN_LINE_WIDTH],
                "EngineConfig.onnxruntime.intra_op_num_threads": threads,
                "EngineConfig.onnxruntime.inter_op_num_threads": 1,
            }
        )
        self._text_det = ocr._load_det_model()
        self._text_rec = ocr._load_rec_model()
        # What libraries load and compile at their first call must not wait for the first page.
        blank = np.full((LINE_HEIGHT, MIN_LINE_WIDTH, 3), 255, np.uint8)
        self._detect(blank, MIN_LINE_WIDTH)
        self._recognise(blank, np.array([[0, 0], [99, 0], [99, 40], [0, 40]], np.float32))

    def read_page(self, page: PageImage, may_be_turned: bool = True) -> Iterator[Line]:
        image, scale = _scaled(page.pixels, IMAGE_SIDE)
        quads, height = self._detect(image, DETECTION_SIDE)
        if height < SMALL_PRINT and max(page.width, page.height) > DETECTION_SIDE:
            image, scale = _scaled(page.pixels, SMALL_PRINT_IMAGE_SIDE)
            quads, _ = self._detect(image, SMALL_PRINT_DETECTION_SIDE)
        if may_be_turned and (quarters := quarters_of(quads, lambda quad: self._recognise(image, quad)[1])):
            lines = self.read_page(upright(page, quarters), may_be_turned=False)
            yield from turned_back(lines, page, quarters)
            return
        boxes = [_box(quad) for quad in (quads / scale).clip(0, (page.width, page.height))]
        writer = Writer()
        for place in layout.order(boxes):
            text, confidence = self._recognise(image, quads[place.index])
            if not text or confidence < MIN_CONFIDENCE:
                writer.skip(place.lead)
                yield Line(page.number, "", "", boxes[place.index], confidence)
                continue
            markdown = writer.write(place.lead, text)
            yield Line(page.number, text, markdown, boxes[place.index], confidence)

    def _detect(self, image: Pixels, side: int) -> tuple[Quads, float]:
        """Corners of every piece of a line, (n, 4, 2), in pixels of the image; their usual height as seen."""
        seen, scale = _scaled(image, side, at_least=MIN_DETECTION_SIDE)
        padded, top = _padded(seen)
        found = self._text_det(padded).boxes
        if found is None:
            return np.zeros((0, 4, 2), np.float32), float("inf")
        quads = np.asarray(found, np.float32) - np.array([0, top], np.float32)
        heights = np.linalg.norm(quads[:, 0] - quads[:, 3], axis=1)
        return quads / scale, float(np.median(heights))

    def _recognise(self, image: Pixels, quad: Quads) -> tuple[str, float]:
        from rapidocr.ch_ppocr_rec import TextRecInput
        from rapidocr.utils.process_img import get_rotate_crop_image

        crop = get_rotate_crop_image(image, quad.copy())
        if not crop.size:
            return "", 0.0
        result = self._text_rec(TextRecInput(img=[crop]))
        return " ".join(str(result.txts[0]).split()), float(result.scores[0])


def _box(quad: Quads) -> Box:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad.tolist()
    return ((x0, y0), (x1, y1), (x2, y2), (x3, y3))


def _scaled(pixels: Pixels, side: int, at_least: int = 0) -> tuple[Pixels, float]:
    """The image with no side above `side` and, that granted, none below `at_least`; the factor too."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(side / max(height, width), max(1.0, at_least / min(height, width)))
    if scale == 1.0:
        return pixels, 1.0
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, size, interpolation=method), np.uint8), scale


def _padded(pixels: Pixels) -> tuple[Pixels, int]:
    """A strip is put between bands of white, as the detector sees nothing in pages of extreme shape."""
    import cv2

    height, width = pixels.shape[:2]
    wanted = max(MIN_HEIGHT, width // MAX_WIDTH_TO_HEIGHT)
    if height >= wanted:
        return pixels, 0
    top = (2 * wanted - height) // 2
    padded = cv2.copyMakeBorder(pixels, top, top, 0, 0, cv2.BORDER_CONSTANT, value=(255, 255, 255))
    return np.asarray(padded, np.uint8), top
