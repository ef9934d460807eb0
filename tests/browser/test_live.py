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
    others = [(name, "image/png", scripted_png(lines=[name])) for name in ("other.png", "unwanted.png")]
    with Desk.opened(browser, server, watcher) as desk:
        desk.page.evaluate("window.neverReloaded = true")
        desk.choose(("three.tif", "image/tiff", scripted_tiff(pages)), *others)
        expect(desk.text).to_contain_text("page 3")
        watcher.server_goes_away = True
        server.stop(signal.SIGKILL)
        expect(desk.page.get_by_text("No connection")).to_be_visible()
        expect(desk.text).to_contain_text("page 2")
        desk.row("unwanted.png").click()
        desk.button("Delete").click()
        desk.button("Delete for good").click()
        expect(desk.page.get_by_text("It will be done when there is one again.")).to_be_visible()
        desk.row("other.png").click()
        expect(desk.page.get_by_text("The server does not answer.")).to_be_visible()
        server.start()
        barrier.touch()
        expect(desk.live).to_be_visible(timeout=30_000)
        expect(desk.page.get_by_alt_text("Page 1 of the scan")).to_be_visible()
        expect(desk.row("unwanted.png")).to_have_count(0)
        desk.row("three.tif").click()
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
    for number in (25, 30, 2):  # the last one is too short to stand at the top
        desk.turn_to(number)
        leaf = desk.text.locator(f"[data-page='{number}']")
        expect(leaf).to_contain_text(f"leaf {number}")
        expect(leaf).to_be_in_viewport()
        expect(desk.page.get_by_alt_text(f"Page {number} of the scan")).to_be_visible()
        expect(desk.page_number).to_have_value(str(number))


def test_a_page_that_was_turned_to_stays_while_those_above_it_get_their_text(desk: Desk) -> None:
    lines = [f"line {n}" for n in range(60)]
    desk.choose(("tall.tif", "image/tiff", scripted_tiff([{"lines": lines}] * 24)))
    desk.wait_read("tall.tif")
    desk.page.reload()
    expect(desk.text).to_contain_text("line 59")
    # As in a browser that does not keep what is seen in its place by itself.
    desk.text.evaluate("(pane) => { pane.style.overflowAnchor = 'none'; }")
    desk.turn_to(20)
    for number in (19, 20):
        expect(desk.text.locator(f"[data-page='{number}']")).to_contain_text("line 59")
    expect(desk.text.locator("[data-page='20'] .page-number")).to_be_in_viewport()
    expect(desk.page_number).to_have_value("20")
    desk.text.hover()
    desk.page.mouse.wheel(0, -1000)
    expect(desk.page_number).to_have_value("19")


def test_a_picture_that_does_not_come_is_asked_for_once_and_again_when_it_is_looked_at(
    desk: Desk, watcher: Watcher
) -> None:
    asked = desk.lose_pictures()
    watcher.server_goes_away = True
    desk.choose(("first.png", "image/png", scripted_png(lines=["one"])))
    expect(desk.page.get_by_text("The server does not answer.")).to_be_visible()
    desk.choose(("second.png", "image/png", scripted_png(lines=["two"])))
    expect(desk.text).to_contain_text("two")
    expect(desk.page.get_by_text("The server does not answer.")).to_be_visible()
    assert len(asked) == 2, "each of them once"
    desk.find_pictures()
    desk.row("first.png").click()
    expect(desk.page.get_by_alt_text("Page 1 of the scan")).to_be_visible()
