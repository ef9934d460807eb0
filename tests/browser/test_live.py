"""What stays true while things happen: reloads, a second tab, a server that is killed in the middle."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.browsing import Desk, Watcher
from tests.support.documents import scripted_tiff
from tests.support.drawing import scripted_png
from tests.support.server import Server


def test_a_reload_in_the_middle_shows_what_was_read_and_goes_on(desk: Desk, barrier: Path) -> None:
    pages = scripted_tiff(
        [
            {"lines": ["page one"]},
            {"lines": ["page two", "the end"], "wait_for": str(barrier), "wait_after": 1},
        ]
    )
    desk.choose(("two.tif", "image/tiff", pages))
    expect(desk.text).to_contain_text("page two")
    desk.page.reload()
    expect(desk.text).to_contain_text("page one")
    expect(desk.text).to_contain_text("page two")
    barrier.touch()
    expect(desk.text).to_contain_text("the end")
    desk.wait_read("two.tif")


def test_a_second_tab_sees_the_same(desk: Desk, watcher: Watcher, barrier: Path) -> None:
    other = desk.another_tab(watcher)
    desk.choose(
        ("both.png", "image/png", scripted_png(lines=["x", "y"], wait_for=str(barrier), wait_after=1))
    )
    other.row("both.png").click()
    expect(other.text).to_contain_text("x")
    barrier.touch()
    other.wait_read("both.png")
    expect(other.text).to_contain_text("y")
    other.button("Delete").click()
    other.button("Delete for good").click()
    expect(desk.row("both.png")).to_have_count(0)


def test_a_server_that_is_killed_and_restarted_in_the_middle_costs_no_reload(
    browser: Browser, new_installed_server: Callable[..., Server], watcher: Watcher, barrier: Path
) -> None:
    server = new_installed_server()
    pages = [{"lines": [f"page {n}"]} for n in (1, 2)]
    pages.append({"lines": ["page 3", "the end"], "wait_for": str(barrier), "wait_after": 1})
    with Desk.opened(browser, server, watcher) as desk:
        desk.page.evaluate("window.neverReloaded = true")
        desk.choose(("three.tif", "image/tiff", scripted_tiff(pages)))
        expect(desk.text).to_contain_text("page 3")
        watcher.server_goes_away = True
        server.stop(signal.SIGKILL)
        expect(desk.page.get_by_text("No connection")).to_be_visible()
        expect(desk.text).to_contain_text("page 2")
        server.start()
        barrier.touch()
        expect(desk.live).to_be_visible(timeout=30_000)
        desk.wait_read("three.tif")
        for words in ("page 1", "page 2", "page 3", "the end"):
            expect(desk.text).to_contain_text(words)
        assert desk.page.evaluate("window.neverReloaded")
    assert server.stop() == 0


def test_the_pages_of_a_long_document_are_turned(desk: Desk) -> None:
    desk.choose(("long.tif", "image/tiff", scripted_tiff([{"lines": [f"leaf {n}"]} for n in range(1, 31)])))
    desk.wait_read("long.tif")
    desk.page.reload()
    expect(desk.text).to_contain_text("leaf 1")
    desk.page.get_by_label("Page", exact=False).get_by_role("spinbutton").or_(
        desk.page.get_by_role("spinbutton")
    ).first.fill("25")
    desk.page.keyboard.press("Enter")
    expect(desk.text.locator("[data-page='25']")).to_contain_text("leaf 25")
    expect(desk.text.locator("[data-page='25']")).to_be_in_viewport()
    expect(desk.page.get_by_alt_text("Page 25 of the scan")).to_be_visible()
