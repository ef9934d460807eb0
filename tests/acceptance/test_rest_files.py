"""The REST door: an upload's bytes, whole or in ranges, its pages and their pictures; and for nobody else."""

from __future__ import annotations

import io
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.support.http_client import HttpClient, files_in
from tests.support.page_images import page_png, scripted_png
from tests.support.server import Server


@pytest.fixture(scope="module")
def door(server: Server) -> Iterator[HttpClient]:
    door = HttpClient(server, server.token(server.user()))
    yield door
    door.http.close()


@pytest.fixture(scope="module")
def other(server: Server) -> Iterator[HttpClient]:
    door = HttpClient(server, server.token(server.user()))
    yield door
    door.http.close()


@pytest.fixture(scope="module")
def page() -> bytes:
    return page_png(["one line", "another line"])


@pytest.fixture(scope="module")
def path(door: HttpClient, page: bytes) -> str:
    """Of an upload that is read."""
    return door.read(page)


# ── the file ─────────────────────────────────────────────────────────────────────────────────────


def test_the_file_comes_back_as_it_was(door: HttpClient, path: str, page: bytes) -> None:
    answer = door.http.get(f"{path}/file")
    assert (answer.status_code, answer.content) == (200, page)
    assert answer.headers["Content-Length"] == str(len(page))
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert answer.headers["ETag"] == f'"{door.http.get(f"{path}/").json()["image_hash"]}"'
    assert answer.headers["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("0-0", 0, 1), ("0-99", 0, 100), ("100-", 100, None), ("-50", -50, None), ("5-999999999", 5, None)],
)
def test_a_range_of_the_file_is_given(
    door: HttpClient, path: str, page: bytes, asked: str, start: int, end: int | None
) -> None:
    answer = door.http.get(f"{path}/file", headers={"Range": f"bytes={asked}"})
    first = start % len(page)
    assert (answer.status_code, answer.content) == (206, page[start:end])
    last = first + len(answer.content) - 1
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{len(page)}"
    assert answer.headers["Content-Length"] == str(len(answer.content))


@pytest.mark.parametrize("asked", ["99999999-", "-0"])
def test_a_range_beyond_the_file_is_refused(door: HttpClient, path: str, page: bytes, asked: str) -> None:
    answer = door.http.get(f"{path}/file", headers={"Range": f"bytes={asked}"})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer.headers["Content-Range"] == f"bytes */{len(page)}"


@pytest.mark.parametrize(
    "asked", ["bytes=0-1,5-6", "lines=1-2", "bytes=9-3", "bytes=-", "bytes=a-b", "-5000000"]
)
def test_a_range_that_is_not_understood_is_the_whole(
    door: HttpClient, path: str, page: bytes, asked: str
) -> None:
    answer = door.http.get(f"{path}/file", headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, page)


def test_a_range_of_another_version_is_the_whole(door: HttpClient, path: str, page: bytes) -> None:
    etag = door.http.head(f"{path}/file").headers["ETag"]
    asked = {"Range": "bytes=0-9"}
    assert door.http.get(f"{path}/file", headers=asked | {"If-Range": etag}).content == page[:10]
    assert door.http.get(f"{path}/file", headers=asked | {"If-Range": '"other"'}).content == page


@pytest.mark.parametrize("known", ["{}", "W/{}", '"other", {}', "*"])
def test_a_file_that_is_known_is_not_sent_again(door: HttpClient, path: str, known: str) -> None:
    etag = door.http.head(f"{path}/file").headers["ETag"]
    answer = door.http.get(f"{path}/file", headers={"If-None-Match": known.format(etag)})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", etag)


