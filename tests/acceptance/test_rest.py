"""The REST door: a file in by POST, its upload listed, shown, changed and deleted."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support.http_client import HttpClient, files_in, wait_until
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

LIMIT = 200_000


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("small") / "data", MAX_UPLOAD_BYTES=str(LIMIT)).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def door(server: Server) -> Iterator[HttpClient]:
    door = HttpClient(server, server.token(server.user()))
    yield door
    door.http.close()


@pytest.fixture(scope="module")
def small(small_server: Server) -> Iterator[HttpClient]:
    door = HttpClient(small_server, small_server.token(small_server.user()))
    yield door
    door.http.close()


@pytest.fixture(scope="module")
def path(door: HttpClient) -> str:
    """Of an upload that is read."""
    return door.read(scripted_png())


# ── in ───────────────────────────────────────────────────────────────────────────────────────────


def test_the_raw_body_is_an_upload(door: HttpClient) -> None:
    image = scripted_png()
    answer = door.post(image, "päge 1.png")
    created = answer.json()
    assert (answer.status_code, created["type"], created["duplicate"]) == (201, "Upload.created", False)
    instance = created["instance"]
    assert (instance["filename"], instance["bytes"]) == ("päge 1.png", len(image))
    assert (instance["content_type"], instance["status"]) == ("image/png", "pending")
    assert "raw_text" not in instance


def test_what_comes_again_is_a_duplicate(door: HttpClient) -> None:
    image = scripted_png()
    first, again = door.post(image, "a.png"), door.post(image, "b.png")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["duplicate"] is True
    assert again.json()["instance"]["id"] == first.json()["instance"]["id"]
    assert again.json()["instance"]["filename"] == "a.png"


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("scan.png", "scan.png"),
        ("/home/me/scan.png", "scan.png"),
        ("C:\\scans\\scan.png", "scan.png"),
        ("../../etc/passwd", "passwd"),
        ("日本語 ü.png", "日本語 ü.png"),
        ("", "scan.png"),
    ],
)
@pytest.mark.parametrize("way", ["raw", "multipart"])
def test_a_name_is_only_a_name(door: HttpClient, way: str, sent: str, kept: str) -> None:
    image = scripted_png()
    answer = door.post(image, sent) if way == "raw" else posted_part(door, sent, image)
    assert answer.status_code == 201, answer.text
    assert answer.json()["instance"]["filename"] == kept
    assert answer.json()["instance"]["image_path"].endswith("/original.png")


def posted_part(door: HttpClient, name: str, image: bytes) -> httpx.Response:
    """As browsers write it: the name in UTF-8, a quotation mark and a backslash as they are."""
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = head + image + b"\r\n--B--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    return door.http.post("/api/uploads/", content=body, headers=kind)


def test_the_file_need_not_be_the_first_part(door: HttpClient) -> None:
    image = scripted_png()
    note = ("note", (None, b"x" * 3_000_000))
    answer = door.send(note, ("anything", ("scan.png", image)), ("after", (None, b"y")))
    assert answer.status_code == 201, answer.text
    assert answer.json()["instance"]["bytes"] == len(image)


def test_a_second_file_is_refused_rather_than_dropped(door: HttpClient) -> None:
    before = len(door.http.get("/api/uploads/").json()["list"])
    answer = door.send(("file", ("a.png", scripted_png())), ("file", ("b.png", scripted_png())))
    assert answer.status_code == 400
    assert "One file at a time" in answer.json()["error"]["file"]
    assert len(door.http.get("/api/uploads/").json()["list"]) == before


@pytest.mark.parametrize(
    ("kind", "body", "sentence"),
    [
        ("multipart/form-data", b"--B\r\n", "no boundary"),
        (f"multipart/form-data; boundary={'b' * 300}", b"--B\r\n", "no usable boundary"),
        ("multipart/form-data; boundary=B", b"not a part at all", "malformed"),
        ("multipart/form-data; boundary=B", b"--B\r\n" + b"x" * 10_000 + b": y\r\n\r\n", "malformed"),
        ("multipart/form-data; boundary=B", b"--B\r\nContent-Disposition: form-data\r\n\r\nx", "cut short"),
        (
            "multipart/form-data; boundary=B",
            b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--B--\r\n',
            "A file is expected",
        ),
        ("image/png", b"", "empty"),
        ("image/png", b"no image", "no format"),
    ],
)
def test_what_is_no_file_is_an_error_on_the_field(
    door: HttpClient, kind: str, body: bytes, sentence: str
) -> None:
    answer = door.http.post("/api/uploads/", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert sentence in answer.json()["error"]["file"]


def test_who_does_not_say_who_they_are_is_told_before_the_body_is_sent(server: Server) -> None:
    for headers in ("", "Authorization: Bearer nonsense\r\n", "Authorization: Basic eDp5\r\n"):
        with raw_post(server, f"{headers}Content-Length: 900000000\r\n") as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_a_file_over_the_limit_is_refused_by_what_is_announced(small: HttpClient) -> None:
    head = f"Authorization: Bearer {small.token}\r\nContent-Length: 900000000\r\n"
    with raw_post(small.server, head) as connection:
        answer = b"".join(iter(lambda: connection.recv(4000), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"exceeds the limit of {LIMIT} bytes".encode() in answer


@pytest.mark.parametrize("way", ["raw", "multipart", "beside the file"])
def test_a_file_over_the_limit_is_refused_by_what_comes(small: HttpClient, way: str) -> None:
    """In pieces without a length, and far more than the connection holds: the answer arrives all the same."""
    opening = b'--B\r\nContent-Disposition: form-data; name="f"%b\r\n\r\n'
    start = {"raw": b"", "multipart": opening % b'; filename="x.png"', "beside the file": opening % b""}[way]
    kind = "image/png" if way == "raw" else "multipart/form-data; boundary=B"
    body = (piece for piece in [start, *[b"\x89PNG" * 16_000] * 300])
    answer = small.http.post("/api/uploads/", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert list(answer.json()["error"]) == ["file"]
    assert not files_in(small.server.data_dir / "incoming")


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=B"])
def test_a_client_that_hangs_up_leaves_nothing(small: HttpClient, kind: str) -> None:
    incoming = small.server.data_dir / "incoming"
    before = small.http.get("/api/uploads/").json()
    head = f"Authorization: Bearer {small.token}\r\nContent-Type: {kind}\r\nContent-Length: 150000\r\n"
    with raw_post(small.server, head) as connection:
        connection.sendall(b"x" * 1000)
        wait_until(lambda: files_in(incoming))
    wait_until(lambda: not files_in(incoming))
    assert small.http.get("/api/uploads/").json() == before


def raw_post(server: Server, headers: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(f"POST /api/uploads/ HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    return connection


async def test_an_upload_by_post_is_told_to_the_sockets(server: Server) -> None:
    token = server.token(server.user())
    async with WebSocketClient(server.url(token=token)) as client:
        with HttpClient(server, token).http as http:
            posted = http.post("/api/uploads/", content=scripted_png(lines=["by post"])).json()
        created = await client.receive()
        assert created == {"type": "Upload.created", "instance": posted["instance"]}
        end = await client.terminal_message(posted["instance"]["id"])
        assert end["raw_text"] == "by post"


# ── list, detail, change, delete ─────────────────────────────────────────────────────────────────


def test_a_list_goes_on_with_its_cursor(server: Server) -> None:
    with (door := HttpClient(server, server.token(server.user()))).http as http:
        ids = [door.post(scripted_png()).json()["instance"]["id"] for _ in range(3)]
        assert [row["id"] for row in http.get("/api/uploads/").json()["list"]] == ids[::-1]
        first = http.get("/api/uploads/", params={"limit": 2}).json()
        rest = http.get("/api/uploads/", params={"limit": 2, "cursor": first["next"]}).json()
        assert [row["id"] for row in first["list"] + rest["list"]] == ids[::-1]
        assert rest["next"] is None
        assert "raw_text" not in first["list"][0]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"limit": "9" * 40}, {"status": "gone"}, {"cursor": "x"}]
)
def test_a_list_that_cannot_be_given_says_why(door: HttpClient, query: dict[str, str]) -> None:
    answer = door.http.get("/api/uploads/", params=query)
    assert answer.status_code == 400
    assert list(answer.json()["error"]) == list(query)


def test_an_upload_is_shown_changed_and_deleted(door: HttpClient) -> None:
    path = door.read(scripted_png(lines=["some text"]))
    assert door.http.get(f"{path}/").json()["raw_text"] == "some text"
    change = {"filename": "new.png", "processed_text": "corrected", "metadata": {"a": 1}}
    changed = door.http.patch(f"{path}/", json=change).json()
    assert {name: changed[name] for name in change} == change
    assert door.http.get(f"{path}/").json() == changed
    assert door.http.patch(f"{path}/", json={"processed_text": None}).json()["processed_text"] == "some text"
    gone = door.http.delete(f"{path}/")
    assert (gone.status_code, gone.json()["filename"]) == (200, "new.png")
    assert [door.http.get(f"{path}{end}").status_code for end in ("/", "/file", "/pages/1")] == [404] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"status": "processed"}', "status"),
        ('{"owner": "root"}', "owner"),
        ("{}", "data"),
        ("[1]", "message"),
        ("{", "message"),
        ("[" * 100_000, "message"),
        ('{"processed_text": "\\ud800"}', "message"),
        ('{"metadata": {"a": NaN}}', "message"),
        ('{"filename": "a/b"}', "filename"),
    ],
)
def test_a_change_that_cannot_be_made_says_why(door: HttpClient, path: str, body: str, field: str) -> None:
    before = door.http.get(f"{path}/").json()
    answer = door.http.patch(f"{path}/", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, list(answer.json()["error"])) == (400, [field])
    assert door.http.get(f"{path}/").json() == before
