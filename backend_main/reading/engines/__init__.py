"""OCR engines: page image → lines of text.

Each engine is a module or a package here, or an entry point of another package. Modules here may import
`output`, `layout`, `documents`, `inference`, `languages`, `page_ranges`, `types` and `errors`.

base.py         interface of an engine
registry.py     engines by name, through entry points
lazy_engine.py  engine that is loaded when a page first needs it
info.py         description of an engine, for users and programs
rotated_page.py pages that are rotated by quarter turns
dummy.py        engine for tests
tesseract.py    the Tesseract program
rapid/          PP-OCRv6, the default
vision/         vision-language models behind an OpenAI-compatible API
"""

from .base import DetectedScript, Engine, PageFailed, PageRestarted, UnreadWord, lines_after_restart
from .lazy_engine import LazyEngine
from .registry import (
    engine_class,
    is_local,
    is_test_engine,
    known_engines,
    load_engine,
    unavailable_reason,
    validate_options,
)

__all__ = [
    "DetectedScript",
    "Engine",
    "LazyEngine",
    "PageFailed",
    "PageRestarted",
    "UnreadWord",
    "engine_class",
    "is_local",
    "is_test_engine",
    "known_engines",
    "lines_after_restart",
    "load_engine",
    "unavailable_reason",
    "validate_options",
]
