"""The two networks of a profile of the default engine, loaded."""

from collections.abc import Mapping, Sequence

import numpy as np

from ...documents.document import PageImage
from ...documents.pixels import Pixels
from ...english_words import english_words
from ...inference import InferenceSession
from ..base import UnreadWord
from .curl import Core, line_cores
from .detector import Detector, DetectorImage, Quads
from .line_cores import MIN_PROBABILITY
from .line_reading import LineReading
from .model_files import PROFILES
from .recognizer import LINE_HEIGHT, MIN_LINE_WIDTH, Recognizer
from .scaled_page import ScaledPage
from .tiles import detect_in_tiles
from .unsure_words import most_likely


class Models:
    """The two networks of a profile. Each thread recognizes one line at a time."""

    def __init__(self, profile: str, runtime: type[InferenceSession], threads: int) -> None:
        files = PROFILES[profile]()
        self._detector = Detector(runtime(files.detection, threads))
        network = runtime(files.recognition, threads, concurrency=threads)
        self._recognizer = Recognizer(network, files.characters)

        # Libraries load and compile at the first calls, and words are read; no page waits for that.
        english_words()
        blank = np.full((LINE_HEIGHT, MIN_LINE_WIDTH, 3), 255, np.uint8)
        self._detector.detect(DetectorImage(blank, MIN_LINE_WIDTH).pixels)
        self._recognizer.read(blank, np.array([[0, 0], [99, 0], [99, 40], [0, 40]], np.float32))

    def clear_words(self) -> None:
        """Discard the unsure and the unread words of the lines so far."""
        self._recognizer.unsure_words.clear()
        self._recognizer.unread_words.clear()

    def unsure_words(self) -> Mapping[str, str]:
        """Return the likely word for each unsure one that was read since they were cleared."""
        return most_likely(self._recognizer.unsure_words)

    def unread_words(self, text: str, confidence: float) -> Sequence[UnreadWord]:
        """Return the words that may be in another script, of a line that was read since they were cleared."""
        return self._recognizer.unread_words.get((text, confidence), ())

    def detect(self, pixels: Pixels) -> Quads:
        """Return the boxes of the lines on an image for the detector."""
        return self._detector.detect(pixels)

    def detect_with_cores(self, scaled: ScaledPage) -> tuple[Quads, list[Core]]:
        """Return the boxes of the lines of a page, and the cores of the long ones."""
        quads, probabilities = self._detector.detect_with_map(scaled.detector_image.pixels)
        return quads, line_cores(probabilities, MIN_PROBABILITY)

    def recognize(self, scaled: ScaledPage, quad: Quads) -> LineReading:
        """Return what is read in a box of the page."""
        return self._recognizer.read(scaled.image, quad * np.float32(scaled.scale))

    def recognize_on(self, image: Pixels, quad: Quads) -> LineReading:
        """Return what is read in a box of an image."""
        return self._recognizer.read(image, quad)

    def detect_at(self, page: PageImage, scale: float) -> tuple[ScaledPage, Quads]:
        """Detect a page in tiles; return it for recognition, and the boxes of the lines on the page."""
        return ScaledPage.for_tiles(page, scale), detect_in_tiles(page.pixels, scale, self.detect)
