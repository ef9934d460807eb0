"""Interfaces of other products, with the clients that those products' users have, unchanged."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import openai
import pytest
from azure.ai.documentintelligence import DocumentIntelligenceClient
from azure.ai.documentintelligence.models import AnalyzeDocumentRequest
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from mistralai.client import Mistral

from tests.acceptance.conftest import ReadingGate
from tests.support.accounts import Account
from tests.support.docling_client import DoclingDocument, DoclingServiceClient, DocumentStream
from tests.support.page_images import scripted_png

LINES = ["First line", "Second line"]
TEXT = "First line\nSecond line"


@pytest.fixture(scope="module")
def user(server: Any) -> Account:
    return Account.create(server)


@pytest.fixture(scope="module")
def key(user: Account) -> str:
    response = httpx.post(f"{user.server.http}/api/keys", headers=user.headers, json={"name": "wires"})
    return str(response.json()["key"])


@pytest.fixture
def http(user: Account, key: str) -> Iterator[httpx.Client]:
    headers = {"X-API-Key": key}
    with httpx.Client(base_url=user.server.http, headers=headers, timeout=60) as client:
        yield client


def data_url(image: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(image).decode()}"


# ── OpenAI ──


@pytest.fixture
def chat(user: Account, key: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key=key, base_url=f"{user.server.http}/openai/v1") as client:
        yield client


def question(image: bytes) -> Any:
    parts = [
        {"type": "text", "text": "What does it say?"},
        {"type": "image_url", "image_url": {"url": data_url(image)}},
    ]
    return [{"role": "user", "content": parts}]


def test_openai_client_gets_the_text(chat: openai.OpenAI) -> None:
    assert "scanrill" in [model.id for model in chat.models.list()]
    image = scripted_png(lines=LINES)
    answer = chat.chat.completions.create(model="scanrill", messages=question(image))
    assert answer.choices[0].message.content == TEXT
    assert answer.choices[0].finish_reason == "stop"


def test_openai_client_gets_the_text_while_it_is_read(chat: openai.OpenAI, gate: ReadingGate) -> None:
    image = scripted_png(lines=LINES, **gate.after(1))
    stream = chat.chat.completions.create(model="scanrill", messages=question(image), stream=True)
    text, end = "", None
    for chunk in stream:
        text += chunk.choices[0].delta.content or ""
        end = chunk.choices[0].finish_reason
        if text:
            assert text.startswith(LINES[0])  # the reader waits behind the first line
            gate.open()
    assert (text, end) == (TEXT, "stop")


def test_openai_stream_holds_up_no_other_request(
    chat: openai.OpenAI, http: httpx.Client, gate: ReadingGate
) -> None:
    image = scripted_png(lines=LINES, **gate.after(1))
    stream = chat.chat.completions.create(model="scanrill", messages=question(image), stream=True)
    next(iter(stream))
    assert http.post("/mistral/v1/ocr", json={"document": {"type": "none"}}).status_code == 400
    gate.open()
    assert [chunk.choices[0].finish_reason for chunk in stream][-1] == "stop"


def test_openai_client_streams_a_file_that_was_read_before(chat: openai.OpenAI) -> None:
    image = scripted_png(lines=LINES)
    chat.chat.completions.create(model="scanrill", messages=question(image))
    stream = chat.chat.completions.create(model="scanrill", messages=question(image), stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == TEXT


def test_openai_client_gets_errors_as_it_knows_them(chat: openai.OpenAI, user: Account) -> None:
    with pytest.raises(openai.BadRequestError, match="data URL"):
        chat.chat.completions.create(model="scanrill", messages=[{"role": "user", "content": "Hello"}])
    wrong = openai.OpenAI(api_key="wrong", base_url=f"{user.server.http}/openai/v1")
    with wrong, pytest.raises(openai.AuthenticationError):
        wrong.models.list()


# ── Mistral ──


@pytest.fixture
def mistral(user: Account, key: str) -> Iterator[Mistral]:
    with Mistral(api_key=key, server_url=f"{user.server.http}/mistral") as client:
        yield client


def test_mistral_client_reads_a_data_url(mistral: Mistral) -> None:
    document: Any = {"type": "image_url", "image_url": data_url(scripted_png(lines=LINES))}
    found = mistral.ocr.process(model="mistral-ocr-latest", document=document)
    assert [(page.index, page.markdown) for page in found.pages] == [(0, TEXT)]
    assert found.usage_info.pages_processed == 1


def test_mistral_client_sends_a_file_then_reads_and_deletes_it(mistral: Mistral, http: httpx.Client) -> None:
    file: Any = {"file_name": "a.png", "content": scripted_png(lines=LINES)}
    sent = mistral.files.upload(file=file, purpose="ocr")
    instance = http.get(f"/api/uploads/{sent.id}").json()
    assert (instance["filename"], instance["metadata"]["via"]) == ("a.png", "mistral")
    address = mistral.files.get_signed_url(file_id=sent.id).url
    for document in (
        {"type": "document_url", "document_url": address},
        {"type": "file", "file_id": sent.id},
    ):
        found = mistral.ocr.process(model="mistral-ocr-latest", document=document)  # type: ignore[arg-type]
        assert found.pages[0].markdown == TEXT
    assert mistral.files.delete(file_id=sent.id).deleted
    assert http.get(f"/api/uploads/{sent.id}").status_code == 404


# ── Azure Document Intelligence ──


@pytest.fixture
def azure(user: Account, key: str) -> Iterator[DocumentIntelligenceClient]:
    with DocumentIntelligenceClient(
        user.server.http, AzureKeyCredential(key), polling_interval=0.05
    ) as client:
        yield client


def test_azure_client_reads_words_and_the_searchable_pdf(azure: DocumentIntelligenceClient) -> None:
    body = AnalyzeDocumentRequest(bytes_source=scripted_png(lines=LINES))
    poller = azure.begin_analyze_document("prebuilt-read", body, output=["pdf"])
    result = poller.result()
    assert result.content == TEXT
    assert [line.content for line in result.pages[0].lines or []] == LINES
    for word in result.pages[0].words or []:
        assert result.content[word.span.offset :][: word.span.length] == word.content
    identifier = poller.details["operation_id"]
    pdf = b"".join(azure.get_analyze_result_pdf(model_id="prebuilt-read", result_id=identifier))
    assert pdf.startswith(b"%PDF-")


def test_azure_client_gets_layout_as_markdown(azure: DocumentIntelligenceClient) -> None:
    image = scripted_png(lines=LINES)
    poller = azure.begin_analyze_document("prebuilt-layout", image, output_content_format="markdown")
    result = poller.result()
    assert (result.content_format, result.content) == ("markdown", TEXT)
    assert [paragraph.content for paragraph in result.paragraphs or []]


def test_azure_client_gets_errors_as_it_knows_them(azure: DocumentIntelligenceClient) -> None:
    with pytest.raises(HttpResponseError) as refused:
        azure.begin_analyze_document("prebuilt-read", b"no image")
    assert refused.value.status_code == 400


# ── docling-serve ──


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of its own fields
def test_docling_client_converts_a_file(user: Account, key: str, caplog: pytest.LogCaptureFixture) -> None:
    source = DocumentStream(name="page.png", stream=BytesIO(scripted_png(lines=LINES)))
    with DoclingServiceClient(url=f"{user.server.http}/docling", api_key=key) as client:
        result = client.convert(source)
    assert result.document.export_to_text().split() == TEXT.split()
    assert "WebSocket" not in caplog.text  # it follows the state over a socket, without a fall back


def test_docling_source_has_all_formats(http: httpx.Client) -> None:
    encoded = base64.b64encode(scripted_png(lines=LINES)).decode()
    source = {"kind": "file", "base64_string": encoded, "filename": "a.png"}
    options = {"to_formats": ["md", "json", "html", "text"], "do_table_structure": True}
    response = http.post("/docling/v1/convert/source", json={"options": options, "sources": [source]})
    document = response.json()["document"]
    assert response.json()["status"] == "success"
    assert (document["filename"], document["md_content"]) == ("a.png", TEXT)
    assert "First line" in document["html_content"]
    assert document["text_content"] == "First line Second line"
    assert DoclingDocument.model_validate(document["json_content"]).export_to_text().startswith("First line")


def test_docling_task_has_states_and_a_result(http: httpx.Client, gate: ReadingGate) -> None:
    files = {"files": ("a.png", scripted_png(lines=LINES, **gate.after(1)))}
    task = http.post("/docling/v1/convert/file/async", files=files, data={"to_formats": ["md"]}).json()
    assert task["task_status"] in ("pending", "started")
    result = f"/docling/v1/result/{task['task_id']}"
    assert http.get(result).status_code == 404
    gate.open()
    status = http.get(f"/docling/v1/status/poll/{task['task_id']}", params={"wait": 60}).json()
    assert status["task_status"] == "success"
    assert http.get(result).json()["document"]["md_content"] == TEXT


# ── Tika and Open WebUI ──


def test_tika_and_open_webui_get_text(http: httpx.Client, key: str, user: Account) -> None:
    image = scripted_png(lines=LINES)
    assert http.put("/tika", content=image, headers={"Accept": "text/plain"}).text.split() == TEXT.split()
    answer = http.put("/tika/text", content=image, headers={"Accept": "application/json"}).json()
    assert answer["X-TIKA:content"].split() == TEXT.split()
    # A client that can send no header has its key in the path.
    pages = httpx.put(
        f"{user.server.http}/k/{key}/process", content=image, headers={"X-Filename": "a%20b.png"}, timeout=60
    )
    assert [page["page_content"] for page in pages.json()] == [TEXT]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/tika"),
        ("PUT", "/process"),
        ("POST", "/docling/v1/convert/file"),
        ("POST", "/docling/v1/convert/source"),
        ("POST", "/openai/v1/chat/completions"),
        ("POST", "/mistral/v1/ocr"),
        ("POST", "/documentintelligence/documentModels/prebuilt-read:analyze"),
    ],
)
def test_wires_refuse_clients_without_a_key(user: Account, method: str, path: str) -> None:
    response = httpx.request(method, user.server.http + path, content=b"{}")
    assert response.status_code == 401
    assert json.loads(response.content)


def test_wires_tell_nothing_of_other_users(user: Account, http: httpx.Client) -> None:
    other = Account.create(user.server)
    image = scripted_png(lines=LINES)
    headers = other.headers
    sent = httpx.post(
        f"{user.server.http}/mistral/v1/files", files={"file": ("a.png", image)}, headers=headers
    )
    identifier = sent.json()["id"]
    missing = "00000000-0000-4000-8000-000000000000"
    for path in (
        "/mistral/v1/files/{}",
        "/mistral/v1/files/{}/url",
        "/documentintelligence/documentModels/prebuilt-read/analyzeResults/{}",
    ):
        found, unknown = http.get(path.format(identifier)), http.get(path.format(missing))
        assert (found.status_code, found.text) == (unknown.status_code, unknown.text)
        assert found.status_code == 404
    task = identifier.replace("-", "")
    assert http.get(f"/docling/v1/result/{task}-md").status_code == 404
    assert http.delete(f"/mistral/v1/files/{identifier}").status_code == 404
