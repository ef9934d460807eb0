"""Step 10 - the contract of an engine: flags that say what it can do, and three methods."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from ..pages import PageImage
from ..types import Line


class Engine(ABC):
    """One loaded reader of page images; used by one thread at a time.

    Register a subclass as an entry point of the group `scanrill.engines`; its name there is its `name`.
    """

    name: ClassVar[str]
    streams_tokens: ClassVar[bool] = False
    """Lines come in pieces smaller than a line."""
    gives_boxes: ClassVar[bool] = True
    """Lines carry boxes and confidences."""
    rewrites_page: ClassVar[bool] = False
    """The page's final Markdown is not the lines' joined; `final_markdown` gives it."""
    wants_layout: ClassVar[bool] = False
    """Its lines have boxes, and `arrange` makes the final Markdown of them. Set `rewrites_page` as well."""
    languages: ClassVar[frozenset[str]] = frozenset()
    """ISO 639-1 codes of what it reads; empty when that depends on what is installed."""

    @abstractmethod
    def load(self, threads: int) -> None:
        """Load the models, and warm them. `threads` 0 means all cores this process may use."""

    @abstractmethod
    def read_page(self, page: PageImage) -> Iterator[Line]:
        """Yield lines in reading order, each as soon as it is recognised; the text of a page only grows."""

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        """The page's Markdown once all of it is known. Asked only where `rewrites_page` is set."""
        return "".join(line.markdown for line in lines)

    def close(self) -> None:  # noqa: B027 - most engines have nothing to give back
        """Give back what `load` took."""
