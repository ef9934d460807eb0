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
FLAGS = ["--no-sandbox", "--no-first-run", *(f"--disable-{name}" for name in QUIET)]
READ_MS = 60_000
PICTURES = re.compile(r"/pages/\d+/image")
# A violation is reported to nobody by default; so it is written where the watcher sees it.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sample}) =>
  console.error(`CSP: ${violatedDirective} ${blockedURI} ${sample}`));
"""
# What a browser says of a server that is away; a test that takes it away says so.
AWAY = re.compile(r"ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection to")


class Watcher:
    """All that a page complains of. `server_goes_away` is said by the test that lets it go."""

    def __init__(self) -> None:
        self._complaints: list[str] = []
        self.server_goes_away = False

    @property
    def complaints(self) -> list[str]:
        return [text for text in self._complaints if not (self.server_goes_away and AWAY.search(text))]

    def forget(self, part: str) -> bool:
        """What a test has brought about itself; whether there was any."""
        found = [text for text in self._complaints if part in text]
        self._complaints = [text for text in self._complaints if part not in text]
        return bool(found)

    def watch(self, page: Page) -> None:
        page.on(
            "console",
            lambda message: self._note(message.text) if message.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: self._note(str(error)))

    def _note(self, text: str) -> None:
        self._complaints.append(text)


def link_of(account: Account) -> str:
    """A link that signs the user in, once."""
    return f"{account.server.http}/#code={account.code()}"


class Desk:
    """One page of one user."""

    def __init__(self, page: Page, server: Server) -> None:
        self.page, self.server = page, server

    @classmethod
    @contextmanager
    def opened(cls, browser: Browser, server: Server, watcher: Watcher, **options: Any) -> Iterator[Desk]:
        """Signed in by a link, as a new user."""
        context = browser.new_context(**({"viewport": {"width": 1400, "height": 900}} | options))
        context.add_init_script(REPORT_VIOLATIONS)
        desk = cls(context.new_page(), server)
        watcher.watch(desk.page)
        desk.sign_in(link_of(Account.on(server)))
        yield desk
        context.close()

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    def sign_in(self, link: str) -> None:
        self.page.goto(link)
        expect(self.live).to_be_visible()

    def another_tab(self, watcher: Watcher) -> Desk:
        page = self.context.new_page()
        watcher.watch(page)
        page.goto(self.server.http)
        return Desk(page, self.server)

    # ── what there is to see ──

    @property
    def live(self) -> Locator:
        return self.page.get_by_role("status").get_by_text("Live", exact=True)

    @property
    def text(self) -> Locator:
        return self.page.get_by_role("region", name="The text").locator(".text-scroll")

    @property
    def mark(self) -> Locator:
        """The line that is being read, on the picture."""
        return self.page.locator("svg .being-read")

    def watch_for_the_mark(self) -> Callable[[], None]:
        """From now on; what it returns waits until the mark has been there, however shortly."""
        seen = self.page.evaluate_handle(
            """() => ({ seen: new Promise((resolve) =>
                new MutationObserver((_, observer) => {
                    if (!document.querySelector("svg .being-read")) return;
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

    def turn_to(self, number: int) -> None:
        self.page_number.fill(str(number))
        self.page.keyboard.press("Enter")

    def row(self, name: str) -> Locator:
        return self.page.get_by_label("Your scans").get_by_role("button", name=re.compile(re.escape(name)))

    @property
    def another_engine(self) -> Locator:
        """The menu of engines that may read a scan again."""
        return self.page.get_by_label("Read again with …")

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def cancel(self) -> Locator:
        """Of the scan that is shown; one that is being sent has another in the list."""
        return self.page.get_by_role("main").get_by_role("button", name="Cancel", exact=True)

    # ── what there is to do ──

    def choose(self, *files: Path | tuple[str, str, bytes]) -> None:
        """Files by "Add scans"; a tuple is (name, content type, bytes)."""
        payload: Any = [
            file if isinstance(file, Path) else dict(zip(("name", "mimeType", "buffer"), file, strict=True))
            for file in files
        ]
        self.page.get_by_label("Add scans").set_input_files(payload)

    def drop(self, name: str, content_type: str, content: bytes) -> None:
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

    def paste(self, name: str, content: bytes) -> None:
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

    def serve_markdown(self, markdown: str) -> None:
        """From now on every finished page has this for its Markdown."""

        def answer(route: Route) -> None:
            page = route.fetch().json()
            route.fulfill(json=page | {"markdown": markdown})

        self.page.route(re.compile(r"/pages/\d+$"), answer)

    def lose_pictures(self) -> list[str]:
        """From now on no picture of a page comes; which were asked for."""
        asked: list[str] = []

        def lose(route: Route) -> None:
            asked.append(route.request.url)
            route.abort("connectionrefused")

        self.page.route(PICTURES, lose)
        return asked

    def find_pictures(self) -> None:
        self.page.unroute(PICTURES)

    def wait_read(self, name: str) -> None:
        """Also where a phone does not show the list."""
        expect(self.page.locator(".row-button.processed", has_text=name)).to_have_count(1, timeout=READ_MS)
