"""PDFs: with a text of their own, without, turned, locked, broken."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from functools import partial

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from .corpus_file import (
    DUMMY,
    CorpusFile,
    Failed,
    Read,
    Refused,
)
from .images import saved, scan

PDF = "application/pdf"
A6 = (298, 420)
LINES = ("Every page of this paper has words", "of its own, and nobody need guess", "what any of them is.")
OWN = Read(PDF, None, words=LINES[:1], not_words=(DUMMY,), drawn=False)
READ_AS_IMAGE = Read(PDF, None, not_words=LINES[:1], drawn=False)


def paper(
    *pages: str, turn: int = 0, lock: StandardEncryption | None = None, size: tuple[int, int] = A6
) -> bytes:
    """A page for each: `text`, `scan` (a picture of one), `hidden` (both, the text invisible), `sideways`."""
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=size, encrypt=lock)
    for number, kind in enumerate(pages, 1):
        canvas.setPageRotation(turn)
        if kind in ("scan", "hidden"):
            canvas.drawImage(ImageReader(scan("RGB", (300, 200))), 0, 0, *size)
        if kind != "scan":
            _write(canvas, (*LINES, f"This is page {number}."), kind, turn, size)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _write(canvas: Canvas, lines: Sequence[str], kind: str, turn: int, size: tuple[int, int]) -> None:
    """Upright as the page is shown, so turned against its rotation; `sideways` is not."""
    width, height = size[::-1] if turn in (90, 270) else size  # a turned page is drawn on its side
    canvas.translate(width / 2, height / 2)
    canvas.rotate(turn + (90 if kind == "sideways" else 0))
    text = canvas.beginText(-120, 60)
    text.setTextRenderMode(3 if kind == "hidden" else 0)
    text.setFont("Helvetica", 12)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)


def pdf(objects: dict[int, str | bytes], *, root: int = 1, table: bool = True, trailer: str = "") -> bytes:
    """A PDF of these objects. `table` False: the cross-reference table points nowhere."""
    file = bytearray(b"%PDF-1.7\n")
    places = {}
    for number, content in objects.items():
        places[number] = len(file) if table else 7
        content = content.encode() if isinstance(content, str) else content
        file += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(file)
    file += b"xref\n0 1\n0000000000 65535 f \n"
    for number, place in places.items():
        file += b"%d 1\n%010d 00000 n \n" % (number, place)
    end = f"trailer\n<</Root {root} 0 R/Size {max(objects) + 1}{trailer}>>\nstartxref\n{start}\n%%EOF\n"
    return bytes(file) + end.encode()


def stream(content: bytes, entries: str = "") -> bytes:
    packed = zlib.compress(content)
    head = f"<<{entries}/Filter/FlateDecode/Length {len(packed)}>>\nstream\n".encode()
    return head + packed + b"\nendstream"


def plain(
    pages: Sequence[str],
    *,
    content: bytes = b"",
    resources: str = "",
    more: dict[int, str | bytes] | None = None,
) -> dict[int, str | bytes]:
    """A document's objects: 1 catalogue, 2 pages, 3 font, 4 content, from 10 the pages with these entries.

    An empty string instead of a page's entries: the page is announced and not there.
    """
    kids = " ".join(f"{10 + index} 0 R" for index in range(len(pages)))
    page = "<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</Font<</F 3 0 R>>{}>>{}>>"
    objects: dict[int, str | bytes] = {
        1: "<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        3: "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        4: stream(content or b"BT /F 12 Tf 20 200 Td (%b) Tj ET" % LINES[0].encode()),
    }
    objects |= {10 + index: page.format(resources, entries) for index, entries in enumerate(pages) if entries}
    return objects | (more or {})


BOX = "/MediaBox[0 0 298 420]"
PRIVATE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /P def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <20> <7e> <e020> endbfrange
endcmap end end"""


def private_use() -> bytes:
    """A font that puts its letters into the private use area: shown they are right, copied they are not."""
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 5 0 R>>"
    return pdf(plain([BOX], more={3: font, 5: stream(PRIVATE.encode())}))


