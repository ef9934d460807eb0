"""Pages of a document that this process has read, for the detection of furniture that repeats."""

from .furniture_page import FurniturePage

MAX_REMEMBERED_PAGES = 16
"""The pages read last. A page of 50 lines takes 20 kB."""


class FurnitureHistory:
    """The pages of one document that were read last.

    A page of a scan is recognized once, in the order of the pages, so only earlier ones are known.
    """

    def __init__(self) -> None:
        self._pages: dict[int, FurniturePage] = {}

    def add(self, page: FurniturePage) -> list[FurniturePage]:
        """Remember a page, and return the others that are known."""
        self._pages.pop(page.number, None)
        others = list(self._pages.values())
        self._pages[page.number] = page
        if len(self._pages) > MAX_REMEMBERED_PAGES:
            del self._pages[next(iter(self._pages))]
        return others
