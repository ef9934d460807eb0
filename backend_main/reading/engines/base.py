"""Step 10 - the contract of an engine: flags that say what it can do, and three methods."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

import msgspec

from ..pages import PageImage
from ..types import Line, Options


class Anew(msgspec.Struct, frozen=True):
    """Between lines: those before it count no more, the page is what comes now."""


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
    """ISO 639-1 codes of what it reads; empty: any, or what `readable` says."""
    profiles: ClassVar[tuple[str, ...]] = ()
    """What `Options.profile` may be, the default first; none: it has no choice."""
    tells_script: ClassVar[bool] = False
    """It can say in which script a page is; `script_of` does."""
    variables: ClassVar[frozenset[str]] = frozenset()
    """Environment variables that it is set up by. Its process sees these, and no others of the server's."""
    sends_pages_away: ClassVar[bool] = False
    """Pages leave this machine; it is used only where somebody asked for it."""
    for_tests: ClassVar[bool] = False
    """It does what a page tells it to; it is used only where a setting says so."""

    @classmethod
    def lacking(cls) -> str:
        """A sentence on what it needs and this machine has not, and how to get it; "" where all is there."""
        return ""

    @classmethod
    def readable(cls) -> frozenset[str]:
        """The languages that it reads on this machine; empty: it does not say."""
        return cls.languages

    @classmethod
    def unread(cls, profile: str) -> frozenset[str]:
        """Of the languages that it reads here, those which a profile does not; "" is its first."""
        return frozenset()

    @classmethod
    def advice(cls, script: str) -> str:
        """A sentence on what to install for this engine to read a script, "" for an unknown one."""
        return ""

    @abstractmethod
    def load(self, threads: int) -> None:
        """Load the models, and warm them. `threads` 0 means all cores this process may use."""

    def prepare(self, options: Options) -> None:  # noqa: B027 - most engines have nothing to choose
        """Told before the pages of a file: the languages and the profile that are asked for."""

    def prepared_for(self) -> frozenset[str]:
        """The languages that it reads as it is prepared now."""
        return self.readable()

    @abstractmethod
    def read_page(self, page: PageImage) -> Iterator[Line | Anew]:
        """Yield lines in reading order, each as soon as it is recognised; the text of a page only grows.

        A line without text says that something is printed in its box which the engine cannot read.
        """

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        """The page's Markdown once all of it is known. Asked only where `rewrites_page` is set."""
        return "".join(line.markdown for line in lines)

    def warnings(self) -> Sequence[str]:
        """What a person should know of the page that was read last, a sentence each."""
        return ()

    def script_of(self, page: PageImage) -> str | None:
        """The page's script, one of `languages.SCRIPTS`. Asked only where `tells_script` is set."""
        return None

    def close(self) -> None:  # noqa: B027 - most engines have nothing to give back
        """Give back what `load` took."""