def numbered(count: int) -> bytes:
    """Pages that are alike; small, however many."""
    return pdf(plain([BOX] * count))


def _texts() -> Iterator[CorpusFile]:
    yield CorpusFile("pdf with text", partial(paper, "text"), OWN)
    for turn in (90, 180, 270):
        yield CorpusFile(f"pdf with text turned {turn}", partial(paper, "text", turn=turn), OWN)
    yield CorpusFile("pdf with text sideways", partial(paper, "sideways"), READ_AS_IMAGE)
    yield CorpusFile("pdf of a scan", partial(paper, "scan"), Read(PDF, None))
    yield CorpusFile("pdf with hidden text over a scan", partial(paper, "hidden"), READ_AS_IMAGE)
    yield CorpusFile("pdf with letters of private use", private_use, READ_AS_IMAGE)
    yield CorpusFile(
        "pdf with text and a scan",
        partial(paper, "text", "scan", "text"),
        Read(
            PDF,
            None,
            pages=3,
            words=(LINES[0], "page 1", DUMMY, "page 3"),
            not_words=("page 2",),
            drawn=False,
        ),
    )
    yield CorpusFile("pdf of a fax", lambda: saved(scan("1"), "PDF", resolution=200), Read(PDF, None))
    yield CorpusFile(
        "pdf of a jpeg 2000", lambda: saved(scan("RGBA"), "PDF", resolution=200), Read(PDF, None)
    )
    yield CorpusFile(
        "pdf of 300 pages",
        partial(paper, *["text"] * 300),
        Read(
            PDF, None, pages=300, words=("page 1.", "page 299.", "page 300."), not_words=(DUMMY,), drawn=False
        ),
        slow=True,
    )


def _odd() -> Iterator[CorpusFile]:
    yield CorpusFile("pdf behind 1,000 bytes", lambda: b"x" * 999 + b"\n" + paper("text"), OWN)
    yield CorpusFile(
        "pdf behind 2,000 bytes", lambda: b"x" * 2000 + paper("text"), Refused("Unsupported file format")
    )
    yield CorpusFile("pdf with a broken table", lambda: pdf(plain([BOX]), table=False), OWN)
    huge = "/MediaBox[0 0 200000 100000]"
    yield CorpusFile(
        "pdf with a huge page",
        lambda: pdf(plain([huge])),
        Read(PDF, (4000, 2000), words=LINES[:1], drawn=False),
    )
    yield CorpusFile(
        "pdf with a page of a dot", lambda: pdf(plain(["/MediaBox[0 0 1 1]"])), Read(PDF, (3, 3), drawn=False)
    )
    yield CorpusFile("pdf that only its owner may change", lambda: paper("text", lock=_locked("")), OWN)


def _bad() -> Iterator[CorpusFile]:
    yield CorpusFile(
        "pdf with a password", lambda: paper("text", lock=_locked("open")), Failed("needs a password")
    )
    yield CorpusFile("pdf without pages", lambda: pdf(plain([])), Failed("no pages"))
    yield CorpusFile("pdf that is only a header", lambda: b"%PDF-1.7\nnothing more", Failed("broken"))
    yield CorpusFile("pdf cut short", lambda: paper("text", "scan")[:700], Failed("broken"))
    yield CorpusFile(
        "pdf with a broken page",
        lambda: pdf(plain([BOX, "", BOX])),
        Read(PDF, None, pages=3, words=LINES[:1], warnings=("Page 2",), drawn=False),
    )
    yield CorpusFile("pdf with a broken page only", lambda: pdf(plain([""])), Failed("broken"))
    yield CorpusFile("pdf of 5,001 pages", partial(numbered, 5_001), Failed("more than 5000 pages"))


def _locked(password: str) -> StandardEncryption:
    return StandardEncryption(password, "owner", strength=128)


EXHIBITS = [*_texts(), *_odd(), *_bad()]
