"""One file of the zoo: what it is called, how it is made, and how it must end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

SIZE = (60, 40)
DUMMY = "The quick brown fox jumps"
"""A line of every page that the `dummy` engine is given: the page was decoded, and had no text of its own."""


@dataclass(frozen=True)
class Rejected:
    """At the door: an error on the field that brought it, with these words in it, and no row."""

    words: str


@dataclass(frozen=True)
class Failed:
    """Status `error`, with these words in the sentence."""

    words: str


@dataclass(frozen=True)
class Processed:
    """Status `processed`. `size` None: not looked at. `drawn`: page 1 shows the patch of `scan()`, upright.

    `words` stand in the text, each; `warnings` have these words, one each, and there are no more of them.
    """

    content_type: str
    size: tuple[int, int] | None = SIZE
    pages: int = 1
    words: tuple[str, ...] = (DUMMY,)
    not_words: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    shows_patch: bool = True


@dataclass(frozen=True)
class CorpusFile:
    name: str
    make: Callable[[], bytes]
    expected: Rejected | Failed | Processed
    filename: str = ""
    slow: bool = False
    """Takes more than three seconds by its nature."""
