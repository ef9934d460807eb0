"""Tests of signing in, uploading a scan, and the actions on it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.support.accounts import Account
from tests.support.page_images import cut_before_pixels, page_png, scripted_png
from tests.support.page_object import (
    READ_TIMEOUT_MS,
    REPORT_CSP_VIOLATIONS,
    ConsoleMonitor,
    WebPage,
    sign_in_link,
)
from tests.support.server import Server

RECEIPT = ["CORNER GROCERY", "12 Mill Lane", "Apples 2.40", "Bread 1.80", "TOTAL 4.20", "Thank you"]


def test_first_start_with_printed_link_reads_a_dropped_receipt(
    browser: Browser, new_installed_server: Callable[..., Server], console: ConsoleMonitor
) -> None:
    """Use the real engine, as after a new installation."""
    server = new_installed_server(ENGINE="rapid")
    context = browser.new_context()
    context.add_init_script(REPORT_CSP_VIOLATIONS)
    web_page = WebPage(context.new_page(), server)
    console.attach(web_page.page)
    try:
        web_page.sign_in(server.sign_in_link)
        assert "code" not in web_page.page.url
        wait_for_highlight = web_page.observe_highlighted_line()
        web_page.drop_file("receipt.png", "image/png", page_png(RECEIPT * 4))
        expect(web_page.text).to_contain_text("CORNER GROCERY", timeout=READ_TIMEOUT_MS)
        wait_for_highlight()
        web_page.wait_processed("receipt.png")
        for words in ("Apples 2.40", "TOTAL 4.20"):
            expect(web_page.text).to_contain_text(words)
        expect(web_page.highlighted_line).to_have_count(0)
    finally:
        context.close()
        assert server.stop() == 0


def test_live_text_grows_by_line_and_highlights_the_line(web_page: WebPage, barrier: Path) -> None:
    lines = ["# Invoice", "First line", "Second line"]
    web_page.upload(("scan.png", "image/png", scripted_png(lines=lines, wait_for=str(barrier), wait_after=2)))
    expect(web_page.text).to_contain_text("First line")
    expect(web_page.highlighted_line).to_have_attribute("points", re.compile("^0,20"))
    expect(web_page.text).not_to_contain_text("Second line")
    barrier.touch()
    expect(web_page.text).to_contain_text("Second line")
    web_page.wait_processed("scan.png")
    expect(web_page.text.get_by_role("heading", name="Invoice")).to_be_visible()


def test_sign_in_link_used_twice_is_rejected(
    browser: Browser, installed_server: Server, web_page: WebPage
) -> None:
    link = sign_in_link(Account.create(installed_server))
    web_page.page.goto("about:blank")
    web_page.sign_in(link)
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("already used or is older than 10 minutes")
    context.close()


def test_password_sign_in_with_wrong_password_shows_error(web_page: WebPage, console: ConsoleMonitor) -> None:
    added = web_page.server.command("user", "add", "grace", "--password-stdin", stdin="fourteen blue herons")
    assert added.returncode == 0, added.stderr
    web_page.button("Sign out").click()
    page = web_page.page
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill("wrong")
    web_page.button("Sign in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Password").fill("fourteen blue herons")
    web_page.button("Sign in").click()
    expect(web_page.live_badge).to_be_visible()
    expect(page.locator(".username")).to_have_text("grace")
    assert console.discard_errors("401"), "the browser logs the rejected password"


def test_sessions_dialog_signs_another_browser_out(web_page: WebPage, console: ConsoleMonitor) -> None:
    page = web_page.page
    name = page.locator(".username").inner_text()
    link = web_page.server.command("link", name).stdout.strip()
    other = page.context.browser.new_context(user_agent="A Browser Firefox/1.0 (Linux)")  # type: ignore[union-attr]
    other_page = other.new_page()
    other_page.goto(link)
    expect(other_page.locator(".username")).to_have_text(name)
    web_page.button(name).click()
    dialog = page.get_by_role("dialog", name="Where you are signed in")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    dialog.get_by_role("button", name="Sign out Firefox on Linux").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    expect(dialog).to_contain_text("this browser")
    expect(other_page.get_by_role("alert")).to_contain_text("You were signed out")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).not_to_be_visible()
    other.close()


def test_sign_out_removes_all_user_data_from_the_page(web_page: WebPage) -> None:
    web_page.upload(("private.png", "image/png", scripted_png(lines=["my secret"])))
    web_page.wait_processed("private.png")
    web_page.button("Sign out").click()
    expect(web_page.button("Sign in")).to_be_visible()
    expect(web_page.page.locator("body")).not_to_contain_text("private")
    web_page.page.reload()
    expect(web_page.button("Sign in")).to_be_visible()


def test_text_and_markdown_can_be_viewed_copied_and_downloaded(web_page: WebPage) -> None:
    web_page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    web_page.upload(("letter.png", "image/png", scripted_png(lines=["# Dear * Sir", "yours"])))
    web_page.wait_processed("letter.png")
    web_page.button("Markdown").click()
    expect(web_page.text).to_contain_text("# Dear \\* Sir")
    web_page.button("Copy").click()
    expect(web_page.button("Copied")).to_be_visible()
    assert web_page.page.evaluate("navigator.clipboard.readText()") == "# Dear \\* Sir\n\nyours"
    assert web_page.download("Markdown (.md)") == ("letter.md", b"# Dear \\* Sir\n\nyours")
    assert web_page.download("Text (.txt)") == ("letter.txt", b"Dear * Sir\n\nyours")
    name, original = web_page.download("Original file")
    assert (name, original[:4]) == ("letter.png", b"\x89PNG")


def test_cancelled_reading_can_be_read_again(web_page: WebPage, barrier: Path) -> None:
    web_page.upload(
        (
            "slow.png",
            "image/png",
            scripted_png(lines=["begun", "complete"], wait_for=str(barrier), wait_after=1),
        )
    )
    expect(web_page.text).to_contain_text("begun")
    web_page.cancel_button.click()
    expect(web_page.upload_row("slow.png")).to_contain_text("Cancelled")
    barrier.touch()
    expect(web_page.retry_menu).to_be_visible()
    web_page.button("Read again").click()
    web_page.wait_processed("slow.png")
    expect(web_page.text).to_contain_text("complete")


def test_cancel_while_queued_is_never_read(web_page: WebPage, barrier: Path) -> None:
    first = scripted_png(lines=["begun", "complete"], wait_for=str(barrier), wait_after=1)
    web_page.upload(("first.png", "image/png", first))
    expect(web_page.text).to_contain_text("begun")
    web_page.upload(("second.png", "image/png", scripted_png(lines=["never read"])))
    expect(web_page.text).to_have_text("Waiting in the queue…")
    web_page.cancel_button.click()
    expect(web_page.upload_row("second.png")).to_contain_text("Cancelled")
    barrier.touch()
    web_page.wait_processed("first.png")
    expect(web_page.upload_row("second.png")).to_contain_text("Cancelled")
    expect(web_page.text).to_have_text("Reading cancelled. No page was completed.")


def test_retry_menu_reads_with_another_engine(web_page: WebPage) -> None:
    web_page.upload(("receipt.png", "image/png", page_png(RECEIPT)))
    expect(web_page.retry_menu).to_have_count(0)  # while it is being read
    web_page.wait_processed("receipt.png")
    expect(web_page.text).to_contain_text("quick brown fox")
    expect(web_page.button("Read again")).to_have_count(0)
    web_page.retry_menu.click()
    expect(web_page.button("dummy · current engine")).to_be_visible()
    web_page.button("rapid").click()
    expect(web_page.text).to_contain_text("CORNER GROCERY", timeout=READ_TIMEOUT_MS)
    web_page.wait_processed("receipt.png")
    web_page.retry_menu.click()
    expect(web_page.button("rapid · current engine")).to_be_visible()
    web_page.button("Show the readings …").click()
    dialog = web_page.page.get_by_role("dialog", name="Readings of this file")
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    expect(dialog.get_by_role("listitem").first).to_contain_text("Reading 2 · rapid")
    dialog.get_by_role("button", name="Show reading 1").click()
    expect(web_page.text).to_contain_text("quick brown fox")
    dialog.get_by_role("button", name="Delete reading 2").click()
    expect(dialog.get_by_role("listitem")).to_have_count(1)


def test_readings_dialog_names_what_distinguishes_readings_of_one_engine(web_page: WebPage) -> None:
    web_page.upload(("receipt.png", "image/png", page_png(RECEIPT)))
    web_page.wait_processed("receipt.png")
    web_page.retry_menu.click()
    with web_page.page.expect_response(lambda response: response.url.endswith("/readings")) as found:
        web_page.button("Show the readings …").click()
    url, headers = found.value.url.replace("/readings", "/retry"), found.value.request.headers
    options = {"engine": "rapid", "profile": "fast", "languages": ["en", "de"]}
    reply = web_page.page.request.post(url, data=options, headers={"Authorization": headers["authorization"]})
    assert reply.ok, reply.text()
    expect(web_page.text).to_contain_text("CORNER GROCERY", timeout=READ_TIMEOUT_MS)
    web_page.wait_processed("receipt.png")
    web_page.retry_menu.click()
    web_page.button("Show the readings …").click()
    item = web_page.page.get_by_role("dialog").get_by_role("listitem").filter(has_text="Reading 2")
    expect(item).to_contain_text("fast · en, de · 1 page")


@pytest.mark.parametrize("keep", [True, False])
def test_retry_menu_keeps_page_numbers_if_the_box_is_ticked(web_page: WebPage, keep: bool) -> None:
    lines = [*RECEIPT, *[" "] * 12, " " * 30 + "Page 3 of 9"]
    web_page.upload(("numbered.png", "image/png", page_png(lines)))
    web_page.wait_processed("numbered.png")
    web_page.retry_menu.click()
    web_page.page.get_by_label("Keep headers and page numbers").set_checked(keep)
    web_page.button("rapid").click()
    expect(web_page.text).to_contain_text("CORNER GROCERY", timeout=READ_TIMEOUT_MS)
    web_page.wait_processed("numbered.png")
    if keep:
        expect(web_page.text).to_contain_text("Page 3 of 9")
    else:
        expect(web_page.text).not_to_contain_text("Page 3 of 9")


def test_delete_needs_confirmation(web_page: WebPage) -> None:
    web_page.upload(("gone.png", "image/png", scripted_png()))
    web_page.wait_processed("gone.png")
    web_page.button("Delete").click()
    web_page.button("Cancel").click()
    web_page.button("Delete").click()
    web_page.button("Delete permanently").click()
    expect(web_page.upload_row("gone.png")).to_have_count(0)
    expect(web_page.page.get_by_text("Drop a scan here")).to_be_visible()


def test_upload_of_unsupported_and_duplicate_file_shows_notice(
    web_page: WebPage, console: ConsoleMonitor
) -> None:
    web_page.upload(("notes.txt", "text/plain", b"not an image"))
    expect(web_page.page.get_by_text("notes.txt: ")).to_be_visible()
    assert console.discard_errors("400"), "the browser logs the rejected file"
    file = ("one.png", "image/png", scripted_png())
    web_page.upload(file)
    web_page.wait_processed("one.png")
    web_page.upload(file)
    expect(web_page.page.get_by_text("one.png was already uploaded.")).to_be_visible()
    web_page.upload(("two.png", *file[1:]))
    expect(web_page.page.get_by_text("two.png was already uploaded as one.png.")).to_be_visible()
    expect(web_page.page.locator(".upload-row")).to_have_count(1)


def test_failed_reading_shows_error_once_and_notes_in_both_panes(
    web_page: WebPage, console: ConsoleMonitor
) -> None:
    web_page.upload(("cut.png", "image/png", cut_before_pixels(page_png(RECEIPT))))
    expect(web_page.upload_row("cut.png")).to_contain_text("Failed")
    error = web_page.page.get_by_text("Page 1 of the file is broken or truncated.")
    expect(error).to_have_count(1)  # the image pane does not repeat it
    expect(web_page.page.get_by_text("No image available for this page.")).to_be_visible()
    expect(web_page.text).to_have_text("Reading failed. No page was completed.")
    assert console.discard_errors("422"), "the browser logs the missing image"


def test_scan_without_text_shows_note(web_page: WebPage) -> None:
    web_page.upload(("blank.png", "image/png", scripted_png(lines=[])))
    web_page.wait_processed("blank.png")
    expect(web_page.text).to_have_text("No text found.")


def test_engine_notice_for_local_and_remote_engine(web_page: WebPage) -> None:
    expect(web_page.page.get_by_text("Scans are processed on this server and stay there.")).to_be_visible()

    def mark_engines_remote(route: Route) -> None:
        reply = route.fetch().json()
        engines = [engine | {"is_remote": True} for engine in reply["engines"]]
        route.fulfill(json=reply | {"engines": engines})

    web_page.page.route("**/api/engines/", mark_engines_remote)
    web_page.page.reload()
    expect(web_page.page.get_by_text("may send scans to another machine")).to_be_visible()
    expect(web_page.page.get_by_text("stay there")).to_have_count(0)


def test_pasted_image_is_uploaded_and_read(web_page: WebPage) -> None:
    web_page.paste_image("pasted.png", scripted_png(lines=["from the clipboard"]))
    web_page.wait_processed("pasted.png")
    expect(web_page.text).to_contain_text("from the clipboard")
