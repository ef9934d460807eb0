"""Step 10 - the contract of an engine: flags that say what it can do, and three methods."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from ..documents.document import PageImage
from ..types import Line, Options


class PageRestarted(msgspec.Struct, frozen=True):
    """Between lines: those before it count no more, the page is what comes now."""


class Engine(ABC):
    """One loaded reader of page images; used by one thread at a time.

    Register a subclass as an entry point of the group `scanrill.engines`; its name there is its `name`.
    """

    name: ClassVar[str]
    streams_tokens: ClassVar[bool] = False
    """Lines come in pieces smaller than a line."""
    provides_boxes: ClassVar[bool] = True
    """Lines carry boxes and confidences."""
    has_final_markdown: ClassVar[bool] = False
    """The page's final Markdown is not the lines' joined; `final_markdown` gives it."""
    uses_layout_analysis: ClassVar[bool] = False
    """Its lines have boxes, and `arrange` makes the final Markdown of them. Set `has_final_markdown` as well."""
    languages: ClassVar[frozenset[str]] = frozenset()
    """ISO 639-1 codes of what it reads; empty: any, or what `supported_languages` says."""
    profiles: ClassVar[tuple[str, ...]] = ()
    """What `Options.profile` may be, the default first; none: it has no choice."""
    detects_scripts: ClassVar[bool] = False
    """It can say in which script a page is; `detect_script` does."""
    environment_variables: ClassVar[frozenset[str]] = frozenset()
    """Environment variables that it is set up by. Its process sees these, and no others of the server's."""
    is_remote: ClassVar[bool] = False
    """Pages leave this machine; it is used only where somebody asked for it."""
    is_test_engine: ClassVar[bool] = False
    """It does what a page tells it to; it is used only where a setting says so."""

    @classmethod
    def unavailable_reason(cls) -> str | None:
        """Return what this machine lacks and how to get it, as a sentence; None if the engine can run."""
        return None

    @classmethod
    def supported_languages(cls) -> frozenset[str]:
        """The languages that it reads on this machine; empty: it does not say."""
        return cls.languages

    @classmethod
    def unsupported_languages(cls, profile: str) -> frozenset[str]:
        """Of the languages that it reads here, those which a profile does not; "" is its first."""
        return frozenset()

    @classmethod
    def install_hint(cls, script: str) -> str:
        """A sentence on what to install for this engine to read a script, "" for an unknown one."""
        return ""

    @abstractmethod
    def load(self, threads: int) -> None:
        """Load the models, and warm them. `threads` 0 means all cores this process may use."""

    def configure(self, options: Options) -> None:  # noqa: B027 - most engines have nothing to choose
        """Told before the pages of a file: the languages and the profile that are asked for."""

    def configured_languages(self) -> frozenset[str]:
        """The languages that it reads as it is prepared now."""
        return self.supported_languages()

    @abstractmethod
    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        """Yield lines in reading order, each as soon as it is recognised; the text of a page only grows.

        A line without text says that something is printed in its box which the engine cannot read.
        """

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        """The page's Markdown once all of it is known. Asked only where `has_final_markdown` is set."""
        return "".join(line.markdown for line in lines)

    def warnings(self) -> Sequence[str]:
        """What a person should know of the page that was read last, a sentence each."""
        return ()

    def detect_script(self, page: PageImage) -> str | None:
        """The page's script, one of `languages.SCRIPTS`. Asked only where `detects_scripts` is set."""
        return None

    def close(self) -> None:  # noqa: B027 - most engines have nothing to give back
        """Give back what `load` took."""
