"""The documents of a plan as bytes, and the expected text of each."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from PIL import Image

from tests.chaos.soak.plan import DocumentSpec
from tests.support.page_images import scripted_png
from tests.support.scripted_documents import Script, scripted_tiff

# The text that the dummy engine returns for a page without a script, such as those of a PDF.
UNSCRIPTED_PAGE = "# Dummy page\n\nThe quick brown fox jumps\nover the lazy dog."
READABLE_KINDS = ("scan", "tiff", "pdf", "long", "crashing once")


@dataclass(frozen=True)
class Document:
    """A generated document; `content` is the file to send."""

    spec: DocumentSpec
    content: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def is_readable(self) -> bool:
        """Whether all its pages can be read."""
        return self.spec.kind in READABLE_KINDS

    def page(self, number: int) -> str:
        """Return the expected Markdown of a page."""
        return UNSCRIPTED_PAGE if self.spec.kind == "pdf" else "\n".join(_lines(self.spec, number))


def make_document(spec: DocumentSpec, crash_markers: Path) -> Document:
    """Generate a document; in the directory `crash_markers`, pages record that they have crashed a reader."""
    return Document(spec, _MAKERS.get(spec.kind, _tiff)(spec, crash_markers))


def _lines(spec: DocumentSpec, number: int) -> list[str]:
    return [f"{spec.name} page {number}", "and its second line"]


def _script(spec: DocumentSpec, number: int) -> Script:
    return {"lines": _lines(spec, number), "line_seconds": spec.line_seconds}


def _scan(spec: DocumentSpec, crash_markers: Path) -> bytes:
    return scripted_png(**_script(spec, 1))


def _tiff(spec: DocumentSpec, crash_markers: Path) -> bytes:
    return scripted_tiff([_script(spec, number) for number in range(1, spec.pages + 1)])


def _crashing_once(spec: DocumentSpec, crash_markers: Path) -> bytes:
    once = {"then": "crash", "only_once": str(crash_markers / spec.name)}
    return scripted_tiff([_script(spec, number) | once for number in range(1, spec.pages + 1)])


def _crashing(spec: DocumentSpec, crash_markers: Path) -> bytes:
    return scripted_png(**_script(spec, 1), then="crash", after=1)


def _failing(spec: DocumentSpec, crash_markers: Path) -> bytes:
    return scripted_png(**_script(spec, 1), then="raise", after=1)


def _pdf(spec: DocumentSpec, crash_markers: Path) -> bytes:
    pages = [Image.new("L", (64, 64), "white") for _ in range(spec.pages)]
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], title=spec.name)
    return file.getvalue()


def _broken(spec: DocumentSpec, crash_markers: Path) -> bytes:
    """Return a file with the header of a PNG and undecodable data."""
    complete = scripted_png(**_script(spec, 1))
    offset = complete.index(b"IDAT") + 4
    return complete[:offset] + bytes(len(complete) - offset)


def _rejected(spec: DocumentSpec, crash_markers: Path) -> bytes:
    return f"{spec.name} is not an image".encode()


_MAKERS = {
    "scan": _scan,
    "crashing once": _crashing_once,
    "crashing": _crashing,
    "failing": _failing,
    "pdf": _pdf,
    "broken": _broken,
    "rejected": _rejected,
}
