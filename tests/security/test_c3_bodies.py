"""C3, L3 and L7 - a body has a limit before anything reads it, and a Host must be allowed everywhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing

import pytest

from backend_main.backend.urls import urlpatterns
from backend_main.core.http.request_gate import DEFAULT_MAX_BODY_BYTES
from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of
from tests.support.raw_http import RawHttp, RawResponse, request
from tests.support.server import Server

HUGE = "Content-Length: 600000000"
CHUNKED = "Transfer-Encoding: chunked"
UNKNOWN_ID = str(uuid.UUID(int=1))  # fixed, because the names of the tests contain it
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def all_paths() -> list[str]:
    """Return a path of each route, of the page's files, and one that does not exist."""
    routes = ["/" + str(pattern.pattern) for pattern in urlpatterns]
    filled = [route.replace("<uuid:upload_id>", UNKNOWN_ID).replace("<int:number>", "1") for route in routes]
    return [*filled, "/assets/x.js", "/nothing"]


def requests_with_bodies() -> list[tuple[str, str]]:
    """Return methods and paths. A POST of a file checks its token instead."""
    return [(method, path) for path in all_paths() for method in METHODS if (method, path) != UPLOAD]


UPLOAD = ("POST", "/api/uploads/")


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits one second for a body."""
    running = Server(tmp_path_factory.mktemp("impatient") / "data", REQUEST_BODY_SECONDS="1").start()
    yield running
    assert running.stop() == 0


def first_line(connection: RawHttp) -> bytes:
    """Read the status line; the server may go on reading the body for some seconds."""
    with closing(connection):
        data = b""
        while b"\r\n" not in data:
            data += connection.socket.recv(65536)
        return data.partition(b"\r\n")[0]


@pytest.mark.parametrize("path", all_paths())
def test_c3_announced_body_above_the_limit_is_refused_before_it_arrives(server: Server, path: str) -> None:
    for method in METHODS:
        expected = b"401" if (method, path) == UPLOAD else b"413"
        line = first_line(RawHttp(server).send(request(method, path, HUGE)))
        assert line.split()[1] == expected, (method, line)


@pytest.mark.parametrize("path", all_paths())
def test_c3_chunked_body_above_the_limit_is_refused_before_its_end(server: Server, path: str) -> None:
    for method in METHODS:
        connection = RawHttp(server).send(request(method, path, CHUNKED))
        connection.send(chunk(bytes(DEFAULT_MAX_BODY_BYTES + 1)))
        line = first_line(connection)
        assert line.split()[1] in (b"401" if (method, path) == UPLOAD else b"413", b"411"), (method, line)


def test_c3_large_correction_without_a_token_is_refused_before_it_arrives(server: Server) -> None:
    length = f"Content-Length: {DEFAULT_MAX_BODY_BYTES + 1}"
    head = request("PATCH", f"/api/uploads/{UNKNOWN_ID}/", length, "Content-Type: application/json")
    assert first_line(RawHttp(server).send(head)) == b"HTTP/1.1 401 Unauthorized"


@pytest.fixture
def client(server: Server, token: str) -> Iterator[HttpClient]:
    client = HttpClient(server, token)
    with client.http:
        yield client


def test_c3_large_correction_with_a_token_is_stored(client: HttpClient) -> None:
    path = client.read(scripted_png(lines=["one page"]))
    text = "x" * 2 * DEFAULT_MAX_BODY_BYTES
    assert client.http.patch(f"{path}/", json={"processed_text": text}).status_code == 200
    assert client.http.get(f"{path}/").json()["processed_text"] == text


def test_c3_refusal_has_a_sentence(server: Server) -> None:
    response = RawHttp(server).send(request("POST", "/api/me/", HUGE)).send(b"x" * 1000)
    with closing(response):
        data = b""
        while not data.endswith(b"}}"):
            data += response.socket.recv(65536)
    assert RawResponse(data).sentence == "The body exceeds the limit of 65536 bytes of this path."


@pytest.mark.parametrize(("method", "path"), [("POST", "/nothing"), ("POST", "/api/token/"), UPLOAD])
def test_c3_slow_body_is_refused_with_408(impatient_server: Server, method: str, path: str) -> None:
    token = impatient_server.token(impatient_server.user()) if (method, path) == UPLOAD else ""
    head = request(method, path, "Content-Length: 10", f"Authorization: Bearer {token}")
    assert RawHttp(impatient_server).send(head + b"x").response().status == 408


def test_c3_refused_file_that_has_arrived_closes_the_connection(server: Server, token: str) -> None:
    head = request("POST", "/api/uploads/", "Content-Length: 3", f"Authorization: Bearer {token}")
    assert RawHttp(server).send(head + b"abc").response().status == 400


# ── L3: a body without a length ──


def test_l3_chunked_bodies_are_read(client: HttpClient) -> None:
    path = client.read(scripted_png(lines=["one page"]))
    json = {"Content-Type": "application/json"}
    corrected = client.http.patch(f"{path}/", content=iter([b'{"processed_text":', b'"new"}']), headers=json)
    assert corrected.json()["processed_text"] == "new"
    retried = client.http.post(f"{path}/retry", content=iter([b'{"pages":"9"}']), headers=json)
    assert (retried.status_code, errors_of(retried)) == (
        400,
        {"pages": "The file has one page; page 9 is not among them."},
    )


# ── L7: the Host ──


@pytest.mark.parametrize("path", ["/", "/assets/x.js", "/healthz", "/api/me/", "/api/uploads/"])
def test_l7_foreign_host_is_refused_everywhere(server: Server, path: str) -> None:
    for method in ("GET", "POST"):
        head = f"{method} {path} HTTP/1.1\r\nHost: rebound.example\r\nConnection: close\r\n\r\n"
        response = RawHttp(server).send(head.encode()).response()
        assert response.status == 400
        assert "The Host is not allowed. Add it to SCANRILL_ALLOWED_HOSTS." in response.text
