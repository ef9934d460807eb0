"""OCR for images and PDFs: read a file, and receive its text as Markdown while it is being read.

    import scanrill

    print(scanrill.read_markdown("scan.pdf"))

    for event in scanrill.read("scan.pdf", languages=["de"], pages="1-3"):
        if isinstance(event, scanrill.PageDone):
            print(event.number, event.markdown, *event.warnings)

This package is the public interface of scanrill in Python. It needs no server, no Django and no settings.
"""

from backend_main import __version__
from backend_main.reading import (
    BatchedEvent,
    Block,
    BlockType,
    Box,
    Cancelled,
    Engine,
    EngineCrashed,
    EngineFailed,
    EngineInfo,
    EngineProcess,
    EngineTimeout,
    EngineUnavailable,
    Line,
    LinesRead,
    MarkdownWriter,
    NoSuchPage,
    Options,
    PageDone,
    PageFailed,
    PageImage,
    PageRestarted,
    PageStarted,
    PageWarning,
    PasswordNeeded,
    ReadEvent,
    ReadingError,
    TableCell,
    UnknownEngine,
    UnreadableFile,
    UnsupportedOption,
    WarningCode,
    Word,
    engine_info,
    known_engines,
    load_engine,
)

from ._read import OptionFields, read, read_markdown
from ._sources import BinaryFile, Source

__all__ = [
    "BatchedEvent",
    "BinaryFile",
    "Block",
    "BlockType",
    "Box",
    "Cancelled",
    "Engine",
    "EngineCrashed",
    "EngineFailed",
    "EngineInfo",
    "EngineProcess",
    "EngineTimeout",
    "EngineUnavailable",
    "Line",
    "LinesRead",
    "MarkdownWriter",
    "NoSuchPage",
    "OptionFields",
    "Options",
    "PageDone",
    "PageFailed",
    "PageImage",
    "PageRestarted",
    "PageStarted",
    "PageWarning",
    "PasswordNeeded",
    "ReadEvent",
    "ReadingError",
    "Source",
    "TableCell",
    "UnknownEngine",
    "UnreadableFile",
    "UnsupportedOption",
    "WarningCode",
    "Word",
    "__version__",
    "engine_info",
    "known_engines",
    "load_engine",
    "read",
    "read_markdown",
]
