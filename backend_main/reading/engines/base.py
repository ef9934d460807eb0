"""Interface of an OCR engine.

A subclass sets `name` and implements `load` and `read_page`; every other member has a default. The engine
process calls them in this order: `load` once, then `configure` before each file and `read_page` for each
selected page; after a page `final_markdown` and `warnings`; `close` at the end.

A package registers its engine as an entry point of the group `scanrill.engines`. The name of the entry point
is the engine's `name`. `examples/scanrill-stamp` is a complete example.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

import msgspec

from ..documents.document import PageImage
from ..types import Line, Options, PageWarning


class PageRestarted(msgspec.Struct, frozen=True):
    """Marker between lines: the engine starts the page from the beginning, and its earlier lines are void."""


def lines_after_restart(items: Iterable[Line | PageRestarted]) -> list[Line]:
    """Return the lines of a page that an engine yields, without those that a restart makes void."""
    lines: list[Line] = []
    for item in items:
        if isinstance(item, PageRestarted):
            lines.clear()
        else:
            lines.append(item)
    return lines


class DetectedScript(NamedTuple):
    """Script of a page by its look. An unsure one needs proof: an engine that reads the page in it."""

    name: str
    """One of `languages.SCRIPTS`."""
    is_sure: bool = True


class UnreadWord(NamedTuple):
    """A word of a line, or some, that may be in a script that the engine does not read.

    start, stop: numbers of the words of the line's text, between spaces, that stand for it; equal if none
    does, and it belongs before the word `start`.
    left, right: its edges as shares of the length of the line.
    has_ink_alone: whether its ink has too few letters, or none; otherwise its letters are unsure.
    """

    start: int
    stop: int
    left: float
    right: float
    has_ink_alone: bool = False


class PageFailed(Exception):
    """Failure of an engine to read one page. The message is a phrase: "the model sent no data for 60 s"."""


class Engine(ABC):
    """Base class of the OCR engines. One thread at a time uses an instance.

    The class methods and the attributes work without a loaded engine: they must be cheap and must not
    import a model runtime.
    """

    name: ClassVar[str]
    """Name of the engine, equal to the name of its entry point."""
    streams_tokens: ClassVar[bool] = False
    """The engine yields pieces that are shorter than a line."""
    provides_boxes: ClassVar[bool] = True
    """Lines have boxes and confidences."""
    provides_words: ClassVar[bool] = False
    """Lines have words with boxes."""
    has_final_markdown: ClassVar[bool] = False
    """The final Markdown differs from the joined lines; `final_markdown` returns it."""
    uses_layout_analysis: ClassVar[bool] = False
    """The final Markdown comes from scanrill's layout analysis, not from `final_markdown`. Requires boxes."""
    languages: ClassVar[frozenset[str]] = frozenset()
    """ISO 639-1 codes of the supported languages; empty: any, or unknown."""
    profiles: ClassVar[tuple[str, ...]] = ()
    """Values of `Options.profile`, the default first; empty: the engine has no profiles."""
    detects_scripts: ClassVar[bool] = False
    """The engine implements `detect_script`."""
    environment_variables: ClassVar[frozenset[str]] = frozenset()
    """Environment variables that configure the engine. Its process sees no other variable of the server."""
    is_remote: ClassVar[bool] = False
    """The engine sends pages to another machine. It reads only files whose options name it."""
    is_test_engine: ClassVar[bool] = False
    """The engine follows instructions in the file. It is available only where a setting allows it."""

    is_confined: ClassVar[bool] = True
    """Its process reads only what `readable_paths` names besides libraries, writes no files, starts no
    programs, and opens connections only if `is_remote` is set. Unset it for what this rules out, such as
    drivers of a graphics processor. Its process is then not confined at all."""

    @classmethod
    def readable_paths(cls) -> Sequence[Path]:
        """Return files and directories that the engine reads, such as models outside its package."""
        return ()

    @classmethod
    def external_programs(cls) -> Sequence[str]:
        """Return the paths of the programs that the engine runs by `sandbox.program_runner.run_program`."""
        return ()

    @classmethod
    def unavailable_reason(cls) -> str | None:
        """Return what this machine lacks and how to get it, as a sentence; None if the engine can run."""
        return None

    @classmethod
    def supported_languages(cls) -> frozenset[str]:
        """Return the codes of the languages that this machine can read; empty: any, or unknown."""
        return cls.languages

    @classmethod
    def unsupported_languages(cls, profile: str) -> frozenset[str]:
        """Return those of `supported_languages` that a profile lacks. An empty profile is the default."""
        return frozenset()

    @classmethod
    def install_hint(cls, script: str | None) -> str | None:
        """Return a sentence that says what to install so that this engine can read a script.

        Args:
            script: one of `languages.SCRIPTS`; None if the script of the page is unknown.
        """
        return None

    @classmethod
    def language_hint(cls, code: str) -> str | None:
        """Return a sentence that says what to install so that this engine can read a language."""
        return None

    @property
    def fallback_engine(self) -> str | None:
        """Name of the engine that reads a page on which this one fails; None: the read fails."""
        return None

    @abstractmethod
    def load(self, threads: int) -> None:
        """Load the models and warm them up. Runs once, before any other method of the instance.

        Args:
            threads: number of threads; 0: one for each core that this process may use.

        Raises:
            Exception: any; scanrill reports it as `EngineFailed`.
        """

    def configure(self, options: Options) -> None:  # noqa: B027 - most engines have nothing to configure
        """Set the languages, the profile and the limits for the following pages. Runs before each file."""

    def configured_languages(self) -> frozenset[str]:
        """Return the codes of the languages that the current configuration reads."""
        return self.supported_languages()

    @abstractmethod
    def read_page(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        """Yield the lines of a page in reading order, each as soon as it is recognized.

        The caller can stop the iteration at any line. `MarkdownWriter` builds `Line.markdown`. A line with
        an empty text marks a box whose content the engine cannot read.

        Raises:
            PageFailed: the page is unreadable; scanrill then uses `fallback_engine`.
            Exception: any other; scanrill reports it as `EngineFailed`.
        """

    def read_column(self, page: PageImage) -> Iterator[Line | PageRestarted]:
        """Yield the lines of an image with one column of level lines. It may skip the layout analysis."""
        return self.read_page(page)

    def final_markdown(self, page: PageImage, lines: Sequence[Line]) -> str:
        """Return the final Markdown of a page. Used if `has_final_markdown` is set.

        Args:
            page: the page that `read_page` read last.
            lines: its lines with text.
        """
        return "".join(line.markdown for line in lines)

    def warnings(self) -> Sequence[PageWarning | str]:
        """Return warnings about the page that `read_page` read last. A sentence alone has no code."""
        return ()

    def unsure_words(self) -> Mapping[str, str]:
        """Return the words of the page that `read_page` read last of which English ones are nearly as likely.

        Each is mapped to the English word, both with the marks around them. scanrill uses it if the page is
        in English.
        """
        return {}

    def unread_words(self, line: Line) -> Sequence[UnreadWord]:
        """Return the words that may be in another script, of a line that `read_page` yielded last."""
        return ()

    def detect_script(self, page: PageImage) -> DetectedScript | None:
        """Return the script of a page; None if it is unclear.

        Used if `detects_scripts` is set.
        """
        return None

    def close(self) -> None:  # noqa: B027 - most engines have nothing to release
        """Release what `load` acquired."""
