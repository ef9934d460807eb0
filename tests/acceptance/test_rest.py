"""The REST API: posting, listing, retrieving, updating and deleting uploads."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import jsonschema
import pytest

from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of, problem_of
from tests.support.processes import wait_until
from tests.support.server import Server
from tests.support.stored_files import files_in
from tests.support.websocket_client import WebSocketClient

LIMIT = 200_000


@pytest.fixture(scope="module")
def limited_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("limited_client") / "data", MAX_UPLOAD_BYTES=str(LIMIT)).start()
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


@pytest.fixture(scope="module")
def limited_client(limited_server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(limited_server, limited_server.token(limited_server.user()))
    yield http_client
    http_client.http.close()


@pytest.fixture(scope="module")
def path(http_client: HttpClient) -> str:
    """The path of a processed upload."""
    return http_client.read(scripted_png())


# ── post ───────────────────────────────────────────────────────────────────────────────────────────


def test_post_raw_body_creates_an_upload(http_client: HttpClient) -> None:
    image = scripted_png()
    answer = http_client.post(image, "päge 1.png")
    created = answer.json()
    assert (answer.status_code, created["type"], created["duplicate"]) == (201, "Upload.created", False)
    instance = created["instance"]
    assert (instance["filename"], instance["bytes"]) == ("päge 1.png", len(image))
    assert (instance["content_type"], instance["status"]) == ("image/png", "pending")
    assert "raw_text" not in instance


def test_post_of_equal_bytes_is_a_duplicate(http_client: HttpClient) -> None:
    image = scripted_png()
    first, second = http_client.post(image, "a.png"), http_client.post(image, "b.png")
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["duplicate"] is True
    assert second.json()["instance"]["id"] == first.json()["instance"]["id"]
    assert second.json()["instance"]["filename"] == "a.png"


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
@pytest.mark.parametrize("body_kind", ["raw", "multipart"])
def test_post_filename_keeps_only_the_last_path_component(
    http_client: HttpClient, body_kind: str, sent: str, kept: str
) -> None:
    image = scripted_png()
    answer = http_client.post(image, sent) if body_kind == "raw" else posted_part(http_client, sent, image)
    assert answer.status_code == 201, answer.text
    assert answer.json()["instance"]["filename"] == kept
    assert answer.json()["instance"]["image_path"].endswith("/original.png")


def posted_part(http_client: HttpClient, name: str, image: bytes) -> httpx.Response:
    """Post a part as browsers encode it: the name in UTF-8, quotation marks and backslashes unescaped."""
    head = f'--B\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = head + image + b"\r\n--B--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    return http_client.http.post("/api/uploads/", content=body, headers=kind)


def test_post_multipart_finds_the_file_after_other_parts(http_client: HttpClient) -> None:
    image = scripted_png()
    before, after = ("languages", (None, b"en,de")), ("barcodes", (None, b"true"))
    answer = http_client.send(before, ("anything", ("scan.png", image)), after)
    assert answer.status_code == 201, answer.text
    assert answer.json()["instance"]["bytes"] == len(image)


def test_post_multipart_with_large_fields_is_rejected(http_client: HttpClient) -> None:
    answer = http_client.send(("note", (None, b"x" * 70_000)), ("file", ("scan.png", scripted_png())))
    assert answer.status_code == 413
    assert problem_of(answer)["code"] == "fields_too_large"


def test_post_multipart_with_two_files_is_rejected(http_client: HttpClient) -> None:
    before = len(http_client.http.get("/api/uploads/").json()["list"])
    answer = http_client.send(("file", ("a.png", scripted_png())), ("file", ("b.png", scripted_png())))
    assert answer.status_code == 400
    assert "One file at a time" in errors_of(answer)["file"]
    assert len(http_client.http.get("/api/uploads/").json()["list"]) == before


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
        ("image/png", b"no image", "Unsupported file format"),
    ],
)
def test_post_without_valid_file_is_an_error_on_the_field(
    http_client: HttpClient, kind: str, body: bytes, sentence: str
) -> None:
    answer = http_client.http.post("/api/uploads/", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 400
    assert sentence in errors_of(answer)["file"]


def test_post_without_valid_token_is_rejected_before_the_body(server: Server) -> None:
    for headers in ("", "Authorization: Bearer nonsense\r\n", "Authorization: Basic eDp5\r\n"):
        with raw_post(server, f"{headers}Content-Length: 900000000\r\n") as connection:
            assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_post_with_content_length_over_the_limit_is_413(limited_client: HttpClient) -> None:
    head = f"Authorization: Bearer {limited_client.token}\r\nContent-Length: 900000000\r\n"
    with raw_post(limited_client.server, head) as connection:
        answer = b"".join(iter(lambda: connection.recv(4000), b""))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert f"exceeds the limit of {LIMIT} bytes".encode() in answer


@pytest.mark.parametrize("body_kind", ["raw", "multipart"])
def test_post_of_chunked_body_over_the_limit_is_413(limited_client: HttpClient, body_kind: str) -> None:
    """The body exceeds the connection's buffers and has no length; the response still arrives."""
    opening = b'--B\r\nContent-Disposition: form-data; name="f"; filename="x.png"\r\n\r\n'
    start = {"raw": b"", "multipart": opening}[body_kind]
    kind = "image/png" if body_kind == "raw" else "multipart/form-data; boundary=B"
    body = (chunk for chunk in [start, *[b"\x89PNG" * 16_000] * 300])
    answer = limited_client.http.post("/api/uploads/", content=body, headers={"Content-Type": kind})
    assert answer.status_code == 413
    code = "fields_too_large" if body_kind == "beside the file" else "file_too_large"
    assert problem_of(answer)["code"] == code
    assert not files_in(limited_client.server.data_dir / "incoming")


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ("filename*=UTF-8''M%C3%A4rz.png", "März.png"),
        ("filename=\"=?utf-8?B?TcOkcnoucG5n?=\"; filename*=utf-8''M%C3%A4rz.png", "März.png"),
        ("filename*=iso-8859-1'de'M%E4rz.png; filename=other.png", "März.png"),
        ("filename*=unknown''a.png", "a.png"),
        ("filename=\"a; filename*=UTF-8''b.png\"", "a; filename*=UTF-8''b.png"),
    ],
)
@pytest.mark.parametrize("body_kind", ["raw", "multipart"])
def test_post_takes_the_extended_file_name(
    http_client: HttpClient, body_kind: str, disposition: str, name: str
) -> None:
    body, headers = scripted_png(), {"Content-Disposition": f"attachment; {disposition}"}
    if body_kind == "multipart":
        head = f'--B\r\nContent-Disposition: form-data; name="file"; {disposition}\r\n\r\n'.encode()
        body = head + body + b"\r\n--B--\r\n"
        headers = {"Content-Type": "multipart/form-data; boundary=B"}
    answer = http_client.http.post("/api/uploads/", content=body, headers=headers)
    assert (answer.status_code, answer.json()["instance"]["filename"]) == (201, name)


