"""Step 10 - every way reading can fail.

ReadingError
├── UnreadableFile     the file's fault, final
├── NoSuchPage         the file has fewer pages
├── UnknownEngine      no engine of that name is installed
├── EngineUnavailable      the engine is known, but lacks something on this machine
├── UnsupportedOption        the engine cannot read that language, or has no such profile
├── EngineFailed       the engine raised; its process lives on
├── EngineCrashed      the engine's process died, or was ended for its memory
├── EngineTimeout      a page, or the start, took too long; the process was ended
└── Cancelled          somebody called `EngineProcess.cancel()`

The message of each is one sentence for the person who sent the file: no path, no traceback.
"""

from collections.abc import Iterable


class ReadingError(Exception):
    """Reading ended without a result."""


class UnreadableFile(ReadingError):
    """Broken, encrypted, empty, unsupported, or over a limit."""


class NoSuchPage(ReadingError):
    """A page was asked for that the file does not have."""


class UnknownEngine(ReadingError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"There is no reading engine “{name}”; known are: {', '.join(sorted(known))}.")


class EngineUnavailable(ReadingError):
    """The sentence says what it lacks and how to get that."""

    def __init__(self, name: str, lacking: str) -> None:
        super().__init__(f"The reading engine “{name}” cannot be used here: {lacking}")


class UnsupportedOption(ReadingError):
    """Options that do not go with the engine; `option` is the one that is wrong."""

    def __init__(self, option: str, sentence: str) -> None:
        super().__init__(sentence)
        self.option = option


class EngineFailed(ReadingError):
    """The engine raised an exception."""


class EngineCrashed(ReadingError):
    """The engine's process is gone."""


class EngineTimeout(ReadingError):
    """The engine needed too long."""


class Cancelled(ReadingError):
    def __init__(self, message: str = "Cancelled") -> None:
        super().__init__(message)
