"""Exports: the menu of the page, and the HTML export in a browser."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.support.export_documents import export_document, export_page, exported
from tests.support.page_images import scripted_png
from tests.support.page_object import WebPage


def test_export_menu_downloads_a_word_document(web_page: WebPage) -> None:
    web_page.upload(("Brief für Ü.png", "image/png", scripted_png(lines=["Dear Sir", "yours"])))
    web_page.wait_processed("Brief für Ü.png")
    name, content = web_page.download("Word (.docx)")
    assert name == "Brief für Ü.docx"
    assert [one.text for one in docx.Document(io.BytesIO(content)).paragraphs] == ["Dear Sir yours"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_html_export_is_accessible_and_fits_a_phone(browser: Browser, tmp_path: Path, scheme: str) -> None:
    pages = [export_page(), export_page("|" + "wide column|" * 20 + "\n|" + "-|" * 20, number=2)]
    file = tmp_path / "export.html"
    document = export_document(pages, languages=("de",))
    file.write_bytes(exported(document, "html"))
    with browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme) as page:  # type: ignore[arg-type]
        page.goto(file.as_uri())
        violations = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in violations] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