@pytest.mark.parametrize("kind", ["image/png", "multipart/form-data; boundary=B"])
def test_post_aborted_by_the_client_leaves_no_file(limited_client: HttpClient, kind: str) -> None:
    incoming = limited_client.server.data_dir / "incoming"
    before = limited_client.http.get("/api/uploads/").json()
    head = (
        f"Authorization: Bearer {limited_client.token}\r\nContent-Type: {kind}\r\nContent-Length: 150000\r\n"
    )
    with raw_post(limited_client.server, head) as connection:
        connection.sendall(b"x" * 1000)
        wait_until(lambda: files_in(incoming), "the file comes in")
    wait_until(lambda: not files_in(incoming), "the file is deleted")
    assert limited_client.http.get("/api/uploads/").json() == before


def raw_post(server: Server, headers: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    connection.sendall(f"POST /api/uploads/ HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n".encode())
    return connection


async def test_post_sends_a_created_event_to_the_sockets(server: Server) -> None:
    token = server.token(server.user())
    async with WebSocketClient(server.url(token=token)) as client:
        with HttpClient(server, token).http as http:
            posted = http.post("/api/uploads/", content=scripted_png(lines=["by post"])).json()
        created = await client.receive()
        assert created == {"type": "Upload.created", "instance": posted["instance"]}
        end = await client.terminal_message(posted["instance"]["id"])
        assert end["raw_text"] == "by post"


# ── list, retrieve, update, delete ─────────────────────────────────────────────────────────────────


def test_list_continues_from_its_cursor(server: Server) -> None:
    with (http_client := HttpClient(server, server.token(server.user()))).http as http:
        ids = [http_client.post(scripted_png()).json()["instance"]["id"] for _ in range(3)]
        assert [row["id"] for row in http.get("/api/uploads/").json()["list"]] == ids[::-1]
        first = http.get("/api/uploads/", params={"limit": 2}).json()
        rest = http.get("/api/uploads/", params={"limit": 2, "cursor": first["next"]}).json()
        assert [row["id"] for row in first["list"] + rest["list"]] == ids[::-1]
        assert rest["next"] is None
        assert "raw_text" not in first["list"][0]


@pytest.mark.parametrize(
    "query", [{"limit": "0"}, {"limit": "x"}, {"limit": "9" * 40}, {"status": "deleted"}, {"cursor": "x"}]
)
def test_list_with_invalid_parameter_names_it(http_client: HttpClient, query: dict[str, str]) -> None:
    answer = http_client.http.get("/api/uploads/", params=query)
    assert answer.status_code == 400
    assert list(errors_of(answer)) == list(query)


def test_get_patch_and_delete_of_an_upload(http_client: HttpClient) -> None:
    path = http_client.read(scripted_png(lines=["some text"]))
    assert http_client.http.get(f"{path}/").json()["raw_text"] == "some text"
    change = {"filename": "new.png", "processed_text": "corrected", "metadata": {"a": 1}}
    changed = http_client.http.patch(f"{path}/", json=change).json()
    assert {name: changed[name] for name in change} == change
    assert http_client.http.get(f"{path}/").json() == changed | {"page_warnings": []}
    assert (
        http_client.http.patch(f"{path}/", json={"processed_text": None}).json()["processed_text"]
        == "some text"
    )
    deleted = http_client.http.delete(f"{path}/")
    assert (deleted.status_code, deleted.json()["filename"]) == (200, "new.png")
    assert [http_client.http.get(f"{path}{end}").status_code for end in ("/", "/file", "/pages/1")] == [
        404
    ] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"status": "processed"}', "status"),
        ('{"owner": "root"}', "owner"),
        ("{}", "data"),
        ("[1]", "detail"),
        ("{", "detail"),
        ("[" * 100_000, "detail"),
        ('{"processed_text": "\\ud800"}', "detail"),
        ('{"metadata": {"a": NaN}}', "detail"),
        ('{"filename": "a/b"}', "filename"),
    ],
)
def test_patch_with_invalid_body_names_the_field_and_changes_nothing(
    http_client: HttpClient, path: str, body: str, field: str
) -> None:
    before = http_client.http.get(f"{path}/").json()
    answer = http_client.http.patch(f"{path}/", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, list(errors_of(answer))) == (400, [field])
    assert http_client.http.get(f"{path}/").json() == before


