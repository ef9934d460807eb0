"""S30: markup in a scan, in its text or in its file name is shown as text and never executed."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.support.page_images import page_png, scripted_png
from tests.support.page_object import READ_TIMEOUT_MS, ConsoleMonitor, WebPage

ATTACKS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "![x](https://elsewhere.example/pixel.png)",
    "<svg onload=alert(1)>",
]
# Markup that resembles what the server writes
TABLE_ATTACK = """<table>
<tr><th><a href="javascript:alert(1)">run</a></th><th><img src=x onerror=alert(1)></th></tr>
<tr><td><b onclick="alert(1)">bold</b></td><td><sup><script>alert(1)</script></sup></td></tr>
</table>"""
INLINE_ATTACK = """x<sup onclick=alert(1)>2</sup> <sub><img src=x onerror=alert(1)></sub>
$<svg onload=alert(1)>$"""


@pytest.mark.parametrize("view", ["Text", "Markdown"])
def test_s30_recognized_markup_is_shown_as_text(web_page: WebPage, view: str) -> None:
    """The text is escaped by the engine; the file name is not escaped."""
    unexpected: list[str] = []
    web_page.page.on("dialog", lambda dialog: (unexpected.append(dialog.message), dialog.dismiss()))
    web_page.page.on(
        "request", lambda request: unexpected.append(request.url) if "elsewhere" in request.url else None
    )
    web_page.upload(("<img src=x onerror=alert(1)>.png", "image/png", scripted_png(lines=ATTACKS)))
    web_page.wait_processed("<img src=x onerror=alert(1)>.png")
    web_page.button(view).click()
    expect(web_page.text).to_contain_text("onerror=alert(1)")
    expect(web_page.text).to_contain_text("javascript:alert(1)")
    for tag in ("img", "script", "svg", "a"):
        expect(web_page.text.locator(tag)).to_have_count(0)
    assert unexpected == []


def test_s30_markup_in_scanned_image_is_shown_as_text(web_page: WebPage) -> None:
    """Use the real engine, which recognizes the markup in the image."""
    unexpected: list[str] = []
    web_page.page.on("dialog", lambda dialog: (unexpected.append(dialog.message), dialog.dismiss()))
    web_page.upload(("attack.png", "image/png", page_png(ATTACKS[:1] * 3)))
    web_page.wait_processed("attack.png")
    web_page.retry_menu.click()
    web_page.button("rapid").click()
    expect(web_page.text).to_contain_text("onerror=alert(1)>", timeout=READ_TIMEOUT_MS)
    web_page.wait_processed("attack.png")
    for tag in ("img", "script"):
        expect(web_page.text.locator(tag)).to_have_count(0)
    assert unexpected == []


def test_s30_unescaped_markdown_is_rendered_without_markup(web_page: WebPage) -> None:
    """An engine may write Markdown without escaping, so the renderer of the page is the only protection."""
    web_page.upload(("raw.png", "image/png", scripted_png(lines=["quiet"])))
    web_page.wait_processed("raw.png")
    web_page.override_pages(markdown="\n\n".join([*ATTACKS, TABLE_ATTACK, INLINE_ATTACK]))
    web_page.page.reload()
    expect(web_page.text).to_contain_text("<img src=x onerror=alert(1)>")
    expect(web_page.text.get_by_role("cell", name="<script>alert(1)</script>")).to_be_visible()
    for tag in ("img", "script", "svg", "a", "[onclick]"):
        expect(web_page.text.locator(tag)).to_have_count(0)


def test_s30_content_security_policy_blocks_injected_script_and_markup(
    web_page: WebPage, console: ConsoleMonitor
) -> None:
    """Second line of defence: the policy blocks inline scripts and markup from strings."""
    web_page.page.evaluate(
        """() => {
            const script = document.createElement("script");
            try { script.textContent = "window.ran = true"; } catch {}
            try { script.append("window.ran = true"); document.body.append(script); } catch {}
            try { document.body.innerHTML += "<b>markup</b>"; } catch {}
        }"""
    )
    assert web_page.page.evaluate("window.ran") is None
    assert console.discard_errors("CSP: "), "the browser reports each violation"
    console.discard_errors("")
