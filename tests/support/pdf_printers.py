"""Printers of HTML to PDF: Chromium and WeasyPrint."""

from __future__ import annotations

import base64
import shutil
from types import TracebackType

from playwright.sync_api import Browser, Playwright, sync_playwright

from tests.support.page_object import CHROMIUM_FLAGS

CHROMIUM = shutil.which("chromium")


class ChromiumPrinter:
    """One browser that prints many documents: starting it takes a second, a page some 30 ms."""

    def __init__(self) -> None:
        if CHROMIUM is None:
            raise RuntimeError("Chromium is not installed. Install Debian's package chromium.")
        self._playwright: Playwright = sync_playwright().start()
        self._browser: Browser = self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_FLAGS
        )
        self._page = self._browser.new_page()
        self._session = self._page.context.new_cdp_session(self._page)

    def print(self, html: str, *, header: str = "", footer: str = "", tagged: bool = True) -> bytes:
        """Return the PDF. The page size is that of the style sheet, or else A4.

        Args:
            header: HTML of the running head; Chromium fills elements of the classes date, title, url,
                pageNumber and totalPages.
            footer: HTML of the running foot.
        """
        self._page.set_content(html)
        result = self._session.send(
            "Page.printToPDF",
            {
                "preferCSSPageSize": True,
                "paperWidth": 8.27,
                "paperHeight": 11.69,
                "printBackground": True,
                "displayHeaderFooter": bool(header or footer),
                "headerTemplate": header or "<span></span>",
                "footerTemplate": footer or "<span></span>",
                "generateTaggedPDF": tagged,
            },
        )
        return base64.b64decode(result["data"])

    def close(self) -> None:
        self._browser.close()
        self._playwright.stop()

    def __enter__(self) -> ChromiumPrinter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def print_with_weasyprint(html: str) -> bytes:
    """Return the PDF.

    Raises:
        OSError: Pango is not installed.
    """
    # WeasyPrint loads Pango, which most tests do not need.
    import weasyprint

    return bytes(weasyprint.HTML(string=html).write_pdf())
