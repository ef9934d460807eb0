"""Errors of reading.

ReadingError
├── UnreadableFile      the file is broken, encrypted, empty, unsupported or over a limit
│   └── PasswordNeeded  only a password opens the file
├── NoSuchPage          the file has none of the requested pages
├── UnknownEngine       no engine of this name is installed
├── EngineUnavailable   this machine lacks what the engine needs
├── UnsupportedOption   the engine does not support this language, profile or page range
├── EngineFailed        the engine raised an exception; its process continues
├── EngineCrashed       the engine's process exited, or used too much memory
├── EngineTimeout       a page, or the start, exceeded its time limit; the process was killed
└── Cancelled           `EngineProcess.cancel` stopped the read

Each message is for the person who sent the file. It contains no path and no traceback.
"""

from collections.abc import Iterable
from typing import ClassVar


class ReadingError(Exception):
    """Base class of every error of reading. `code` names its kind for programs; it never changes."""

    code: ClassVar[str] = "internal_error"


class UnreadableFile(ReadingError):
    """A file that is broken, encrypted, empty, unsupported or over a limit."""

    code = "unreadable_file"


class PasswordNeeded(UnreadableFile):
    """A PDF that only a password opens."""

    code = "password_needed"


class NoSuchPage(ReadingError):
    """A request for pages that the file does not have."""

    code = "pages_not_found"


class UnknownEngine(ReadingError):
    """An engine name that is not installed. The message lists the installed ones."""

    code = "unknown_engine"

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__(f"Unknown engine “{name}”. Installed: {', '.join(sorted(known))}.")


class EngineUnavailable(ReadingError):
    """An engine that this machine cannot run. The message says what is missing and how to get it."""

    code = "engine_unavailable"

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The engine “{name}” is not available: {reason}")


class UnsupportedOption(ReadingError):
    """An option that the engine does not support. `option` is the name of its field in `Options`."""

    code = "unsupported_option"

    def __init__(self, option: str, message: str) -> None:
        super().__init__(message)
        self.option = option


class EngineFailed(ReadingError):
    """An exception that the engine raised. `__cause__` is that exception, where it is known."""

    code = "engine_failed"


class EngineCrashed(ReadingError):
    """An engine process that exited, or that was killed for its memory."""

    code = "engine_crashed"


class EngineTimeout(ReadingError):
    """An engine that exceeded its time limit."""

    code = "timeout"


class Cancelled(ReadingError):
    """A read that the caller cancelled."""

    code = "cancelled"

    def __init__(self, message: str = "Cancelled") -> None:
        super().__init__(message)
