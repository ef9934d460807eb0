"""Somebody's first minutes: the printed link, a receipt, its text; then what can be done with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Route, expect

from tests.support.accounts import Account
from tests.support.browsing import READ_MS, REPORT_VIOLATIONS, Desk, Watcher, link_of
from tests.support.drawing import page_png, scripted_png
from tests.support.server import Server

RECEIPT = ["CORNER GROCERY", "12 Mill Lane", "Apples 2.40", "Bread 1.80", "TOTAL 4.20", "Thank you"]


def test_a_receipt_is_read_with_the_printed_link_and_one_drop(
    browser: Browser, new_installed_server: Callable[..., Server], watcher: Watcher
) -> None:
    """With the real engine, as the first start of somebody who has just installed it."""
    server = new_installed_server(ENGINE="rapid")
    context = browser.new_context()
    context.add_init_script(REPORT_VIOLATIONS)
    desk = Desk(context.new_page(), server)
    watcher.watch(desk.page)
    try:
        desk.sign_in(server.link)
        assert "code" not in desk.page.url
        mark_was_there = desk.watch_for_the_mark()
        desk.drop("receipt.png", "image/png", page_png(RECEIPT * 4))
        expect(desk.text).to_contain_text("CORNER GROCERY", timeout=READ_MS)
        mark_was_there()
        desk.wait_read("receipt.png")
        for words in ("Apples 2.40", "TOTAL 4.20"):
            expect(desk.text).to_contain_text(words)
        expect(desk.mark).to_have_count(0)
    finally:
        context.close()
        assert server.stop() == 0


def test_the_text_grows_line_by_line_and_the_line_is_marked(desk: Desk, barrier: Path) -> None:
    lines = ["# Invoice", "First line", "Second line"]
    desk.choose(("scan.png", "image/png", scripted_png(lines=lines, wait_for=str(barrier), wait_after=2)))
    expect(desk.text).to_contain_text("First line")
    expect(desk.mark).to_have_attribute("points", re.compile("^0,20"))
    expect(desk.text).not_to_contain_text("Second line")
    barrier.touch()
    expect(desk.text).to_contain_text("Second line")
    desk.wait_read("scan.png")
    expect(desk.text.get_by_role("heading", name="Invoice")).to_be_visible()


def test_a_link_signs_in_once(browser: Browser, installed_server: Server, desk: Desk) -> None:
    link = link_of(Account.on(installed_server))
    desk.page.goto("about:blank")
    desk.sign_in(link)
    context = browser.new_context()
    page = context.new_page()
    page.goto(link)
    expect(page.get_by_role("alert")).to_contain_text("used before, or is older than 10 minutes")
    context.close()


def test_name_and_password_sign_in_and_a_wrong_one_is_told(desk: Desk, watcher: Watcher) -> None:
    added = desk.server.command("user", "add", "grace", "--password-stdin", stdin="fourteen blue herons")
    assert added.returncode == 0, added.stderr
    desk.button("Sign out").click()
    page = desk.page
    page.get_by_label("Name").fill("grace")
    page.get_by_label("Password").fill("wrong")
    desk.button("Sign in").click()
    expect(page.get_by_role("alert")).not_to_be_empty()
    page.get_by_label("Password").fill("fourteen blue herons")
    desk.button("Sign in").click()
    expect(desk.live).to_be_visible()
    expect(page.locator(".who")).to_have_text("grace")
    assert watcher.forget("401"), "the browser itself says that the wrong password was refused"


def test_after_signing_out_nothing_of_the_user_is_left(desk: Desk) -> None:
    desk.choose(("private.png", "image/png", scripted_png(lines=["my secret"])))
    desk.wait_read("private.png")
    desk.button("Sign out").click()
    expect(desk.button("Sign in")).to_be_visible()
    expect(desk.page.locator("body")).not_to_contain_text("private")
    desk.page.reload()
    expect(desk.button("Sign in")).to_be_visible()


def test_text_and_markdown_are_shown_copied_and_downloaded(desk: Desk) -> None:
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.choose(("letter.png", "image/png", scripted_png(lines=["# Dear * Sir", "yours"])))
    desk.wait_read("letter.png")
    desk.button("Markdown").click()
    expect(desk.text).to_contain_text("# Dear \\* Sir")
    desk.button("Copy").click()
    expect(desk.button("Copied")).to_be_visible()
    assert desk.page.evaluate("navigator.clipboard.readText()") == "# Dear \\* Sir\n\nyours"
    assert desk.download("Markdown (.md)") == ("letter.md", b"# Dear \\* Sir\n\nyours")
    assert desk.download("Text (.txt)") == ("letter.txt", b"Dear * Sir\n\nyours")
    name, original = desk.download("Original file")
    assert (name, original[:4]) == ("letter.png", b"\x89PNG")


def test_a_wait_is_cancelled_and_read_again(desk: Desk, barrier: Path) -> None:
    desk.choose(
        ("slow.png", "image/png", scripted_png(lines=["a", "b"], wait_for=str(barrier), wait_after=1))
    )
    expect(desk.text).to_contain_text("a")
    desk.cancel.click()
    expect(desk.row("slow.png")).to_contain_text("Cancelled")
    barrier.touch()
    expect(desk.another_engine).to_have_text("with …")
    desk.button("Read again").click()
    desk.wait_read("slow.png")
    expect(desk.text).to_contain_text("b")


def test_a_scan_that_waits_for_the_reader_is_cancelled(desk: Desk, barrier: Path) -> None:
    first = scripted_png(lines=["a", "b"], wait_for=str(barrier), wait_after=1)
    desk.choose(("first.png", "image/png", first))
    expect(desk.text).to_contain_text("a")
    desk.choose(("second.png", "image/png", scripted_png(lines=["never read"])))
    expect(desk.text).to_have_text("Waiting for the reader…")
    desk.cancel.click()
    expect(desk.row("second.png")).to_contain_text("Cancelled")
    barrier.touch()
    desk.wait_read("first.png")
    expect(desk.row("second.png")).to_contain_text("Cancelled")
    expect(desk.text).to_have_text("Cancelled; no page was read to its end.")


def test_a_scan_is_read_again_with_another_engine(desk: Desk) -> None:
    desk.choose(("receipt.png", "image/png", page_png(RECEIPT)))
    expect(desk.another_engine).to_have_count(0)  # as long as it is read
    desk.wait_read("receipt.png")
    expect(desk.text).to_contain_text("quick brown fox")
    expect(desk.button("Read again")).to_have_count(0)
    desk.another_engine.click()
    expect(desk.button("with dummy · as before")).to_be_visible()
    desk.button("with rapid").click()
    expect(desk.text).to_contain_text("CORNER GROCERY", timeout=READ_MS)
    desk.wait_read("receipt.png")
    desk.another_engine.click()
    expect(desk.button("with rapid · as before")).to_be_visible()


def test_a_scan_is_deleted_after_a_second_word(desk: Desk) -> None:
    desk.choose(("gone.png", "image/png", scripted_png()))
    desk.wait_read("gone.png")
    desk.button("Delete").click()
    desk.button("Keep").click()
    desk.button("Delete").click()
    desk.button("Delete for good").click()
    expect(desk.row("gone.png")).to_have_count(0)
    expect(desk.page.get_by_text("Drop a scan here")).to_be_visible()


def test_what_cannot_be_read_is_said_and_the_same_file_twice_is_one(desk: Desk, watcher: Watcher) -> None:
    desk.choose(("notes.txt", "text/plain", b"no picture at all"))
    expect(desk.page.get_by_text("notes.txt: ")).to_be_visible()
    assert watcher.forget("400"), "the browser itself says that the file was refused"
    file = ("one.png", "image/png", scripted_png())
    desk.choose(file)
    desk.wait_read("one.png")
    desk.choose(file)
    expect(desk.page.get_by_text("one.png is here already.")).to_be_visible()
    desk.choose(("two.png", *file[1:]))
    expect(desk.page.get_by_text("two.png is here already, as one.png.")).to_be_visible()
    expect(desk.page.locator(".row-button")).to_have_count(1)


def test_a_scan_that_cannot_be_read_says_why_and_leaves_nothing_empty(desk: Desk, watcher: Watcher) -> None:
    desk.choose(("cut.png", "image/png", page_png(RECEIPT)[:2000]))
    expect(desk.row("cut.png")).to_contain_text("Failed")
    why = desk.page.get_by_text("Page 1 of the file is broken or cut short.")
    expect(why).to_have_count(1)  # and not once more where its picture would be
    expect(desk.page.get_by_text("There is no picture of this page.")).to_be_visible()
    expect(desk.text).to_have_text("Failed; no page was read to its end.")
    assert watcher.forget("422"), "the browser itself says that there is no picture"


def test_a_scan_without_text_says_so(desk: Desk) -> None:
    desk.choose(("blank.png", "image/png", scripted_png(lines=[])))
    desk.wait_read("blank.png")
    expect(desk.text).to_have_text("There is no text on this scan.")


def test_the_page_says_where_a_scan_goes(desk: Desk) -> None:
    expect(desk.page.get_by_text("It is read on this server, and stays there.")).to_be_visible()

    def answer(route: Route) -> None:
        known = route.fetch().json()
        engines = [engine | {"sends_pages_away": True} for engine in known["engines"]]
        route.fulfill(json=known | {"engines": engines})

    desk.page.route("**/api/engines/", answer)
    desk.page.reload()
    expect(desk.page.get_by_text("which may send it to another machine")).to_be_visible()
    expect(desk.page.get_by_text("stays there")).to_have_count(0)


def test_a_picture_is_pasted(desk: Desk) -> None:
    desk.paste("pasted.png", scripted_png(lines=["from the clipboard"]))
    desk.wait_read("pasted.png")
    expect(desk.text).to_contain_text("from the clipboard")
