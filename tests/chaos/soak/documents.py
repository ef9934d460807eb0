"""The documents of a plan as bytes, and the text that each must have in the end."""

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

# What the dummy engine reads of a page without a script, as those of a PDF are.
UNSCRIPTED_PAGE = "# Dummy page\n\nThe quick brown fox jumps\nover the lazy dog."
READABLE_KINDS = ("scan", "tiff", "pdf", "long", "stumbling")


@dataclass(frozen=True)
class Document:
    """A paper that was made; `content` is what is sent."""

    spec: DocumentSpec
    content: bytes

    @cached_property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    @property
    def is_readable(self) -> bool:
        """Whether all of it can be read."""
        return self.spec.kind in READABLE_KINDS

    def page(self, number: int) -> str:
        """The Markdown of a page."""
        return UNSCRIPTED_PAGE if self.spec.kind == "pdf" else "\n".join(_lines(self.spec, number))


def make_document(paper: DocumentSpec, marks: Path) -> Document:
    """`marks` is a directory where a page notes that it has crashed its reader once."""
    return Document(paper, _MAKERS.get(paper.kind, _tiff)(paper, marks))


def _lines(paper: DocumentSpec, number: int) -> list[str]:
    return [f"{paper.name} page {number}", "and its second line"]


def _script(paper: DocumentSpec, number: int) -> Script:
    return {"lines": _lines(paper, number), "line_seconds": paper.line_seconds}


def _scan(paper: DocumentSpec, marks: Path) -> bytes:
    return scripted_png(**_script(paper, 1))


def _tiff(paper: DocumentSpec, marks: Path) -> bytes:
    return scripted_tiff([_script(paper, number) for number in range(1, paper.pages + 1)])


def _crashing_once(paper: DocumentSpec, marks: Path) -> bytes:
    once = {"then": "crash", "only_once": str(marks / paper.name)}
    return scripted_tiff([_script(paper, number) | once for number in range(1, paper.pages + 1)])


def _crashing(paper: DocumentSpec, marks: Path) -> bytes:
    return scripted_png(**_script(paper, 1), then="crash", after=1)


def _failing(paper: DocumentSpec, marks: Path) -> bytes:
    return scripted_png(**_script(paper, 1), then="raise", after=1)


def _pdf(paper: DocumentSpec, marks: Path) -> bytes:
    pages = [Image.new("L", (64, 64), "white") for _ in range(paper.pages)]
    file = io.BytesIO()
    pages[0].save(file, "PDF", save_all=True, append_images=pages[1:], title=paper.name)
    return file.getvalue()


def _broken(paper: DocumentSpec, marks: Path) -> bytes:
    """Its header is that of a PNG; what follows is not to be decoded."""
    whole = scripted_png(**_script(paper, 1))
    at = whole.index(b"IDAT") + 4
    return whole[:at] + bytes(len(whole) - at)


def _refused(paper: DocumentSpec, marks: Path) -> bytes:
    return f"{paper.name} is no picture".encode()


_MAKERS = {
    "scan": _scan,
    "stumbling": _crashing_once,
    "crashing": _crashing,
    "failing": _failing,
    "pdf": _pdf,
    "broken": _broken,
    "refused": _refused,
}
