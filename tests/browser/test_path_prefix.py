"""The web page below a path of a reverse proxy that removes it from requests."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Browser, expect

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.page_object import REPORT_CSP_VIOLATIONS, ConsoleMonitor, WebPage
from tests.support.prefix_proxy import running_proxy
from tests.support.server import Server


def test_page_below_a_forwarded_prefix_signs_in_reads_and_reloads(
    browser: Browser, new_installed_server: Callable[..., Server], console: ConsoleMonitor
) -> None:
    server = new_installed_server(TRUSTED_PROXIES="127.0.0.1")
    ada = Account.create(server)
    headers = {"X-Forwarded-Prefix": "/tools/scan"}
    try:
        with (
            running_proxy(server.port, "/tools/scan", strips=True, headers=headers) as proxy,
            browser.new_context() as context,
        ):
            context.add_init_script(REPORT_CSP_VIOLATIONS)
            web_page = WebPage(context.new_page(), server)
            console.attach(web_page.page)
            web_page.sign_in(f"{proxy.http}/#code={ada.sign_in_code()}")
            web_page.upload(("scan.png", "image/png", scripted_png(lines=["Total 12.00"])))
            web_page.wait_processed("scan.png")
            web_page.page.reload()
            expect(web_page.text).to_contain_text("Total 12.00")
            assert proxy.outside == []
    finally:
        assert server.stop() == 0
