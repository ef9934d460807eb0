"""Step 10 - what reading yields: pages, their lines, and the options that bound it."""

import msgspec

Box = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]
"""Four corners clockwise from the top left, in pixels of the page image, upright (EXIF applied)."""


class PageStarted(msgspec.Struct, frozen=True, tag=True):
    """A page image is ready and its reading begins. Numbers count from 1, sizes are pixels."""

    number: int
    page_count: int
    width: int
    height: int


class Line(msgspec.Struct, frozen=True, tag=True):
    """A recognised piece of a line.

    `text` is what was recognised. `markdown` is the same, escaped, behind what must stand before it, so that
    `"".join(line.markdown for line in lines)` is the page's Markdown so far and only grows. From an engine
    that streams tokens, it is a piece of a line.
    """

    page: int
    text: str
    markdown: str
    box: Box | None = None
    confidence: float | None = None


class PageDone(msgspec.Struct, frozen=True, tag=True):
    """A page is finished. `text` is its reading text: no Markdown marks, paragraphs on one line each."""

    number: int
    page_count: int
    width: int
    height: int
    markdown: str
    text: str
    lines: list[Line]
    warnings: list[str]


ReadEvent = PageStarted | Line | PageDone
BatchedEvent = PageStarted | tuple[Line, ...] | PageDone
"""The same, where lines that come close to each other come together."""


class Options(msgspec.Struct, frozen=True):
    """How to read one file. `last_page` None means to its end, `threads` 0 all cores.

    `pages` are some of these, as in `selection`, "" all. `languages` are ISO 639-1 codes, none: as the engine
    sees fit; `profile` is one of the engine's, "" its first. A host has its own `engine` and `threads`.
    """

    engine: str = "rapid"
    first_page: int = 1
    last_page: int | None = None
    threads: int = 0
    max_pixels: int = 200_000_000
    max_pages: int = 5000
    page_seconds: float = 120.0
    languages: tuple[str, ...] = ()
    profile: str = ""
    pages: str = ""
