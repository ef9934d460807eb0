"""Screenshots of the web page for README and documentation, with a real server and a generated letter.

make screenshots
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Browser, Page, WebSocketRoute, sync_playwright

from tests.support.accounts import Account
from tests.support.page_object import CHROMIUM_FLAGS, sign_in_link
from tests.support.server import Server

IMAGES = Path(__file__).parents[1] / "docs" / "pages" / "images"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1400, "height": 860}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}
READ_TIMEOUT_MS = 120_000

LETTER = """# Harbour Books
14 Quay Street, Port Ellen

# Order 2208
Dear Ms Lindqvist,

thank you for your order of the ninth. Two of the three books
left our shop this morning and should be with you on Friday.
The atlas is being rebound; we expect it back from the binder
within a fortnight and will send it without further charge.

The Salt Roads, cloth              24.00
A Field Guide to Tides             18.50
Atlas of the Northern Isles        62.00
Postage                             4.80
Total                             109.30

If anything should be amiss, write to us or ring between nine
and five. We are always glad to hear what you are reading.

Yours faithfully,
M. Tanaka"""


def letter() -> bytes:
    """Return a printed page as PNG, slightly rotated like a scan."""
    image = Image.new("RGB", (1240, 1500), "#fdfcf8")
    draw = ImageDraw.Draw(image)
    y = 110
    for line in LETTER.splitlines():
        size = 44 if line.startswith("# ") else 30
        font = ImageFont.load_default(size=size)
        text, _, price = line.removeprefix("# ").partition("   ")
        draw.text((130, y), text, fill="#222", font=font)
        draw.text((800, y), price.strip(), fill="#222", font=font, anchor="ra")
        y += size * 2 if line.startswith("# ") else 46
    buffer = io.BytesIO()
    image.rotate(0.4, expand=False, fillcolor="#fdfcf8").save(buffer, "PNG")
    return buffer.getvalue()


@contextmanager
def signed_in_page(browser: Browser, server: Server, account: Account, **options: Any) -> Iterator[Page]:
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(sign_in_link(account))
    page.get_by_text("Live", exact=True).wait_for()
    yield page
    context.close()


def hold_after_words(page: Page, words: str) -> None:
    """Withhold all socket messages after a live text that contains `words`, from the next load of the page.

    The server reads the page faster than Chromium takes a screenshot.
    """
    is_held = False

    def route(socket: WebSocketRoute) -> None:
        def forward(message: str | bytes) -> None:
            nonlocal is_held
            if not is_held:
                socket.send(message)
                is_held = words in str(message) and '"line":{' in str(message)

        socket.connect_to_server().on_message(forward)

    page.route_web_socket(re.compile("/ws/"), route)


def upload(page: Page, name: str, content: bytes) -> None:
    file: Any = {"name": name, "mimeType": "image/png", "buffer": content}
    page.get_by_label("Add scans").set_input_files(file)


def wait_for_text(page: Page, words: str) -> None:
    page.locator(".text-scroll").get_by_text(words).wait_for(timeout=READ_TIMEOUT_MS)


def take_screenshots(browser: Browser, server: Server) -> None:
    account = Account.create(server, name="ada")
    with signed_in_page(browser, server, account, **DESKTOP, color_scheme="light") as page:
        hold_after_words(page, "this morning")
        page.reload()
        page.get_by_text("Live", exact=True).wait_for()
        upload(page, "order-2208.png", letter())
        page.locator("svg .current-line").wait_for(timeout=READ_TIMEOUT_MS)
        wait_for_text(page, "this morning")
        page.screenshot(path=IMAGES / "reading.png")
    with signed_in_page(browser, server, account, **DESKTOP, color_scheme="dark") as page:
        page.locator(".upload-row.processed").click(timeout=READ_TIMEOUT_MS)
        wait_for_text(page, "faithfully")
        page.locator(".page-image img").wait_for()
        page.mouse.move(0, 0)
        page.screenshot(path=IMAGES / "read-dark.png")
    with signed_in_page(browser, server, account, **PHONE, color_scheme="light") as page:
        page.locator(".upload-row.processed").click(timeout=READ_TIMEOUT_MS)
        wait_for_text(page, "fortnight")
        page.locator(".page-image img").wait_for()
        page.screenshot(path=IMAGES / "phone.png")


def main() -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("Chromium is not installed. Install the package chromium.")
    IMAGES.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="scanrill-screenshots-") as directory,
        sync_playwright() as playwright,
    ):
        server = Server(Path(directory) / "data", ENGINE="rapid").start()
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        try:
            take_screenshots(browser, server)
        finally:
            browser.close()
            server.stop()


if __name__ == "__main__":
    main()
