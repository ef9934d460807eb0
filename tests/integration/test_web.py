"""HTTP responses to browsers: security headers, unknown addresses, and the web page."""

from __future__ import annotations

import httpx
import pytest

from backend_main.core.http.security_headers import API_POLICY, PAGE_POLICY
from backend_main.core.http.web_page import BUILD_DIR
from tests.support.problems import problem_of
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
def test_response_has_security_headers(path: str, policy: str, server: Server) -> None:
    answer = httpx.get(server.http + path)
    assert answer.headers.get_list("content-security-policy") == [policy]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "camera=()" in answer.headers["permissions-policy"]


def test_response_to_rejected_upload_has_security_headers(server: Server) -> None:
    """This response does not come from Django."""
    answer = httpx.post(f"{server.http}/api/uploads/", content=b"x")
    assert answer.status_code == 401
    assert answer.headers["content-security-policy"] == API_POLICY
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_unknown_address_is_404_as_json_for_the_api_and_text_elsewhere(method: str, server: Server) -> None:
    api = httpx.request(method, f"{server.http}/api/nowhere/")
    page = httpx.request(method, f"{server.http}/nowhere")
    for answer, kind in ((api, "application/problem+json"), (page, "text/plain; charset=utf-8")):
        assert answer.status_code == 404
        assert answer.headers["content-type"] == kind
    if method == "HEAD":
        assert api.content == page.content == b""
    else:
        assert problem_of(api)["code"] == "path_not_found"
        assert page.text == "Nothing is here. Check the path.\n"


def test_root_address_serves_the_page_or_says_how_to_build_it(server: Server) -> None:
    answer = httpx.get(server.http)
    if BUILD_DIR.is_dir():
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/html")
    else:
        assert answer.status_code == 503
