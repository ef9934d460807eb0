"""PDFs: with and without a text layer, rotated, encrypted, broken."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator, Sequence
from functools import partial

from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from .corpus_file import (
    DUMMY_LINE,
    CorpusFile,
    Failed,
    Processed,
    Rejected,
)
from .images import sample_image, saved

PDF = "application/pdf"
A6 = (298, 420)
LINES = ("Every page of this file has text", "of its own, so that nothing needs", "to be recognized.")
TEXT_LAYER_READ = Processed(PDF, None, words=LINES[:1], not_words=(DUMMY_LINE,), shows_patch=False)
IMAGE_READ = Processed(PDF, None, not_words=LINES[:1], shows_patch=False)


def build_pdf(
    *pages: str, turn: int = 0, lock: StandardEncryption | None = None, size: tuple[int, int] = A6
) -> bytes:
    """Build a PDF with a page of each kind.

    Kinds: `text`, `scan` (an image), `hidden` (an image and invisible text), `sideways` (rotated text).
    """
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=size, encrypt=lock)
    for number, kind in enumerate(pages, 1):
        canvas.setPageRotation(turn)
        if kind in ("scan", "hidden"):
            canvas.drawImage(ImageReader(sample_image("RGB", (300, 200))), 0, 0, *size)
        if kind != "scan":
            _write(canvas, (*LINES, f"This is page {number}."), kind, turn, size)
        canvas.showPage()
    canvas.save()
    return file.getvalue()


def _write(canvas: Canvas, lines: Sequence[str], kind: str, turn: int, size: tuple[int, int]) -> None:
    """Write upright text on the page as it is shown, so against its rotation; `sideways` text is not."""
    width, height = size[::-1] if turn in (90, 270) else size  # the canvas of a rotated page is not
    canvas.translate(width / 2, height / 2)
    canvas.rotate(turn + (90 if kind == "sideways" else 0))
    text = canvas.beginText(-120, 60)
    text.setTextRenderMode(3 if kind == "hidden" else 0)
    text.setFont("Helvetica", 12)
    for line in lines:
        text.textLine(line)
    canvas.drawText(text)


def pdf_from_objects(
    objects: dict[int, str | bytes], *, root: int = 1, table: bool = True, trailer: str = ""
) -> bytes:
    """Build a PDF of these objects. `table` False: the cross-reference table is wrong."""
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


def document_objects(
    pages: Sequence[str],
    *,
    content: bytes = b"",
    resources: str = "",
    more: dict[int, str | bytes] | None = None,
) -> dict[int, str | bytes]:
    """Return a document's objects: 1 catalogue, 2 pages, 3 font, 4 content, pages with these entries from 10.

    A page with an empty string for its entries is listed but missing.
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
TO_UNICODE = """/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /P def /CMapType 2 def
1 begincodespacerange <00> <ff> endcodespacerange 1 beginbfrange <20> <7e> <e020> endbfrange
endcmap end end"""


def private_use_pdf() -> bytes:
    """Return a PDF whose font maps letters to the private use area: displayed right, extracted wrong."""
    font = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 5 0 R>>"
    return pdf_from_objects(document_objects([BOX], more={3: font, 5: stream(TO_UNICODE.encode())}))


def identical_pages(count: int) -> bytes:
    """Return a small PDF of many identical pages."""
    return pdf_from_objects(document_objects([BOX] * count))


def _texts() -> Iterator[CorpusFile]:
    yield CorpusFile("pdf with text", partial(build_pdf, "text"), TEXT_LAYER_READ)
    for turn in (90, 180, 270):
        yield CorpusFile(
            f"pdf with text turned {turn}", partial(build_pdf, "text", turn=turn), TEXT_LAYER_READ
        )
    yield CorpusFile("pdf with text sideways", partial(build_pdf, "sideways"), TEXT_LAYER_READ)
    yield CorpusFile("pdf of a scan", partial(build_pdf, "scan"), Processed(PDF, None))
    yield CorpusFile("pdf with hidden text over a scan", partial(build_pdf, "hidden"), IMAGE_READ)
    yield CorpusFile("pdf with letters of private use", private_use_pdf, IMAGE_READ)
    yield CorpusFile(
        "pdf with text and a scan",
        partial(build_pdf, "text", "scan", "text"),
        Processed(
            PDF,
            None,
            pages=3,
            words=(LINES[0], "page 1", DUMMY_LINE, "page 3"),
            not_words=("page 2",),
            shows_patch=False,
        ),
    )
    yield CorpusFile(
        "pdf of a fax", lambda: saved(sample_image("1"), "PDF", resolution=200), Processed(PDF, None)
    )
    yield CorpusFile(
        "pdf of a jpeg 2000", lambda: saved(sample_image("RGBA"), "PDF", resolution=200), Processed(PDF, None)
    )
    yield CorpusFile(
        "pdf of 300 pages",
        partial(build_pdf, *["text"] * 300),
        Processed(
            PDF,
            None,
            pages=300,
            words=("page 1.", "page 299.", "page 300."),
            not_words=(DUMMY_LINE,),
            shows_patch=False,
        ),
        slow=True,
    )


def _odd() -> Iterator[CorpusFile]:
    yield CorpusFile(
        "pdf behind 1,000 bytes", lambda: b"x" * 999 + b"\n" + build_pdf("text"), TEXT_LAYER_READ
    )
    yield CorpusFile(
        "pdf behind 2,000 bytes", lambda: b"x" * 2000 + build_pdf("text"), Rejected("Unsupported file format")
    )
    yield CorpusFile(
        "pdf with a broken table",
        lambda: pdf_from_objects(document_objects([BOX]), table=False),
        TEXT_LAYER_READ,
    )
    huge = "/MediaBox[0 0 200000 100000]"
    yield CorpusFile(
        "pdf with a huge page",
        lambda: pdf_from_objects(document_objects([huge])),
        Processed(PDF, (4000, 2000), words=LINES[:1], shows_patch=False),
    )
    yield CorpusFile(
        "pdf with a page of a dot",
        lambda: pdf_from_objects(document_objects(["/MediaBox[0 0 1 1]"])),
        Processed(PDF, (3, 3), shows_patch=False),
    )
    yield CorpusFile(
        "pdf that only its owner may change", lambda: build_pdf("text", lock=_locked("")), TEXT_LAYER_READ
    )


def _bad() -> Iterator[CorpusFile]:
    yield CorpusFile(
        "pdf with a password", lambda: build_pdf("text", lock=_locked("open")), Failed("needs a password")
    )
    yield CorpusFile("pdf without pages", lambda: pdf_from_objects(document_objects([])), Failed("no pages"))
    yield CorpusFile("pdf that is only a header", lambda: b"%PDF-1.7\nnothing more", Failed("broken"))
    yield CorpusFile("pdf truncated", lambda: build_pdf("text", "scan")[:700], Failed("broken"))
    yield CorpusFile(
        "pdf with a broken page",
        lambda: pdf_from_objects(document_objects([BOX, "", BOX])),
        Processed(PDF, None, pages=3, words=LINES[:1], warnings=("Page 2",), shows_patch=False),
    )
    yield CorpusFile(
        "pdf with a broken page only", lambda: pdf_from_objects(document_objects([""])), Failed("broken")
    )
    yield CorpusFile("pdf of 5,001 pages", partial(identical_pages, 5_001), Failed("more than 5000 pages"))


def _locked(password: str) -> StandardEncryption:
    return StandardEncryption(password, "owner", strength=128)


CORPUS_FILES = [*_texts(), *_odd(), *_bad()]
