"""Structure tree of a PDF that is written here, object by object."""

from pathlib import Path

import pypdfium2

from backend_main.reading.documents.pdf_structure import NO_TAGS, read_tags

CONTENT = b"""/P <</MCID 0>> BDC BT /F1 24 Tf 72 700 Td (Harbours) Tj ET EMC
/P <</MCID 1>> BDC BT /F1 11 Tf 72 650 Td (The river is wide.) Tj ET EMC
/Span <</MCID 2>> BDC BT /F1 11 Tf 90 600 Td (All is well.) Tj ET EMC
"""


def pdf_of(*objects: bytes) -> bytes:
    """Return a PDF of objects with the numbers 1, 2, 3 …; the first is the catalog."""
    body, offsets = b"%PDF-1.7\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    count = len(objects) + 1
    trailer = b"trailer\n<</Size %d /Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(body))
    return body + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (count, table, trailer)


def tagged_pdf(*, tree: bytes = b"/StructTreeRoot 6 0 R") -> bytes:
    return pdf_of(
        b"<</Type /Catalog /Pages 2 0 R /MarkInfo <</Marked true>> %s>>" % tree,
        b"<</Type /Pages /Kids [3 0 R] /Count 1>>",
        b"<</Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /StructParents 0"
        b" /Resources <</Font <</F1 5 0 R>>>>>>",
        b"<</Length %d>>\nstream\n%s\nendstream" % (len(CONTENT), CONTENT),
        b"<</Type /Font /Subtype /Type1 /BaseFont /Helvetica>>",
        b"<</Type /StructTreeRoot /K 7 0 R /ParentTree <</Nums [0 [8 0 R 9 0 R 11 0 R]]>>>>",
        b"<</Type /StructElem /S /Document /P 6 0 R /K [8 0 R 9 0 R 10 0 R]>>",
        b"<</Type /StructElem /S /H2 /P 7 0 R /Pg 3 0 R /K 0>>",
        b"<</Type /StructElem /S /P /P 7 0 R /Pg 3 0 R /K 1>>",
        b"<</Type /StructElem /S /BlockQuote /P 7 0 R /K [11 0 R]>>",
        b"<</Type /StructElem /S /P /P 10 0 R /Pg 3 0 R /K 2>>",
    )


def test_read_tags_returns_places_of_headings_and_quotes() -> None:
    with pypdfium2.PdfDocument(tagged_pdf()) as pdf:
        tags = read_tags(pdf[0], lambda x, y: (x, 792 - y))
    assert [area.tag for area in tags.areas] == ["H2", "BlockQuote"]
    left, top, right, bottom = tags.areas[0].rect
    assert 70 < left < 76
    assert 70 < top < bottom < 100
    assert 150 < right < 190


def test_read_tags_of_a_page_without_tree_returns_none() -> None:
    with pypdfium2.PdfDocument(tagged_pdf(tree=b"")) as pdf:
        assert read_tags(pdf[0], lambda x, y: (x, y)) == NO_TAGS


def test_read_tags_of_a_tree_that_contains_itself_ends(tmp_path: Path) -> None:
    path = tmp_path / "loop.pdf"
    path.write_bytes(tagged_pdf().replace(b"/P 10 0 R /Pg 3 0 R /K 2", b"/P 10 0 R /Pg 3 0 R /K 10 0 R"))
    with pypdfium2.PdfDocument(path) as pdf:
        assert len(read_tags(pdf[0], lambda x, y: (x, y)).areas) < 10
