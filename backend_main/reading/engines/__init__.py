"""OCR engines: what turns a page image into lines of text.

Each engine is a module or a package here, or an entry point of another package. Modules here may import
`documents`, `inference`, `languages` and `types`; they know nothing of layout, documents' order or servers.
"""

from .base import Engine, PageRestarted
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
    "Engine",
    "PageRestarted",
    "engine_class",
    "is_local",
    "is_test_engine",
    "known_engines",
    "load_engine",
    "unavailable_reason",
    "validate_options",
]
