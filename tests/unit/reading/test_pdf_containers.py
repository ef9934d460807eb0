"""PDFs that do not show their document: encrypted ones, XFA forms and portfolios."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from backend_main.reading import Options, UnreadableFile, read
from backend_main.reading.documents.document import open_document
from backend_main.reading.documents.pdf_containers import is_portfolio
from backend_main.reading.engines.dummy import DummyEngine
from backend_main.reading.types import PageDone
from tests.file_corpus.images import sample_image, saved
from tests.file_corpus.pdfs import BOX, LINES, build_pdf, document_objects, pdf_from_objects, stream
from tests.support.page_warnings import messages_of

ID = "/ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]"


def common_name(name: str) -> bytes:
    text = name.encode()
    return b"\x31\x10\x30\x0e\x06\x03\x55\x04\x03\x0c" + bytes([len(text)]) + text


def encrypted(dictionary: str) -> bytes:
    return pdf_from_objects(document_objects([BOX]), trailer=f"{ID}/Encrypt {dictionary}")


def for_certificates(*recipients: str) -> bytes:
    return encrypted(
        "<</Filter/Adobe.PubSec/SubFilter/adbe.pkcs7.s5/V 4/Length 128/CF<</DefaultCryptFilter<</CFM/AESV2"
        f"/Recipients[{''.join(recipients)}]/Length 16>>>>/StmF/DefaultCryptFilter/StrF/DefaultCryptFilter>>"
    )


def message_of(tmp_path: Path, content: bytes) -> str:
    (tmp_path / "file.pdf").write_bytes(content)
    with pytest.raises(UnreadableFile) as caught:
        open_document(tmp_path / "file.pdf", Options())
    return str(caught.value)


def test_open_document_of_pdf_for_certificates_names_them(tmp_path: Path) -> None:
    in_hex = f"<{common_name('Jane Doe').hex()}>"
    in_text = "(" + "".join(f"\\{byte:03o}" for byte in common_name("Example CA")) + ")"
    message = message_of(tmp_path, for_certificates(in_hex, in_text))
    assert message.startswith(
        "The PDF is encrypted for the holders of certificates of “Jane Doe”, “Example CA”."
    )
    assert "save it without encryption" in message


def test_open_document_of_pdf_for_unreadable_certificates_says_so(tmp_path: Path) -> None:
    assert "the holders of certain certificates" in message_of(tmp_path, for_certificates("<00>"))


@pytest.mark.parametrize(
    ("handler", "name"),
    [("MicrosoftIRMServices", "Microsoft rights management"), ("FOPN_foweb", "FileOpen"), ("Acme", "“Acme”")],
)
def test_open_document_of_rights_managed_pdf_names_the_system(
    tmp_path: Path, handler: str, name: str
) -> None:
    message = message_of(tmp_path, encrypted(f"<</Filter/{handler}/V 1>>"))
    assert message.startswith(f"The PDF is encrypted by {name}")
    assert "save it without protection" in message


XFA = '<xdp:xdp xmlns:xdp="http://ns.adobe.com/xdp/"><template/></xdp:xdp>'
PLACEHOLDER = b"BT /F 12 Tf 20 380 Td (Please wait...) Tj ET"


def xfa_pdf(*, needs_rendering: bool, content: bytes = PLACEHOLDER) -> bytes:
    objects = document_objects([BOX], content=content, more={20: stream(XFA.encode())})
    flag = "/NeedsRendering true" if needs_rendering else ""
    objects[1] = f"<</Type/Catalog/Pages 2 0 R{flag}/AcroForm<</XFA 20 0 R/Fields[]>>>>"
    return pdf_from_objects(objects)


def warnings_of(tmp_path: Path, content: bytes) -> list[list[str]]:
    (tmp_path / "file.pdf").write_bytes(content)
    events = read(tmp_path / "file.pdf", Options(engine="dummy"), DummyEngine())
    return [messages_of(event) for event in events if isinstance(event, PageDone)]


@pytest.mark.parametrize("needs_rendering", [True, False])
def test_read_of_xfa_placeholder_warns_and_prints_nothing(
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    *,
    needs_rendering: bool,
) -> None:
    ((warning,),) = warnings_of(tmp_path, xfa_pdf(needs_rendering=needs_rendering))
    assert warning.startswith("The PDF is an XFA form")
    assert (capfd.readouterr().err, caplog.records) == ("", [])


def test_read_of_xfa_form_with_drawn_pages_has_no_warning(tmp_path: Path) -> None:
    text = b"BT /F 12 Tf 20 380 Td (%b) Tj ET" % LINES[0].encode()
    assert warnings_of(tmp_path, xfa_pdf(needs_rendering=False, content=text)) == [[]]


def portfolio(parts: dict[str, bytes]) -> bytes:
    more: dict[int, str | bytes] = {}
    names = ""
    for index, (name, content) in enumerate(parts.items()):
        number = 20 + 2 * index
        more[number] = f"<</Type/Filespec/F({name})/UF({name})/EF<</F {number + 1} 0 R>>>>"
        more[number + 1] = stream(content, "/Type/EmbeddedFile")
        names += f"({name}) {number} 0 R "
    cover = b"BT /F 12 Tf 20 380 Td (For the best experience, open this portfolio in Acrobat.) Tj ET"
    objects = document_objects([BOX], content=cover, more=more)
    objects[1] = (
        f"<</Type/Catalog/Pages 2 0 R/Collection<</View/T>>/Names<</EmbeddedFiles<</Names[{names}]>>>>>>"
    )
    return pdf_from_objects(objects)


PARTS = {
    "invoice.pdf": build_pdf("text", "text"),
    "scan.png": saved(sample_image(), "PNG"),
    "table.xlsx": b"PK\x03\x04" + bytes(26) + b"xl/workbook.xml",
}


def test_read_of_portfolio_has_pages_of_its_files_after_the_cover(tmp_path: Path) -> None:
    (tmp_path / "file.pdf").write_bytes(portfolio(PARTS))
    events = read(tmp_path / "file.pdf", Options(engine="dummy"), DummyEngine())
    done = [event for event in events if isinstance(event, PageDone)]
    assert [(page.number, page.page_count) for page in done] == [(number, 4) for number in range(1, 5)]
    ((warning,), *others) = map(messages_of, done)
    assert others == [[], [], []]
    assert "a portfolio of 3 files" in warning
    assert "“invoice.pdf” is pages 2 to 3. “scan.png” is page 4. “table.xlsx” is not read." in warning
    assert "Excel" in warning
    assert "This is page 2." in done[2].text


def test_read_of_one_file_of_a_portfolio_has_its_pages_alone(tmp_path: Path) -> None:
    (tmp_path / "file.pdf").write_bytes(portfolio(PARTS))
    events = read(tmp_path / "file.pdf", Options(engine="dummy", pages="2-3"), DummyEngine())
    texts = [event.text for event in events if isinstance(event, PageDone)]
    assert ["page 1" in texts[0], "page 2" in texts[1], len(texts)] == [True, True, 2]


def test_open_document_of_portfolio_with_damaged_scan_names_its_file(tmp_path: Path) -> None:
    scan = saved(sample_image("RGB", (300, 200)), "BMP")
    (tmp_path / "file.pdf").write_bytes(portfolio({"scan.bmp": scan[: len(scan) // 2]}))
    with open_document(tmp_path / "file.pdf", Options()) as document:
        page = document.page(2)
    assert page.number == 2
    assert page.warnings[0].message.startswith("“scan.bmp”: The file is damaged or cut short: 50 %")


def test_open_document_of_portfolio_over_page_limit_raises(tmp_path: Path) -> None:
    (tmp_path / "file.pdf").write_bytes(portfolio(PARTS))
    with pytest.raises(UnreadableFile, match="more than 3 pages"):
        open_document(tmp_path / "file.pdf", Options(max_pages=3))


def test_open_document_of_pdf_with_attachment_but_no_collection_has_its_own_pages(tmp_path: Path) -> None:
    content = portfolio(PARTS).replace(b"/Collection<</View/T>>", b"/Lang(en)             ")
    (tmp_path / "file.pdf").write_bytes(content)
    with open_document(tmp_path / "file.pdf", Options()) as document:
        assert document.page_count == 1
        assert document.page_warnings(1) == ()


def test_is_portfolio_with_catalog_in_object_stream_is_true(tmp_path: Path) -> None:
    content = b"%PDF-1.7\n1 0 obj\n" + stream(b"2 0 <</Type/Catalog/Collection<</View/T>>>>", "/Type/ObjStm")
    (tmp_path / "file.pdf").write_bytes(content)
    pdf = SimpleNamespace(count_attachments=lambda: 1)
    assert is_portfolio(tmp_path / "file.pdf", pdf)
    assert not is_portfolio(tmp_path / "file.pdf", SimpleNamespace(count_attachments=lambda: 0))
