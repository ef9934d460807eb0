"""The built web page: which files are served, in which form, and for how long a browser may keep them."""

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


async def below(_scope: Any, _receive: Any, send: Any) -> None:
    """The application behind the page."""
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"below"})


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """What a build of the page leaves, in small."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text(PAGE)
    script = tmp_path / "assets" / "index-0a1b2c3d.js"
    script.write_text(SCRIPT)
    script.with_name(script.name + ".gz").write_bytes(gzip.compress(SCRIPT.encode()))
    script.with_name(script.name + ".br").write_bytes(b"brotli")
    return tmp_path


def browser(built: Path) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(security_headers_middleware(web_page_middleware(below, built)))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
async def http(built: Path) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(built) as client:
        yield client


async def test_the_page_is_asked_for_anew_each_time(http: httpx.AsyncClient) -> None:
    page = await http.get("/")
    assert (page.status_code, page.text) == (200, PAGE)
    assert page.headers["content-type"].replace('"', "") == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"


async def test_a_page_that_has_not_changed_is_not_sent_again_and_keeps_its_policy(
    http: httpx.AsyncClient,
) -> None:
    """A browser takes the headers of a 304 for those of the page that it has kept."""
    page = await http.get("/")
    again = await http.get("/", headers={"If-None-Match": page.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for name in ("content-security-policy", "cache-control", "etag", "referrer-policy"):
        assert again.headers[name] == page.headers[name], name


async def test_a_page_of_the_same_size_and_time_is_another_page(built: Path, tmp_path: Path) -> None:
    """All files of a wheel may bear one time, and the hashes in a page have one length."""
    tags = []
    for name in ("0a1b2c3d", "4e5f6a7b"):
        (built / "index.html").write_text(PAGE.replace("0a1b2c3d", name))
        (built / "index.html").touch()
        os.utime(built / "index.html", (0, 1_600_000_000))
        async with browser(built) as http:
            tags.append((await http.get("/")).headers["etag"])
    assert tags[0] != tags[1]


async def test_an_asset_may_be_kept_for_a_year(http: httpx.AsyncClient) -> None:
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
async def test_a_file_goes_out_in_the_smallest_form_that_is_accepted(
    accepted: str, sent: str | None, http: httpx.AsyncClient
) -> None:
    request = http.build_request("HEAD", "/assets/index-0a1b2c3d.js", headers={"Accept-Encoding": accepted})
    asset = await http.send(request)
    assert asset.status_code == 200
    assert asset.headers.get("content-encoding") == sent
    assert asset.headers["vary"] == "Accept-Encoding"


async def test_head_says_what_get_sends_and_sends_nothing(http: httpx.AsyncClient) -> None:
    for path in ("/", "/assets/index-0a1b2c3d.js"):
        asked = await http.head(path, headers={"Accept-Encoding": "identity"})
        got = await http.get(path, headers={"Accept-Encoding": "identity"})
        assert asked.content == b""
        assert asked.headers == got.headers


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
async def test_every_other_address_is_the_business_of_who_stands_behind(
    path: str, http: httpx.AsyncClient
) -> None:
    assert (await http.get(path)).status_code == 418


async def test_the_page_has_one_address(http: httpx.AsyncClient) -> None:
    other = await http.get("/index.html")
    assert (other.status_code, other.headers["location"]) == (302, "./")


async def test_a_page_is_read_and_no_more(http: httpx.AsyncClient) -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert (await http.request(method, "/")).status_code == 405


async def test_without_a_build_all_is_the_business_of_who_stands_behind(tmp_path: Path) -> None:
    async with browser(tmp_path / "not built") as http:
        assert (await http.get("/")).status_code == 418


def test_the_policy_lets_nothing_inline_run() -> None:
    assert "unsafe" not in PAGE_POLICY
    rules = dict(rule.split(" ", 1) for rule in PAGE_POLICY.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
