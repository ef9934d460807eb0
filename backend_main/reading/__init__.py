"""Step 10 - pure Python, no Django: bytes → pages → lines → Markdown. A library of its own.

    from backend_main.reading import Line, Options, PageDone, read

    for event in read("scan.pdf", Options(languages=("de",), pages="1-3")):
        if isinstance(event, PageDone):
            print(event.markdown, event.warnings)

`read` yields PageStarted, Lines as they are recognised, PageDone; it raises subclasses of ReadingError alone.
A `EngineProcess` does the same in a child process. An `Engine` of another package is an entry point of the group
`scanrill.engines`.

headers.py    a file → its kind, size and number of pages, by its first bytes
pages.py      a file → page images, within limits; pixels.py  any image → pixels upright on white
textlayer.py  a PDF page → the text it brings with it, where that is good
engines/      a page image → lines of text;  vision/  what the engine of that name needs
transcript.py one page: what streams, what stays;  writing.py  lines → final Markdown
doubt.py      whether it makes sense;  helpers.py  another engine, where it does not;  languages.py
selection.py  “1-3,7” → which pages
layout.py     boxes → reading order, while a page is read: frame.py level, rows.py, columns.py
arrange.py    all that is known of a page that is read → blocks.py, tables.py, furniture.py
grids.py      the lines drawn on a page;  regions.py  what a layout model sees on it
runtimes.py   what runs a model, that one and the engines'
letters.py    what lines say by their letters
turned.py     pages on their side or on their head
markdown.py   blocks → Markdown;  plain.py  Markdown → reading text
reader.py     the whole way, in this process
hosts.py      a reader's engines, each in its host
host.py       the whole way, in a child process (child.py) that may crash or hang; wire.py is what they speak,
              gathering.py how often
"""

from .child_process.engine_pool import EngineProcessPool
from .child_process.engine_process import EngineProcess
from .documents.document import PageImage
from .engines import Engine, PageRestarted
from .errors import (
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    NoSuchPage,
    ReadingError,
    UnknownEngine,
    UnreadableFile,
    UnsupportedOption,
)
from .output.markdown import MarkdownWriter
from .pipeline import read
from .types import BatchedEvent, Box, Line, Options, PageDone, PageStarted, ReadEvent

__all__ = [
    "BatchedEvent",
    "Box",
    "Cancelled",
    "Engine",
    "EngineCrashed",
    "EngineFailed",
    "EngineProcess",
    "EngineProcessPool",
    "EngineTimeout",
    "EngineUnavailable",
    "Line",
    "MarkdownWriter",
    "NoSuchPage",
    "Options",
    "PageDone",
    "PageImage",
    "PageRestarted",
    "PageStarted",
    "ReadEvent",
    "ReadingError",
    "UnknownEngine",
    "UnreadableFile",
    "UnsupportedOption",
    "read",
]
