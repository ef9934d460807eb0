"""The REST API: downloads of files, ranges, pages and page images, for the owner only."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image

from tests.support.http_client import HttpClient
from tests.support.page_images import page_png, scripted_png
from tests.support.problems import errors_of, problem_of
from tests.support.server import Server
from tests.support.stored_files import files_in


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


@pytest.fixture(scope="module")
def page() -> bytes:
    return page_png(["one line", "another line"])


@pytest.fixture(scope="module")
def path(http_client: HttpClient, page: bytes) -> str:
    """The path of a processed upload."""
    return http_client.read(page)


# ── file ─────────────────────────────────────────────────────────────────────────────────────


def test_file_download_returns_the_original_bytes(http_client: HttpClient, path: str, page: bytes) -> None:
    answer = http_client.http.get(f"{path}/file")
    assert (answer.status_code, answer.content) == (200, page)
    assert answer.headers["Content-Length"] == str(len(page))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{http_client.http.get(f"{path}/").json()["image_hash"]}"'
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("requested", "start", "end"),
    [("0-0", 0, 1), ("0-99", 0, 100), ("100-", 100, None), ("-50", -50, None), ("5-999999999", 5, None)],
)
def test_file_range_returns_206_with_the_range(
    http_client: HttpClient, path: str, page: bytes, requested: str, start: int, end: int | None
) -> None:
    answer = http_client.http.get(f"{path}/file", headers={"Range": f"bytes={requested}"})
    first = start % len(page)
    assert (answer.status_code, answer.content) == (206, page[start:end])
    last = first + len(answer.content) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(page)}"
    assert answer.headers["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize("requested", ["99999999-", "-0"])
def test_file_range_beyond_the_end_is_416(
    http_client: HttpClient, path: str, page: bytes, requested: str
) -> None:
    answer = http_client.http.get(f"{path}/file", headers={"Range": f"bytes={requested}"})
    assert (answer.status_code, problem_of(answer)["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["Content-Range"] == f"bytes */{len(page)}"


@pytest.mark.parametrize(
    "requested", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=-", "bytes=a-b", "-5000000"]
)
def test_file_range_with_invalid_syntax_returns_the_whole_file(
    http_client: HttpClient, path: str, page: bytes, requested: str
) -> None:
    answer = http_client.http.get(f"{path}/file", headers={"Range": requested})
    assert (answer.status_code, answer.content) == (200, page)


def test_file_range_with_stale_if_range_returns_the_whole_file(
    http_client: HttpClient, path: str, page: bytes
) -> None:
    etag = http_client.http.head(f"{path}/file").headers["ETag"]
    requested = {"Range": "bytes=0-9"}
    assert http_client.http.get(f"{path}/file", headers=requested | {"If-Range": etag}).content == page[:10]
    assert http_client.http.get(f"{path}/file", headers=requested | {"If-Range": '"other"'}).content == page


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', "*"])
def test_file_with_matching_etag_is_304(http_client: HttpClient, path: str, known: str) -> None:
    etag = http_client.http.head(f"{path}/file").headers["ETag"]
    answer = http_client.http.get(f"{path}/file", headers={"If-None-Match": known.format(etag)})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)


def test_file_head_request_has_no_body(http_client: HttpClient, path: str, page: bytes) -> None:
    answer = http_client.http.head(f"{path}/file", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(page))


def two_frames() -> bytes:
    file = io.BytesIO()
    first, second = Image.new("L", (40, 40), 255), Image.new("L", (40, 40), 0)
    first.save(file, "GIF", save_all=True, append_images=[second])
    return file.getvalue()


# ── pages ────────────────────────────────────────────────────────────────────────────────────


def test_page_has_lines_with_boxes_and_confidences(http_client: HttpClient) -> None:
    path = http_client.read(scripted_png(lines=["# Title", "some text"]))
    page = http_client.http.get(f"{path}/pages/1").json()
    assert (page["number"], page["width"], page["height"], page["warnings"]) == (1, 8, 8, [])
    assert (page["markdown"], page["text"]) == ("# Title\n\nsome text", "Title\n\nsome text")
    assert [line["text"] for line in page["lines"]] == ["Title", "some text"]
    for line in page["lines"]:
        assert [len(corner) for corner in line["box"]] == [2] * 4
        assert line["confidence"] == 1.0
        assert line["role"] == "body"


def test_page_has_warnings_with_code_message_boxes_and_share(http_client: HttpClient) -> None:
    path = http_client.read(two_frames())
    [warning] = http_client.http.get(f"{path}/pages/1").json()["warnings"]
    message = "The file contains 2 images; only the first was read."
    assert warning == {"code": "other-images", "message": message, "boxes": [], "share": None}
    assert http_client.http.get(f"{path}/").json()["warnings"] == [message]


def test_page_image_width_is_rounded_up_to_the_next_cached_width(http_client: HttpClient, path: str) -> None:
    widths = {
        requested: image_width(http_client, path, requested)
        for requested in ("1", "200", "201", "400", "799", "99999")
    }
    assert widths == {"1": 200, "200": 200, "201": 400, "400": 400, "799": 800, "99999": 1000}
    assert image_width(http_client, path, None) == 1000
    key = path.rsplit("/", 1)[1]
    cached = {path.name for path in files_in(http_client.server.data_dir / "files" / key)}
    assert cached == {"original.png", *(f"page-1-{width}.jpg" for width in (200, 400, 800, 2400))}


def image_width(http_client: HttpClient, path: str, requested: str | None) -> int:
    answer = http_client.http.get(f"{path}/pages/1/image", params={"width": requested} if requested else None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as image:
        return image.width


def test_page_image_is_rendered_once(http_client: HttpClient, path: str) -> None:
    first = http_client.http.get(f"{path}/pages/1/image", params={"width": 300}).content
    cached = http_client.server.data_dir / "files" / path.rsplit("/", 1)[1] / "page-1-400.jpg"
    assert cached.read_bytes() == first
    cached.write_bytes(b"cached")
    assert http_client.http.get(f"{path}/pages/1/image", params={"width": 400}).content == b"cached"
    cached.unlink()


@pytest.mark.parametrize("width", ["0", "-1", "x", "1e3", "123456", "٣"])
def test_page_image_with_invalid_width_is_an_error(http_client: HttpClient, path: str, width: str) -> None:
    answer = http_client.http.get(f"{path}/pages/1/image", params={"width": width})
    assert (answer.status_code, list(errors_of(answer))) == (400, ["width"])


@pytest.mark.parametrize("number", ["0", "2", "5001", "9" * 40])
@pytest.mark.parametrize("end", ["", "/image"])
def test_page_that_does_not_exist_is_404(http_client: HttpClient, path: str, number: str, end: str) -> None:
    answer = http_client.http.get(f"{path}/pages/{number}{end}")
    assert (answer.status_code, list(errors_of(answer))) == (404, ["number"])


def test_page_image_that_cannot_be_rendered_is_422_with_the_reason(http_client: HttpClient) -> None:
    path = http_client.read(b"%PDF-1.7\nnothing more " + uuid.uuid4().bytes)
    answer = http_client.http.get(f"{path}/pages/1/image")
    assert (answer.status_code, errors_of(answer)["detail"]) == (
        422,
        "The PDF is broken, or has no pages.",
    )


# ── other users ───────────────────────────────────────────────────────────────────────────────────────

ROUTES = [
    ("GET", "/"),
    ("PATCH", "/"),
    ("DELETE", "/"),
    ("GET", "/file"),
    ("HEAD", "/file"),
    ("GET", "/pages/1"),
    ("GET", "/pages/1/image"),
    ("GET", "/pages/1/image?width=200"),
    ("GET", "/pages/77/image"),
]


@pytest.mark.parametrize(("method", "end"), ROUTES)
def test_request_for_another_users_upload_looks_like_an_unknown_id(
    http_client: HttpClient, other: HttpClient, path: str, method: str, end: str
) -> None:
    body = {"json": {"filename": "stolen.png"}} if method == "PATCH" else {}
    foreign = other.http.request(method, path + end, **body)
    unknown = other.http.request(method, f"/api/uploads/{uuid.uuid4()}{end}", **body)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert dict(foreign.headers) | {"date": ""} == dict(unknown.headers) | {"date": ""}
    assert http_client.http.get(f"{path}/").status_code == 200
    anonymous = httpx.request(method, http_client.server.http + path + end, **body)
    assert anonymous.status_code == 401
    assert method == "HEAD" or problem_of(anonymous)["code"] == "unauthenticated"


def test_post_of_equal_bytes_by_two_users_makes_two_uploads(
    http_client: HttpClient, other: HttpClient
) -> None:
    image = scripted_png()
    first, second = http_client.post(image), other.post(image)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["instance"]["id"] != second.json()["instance"]["id"]
