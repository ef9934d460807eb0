"""How it looks and whom it serves: a phone, the dark, a keyboard, a screen reader."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.support.browsing import Desk, Watcher
from tests.support.drawing import scripted_png
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
