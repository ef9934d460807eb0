"""Engines that read what a test prescribes."""

from collections.abc import Iterator

from backend_main.reading import Engine, Line, PageImage
from backend_main.reading.types import level_box


class FakeEngine(Engine):
    """Engine that reads what a test prescribes, and records the pages that it gets."""

    name = "fake"

    def __init__(self, *texts: str, confidence: float = 0.99, step: float = 60.0) -> None:
        self.texts = texts
        self.confidence = confidence
        self.step = step
        self.pages: list[PageImage] = []

    def load(self, threads: int) -> None:
        pass

    def read_page(self, page: PageImage) -> Iterator[Line]:
        self.pages.append(page)
        for index, text in enumerate(self.texts):
            top = self.step * index
            yield Line(page.number, text, text, level_box(10, top, 210, top + 30), self.confidence)

    def read_column(self, page: PageImage) -> Iterator[Line]:
        return iter(())


class FailingEngine(FakeEngine):
    """Engine that raises at every page."""

    def read_page(self, page: PageImage) -> Iterator[Line]:
        raise RuntimeError("out of order")


class BoxlessEngine(FakeEngine):
    """Engine without boxes, as a language model is."""

    provides_boxes = False

    def read_page(self, page: PageImage) -> Iterator[Line]:
        self.pages.append(page)
        for text in self.texts:
            yield Line(page.number, text, f"{text}\n")
