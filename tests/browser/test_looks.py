"""How it looks and whom it serves: a phone, the dark, a keyboard, a screen reader."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.support.browsing import Desk, Watcher
from tests.support.drawing import page_png, scripted_png
from tests.support.server import Server

DESKTOP = {"viewport": {"width": 1400, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
LONG_NAME = "a-name-without-a-blank-in-it-as-machines-give-them-0123456789.png"
LINES = ["# Receipt", "Apples 2.40", "Bread 1.80"]
TABLE = f"""| Jurisdiction | Reservation | Permitted | Restrictions | Requirements |
|---|---|---|---|---|
| Jurisdiction | Y | N | {"Prohibition on ownership of residential property. " * 4} | Y |
"""


def serious(desk: Desk) -> list[str]:
    """What axe finds that keeps somebody out."""
    found = Axe().run(desk.page).response["violations"]
    return [
        f"{rule['id']}: {rule['help']} {[node['html'] for node in rule['nodes']][:3]}"
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_screen_serves_everybody_and_fits(
    browser: Browser, installed_server: Server, watcher: Watcher, device: dict[str, Any], scheme: str
) -> None:
    with Desk.opened(browser, installed_server, watcher, color_scheme=scheme, **device) as desk:
        assert serious(desk) == []
        desk.choose((LONG_NAME, "image/png", scripted_png(lines=LINES)))
        desk.wait_read(LONG_NAME)
        expect(desk.text).to_contain_text("Bread 1.80")
        assert serious(desk) == []
        desk.another_engine.click()
        assert serious(desk) == []
        for choice in desk.page.get_by_role("button", name=re.compile("^with ")).all():
            box = choice.bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= device["viewport"]["width"]
            assert box["y"] + box["height"] <= device["viewport"]["height"]
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert desk.page.locator(".shelf").evaluate("shelf => shelf.scrollWidth <= shelf.clientWidth")
        background = desk.page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
        assert (sum(map(int, background[4:-1].split(","))) < 384) == (scheme == "dark")
        desk.button("Sign out").click()
        expect(desk.button("Sign in")).to_be_visible()
        assert serious(desk) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_passes_and_what_goes_wrong_serve_everybody_too(
    browser: Browser, installed_server: Server, watcher: Watcher, barrier: Path, scheme: str
) -> None:
    with Desk.opened(browser, installed_server, watcher, color_scheme=scheme) as desk:
        slow = scripted_png(lines=["a", "b"], wait_for=str(barrier), wait_after=1)
        desk.choose(("slow.png", "image/png", slow))
        expect(desk.text).to_contain_text("a")
        desk.button("Delete").click()
        unbroken = LONG_NAME.replace("-", "_") * 2
        desk.choose((unbroken, "text/plain", b"no picture at all"))
        notice = desk.page.get_by_text(f"{unbroken}: ")
        expect(notice).to_be_visible()
        assert desk.page.locator(".notices").evaluate("all => all.scrollWidth <= all.clientWidth")
        assert serious(desk) == []
        barrier.touch()
        desk.choose(("cut.png", "image/png", page_png(LINES)[:2000]))
        expect(desk.row("cut.png")).to_contain_text("Failed")
        expect(desk.page.get_by_text("There is no picture")).to_be_visible()
        assert serious(desk) == []
    for refused in ("400", "422"):
        assert watcher.forget(refused), "the browser itself says what was refused"


def test_a_wide_table_scrolls_and_takes_no_word_apart(
    browser: Browser, installed_server: Server, watcher: Watcher
) -> None:
    with Desk.opened(browser, installed_server, watcher, **PHONE) as desk:
        desk.choose(("table.png", "image/png", scripted_png(lines=LINES)))
        desk.wait_read("table.png")
        desk.serve_markdown(TABLE)
        desk.page.reload()
        cell = desk.text.get_by_role("cell", name="Jurisdiction", exact=True)
        expect(cell).to_be_visible()
        lines = """(cell) => {
            const text = document.createRange();
            text.selectNodeContents(cell);
            return text.getClientRects().length;
        }"""
        assert cell.evaluate(lines) == 1
        assert desk.text.get_by_role("region").evaluate("table => table.scrollWidth > table.clientWidth")
        assert desk.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_menu_goes_when_something_else_is_done(desk: Desk) -> None:
    desk.choose(("scan.png", "image/png", scripted_png(lines=LINES)))
    desk.wait_read("scan.png")
    download, original = desk.page.get_by_text("Download", exact=True), desk.button("Original file")
    for elsewhere in (desk.text.click, lambda: desk.page.keyboard.press("Escape"), desk.another_engine.click):
        download.click()
        expect(original).to_be_visible()
        elsewhere()
        expect(original).to_be_hidden()
    expect(desk.button("with rapid")).to_be_visible()


def test_the_title_names_the_scan(desk: Desk) -> None:
    desk.choose(("scan.png", "image/png", scripted_png(lines=LINES)))
    expect(desk.page).to_have_title("scan.png – scanrill")
    desk.page.get_by_label("scanrill, all scans").click()
    expect(desk.page).to_have_title("scanrill")


def test_what_is_to_be_typed_looks_like_it(desk: Desk, watcher: Watcher) -> None:
    desk.button("Sign out").click()
    desk.page.goto(f"{desk.server.http}/#code=used-before")
    desk.page.reload()
    expect(desk.page.get_by_role("alert").locator("code")).to_have_text("scanrill link")
    assert watcher.forget("401"), "the browser itself says that the link was refused"


def test_a_phone_that_has_nothing_yet_says_what_to_do(
    browser: Browser, installed_server: Server, watcher: Watcher
) -> None:
    with Desk.opened(browser, installed_server, watcher, **PHONE) as desk:
        expect(desk.page.get_by_text("Choose a scan")).to_be_visible()
        expect(desk.page.get_by_text("Drop a scan here")).to_be_hidden()
        desk.choose(("scan.png", "image/png", scripted_png(lines=LINES)))
        expect(desk.text).to_contain_text("Bread 1.80")
        desk.button("Back to the list").click()
        expect(desk.row("scan.png")).to_be_visible()
        expect(desk.page.get_by_text("Choose a scan")).to_be_hidden()


def test_on_a_phone_the_list_and_the_scan_take_turns(
    browser: Browser, installed_server: Server, watcher: Watcher
) -> None:
    with Desk.opened(browser, installed_server, watcher, **PHONE) as desk:
        desk.choose(("scan.png", "image/png", scripted_png(lines=LINES)))
        expect(desk.text).to_contain_text("Bread 1.80")
        expect(desk.row("scan.png")).to_be_hidden()
        desk.button("Back to the list").click()
        expect(desk.row("scan.png")).to_be_visible()
        expect(desk.text).to_be_hidden()
        desk.page.go_back()
        expect(desk.text).to_be_visible()


def test_a_keyboard_is_enough(desk: Desk) -> None:
    desk.choose(("scan.png", "image/png", scripted_png(lines=LINES)))
    desk.wait_read("scan.png")
    desk.row("scan.png").focus()
    for wanted in ("Text", "Markdown"):
        while desk.page.evaluate("document.activeElement.textContent") != wanted:
            desk.page.keyboard.press("Tab")
    desk.page.keyboard.press("Enter")
    expect(desk.text).to_contain_text("# Receipt")
