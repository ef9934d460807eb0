"""Built web page: files, encodings, cache headers and the security policy."""

from __future__ import annotations

import gzip
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend_main.core.http.security_headers import PAGE_POLICY, security_headers_middleware
from backend_main.core.http.web_page import web_page_middleware

PAGE = "<!doctype html><script type=module src=/assets/index-0a1b2c3d.js></script>"
SCRIPT = "console.log('read');\n" * 50
YEAR = 365 * 86_400


async def fallback_application(_scope: Any, _receive: Any, send: Any) -> None:
    """Application behind the page."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"fallback"})


@pytest.fixture
def build_dir(tmp_path: Path) -> Path:
    """Directory like that of a build, with small files."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    script = tmp_path / "assets" / "index-0a1b2c3d.js"
    script.write_text(SCRIPT)
    script.with_name(script.name + ".gz").write_bytes(gzip.compress(SCRIPT.encode()))
    script.with_name(script.name + ".br").write_bytes(b"brotli")
    return tmp_path


def make_client(build_dir: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(
        security_headers_middleware(web_page_middleware(fallback_application, build_dir))
    )
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
async def http(build_dir: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(build_dir) as client:
        yield client


async def test_page_is_revalidated_each_time(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert (page.status_code, page.text) == (200, PAGE)
    assert page.headers["content-type"].replace('"', "") == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"


async def test_page_not_modified_keeps_its_headers(
    http: httpx.AsyncClient,
) -> None:
    """A browser replaces the headers of its cached page by those of a 304."""
    page = await http.get("/")
    not_modified = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (not_modified.status_code, not_modified.content) == (304, b"")
    for name in ("content-security-policy", "cache-control", "etag", "referrer-policy"):
        assert not_modified.headers[name] == page.headers[name], name


async def test_page_etag_differs_for_one_size_and_time(build_dir: Path) -> None:
    """All files of a wheel may have one time, and the hashes in a page have one length."""
    tags = []
    for name in ("0a1b2c3d", "4e5f6a7b"):
        (build_dir / "index.html").write_text(PAGE.replace("0a1b2c3d", name))
        (build_dir / "index.html").touch()
        os.utime(build_dir / "index.html", (0, 1_600_000_000))
        async with make_client(build_dir) as http:
            tags.append((await http.get("/")).headers["etag"])
    assert tags[0] != tags[1]


async def test_asset_is_cached_for_a_year(http: httpx.AsyncClient) -> None:
    asset = await http.get("/assets/index-0a1b2c3d.js", headers={"Accept-Encoding": "identity"})
    assert (asset.status_code, asset.text) == (200, SCRIPT)
    assert asset.headers["content-type"].startswith("text/javascript")
    assert asset.headers["cache-control"] == f"max-age={YEAR}, public, immutable"


@pytest.mark.parametrize(
    ("accepted", "sent"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip", "gzip"),
        ("identity", None),
        ("", None),
        ("deflate", None),
        ("br;q=0, gzip", "gzip"),
    ],
)
async def test_asset_is_sent_in_the_smallest_accepted_encoding(
    accepted: str, sent: str | None, http: httpx.AsyncClient
) -> None:
    request = http.build_request("HEAD", "/assets/index-0a1b2c3d.js", headers={"Accept-Encoding": accepted})
    asset = await http.send(request)
    assert asset.status_code == 200
    assert asset.headers.get("content-encoding") == sent
    assert asset.headers["vary"] == "Accept-Encoding"


async def test_head_has_the_headers_of_get_and_no_body(http: httpx.AsyncClient) -> None:
    for path in ("/", "/assets/index-0a1b2c3d.js"):
        head = await http.head(path, headers={"Accept-Encoding": "identity"})
        get = await http.get(path, headers={"Accept-Encoding": "identity"})
        assert head.content == b""
        assert head.headers == get.headers


@pytest.mark.parametrize(
    "path",
    [
        "/assets/",
        "/assets/other.js",
        "/assets/index-0a1b2c3d.js.br",
        "/assets/..%2f..%2fcore/conf.py",
        "/..%2fcore/conf.py",
        "/%2e%2e/core/conf.py",
        "/index.html/",
        "/assets/..%2findex.html",
        "/api/uploads/",
        "/nowhere",
    ],
)
async def test_other_paths_go_to_the_application(path: str, http: httpx.AsyncClient) -> None:
    assert (await http.get(path)).status_code == 418


async def test_index_html_redirects_to_the_page(http: httpx.AsyncClient) -> None:
    other = await http.get("/index.html")
    assert (other.status_code, other.headers["location"]) == (302, "./")


async def test_page_rejects_methods_that_change(http: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await http.request(method, "/")).status_code == 405


async def test_middleware_without_a_build_uses_the_application(tmp_path: Path) -> None:
    async with make_client(tmp_path / "not built") as http:
        assert (await http.get("/")).status_code == 418


def test_page_policy_allows_nothing_inline() -> None:
    assert "unsafe" not in PAGE_POLICY
    rules = dict(rule.split(" ", 1) for rule in PAGE_POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
