"""S30 — a scan that says it is a script stays text: on the picture, in its text, in its name."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.drawing import page_png, scripted_png
from tests.support.page_object import READ_TIMEOUT_MS, ConsoleMonitor, WebPage

ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://elsewhere.example/pixel.png)",
    "<svg onload=alert(1)>",
]


@pytest.mark.parametrize("view", ["Text", "Markdown"])
def test_s30_recognised_markup_is_shown_as_text(web_page: WebPage, view: str) -> None:
    """In the text, where the engine has escaped it, and in the name of the file."""
    happened: list[str] = []
    web_page.page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    web_page.page.on(
        "request", lambda request: happened.append(request.url) if "elsewhere" in request.url else None
    )
    web_page.upload(("<img src=x onerror=alert(1)>.png", "image/png", scripted_png(lines=ATTACKS)))
    web_page.wait_processed("<img src=x onerror=alert(1)>.png")
    web_page.button(view).click()
    expect(web_page.text).to_contain_text("onerror=alert(1)")
    expect(web_page.text).to_contain_text("javascript:alert(1)")
    for tag in ("img", "script", "svg", "a"):
        expect(web_page.text.locator(tag)).to_have_count(0)
    assert happened == []


def test_s30_a_picture_that_says_so_is_read_and_is_text(web_page: WebPage) -> None:
    """With the real engine: what is drawn there is what comes."""
    happened: list[str] = []
    web_page.page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    web_page.upload(("attack.png", "image/png", page_png(ATTACKS[:1] * 3)))
    web_page.wait_processed("attack.png")
    web_page.retry_menu.click()
    web_page.button("with rapid").click()
    expect(web_page.text).to_contain_text("onerror=alert(1)>", timeout=READ_TIMEOUT_MS)
    web_page.wait_processed("attack.png")
    for tag in ("img", "script"):
        expect(web_page.text.locator(tag)).to_have_count(0)
    assert happened == []


def test_s30_markdown_that_nobody_escaped_makes_no_markup_either(web_page: WebPage) -> None:
    """As an engine would bring it that writes Markdown itself: through the page's own renderer."""
    web_page.upload(("raw.png", "image/png", scripted_png(lines=["quiet"])))
    web_page.wait_processed("raw.png")
    web_page.override_page_markdown("\n\n".join(ATTACKS))
    web_page.page.reload()
    expect(web_page.text).to_contain_text("<img src=x onerror=alert(1)>")
    for tag in ("img", "script", "svg", "a"):
        expect(web_page.text.locator(tag)).to_have_count(0)


def test_s30_the_policy_would_stop_what_got_in(web_page: WebPage, console: ConsoleMonitor) -> None:
    """The second wall, seen to stand: an inline script and markup out of a string are both refused."""
    web_page.page.evaluate(
        """() => {
            const script = document.createElement("script");
            try { script.textContent = "window.ran = true"; } catch {}
            try { script.append("window.ran = true"); document.body.append(script); } catch {}
            try { document.body.innerHTML += "<b>markup</b>"; } catch {}
        }"""
    )
    assert web_page.page.evaluate("window.ran") is None
    assert console.discard_errors("CSP: "), "the browser reports what it stopped"
    console.discard_errors("")
