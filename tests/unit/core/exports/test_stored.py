"""Document to export of an upload in the database."""

from __future__ import annotations

import json
import uuid

import jsonschema
import pytest

from backend_main.core.errors import RequestError, StatusConflict, UploadNotFound, UploadNotReady
from backend_main.core.exports import stored
from backend_main.core.exports.document import ExportDocument, NoOriginalParts
from backend_main.core.exports.formats import parse_request
from backend_main.core.models import Page, Status, Upload, User
from backend_main.core.protocol.page_schema import page_schema
from tests.support.database import new_upload, new_user
from tests.support.export_documents import exported

pytestmark = pytest.mark.django_db(transaction=True)


def finished_upload(*texts: str, status: str = Status.PROCESSED) -> Upload:
    """Return an upload whose pages have these texts, one line each."""
    upload = new_upload(new_user())
    for number, text in enumerate(texts, 1):
        line = {"page": number, "text": text, "markdown": text, "box": [[0, 0], [9, 0], [9, 9], [0, 9]]}
        texts_of_page = {"markdown": text, "text": text, "lines": [line]}
        Page.objects.create(upload=upload, attempt=1, number=number, width=10, height=10, **texts_of_page)
    upload.status, upload.page_count, upload.plain_text = status, len(texts), "\n\n".join(texts)
    upload.save()
    return upload


def opened(upload: Upload, **parameters: str) -> ExportDocument:
    return document_of(upload.owner, upload.pk, **parameters)


def document_of(owner: User, upload_id: uuid.UUID, **parameters: str) -> ExportDocument:
    return stored.stored_document(
        owner=owner,
        upload_id=upload_id,
        request=parse_request(parameters),
        original_parts=lambda key: NoOriginalParts(),
    )


def test_stored_document_has_the_pages_in_order() -> None:
    document = opened(finished_upload("one", "two", "three"))
    assert [page.text for page in document.pages()] == ["one", "two", "three"]
    assert (document.page_numbers, document.page_count, document.is_selection) == ((1, 2, 3), 3, False)


def test_stored_document_with_pages_has_these_alone() -> None:
    document = opened(finished_upload("one", "two", "three"), pages="2-9")
    assert [page.number for page in document.pages()] == [2, 3]
    assert document.is_selection


def test_stored_document_without_any_of_the_pages_is_an_error_on_pages() -> None:
    with pytest.raises(RequestError) as raised:
        opened(finished_upload("one"), pages="2-3")
    assert raised.value.fields == {"pages": "The file has one page; pages 2-3 are not among them."}


@pytest.mark.parametrize("status", [Status.PENDING, Status.PROCESSING])
def test_stored_document_of_an_unfinished_upload_is_not_ready(status: str) -> None:
    with pytest.raises(UploadNotReady, match="still being read"):
        opened(finished_upload("one", status=status))


@pytest.mark.parametrize("status", [Status.ERROR, Status.CANCELLED])
def test_stored_document_of_a_failed_upload_has_its_finished_pages(status: str) -> None:
    assert [page.text for page in opened(finished_upload("one", status=status)).pages()] == ["one"]
    with pytest.raises(StatusConflict, match="no finished page"):
        opened(finished_upload(status=status))


def test_stored_document_of_another_user_equals_an_unknown_id() -> None:
    upload = finished_upload("secret")
    errors = []
    for owner, key in ((new_user(), upload.pk), (upload.owner, uuid.uuid4())):
        with pytest.raises(UploadNotFound) as raised:
            document_of(owner, key)
        errors.append(raised.value.fields)
    assert errors[0] == errors[1]


def test_stored_document_has_the_correction_on_its_pages() -> None:
    upload = finished_upload("one twa", "three four")
    upload.correction = "one two\n\nthree fore"
    upload.save()
    document = opened(upload, format="hocr")
    assert [page.text for page in document.pages()] == ["one two", "three fore"]
    assert [[line.text for line in page.lines] for page in document.pages()] == [["one two"], ["three fore"]]


def test_stored_document_has_the_corrections_of_pages() -> None:
    upload = finished_upload("one twa", "three four")
    Page.objects.filter(upload=upload, number=1).update(correction="one two")
    (first, second) = opened(upload).pages()
    assert (first.markdown, first.correction) == ("one two", "one two")
    assert (second.markdown, second.correction) == ("three four", None)


def test_stored_json_pages_follow_the_schema_of_a_page() -> None:
    document = json.loads(exported(opened(finished_upload("one", "two"), format="json"), "json"))
    schema = json.loads(page_schema())
    for page in document["pages"]:
        jsonschema.validate(page, schema)


def test_stored_document_reads_pages_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "CHUNK_PAGES", 2)
    upload = finished_upload("one", "two", "three")
    pages = opened(upload).pages()
    assert next(pages).text == "one"
    Upload.objects.filter(pk=upload.pk).delete()
    assert next(pages).text == "two"
    with pytest.raises(UploadNotFound):
        next(pages)


def test_stored_document_with_pages_of_another_reading_meanwhile_is_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stored, "CHUNK_PAGES", 1)
    upload = finished_upload("one", "two")
    pages = opened(upload).pages()
    assert next(pages).text == "one"
    Page.objects.filter(upload=upload).delete()
    Page.objects.create(upload=upload, attempt=2, number=2, width=10, height=10, markdown="new", text="new")
    with pytest.raises(StatusConflict, match="changed while it was exported"):
        next(pages)


def test_stored_document_reads_lines_for_the_formats_that_need_them() -> None:
    upload = finished_upload("one")
    assert [page.lines for page in opened(upload, format="md").pages()] == [()]
    (page,) = opened(upload, format="alto").pages()
    assert [line.text for line in page.lines] == ["one"]
