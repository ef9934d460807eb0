"""Tests of the generated pages of the clients."""

from __future__ import annotations

from docs.generate import python_client, typescript_client

PYTHON = python_client.page_of_python_client()
TYPESCRIPT = typescript_client.page_of_typescript_client()


def test_python_page_has_a_heading_for_every_exported_name() -> None:
    described_elsewhere = {"Client", "__version__"}
    names = python_client.public_names() - described_elsewhere
    assert sorted(name for name in names if f"### {name} {{" not in PYTHON) == []


def test_python_page_has_methods_with_signatures_and_texts() -> None:
    section = PYTHON.partition("### wait { #wait }\n")[2].partition("\n### ")[0]
    assert "wait(upload_id: str, *, timeout: float | None = None) -> Instance" in section
    assert "- `DeadlineExceeded`: The time is over." in section


def test_typescript_page_has_a_heading_for_every_exported_name() -> None:
    names = typescript_client.exported_names()
    assert {"ScanrillRest", "RequestError", "Instance", "staticToken", "UploadOptions"} <= names
    assert sorted(name for name in names if f"### {name} {{" not in TYPESCRIPT) == []


def test_typescript_page_has_public_methods_and_whole_interfaces() -> None:
    rest = TYPESCRIPT.partition("### ScanrillRest {")[2].partition("\n### ")[0]
    assert "async read(file: Blob, options: UploadOptions): Promise<string>;" in rest
    assert "async readingPage(\n    uploadId: string," in rest
    assert "#" not in rest.partition("```ts")[2]
    options = TYPESCRIPT.partition("### UploadOptions {")[2].partition("\n### ")[0]
    assert "readonly signal?: AbortSignal;\n}" in options
