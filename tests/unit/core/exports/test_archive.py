"""ZIP archive of many exports."""

from __future__ import annotations

import io
import uuid
import zipfile

from backend_main.core.errors import PageImageError, RequestError, ScanrillError
from backend_main.core.exports.archive import write_archive
from backend_main.core.exports.document import ExportDocument
from backend_main.core.exports.formats import FORMATS
from tests.support.export_documents import export_document, export_page


def archive_of(documents: list[ExportDocument | ScanrillError], name: str = "md") -> dict[str, str]:
    by_id = {uuid.uuid4(): document for document in documents}

    def open_document(upload_id: uuid.UUID) -> ExportDocument:
        document = by_id[upload_id]
        if isinstance(document, ScanrillError):
            raise document
        return document

    content = b"".join(write_archive(list(by_id), open_document, FORMATS[name]))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {entry: archive.read(entry).decode() for entry in archive.namelist()}


def named(filename: str, text: str) -> ExportDocument:
    return export_document([export_page(text)], filename=filename)


def test_archive_has_each_export_under_a_name_of_its_own() -> None:
    names = ("a.pdf", "A.png", "a.pdf", "..")
    files = archive_of([named(name, f"text {number}") for number, name in enumerate(names)])
    assert files == {
        "a.md": "text 0\n",
        "A (2).md": "text 1\n",
        "a (3).md": "text 2\n",
        "document.md": "text 3\n",
    }


def test_archive_names_have_no_folders() -> None:
    files = archive_of([named("../../etc/passwd.x", "one"), named("c:\\x\\y.png", "two")])
    assert list(files) == ["passwd.md", "y.md"]


def test_archive_lists_what_could_not_be_exported() -> None:
    failing = RequestError({"instance_id": "It is being read."})
    files = archive_of([failing, named("b.pdf", "no table")], "csv")
    (lines,) = files.values()
    assert [line.partition(": ")[2] for line in lines.splitlines()] == [
        "It is being read.",
        "The pages have no tables. Choose another format.",
    ]


def test_archive_lists_an_upload_whose_original_cannot_be_read() -> None:
    files = archive_of([PageImageError("The file is damaged."), named("b.pdf", "text")])
    assert files["b.md"] == "text\n"
    assert files["not-exported.txt"].endswith(": The file is damaged.\n")


def test_archive_is_written_while_it_is_read() -> None:
    opened: list[uuid.UUID] = []

    def open_document(upload_id: uuid.UUID) -> ExportDocument:
        opened.append(upload_id)
        return named("a.pdf", "text")

    chunks = write_archive([uuid.uuid4(), uuid.uuid4()], open_document, FORMATS["md"])
    next(chunks)
    assert len(opened) == 1
