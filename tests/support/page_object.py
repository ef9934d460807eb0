"""Page object of the web page, and a monitor of the browser console."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from tests.support.accounts import Account
from tests.support.server import Server

# Chromium contacts hosts of its vendor at every start unless these features are disabled.
DISABLED_FEATURES = ["quic", "background-networking", "component-update", "sync", "gpu"]
CHROMIUM_FLAGS = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in DISABLED_FEATURES)]
READ_TIMEOUT_MS = 60_000
PAGE_IMAGE_URL = re.compile(r"/pages/\d+/image")
# Violations of the content security policy, written to the console so that ConsoleMonitor records them.
REPORT_CSP_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sample}) =>
  console.error(`CSP: ${violatedDirective} ${blockedURI} ${sample}`));
"""
# Console errors while the server is unreachable; see ConsoleMonitor.ignore_connection_errors.
CONNECTION_ERRORS = re.compile(
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to"
)


class ConsoleMonitor:
    """Recorder of console errors, console warnings and uncaught exceptions.

    Set `ignore_connection_errors` in a test that stops the server.
    """

    def __init__(self) -> None:
        self._errors: list[str] = []
        self.ignore_connection_errors = False

    @property
    def errors(self) -> list[str]:
        """Errors that no test has discarded."""
        return [
            text
            for text in self._errors
            if not (self.ignore_connection_errors and CONNECTION_ERRORS.search(text))
        ]

    def discard_errors(self, part: str) -> bool:
        """Discard expected errors that contain `part`; return whether there were any."""
        found = [text for text in self._errors if part in text]
        self._errors = [text for text in self._errors if part not in text]
        return bool(found)

    def attach(self, page: Page) -> None:
        """Record the errors of `page` from now on."""
        page.on(
            "console",
            lambda message: self._record(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self._record(str(error)))

    def _record(self, text: str) -> None:
        self._errors.append(text)


def sign_in_link(account: Account) -> str:
    """Create a sign-in link, which is valid once."""
    return f"{account.server.http}/#code={account.sign_in_code()}"


class WebPage:
    """The web page in one browser tab, for one user. `page` is the tab."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server

    @classmethod
    @contextmanager
    def open_signed_in(
        cls, browser: Browser, server: Server, console: ConsoleMonitor, **options: Any
    ) -> Iterator[WebPage]:
        """Open the page and sign in as a new user. Options go to `Browser.new_context`."""
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        context.add_init_script(REPORT_CSP_VIOLATIONS)
        web_page = cls(context.new_page(), server)
        console.attach(web_page.page)
        web_page.sign_in(sign_in_link(Account.create(server)))
        yield web_page
        context.close()

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def sign_in(self, link: str) -> None:
        """Open a sign-in link and wait for the live connection."""
        self.page.goto(link)
        expect(self.live_badge).to_be_visible()

    def open_tab(self, console: ConsoleMonitor) -> WebPage:
        """Open the page in a second tab of the same session."""
        page = self.context.new_page()
        console.attach(page)
        page.goto(self.server.http)
        return WebPage(page, self.server)

    # ── elements ──

    @property
    def live_badge(self) -> Locator:
        return self.page.get_by_role("status").get_by_text("Live", exact=True)

    @property
    def text(self) -> Locator:
        return self.page.get_by_role("region", name="Recognized text").locator(".text-scroll")

    @property
    def highlighted_line(self) -> Locator:
        """The line that the server is reading, on the page image."""
        return self.page.locator("svg .current-line")

    def observe_highlighted_line(self) -> Callable[[], None]:
        """Watch for a highlighted line from now on.

        Returns:
            A function that waits until a highlighted line has appeared, even if it is gone already.
        """
        seen = self.page.evaluate_handle(
            """() => ({ seen: new Promise((resolve) =>
                new MutationObserver((_, observer) => {
                    if (!document.querySelector("svg .current-line")) return;
                    observer.disconnect();
                    resolve();
                }).observe(document.body, { childList: true, subtree: true, attributes: true })) })"""
        )

        def wait() -> None:
            self.page.evaluate("({ seen }) => seen", seen)

        return wait

    @property
    def page_number(self) -> Locator:
        """The input of the pager."""
        return self.page.get_by_role("spinbutton")

    def go_to_page(self, number: int) -> None:
        self.page_number.fill(str(number))
        self.page.keyboard.press("Enter")

    def upload_row(self, name: str) -> Locator:
        return self.page.get_by_label("Your scans").get_by_role("button", name=re.compile(re.escape(name)))

    @property
    def retry_menu(self) -> Locator:
        """The menu of engines that can read the upload again."""
        return self.page.get_by_text("Read again with …")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def cancel_button(self) -> Locator:
        """The button that cancels the reading of the selected upload."""
        return self.button("Cancel reading")

    # ── actions ──

    def upload(self, *files: Path | tuple[str, str, bytes]) -> None:
        """Select files with "Add scans". A tuple is (name, content type, content)."""
        payload: Any = [
            file if isinstance(file, Path) else dict(zip(("name", "mimeType", "buffer"), file, strict=True))
            for file in files
        ]
        self.page.get_by_label("Add scans").set_input_files(payload)

    def drop_file(self, name: str, content_type: str, content: bytes) -> None:
        """Drop a file on the page."""
        data = self.page.evaluate_handle(
            """([name, type, bytes]) => {
                const data = new DataTransfer();
                const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
                data.items.add(new File([content], name, { type }));
                return data;
            }""",
            [name, content_type, base64.b64encode(content).decode()],
        )
        for kind in ("dragover", "drop"):
            self.page.dispatch_event(
                "main", kind, {"dataTransfer": data, "bubbles": True, "cancelable": True}
            )

    def paste_image(self, name: str, content: bytes) -> None:
        """Paste a PNG file."""
        self.page.evaluate(
            """([name, bytes]) => {
                const clipboardData = new DataTransfer();
                const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
                clipboardData.items.add(new File([content], name, { type: "image/png" }));
                window.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
            }""",
            [name, base64.b64encode(content).decode()],
        )

    def download(self, choice: str) -> tuple[str, bytes]:
        """Download by a choice of the download menu; return file name and content."""
        self.page.get_by_text("Export", exact=True).click()
        with self.page.expect_download() as downloading:
            self.button(choice).click()
        return downloading.value.suggested_filename, Path(downloading.value.path()).read_bytes()

    def override_pages(self, **fields: Any) -> None:
        """Replace fields of every finished page that the server sends from now on, such as its Markdown."""

        def replace_fields(route: Route) -> None:
            page = route.fetch().json()
            route.fulfill(json=page | fields)

        self.page.route(re.compile(r"/pages/\d+$"), replace_fields)

    def block_page_images(self) -> list[str]:
        """Fail all requests for page images from now on; return the list that collects their URLs."""
        requested: list[str] = []

        def block(route: Route) -> None:
            requested.append(route.request.url)
            route.abort("connectionrefused")

        self.page.route(PAGE_IMAGE_URL, block)
        return requested

    def unblock_page_images(self) -> None:
        """Let requests for page images through again."""
        self.page.unroute(PAGE_IMAGE_URL)

    def wait_processed(self, name: str) -> None:
        """Wait until an upload is processed, even if a phone hides the list."""
        expect(self.page.locator(".upload-row.processed", has_text=name)).to_have_count(
            1, timeout=READ_TIMEOUT_MS
        )
