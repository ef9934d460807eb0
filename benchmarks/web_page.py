"""Benchmark of the web page in Chromium: bytes of the first load, and frame times during a long document.

The benchmark streams a document of 200 pages into the page and records the interval between frames. It
records an empty page in the same browser as well, which shows the share of the machine itself.

    .venv/bin/python -m benchmarks.web_page --write
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.readme_tables import write
from tests.support.accounts import Account
from tests.support.page_object import CHROMIUM_FLAGS, sign_in_link
from tests.support.scripted_documents import scripted_tiff
from tests.support.server import Server

LINES = 30
READ_TIMEOUT_MS = 300_000
# Intervals between frames, and long animation frames as the browser defines them: over 50 ms of work.
RECORD_FRAMES = """
() => {
  window.frames_ = []; window.long_ = [];
  let before = performance.now();
  const frame = (now) => { window.frames_.push(now - before); before = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.long_.push(duration)))
    .observe({ type: "long-animation-frame" });
}
"""
Frames = dict[str, list[float]]


def first_load(browser: Browser, server: Server) -> dict[str, int]:
    """Return the transferred bytes by resource type, without headers, for an empty browser cache."""
    context = browser.new_context()
    page = context.new_page()
    bytes_by_kind: dict[str, int] = {}

    def count(response: Any) -> None:
        kind = response.request.resource_type
        bytes_by_kind[kind] = bytes_by_kind.get(kind, 0) + int(response.headers.get("content-length", 0))

    page.on("response", count)
    page.goto(server.http, wait_until="networkidle")
    context.close()
    return bytes_by_kind


def frames_while_reading(page: Page, server: Server, pages: int, line_seconds: float) -> tuple[Frames, float]:
    """Record frames from the upload until the document is processed.

    Returns:
        The frames, and the duration in seconds.
    """
    scripts = [
        {"lines": [f"Page {n}, line {m}: a line of ordinary length." for m in range(LINES)]}
        for n in range(1, pages + 1)
    ]
    document = scripted_tiff([script | {"line_seconds": line_seconds} for script in scripts])
    page.goto(sign_in_link(Account.create(server)))
    page.get_by_text("Live", exact=True).wait_for()
    page.evaluate(RECORD_FRAMES)
    file: Any = {"name": "long.tif", "mimeType": "image/tiff", "buffer": document}
    page.get_by_label("Add scans").set_input_files(file)
    page.locator(".upload-row.processed").wait_for(timeout=READ_TIMEOUT_MS)
    page.wait_for_timeout(1000)  # includes rendering the last page
    return collect_frames(page)


def frames_of_empty_page(page: Page, seconds: float) -> Frames:
    page.goto("about:blank")
    page.evaluate(RECORD_FRAMES)
    page.wait_for_timeout(seconds * 1000)
    return collect_frames(page)[0]


def collect_frames(page: Page) -> tuple[Frames, float]:
    found = page.evaluate("({ frames: window.frames_, long: window.long_ })")
    return found, sum(found["frames"]) / 1000


def measure(pages: int, line_seconds: float) -> str:
    with tempfile.TemporaryDirectory(prefix="scanrill-page-") as directory, sync_playwright() as playwright:
        server = Server(Path(directory) / "data").start()
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_FLAGS)
        try:
            load_size = first_load(browser, server)
            page = browser.new_context(viewport={"width": 1400, "height": 900}).new_page()
            streaming, seconds = frames_while_reading(page, server, pages, line_seconds)
            baseline = frames_of_empty_page(page, min(seconds, 20.0))
        finally:
            browser.close()
            server.stop()
    title = f"{pages} pages, {LINES} lines each, in {seconds:.0f} s"
    rows = [format_row(title, streaming), format_row("empty page, same browser", baseline)]
    columns = ("frames", "median, ms", "p99, ms", "longest, ms", "over 100 ms", "longest work per frame, ms")
    head = [f"| what | {' | '.join(columns)} |", f"|---|{'---:|' * len(columns)}"]
    return "\n".join([format_load_size(load_size), "", *head, *rows])


def format_row(what: str, frames: Frames) -> str:
    gaps = sorted(frames["frames"])
    p99 = gaps[int(len(gaps) * 0.99)]
    over = sum(gap > 100 for gap in gaps)
    longest_work = f"{max(frames['long']):.0f}" if frames["long"] else "under 50"
    median = statistics.median(gaps)
    return f"| {what} | {len(gaps)} | {median:.1f} | {p99:.1f} | {gaps[-1]:.1f} | {over} | {longest_work} |"


def format_load_size(bytes_by_kind: dict[str, int]) -> str:
    parts = ", ".join(f"{kind} {size / 1000:.1f} kB" for kind, size in sorted(bytes_by_kind.items()))
    return f"First load, compressed: {parts}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--document-pages", type=int, default=200)
    parser.add_argument("--line-seconds", type=float, default=0.01)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if shutil.which("chromium") is None:
        sys.exit("Chromium is not installed. Install the package chromium.")
    load = os.getloadavg()[0]
    text = measure(options.document_pages, options.line_seconds)
    text = f"`.venv/bin/python -m benchmarks.web_page --write`, load average {load:.1f} before.\n\n{text}"
    print(text)
    if options.write:
        write("web_page", text)


if __name__ == "__main__":
    main()
