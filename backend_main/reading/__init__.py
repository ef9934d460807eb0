"""Step 10 - pure Python, no Django: bytes → pages → lines → Markdown.

headers.py    a file → its kind, size and number of pages, by its first bytes
pages.py      a file → page images, within limits; pixels.py  any image → pixels upright on white
textlayer.py  a PDF page → the text it brings with it, where that is good
engines/      a page image → lines of text
layout.py     boxes → reading order, while a page is read: frame.py level, rows.py, columns.py
arrange.py    all that is known of a page that is read → blocks.py, tables.py, furniture.py
grids.py      the lines drawn on a page;  regions.py  what a layout model sees on it
letters.py    what lines say by their letters
turned.py     pages on their side or on their head
markdown.py   blocks → Markdown;  plain.py  Markdown → reading text
reader.py     the whole way, in this process
host.py       the whole way, in a child process (child.py) that may crash or hang; wire.py is what they speak
"""

from .errors import (
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineTimeout,
    EngineUnknown,
    NoSuchPage,
    ReadingError,
    UnreadableFile,
)
from .host import Host
from .reader import read
from .types import Box, Line, Options, PageDone, PageStarted, ReadEvent

__all__ = [
    "Box",
    "Cancelled",
    "EngineCrashed",
    "EngineFailed",
    "EngineTimeout",
    "EngineUnknown",
    "Host",
    "Line",
    "NoSuchPage",
    "Options",
    "PageDone",
    "PageStarted",
    "ReadEvent",
    "ReadingError",
    "UnreadableFile",
    "read",
]
