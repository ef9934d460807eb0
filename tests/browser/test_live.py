"""Tests of live updates: reload, a second tab, and a server that is killed during a reading."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.page_images import scripted_png
from tests.support.page_object import ConsoleMonitor, WebPage
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server


def test_reload_during_reading_shows_earlier_text_and_continues(web_page: WebPage, barrier: Path) -> None:
    pages = scripted_tiff(
        [
            {"lines": ["page one"]},
            {"lines": ["page two", "the end"], "wait_for": str(barrier), "wait_after": 1},
        ]
    )
    web_page.upload(("two.tif", "image/tiff", pages))
    expect(web_page.text).to_contain_text("page two")
    web_page.page.reload()
    expect(web_page.text).to_contain_text("page one")
    expect(web_page.text).to_contain_text("page two")
    barrier.touch()
    expect(web_page.text).to_contain_text("the end")
    web_page.wait_processed("two.tif")


def test_second_tab_shows_live_text_and_deletion(
    web_page: WebPage, console: ConsoleMonitor, barrier: Path
) -> None:
    other = web_page.open_tab(console)
    web_page.upload(
        (
            "both.png",
            "image/png",
            scripted_png(lines=["begun", "complete"], wait_for=str(barrier), wait_after=1),
        )
    )
    other.upload_row("both.png").click()
    expect(other.text).to_contain_text("begun")
    barrier.touch()
    other.wait_processed("both.png")
    expect(other.text).to_contain_text("complete")
    other.button("Delete").click()
    other.button("Delete permanently").click()
    expect(web_page.upload_row("both.png")).to_have_count(0)


def test_reconnect_after_server_restart_needs_no_reload(
    browser: Browser, new_installed_server: Callable[..., Server], console: ConsoleMonitor, barrier: Path
) -> None:
    server = new_installed_server()
    pages = [{"lines": [f"page {n}"]} for n in (1, 2)]
    pages.append({"lines": ["page 3", "the end"], "wait_for": str(barrier), "wait_after": 1})
    others = [(name, "image/png", scripted_png(lines=[name])) for name in ("other.png", "unwanted.png")]
    with WebPage.open_signed_in(browser, server, console) as web_page:
        web_page.page.evaluate("window.neverReloaded = true")
        web_page.upload(("three.tif", "image/tiff", scripted_tiff(pages)), *others)
        expect(web_page.text).to_contain_text("page 3")
        console.ignore_connection_errors = True
        server.stop(signal.SIGKILL)
        expect(web_page.page.get_by_text("Disconnected")).to_be_visible()
        expect(web_page.text).to_contain_text("page 2")
        web_page.upload_row("unwanted.png").click()
        web_page.button("Delete").click()
        web_page.button("Delete permanently").click()
        expect(web_page.page.get_by_text("This will be sent when you reconnect.")).to_be_visible()
        web_page.upload_row("other.png").click()
        expect(web_page.page.get_by_text("The server is not responding.")).to_be_visible()
        server.start()
        barrier.touch()
        expect(web_page.live_badge).to_be_visible(timeout=30_000)
        expect(web_page.page.get_by_alt_text("Page 1 of the scan")).to_be_visible()
        expect(web_page.upload_row("unwanted.png")).to_have_count(0)
        web_page.upload_row("three.tif").click()
        web_page.wait_processed("three.tif")
        for words in ("page 1", "page 2", "page 3", "the end"):
            expect(web_page.text).to_contain_text(words)
        assert web_page.page.evaluate("window.neverReloaded")
    assert server.stop() == 0


def test_pager_of_long_document_shows_selected_page(web_page: WebPage) -> None:
    web_page.upload(
        ("long.tif", "image/tiff", scripted_tiff([{"lines": [f"leaf {n}"]} for n in range(1, 31)]))
    )
    web_page.wait_processed("long.tif")
    web_page.page.reload()
    expect(web_page.text).to_contain_text("leaf 1")
    for number in (25, 30, 2):  # page 30 is too short to scroll to the top
        web_page.go_to_page(number)
        leaf = web_page.text.locator(f"[data-page='{number}']")
        expect(leaf).to_contain_text(f"leaf {number}")
        expect(leaf).to_be_in_viewport()
        expect(web_page.page.get_by_alt_text(f"Page {number} of the scan")).to_be_visible()
        expect(web_page.page_number).to_have_value(str(number))


def test_pager_keeps_selected_page_in_view_while_earlier_pages_load(web_page: WebPage) -> None:
    lines = [f"line {n}" for n in range(60)]
    web_page.upload(("tall.tif", "image/tiff", scripted_tiff([{"lines": lines}] * 24)))
    web_page.wait_processed("tall.tif")
    web_page.page.reload()
    expect(web_page.text).to_contain_text("line 59")
    # Not all browsers support scroll anchoring, so the page must not rely on it.
    web_page.text.evaluate("(pane) => { pane.style.overflowAnchor = 'none'; }")
    web_page.go_to_page(20)
    for number in (19, 20):
        expect(web_page.text.locator(f"[data-page='{number}']")).to_contain_text("line 59")
    expect(web_page.text.locator("[data-page='20'] .page-number")).to_be_in_viewport()
    expect(web_page.page_number).to_have_value("20")
    web_page.text.hover()
    web_page.page.mouse.wheel(0, -1000)
    expect(web_page.page_number).to_have_value("19")


def test_page_image_without_response_is_requested_again_on_next_view(
    web_page: WebPage, console: ConsoleMonitor
) -> None:
    requested = web_page.block_page_images()
    console.ignore_connection_errors = True
    web_page.upload(("first.png", "image/png", scripted_png(lines=["one"])))
    expect(web_page.page.get_by_text("The server is not responding.")).to_be_visible()
    web_page.upload(("second.png", "image/png", scripted_png(lines=["two"])))
    expect(web_page.text).to_contain_text("two")
    expect(web_page.page.get_by_text("The server is not responding.")).to_be_visible()
    assert len(requested) == 2, "one request for each image"
    web_page.unblock_page_images()
    web_page.upload_row("first.png").click()
    expect(web_page.page.get_by_alt_text("Page 1 of the scan")).to_be_visible()
