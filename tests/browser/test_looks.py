"""Tests of layout and accessibility: phone, dark mode, keyboard, screen reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.support.page_images import cut_before_pixels, page_png, scripted_png
from tests.support.page_object import ConsoleMonitor, WebPage
from tests.support.server import Server

DESKTOP = {"viewport": {"width": 1400, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
LONG_NAME = "a-long-generated-file-name-without-any-spaces-in-it-0123456789.png"
LINES = ["# Receipt", "Apples 2.40", "Bread 1.80"]
TABLE = f"""| Jurisdiction | Reservation | Permitted | Restrictions | Requirements |
|---|---|---|---|---|
| Jurisdiction | Y | N | {"Prohibition on ownership of residential property. " * 4} | Y |
"""
SPANNING_TABLE = """<table>
<tr><th rowspan="2">Year</th><th colspan="2">Sums in R&D &lt; 5</th></tr>
<tr><td>net</td><td><b>gross<sup>a</sup></b> <a href="https://example.org/x">total</a></td></tr>
</table>"""
PDF_MARKDOWN = r"""# Water board

The board<sup>1</sup> measured H<sub>2</sub>O at [all sites](https://example.org/), **bold** and *italic*,
`read_all()` included. Energy is $E = m c^*_0 c^*_1$, and costs are 5$ or US$ 7.

$$\frac{a_1}{b^*} + \sqrt{c^*}\tag{2}$$

```
def total(items):
    return sum(items)
```

- first item
    - [x] nested item

> Note by Jane Doe: Check this figure.

![Figure 1: Water of the lake]()

| Name | Cost |
|---|---|
| CO<sub>2</sub> | 1.80 |
"""


def accessibility_violations(web_page: WebPage) -> list[str]:
    """Return the serious and critical violations that axe finds."""
    found = Axe().run(web_page.page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']} {[node['html'] for node in rule['nodes']][:3]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_screen_is_accessible_and_fits_the_viewport(
    browser: Browser, installed_server: Server, console: ConsoleMonitor, device: dict[str, Any], scheme: str
) -> None:
    with WebPage.open_signed_in(
        browser, installed_server, console, color_scheme=scheme, **device
    ) as web_page:
        assert accessibility_violations(web_page) == []
        web_page.upload((LONG_NAME, "image/png", scripted_png(lines=LINES)))
        web_page.wait_processed(LONG_NAME)
        expect(web_page.text).to_contain_text("Bread 1.80")
        assert accessibility_violations(web_page) == []
        web_page.retry_menu.click()
        assert accessibility_violations(web_page) == []
        for choice in web_page.page.locator(".retry-menu button").all():
            box = choice.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= device["viewport"]["width"]
            assert box["y"] + box["height"] <= device["viewport"]["height"]
        assert web_page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert web_page.page.locator(".upload-list").evaluate("list => list.scrollWidth <= list.clientWidth")
        background = web_page.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 384) == (scheme == "dark")
        web_page.button("Sign out").click()
        expect(web_page.button("Sign in")).to_be_visible()
        assert accessibility_violations(web_page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_notices_and_errors_are_accessible(
    browser: Browser, installed_server: Server, console: ConsoleMonitor, barrier: Path, scheme: str
) -> None:
    with WebPage.open_signed_in(browser, installed_server, console, color_scheme=scheme) as web_page:
        slow = scripted_png(lines=["begun", "complete"], wait_for=str(barrier), wait_after=1)
        web_page.upload(("slow.png", "image/png", slow))
        expect(web_page.text).to_contain_text("begun")
        web_page.button("Delete").click()
        unbroken = LONG_NAME.replace("-", "_") * 2
        web_page.upload((unbroken, "text/plain", b"not an image"))
        notice = web_page.page.get_by_text(f"{unbroken}: ")
        expect(notice).to_be_visible()
        assert web_page.page.locator(".notices").evaluate("all => all.scrollWidth <= all.clientWidth")
        assert accessibility_violations(web_page) == []
        barrier.touch()
        web_page.upload(("cut.png", "image/png", cut_before_pixels(page_png(LINES))))
        expect(web_page.upload_row("cut.png")).to_contain_text("Failed")
        expect(web_page.page.get_by_text("No image available")).to_be_visible()
        assert accessibility_violations(web_page) == []
    for status in ("400", "422"):
        assert console.discard_errors(status), "the browser logs each rejected request"


def test_wide_table_scrolls_without_breaking_words(
    browser: Browser, installed_server: Server, console: ConsoleMonitor
) -> None:
    with WebPage.open_signed_in(browser, installed_server, console, **PHONE) as web_page:
        web_page.upload(("table.png", "image/png", scripted_png(lines=LINES)))
        web_page.wait_processed("table.png")
        web_page.override_pages(markdown=TABLE)
        web_page.page.reload()
        cell = web_page.text.get_by_role("cell", name="Jurisdiction", exact=True)
        expect(cell).to_be_visible()
        lines = """(cell) => {
            const text = document.createRange();
            text.selectNodeContents(cell);
            return text.getClientRects().length;
        }"""
        assert cell.evaluate(lines) == 1
        assert web_page.text.get_by_role("region").evaluate("table => table.scrollWidth > table.clientWidth")
        assert web_page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_html_table_is_shown_with_spans_and_other_html_as_text(web_page: WebPage) -> None:
    web_page.upload(("table.png", "image/png", scripted_png(lines=LINES)))
    web_page.wait_processed("table.png")
    web_page.override_pages(markdown=f"{SPANNING_TABLE}\n\n<b>not bold</b>")
    web_page.page.reload()
    cell = web_page.text.get_by_role("columnheader", name="Sums in R&D < 5")
    expect(cell).to_have_attribute("colspan", "2")
    bold = web_page.text.get_by_role("cell", name="grossa total").locator("b")
    expect(bold.locator("sup")).to_have_text("a")
    expect(web_page.text.get_by_role("link", name="total")).to_have_attribute("href", "https://example.org/x")
    expect(web_page.text).to_contain_text("<b>not bold</b>")


def test_every_construct_of_markdown_is_rendered(web_page: WebPage) -> None:
    web_page.upload(("report.png", "image/png", scripted_png(lines=LINES)))
    web_page.wait_processed("report.png")
    web_page.override_pages(markdown=PDF_MARKDOWN)
    web_page.page.reload()
    text = web_page.text
    expect(text.locator("p sup")).to_have_text("1")
    expect(text.locator("sub")).to_have_text(["2", "2"])
    expect(text.locator(".formula")).to_have_text(
        ["E = m c^*_0 c^*_1", r"\frac{a_1}{b^*} + \sqrt{c^*}\tag{2}"], use_inner_text=True
    )
    expect(text.locator("pre")).to_have_text("def total(items):\n    return sum(items)", use_inner_text=True)
    expect(text.locator("li li")).to_have_text("[x] nested item")
    expect(text.locator("blockquote")).to_have_text("Note by Jane Doe: Check this figure.")
    expect(text.get_by_text("Figure 1: Water of the lake", exact=True)).to_be_visible()
    expect(text.locator("img")).to_have_count(0)
    expect(text).to_contain_text("costs are 5$ or US$ 7")
    for markup in ("<su", "![", "$$", "```"):
        expect(text).not_to_contain_text(markup)
    assert accessibility_violations(web_page) == []


def test_places_of_warnings_are_outlined_on_the_page_image(web_page: WebPage) -> None:
    web_page.upload(("stamped.png", "image/png", scripted_png(lines=LINES)))
    web_page.wait_processed("stamped.png")
    message = "2 places on page 1 look like text that could not be read."
    boxes = [[[x, 20], [x + 60, 20], [x + 60, 50], [x, 50]] for x in (10, 100)]
    unread = {"code": "unread-ink", "message": message, "boxes": boxes, "share": 0.1}
    whole_page = {"code": "small-print", "message": "Print is small.", "boxes": [], "share": None}
    web_page.override_pages(width=400, height=200, warnings=[unread, whole_page])
    web_page.page.reload()
    image = web_page.page.locator(".page-image img")
    outlines = web_page.page.locator(".page-image .warning polygon")
    expect(outlines).to_have_count(2)
    expect(web_page.page.locator(".page-image .warning title").first).to_have_text(message)
    page, outline = image.bounding_box(), outlines.first.bounding_box()
    assert page is not None
    assert outline is not None
    assert (outline["x"] - page["x"]) / page["width"] == pytest.approx(10 / 400, abs=0.01)
    assert (outline["y"] - page["y"]) / page["height"] == pytest.approx(20 / 200, abs=0.01)
    assert outline["width"] / page["width"] == pytest.approx(60 / 400, abs=0.03)  # the stroke is beside it


def test_menu_closes_on_outside_click_escape_and_other_menu(web_page: WebPage) -> None:
    web_page.upload(("scan.png", "image/png", scripted_png(lines=LINES)))
    web_page.wait_processed("scan.png")
    download, original = web_page.page.get_by_text("Export", exact=True), web_page.button("Original file")
    for close_menu in (
        web_page.text.click,
        lambda: web_page.page.keyboard.press("Escape"),
        web_page.retry_menu.click,
    ):
        download.click()
        expect(original).to_be_visible()
        close_menu()
        expect(original).to_be_hidden()
    expect(web_page.button("rapid")).to_be_visible()


def test_document_title_is_file_name_of_selected_upload(web_page: WebPage) -> None:
    web_page.upload(("scan.png", "image/png", scripted_png(lines=LINES)))
    expect(web_page.page).to_have_title("scan.png – scanrill")
    web_page.page.get_by_label("scanrill, all scans").click()
    expect(web_page.page).to_have_title("scanrill")


def test_command_in_error_message_is_rendered_as_code(web_page: WebPage, console: ConsoleMonitor) -> None:
    web_page.button("Sign out").click()
    web_page.page.goto(f"{web_page.server.http}/#code=used-before")
    web_page.page.reload()
    expect(web_page.page.get_by_role("alert").locator("code")).to_have_text("scanrill link")
    assert console.discard_errors("401"), "the browser logs the rejected link"


def test_empty_state_on_phone_offers_file_choice(
    browser: Browser, installed_server: Server, console: ConsoleMonitor
) -> None:
    with WebPage.open_signed_in(browser, installed_server, console, **PHONE) as web_page:
        expect(web_page.page.get_by_text("Choose a scan")).to_be_visible()
        expect(web_page.page.get_by_text("Drop a scan here")).to_be_hidden()
        web_page.upload(("scan.png", "image/png", scripted_png(lines=LINES)))
        expect(web_page.text).to_contain_text("Bread 1.80")
        web_page.button("Back to the list").click()
        expect(web_page.upload_row("scan.png")).to_be_visible()
        expect(web_page.page.get_by_text("Choose a scan")).to_be_hidden()


def test_phone_layout_shows_either_list_or_detail(
    browser: Browser, installed_server: Server, console: ConsoleMonitor
) -> None:
    with WebPage.open_signed_in(browser, installed_server, console, **PHONE) as web_page:
        web_page.upload(("scan.png", "image/png", scripted_png(lines=LINES)))
        expect(web_page.text).to_contain_text("Bread 1.80")
        expect(web_page.upload_row("scan.png")).to_be_hidden()
        web_page.button("Back to the list").click()
        expect(web_page.upload_row("scan.png")).to_be_visible()
        expect(web_page.text).to_be_hidden()
        web_page.page.go_back()
        expect(web_page.text).to_be_visible()


def test_text_format_can_be_switched_by_keyboard(web_page: WebPage) -> None:
    web_page.upload(("scan.png", "image/png", scripted_png(lines=LINES)))
    web_page.wait_processed("scan.png")
    web_page.upload_row("scan.png").focus()
    for wanted in ("Text", "Markdown"):
        while web_page.page.evaluate("document.activeElement.textContent") != wanted:
            web_page.page.keyboard.press("Tab")
    web_page.page.keyboard.press("Enter")
    expect(web_page.text).to_contain_text("# Receipt")
