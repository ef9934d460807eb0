"""The HTTP door as a browser meets it: headers, unknown addresses, and the page."""

from __future__ import annotations

import httpx
import pytest

from backend_main.core.http.security_headers import API_POLICY, PAGE_POLICY
from backend_main.core.http.web_page import BUILD_DIR
from tests.support.server import Server


@pytest.mark.parametrize(
    ("path", "policy"),
    [
        ("/", PAGE_POLICY),
        ("/nowhere", PAGE_POLICY),
        ("/healthz", PAGE_POLICY),
        ("/api/uploads/", API_POLICY),
        ("/api/token/", API_POLICY),
        ("/api/nowhere", API_POLICY),
    ],
)
def test_every_answer_says_what_a_browser_may_do_with_it(path: str, policy: str, server: Server) -> None:
    answer = httpx.get(server.http + path)
    assert answer.headers.get_list("content-security-policy") == [policy]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]


def test_a_refused_upload_says_so_too(server: Server) -> None:
    """It is answered before Django."""
    answer = httpx.post(f"{server.http}/api/uploads/", content=b"x")
    assert answer.status_code == 401
    assert answer.headers["content-security-policy"] == API_POLICY
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_an_unknown_address_is_told_in_the_language_of_who_asks(method: str, server: Server) -> None:
    program = httpx.request(method, f"{server.http}/api/nowhere/")
    person = httpx.request(method, f"{server.http}/nowhere")
    for answer, kind in ((program, "application/json"), (person, "text/plain; charset=utf-8")):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == kind
    if method == "HEAD":
        assert program.content == person.content == b""
    else:
        assert program.json() == {"error": {"detail": "Not found."}}
        assert person.text == "Not found.\n"


def test_the_first_address_is_the_page_or_says_how_to_build_it(server: Server) -> None:
    answer = httpx.get(server.http)
    if BUILD_DIR.is_dir():
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert answer.status_code == 503