def test_the_head_of_a_file_has_no_body(door: HttpClient, path: str, page: bytes) -> None:
    answer = door.http.head(f"{path}/file", headers={"Range": "bytes=0-9"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(page))


# ── the pages ────────────────────────────────────────────────────────────────────────────────────


def test_a_page_has_its_lines_with_boxes_and_confidences(door: HttpClient) -> None:
    path = door.read(scripted_png(lines=["# Title", "some text"]))
    page = door.http.get(f"{path}/pages/1").json()
    assert (page["number"], page["width"], page["height"], page["warnings"]) == (1, 8, 8, [])
    assert (page["markdown"], page["text"]) == ("# Title\n\nsome text", "Title\n\nsome text")
    assert [line["text"] for line in page["lines"]] == ["Title", "some text"]
    for line in page["lines"]:
        assert [len(corner) for corner in line["box"]] == [2] * 4
        assert line["confidence"] == 1.0


def test_a_picture_is_as_wide_as_the_next_width_that_is_kept(door: HttpClient, path: str) -> None:
    widths = {asked: picture_width(door, path, asked) for asked in ("1", "200", "201", "400", "799", "99999")}
    assert widths == {"1": 200, "200": 200, "201": 400, "400": 400, "799": 800, "99999": 1000}
    assert picture_width(door, path, None) == 1000
    key = path.rsplit("/", 1)[1]
    kept = {Path(name).name for name in files_in(door.server.data_dir / "files" / key)}
    assert kept == {"original.png", *(f"page-1-{width}.jpg" for width in (200, 400, 800, 2400))}


def picture_width(door: HttpClient, path: str, asked: str | None) -> int:
    answer = door.http.get(f"{path}/pages/1/image", params={"width": asked} if asked else None)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.content)) as picture:
        return picture.width


def test_a_picture_is_drawn_once(door: HttpClient, path: str) -> None:
    first = door.http.get(f"{path}/pages/1/image", params={"width": 300}).content
    kept = door.server.data_dir / "files" / path.rsplit("/", 1)[1] / "page-1-400.jpg"
    assert kept.read_bytes() == first
    kept.write_bytes(b"kept")
    assert door.http.get(f"{path}/pages/1/image", params={"width": 400}).content == b"kept"
    kept.unlink()


@pytest.mark.parametrize("width", ["0", "-1", "x", "1e3", "123456", "٣"])
def test_a_width_that_is_none_is_an_error(door: HttpClient, path: str, width: str) -> None:
    answer = door.http.get(f"{path}/pages/1/image", params={"width": width})
    assert (answer.status_code, list(answer.json()["error"])) == (400, ["width"])


@pytest.mark.parametrize("number", ["0", "2", "5001", "9" * 40])
@pytest.mark.parametrize("end", ["", "/image"])
def test_a_page_that_is_not_there_is_not_found(door: HttpClient, path: str, number: str, end: str) -> None:
    answer = door.http.get(f"{path}/pages/{number}{end}")
    assert (answer.status_code, list(answer.json()["error"])) == (404, ["number"])


def test_a_page_that_cannot_be_drawn_says_why(door: HttpClient) -> None:
    path = door.read(b"%PDF-1.7\nnothing more " + uuid.uuid4().bytes)
    answer = door.http.get(f"{path}/pages/1/image")
    assert (answer.status_code, answer.json()["error"]["detail"]) == (
        422,
        "The PDF is broken, or has no pages.",
    )


# ── others ───────────────────────────────────────────────────────────────────────────────────────

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
def test_another_users_upload_looks_unknown(
    door: HttpClient, other: HttpClient, path: str, method: str, end: str
) -> None:
    body = {"json": {"filename": "stolen.png"}} if method == "PATCH" else {}
    theirs = other.http.request(method, path + end, **body)
    unknown = other.http.request(method, f"/api/uploads/{uuid.uuid4()}{end}", **body)
    assert theirs.status_code == unknown.status_code == 404
    assert theirs.content == unknown.content
    assert dict(theirs.headers) | {"date": ""} == dict(unknown.headers) | {"date": ""}
    assert door.http.get(f"{path}/").status_code == 200
    nobody = httpx.request(method, door.server.http + path + end, **body)
    assert nobody.status_code == 401
    assert method == "HEAD" or list(json.loads(nobody.content)) == ["error"]


def test_the_same_bytes_of_two_users_are_two_uploads(door: HttpClient, other: HttpClient) -> None:
    image = scripted_png()
    first, second = door.post(image), other.post(image)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json()["instance"]["id"] != second.json()["instance"]["id"]
