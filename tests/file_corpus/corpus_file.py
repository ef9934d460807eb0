"""A file of the corpus: its name, how it is made, and the expected result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SIZE = (60, 40)
DUMMY_LINE = "The quick brown fox jumps"
"""A line that the dummy engine gives for each page: the page was decoded, and has no text layer."""


@dataclass(frozen=True)
class Rejected:
    """The upload is rejected: an error on its field contains these words, and no row is created."""

    words: str


@dataclass(frozen=True)
class Failed:
    """The upload ends with status `error`; its message contains these words."""

    words: str


@dataclass(frozen=True)
class Processed:
    """The upload ends with status `processed`.

    `size`: pixels of page 1, None: not checked. `words` and `not_words`: each is, or is not, in the text.
    `warnings`: words of each warning; there are no others. `shows_patch`: page 1 is upright and shows the
    patch of `sample_image`.
    """

    content_type: str
    size: tuple[int, int] | None = SIZE
    pages: int = 1
    words: tuple[str, ...] = (DUMMY_LINE,)
    not_words: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    shows_patch: bool = True


@dataclass(frozen=True)
class CorpusFile:
    """A file of the corpus; `filename` is the name with which it is uploaded."""

    name: str
    make: Callable[[], bytes]
    expected: Rejected | Failed | Processed
    filename: str = ""
    slow: bool = False
    """The file takes more than three seconds."""
