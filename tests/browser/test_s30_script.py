"""S30 — a scan that says it is a script stays text: on the picture, in its text, in its name."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.browsing import READ_MS, Desk, Watcher
from tests.support.drawing import page_png, scripted_png

ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://elsewhere.example/pixel.png)",
    "<svg onload=alert(1)>",
]


@pytest.mark.parametrize("view", ["Text", "Markdown"])
def test_s30_recognised_markup_is_shown_as_text(desk: Desk, view: str) -> None:
    """In the text, where the engine has escaped it, and in the name of the file."""
    happened: list[str] = []
    desk.page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    desk.page.on(
        "request", lambda request: happened.append(request.url) if "elsewhere" in request.url else None
    )
    desk.choose(("<img src=x onerror=alert(1)>.png", "image/png", scripted_png(lines=ATTACKS)))
    desk.wait_read("<img src=x onerror=alert(1)>.png")
    desk.button(view).click()
    expect(desk.text).to_contain_text("onerror=alert(1)")
    expect(desk.text).to_contain_text("javascript:alert(1)")
    for tag in ("img", "script", "svg", "a"):
        expect(desk.text.locator(tag)).to_have_count(0)
    assert happened == []


def test_s30_a_picture_that_says_so_is_read_and_is_text(desk: Desk) -> None:
    """With the real engine: what is drawn there is what comes."""
    happened: list[str] = []
    desk.page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    desk.choose(("attack.png", "image/png", page_png(ATTACKS[:1] * 3)))
    desk.wait_read("attack.png")
    desk.another_engine.click()
    desk.button("with rapid").click()
    expect(desk.text).to_contain_text("onerror=alert(1)>", timeout=READ_MS)
    desk.wait_read("attack.png")
    for tag in ("img", "script"):
        expect(desk.text.locator(tag)).to_have_count(0)
    assert happened == []


def test_s30_markdown_that_nobody_escaped_makes_no_markup_either(desk: Desk) -> None:
    """As an engine would bring it that writes Markdown itself: through the page's own renderer."""
    desk.choose(("raw.png", "image/png", scripted_png(lines=["quiet"])))
    desk.wait_read("raw.png")
    desk.serve_markdown("\n\n".join(ATTACKS))
    desk.page.reload()
    expect(desk.text).to_contain_text("<img src=x onerror=alert(1)>")
    for tag in ("img", "script", "svg", "a"):
        expect(desk.text.locator(tag)).to_have_count(0)


def test_s30_the_policy_would_stop_what_got_in(desk: Desk, watcher: Watcher) -> None:
    """The second wall, seen to stand: an inline script and markup out of a string are both refused."""
    desk.page.evaluate(
        """() => {
            const script = document.createElement("script");
            try { script.textContent = "window.ran = true"; } catch {}
            try { script.append("window.ran = true"); document.body.append(script); } catch {}
            try { document.body.innerHTML += "<b>markup</b>"; } catch {}
        }"""
    )
    assert desk.page.evaluate("window.ran") is None
    assert watcher.forget("CSP: "), "the browser reports what it stopped"
    watcher.forget("")
