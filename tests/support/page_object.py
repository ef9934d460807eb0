"""A person at the web page: signs in, gives files, looks."""

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

# Without these Chromium asks hosts of its own at every start.
QUIET = ["quic", "background-networking", "component-update", "sync", "gpu"]
CHROMIUM_FLAGS = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)]
READ_TIMEOUT_MS = 60_000
PAGE_IMAGE_URL = re.compile(r"/pages/\d+/image")
# A violation is reported to nobody by default; so it is written where the console sees it.
REPORT_CSP_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sample}) =>
  console.error(`CSP: ${violatedDirective} ${blockedURI} ${sample}`));
"""
# What a browser says of a server that is away; a test that takes it away says so.
CONNECTION_ERRORS = re.compile(
    r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to"
)


class ConsoleMonitor:
    """All that a page complains of. `server_goes_away` is said by the test that lets it go."""

    def __init__(self) -> None:
        self._errors: list[str] = []
        self.ignore_connection_errors = False

    @property
    def errors(self) -> list[str]:
        return [
            text
            for text in self._errors
            if not (self.ignore_connection_errors and CONNECTION_ERRORS.search(text))
        ]

    def discard_errors(self, part: str) -> bool:
        """What a test has brought about itself; whether there was any."""
        found = [text for text in self._errors if part in text]
        self._errors = [text for text in self._errors if part not in text]
        return bool(found)

    def attach(self, page: Page) -> None:
        page.on(
            "console",
            lambda message: self._record(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self._record(str(error)))

    def _record(self, text: str) -> None:
        self._errors.append(text)


def sign_in_link(account: Account) -> str:
    """A link that signs the user in, once."""
    return f"{account.server.http}/#code={account.code()}"


class WebPage:
    """One page of one user."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server

    @classmethod
    @contextmanager
    def open_signed_in(
        cls, browser: Browser, server: Server, console: ConsoleMonitor, **options: Any
    ) -> Iterator[WebPage]:
        """Signed in by a link, as a new user."""
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        context.add_init_script(REPORT_CSP_VIOLATIONS)
        web_page = cls(context.new_page(), server)
        console.attach(web_page.page)
        web_page.sign_in(sign_in_link(Account.on(server)))
        yield web_page
        context.close()

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def sign_in(self, link: str) -> None:
        self.page.goto(link)
        expect(self.live_badge).to_be_visible()

    def open_tab(self, console: ConsoleMonitor) -> WebPage:
        page = self.context.new_page()
        console.attach(page)
        page.goto(self.server.http)
        return WebPage(page, self.server)

    # ── what there is to see ──

    @property
    def live_badge(self) -> Locator:
        return self.page.get_by_role("status").get_by_text("Live", exact=True)

    @property
    def text(self) -> Locator:
        return self.page.get_by_role("region", name="The text").locator(".text-scroll")

    @property
    def highlighted_line(self) -> Locator:
        """The line that is being read, on the picture."""
        return self.page.locator("svg .current-line")

    def observe_highlighted_line(self) -> Callable[[], None]:
        """From now on; what it returns waits until the highlighted_line has been there, however shortly."""
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
        """Where the page of a document is chosen."""
        return self.page.get_by_role("spinbutton")

    def go_to_page(self, number: int) -> None:
        self.page_number.fill(str(number))
        self.page.keyboard.press("Enter")

    def upload_row(self, name: str) -> Locator:
        return self.page.get_by_label("Your scans").get_by_role("button", name=re.compile(re.escape(name)))

    @property
    def retry_menu(self) -> Locator:
        """The menu of engines that may read a scan again."""
        return self.page.get_by_label("Read again with …")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def cancel_button(self) -> Locator:
        """Of the scan that is shown; one that is being sent has another in the list."""
        return self.page.get_by_role("main").get_by_role("button", name="Cancel", exact=True)

    # ── what there is to do ──

    def upload(self, *files: Path | tuple[str, str, bytes]) -> None:
        """Files by "Add scans"; a tuple is (name, content type, bytes)."""
        payload: Any = [
            file if isinstance(file, Path) else dict(zip(("name", "mimeType", "buffer"), file, strict=True))
            for file in files
        ]
        self.page.get_by_label("Add scans").set_input_files(payload)

    def drop_file(self, name: str, content_type: str, content: bytes) -> None:
        """Lets a file go over the middle of the page."""
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
        self.page.evaluate(
            """([name, bytes]) => {
                const clipboardData = new DataTransfer();
                const content = Uint8Array.from(atob(bytes), (c) => c.charCodeAt(0));
                clipboardData.items.add(new File([content], name, { type: "image/png" }));
                window.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
            }""",
            [name, base64.b64encode(content).decode()],
        )

    def download(self, what: str) -> tuple[str, bytes]:
        """Name and content."""
        self.page.get_by_text("Download", exact=True).click()
        with self.page.expect_download() as downloading:
            self.button(what).click()
        return downloading.value.suggested_filename, Path(downloading.value.path()).read_bytes()

    def override_page_markdown(self, markdown: str) -> None:
        """From now on every finished page has this for its Markdown."""

        def answer(route: Route) -> None:
            page = route.fetch().json()
            route.fulfill(json=page | {"markdown": markdown})

        self.page.route(re.compile(r"/pages/\d+$"), answer)

    def block_page_images(self) -> list[str]:
        """From now on no picture of a page comes; which were asked for."""
        asked: list[str] = []

        def lose(route: Route) -> None:
            asked.append(route.request.url)
            route.abort("connectionrefused")

        self.page.route(PAGE_IMAGE_URL, lose)
        return asked

    def unblock_page_images(self) -> None:
        self.page.unroute(PAGE_IMAGE_URL)

    def wait_processed(self, name: str) -> None:
        """Also where a phone does not show the list."""
        expect(self.page.locator(".upload-row.processed", has_text=name)).to_have_count(
            1, timeout=READ_TIMEOUT_MS
        )
