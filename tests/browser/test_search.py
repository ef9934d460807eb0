"""Test of the search field: hits with snippets, and the words marked on the page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.support.page_object import ConsoleMonitor, WebPage
from tests.support.scripted_documents import scripted_tiff


def test_search_opens_the_page_of_a_hit_with_its_words_marked(
    web_page: WebPage, console: ConsoleMonitor
) -> None:
    pages = scripted_tiff([{"lines": ["page one"]}, {"lines": ["above", "the blue whale", "below"]}])
    web_page.upload(("sea.tif", "image/tiff", pages))
    web_page.wait_processed("sea.tif")
    field = web_page.page.get_by_role("searchbox", name="Search your scans")
    results = web_page.page.get_by_role("list", name="Search results")

    field.fill("Whale")
    expect(results.get_by_role("button")).to_have_count(1)
    expect(results.locator("mark")).to_have_text(["whale"])
    expect(results).to_contain_text("Page 2")
    results.get_by_role("button").click()
    expect(web_page.page_number).to_have_value("2")
    expect(web_page.page.locator(".page-image polygon.hit")).not_to_have_count(0)

    field.fill("whale -blue")
    expect(web_page.page.get_by_text("Nothing found.")).to_be_visible()
    field.fill("whale status:none")
    expect(web_page.page.get_by_role("alert")).to_contain_text("“none” is not a valid status.")
    assert console.discard_errors("400")  # the browser reports the refused request
    field.press("Escape")
    expect(web_page.upload_row("sea.tif")).to_be_visible()
    expect(results).to_have_count(0)