def test_page_schema_needs_no_token_and_describes_a_page(http_client: HttpClient, path: str) -> None:
    answer = httpx.get(f"{http_client.server.http}/api/schemas/page.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/schema+json")
    assert answer.headers["cache-control"] == "public, max-age=3600"
    page = http_client.http.get(f"{path}/pages/1").json()
    assert list(jsonschema.Draft202012Validator(answer.json()).iter_errors(page)) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("{}", "correction"),
        ('{"correction": 5}', "correction"),
        ('{"correction": "x", "text": "y"}', "text"),
        ('{"correction": "\\ud800"}', "detail"),
        ("[]", "detail"),
    ],
)
def test_patch_of_a_page_with_invalid_body_names_the_field(
    http_client: HttpClient, path: str, body: str, field: str
) -> None:
    before = http_client.http.get(f"{path}/pages/1").json()
    answer = http_client.http.patch(
        f"{path}/pages/1", content=body, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert list(errors_of(answer)) == [field]
    assert http_client.http.get(f"{path}/pages/1").json() == before


@pytest.mark.parametrize("page", ["x", "-1", ""])
def test_comparison_with_invalid_page_names_it(http_client: HttpClient, path: str, page: str) -> None:
    answer = http_client.http.get(f"{path}/readings/1/compare/1", params={"page": page})
    assert answer.status_code == 400
    assert list(errors_of(answer)) == ["page"]


def test_huge_number_of_a_reading_is_not_found(http_client: HttpClient, path: str) -> None:
    for url in ("readings/99", f"readings/{10**30}", f"readings/1/pages/{10**30}", f"pages/{10**30}"):
        assert http_client.http.get(f"{path}/{url}").status_code == 404, url


@pytest.mark.parametrize("route", ["/api/uploads", "/api/read?format=json"])
def test_repeated_request_with_an_idempotency_key_creates_nothing(server: Server, route: str) -> None:
    content = scripted_png(lines=["one"])
    http = HttpClient(server, server.token(server.user())).http
    with http:

        def send(content: bytes, key: str = "scan-1") -> httpx.Response:
            return http.post(route, content=content, headers={"Idempotency-Key": key})

        first, second, refused = send(content), send(content), send(scripted_png(lines=["two"]))
        malformed = send(content, "a key")
        listed = http.get("/api/uploads").json()["list"]
    assert len(listed) == 1
    assert first.headers["location"] == second.headers["location"]
    assert first.status_code == second.status_code
    assert (refused.status_code, problem_of(refused)["code"]) == (422, "idempotency_key_reused")
    assert "Idempotency-Key" in errors_of(malformed)
