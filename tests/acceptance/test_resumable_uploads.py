"""Resumable uploads by tus: parts, cuts, checksums, limits, restarts, and what other users cannot do."""

from __future__ import annotations

import base64
import hashlib
import socket
import uuid
from collections.abc import Iterator

import httpx
import pytest

from tests.support.accounts import Account
from tests.support.database_rows import run_query
from tests.support.page_images import scripted_png
from tests.support.problems import problem_of
from tests.support.processes import wait_until
from tests.support.server import Server

OFFSET_STREAM = "application/offset+octet-stream"
CHUNK_BYTES = 1024 * 1024
VERSION = {"Tus-Resumable": "1.0.0"}


class TusClient:
    """Client of a new user that sends the headers of tus."""

    def __init__(self, server: Server) -> None:
        self.server, self.account = server, Account.create(server)
        headers = {"Authorization": f"Bearer {self.account.mint()}"} | VERSION
        self.http = httpx.Client(base_url=server.http, headers=headers, timeout=60)

    def create(self, length: int, body: bytes | None = None, **metadata: str) -> httpx.Response:
        pairs = [f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in metadata.items()]
        headers = {"Upload-Length": str(length), "Upload-Metadata": ",".join(pairs)}
        if body is not None:
            headers["Content-Type"] = OFFSET_STREAM
        return self.http.post("/api/tus", headers=headers, content=body)

    def begin(self, length: int, **metadata: str) -> str:
        """Create a resumable upload and return its path."""
        answer = self.create(length, **metadata)
        assert (answer.status_code, answer.headers["upload-offset"]) == (201, "0"), answer.text
        return str(answer.headers["location"])

    def patch(self, path: str, offset: int, body: bytes, **headers: str) -> httpx.Response:
        sent = {"Upload-Offset": str(offset), "Content-Type": OFFSET_STREAM} | headers
        return self.http.patch(path, headers=sent, content=body)

    def patch_head(self, path: str, length: int, *, expect: bool = False) -> bytes:
        """Return the head of a request that appends a body of this length at the beginning of the file."""
        lines = [
            f"PATCH {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.server.port}",
            "Tus-Resumable: 1.0.0",
            f"Authorization: {self.http.headers['authorization']}",
            "Upload-Offset: 0",
            f"Content-Type: {OFFSET_STREAM}",
            f"Content-Length: {length}",
            *(["Expect: 100-continue"] if expect else []),
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def offset(self, path: str) -> int:
        return int(self.http.head(path).headers["upload-offset"])

    def instance(self, answer: httpx.Response) -> dict[str, object]:
        upload: dict[str, object] = self.http.get(f"/api/uploads/{answer.headers['scanrill-upload']}/").json()
        return upload


@pytest.fixture(scope="module")
def module_client(server: Server) -> Iterator[TusClient]:
    client = TusClient(server)
    yield client
    client.http.close()


@pytest.fixture
def client(module_client: TusClient) -> TusClient:
    return module_client


def test_options_name_version_and_extensions_without_a_token(server: Server) -> None:
    answer = httpx.options(f"{server.http}/api/tus")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == str(1024**3)
    extensions = set(answer.headers["tus-extension"].split(","))
    assert extensions == {"creation", "creation-with-upload", "checksum", "expiration", "termination"}


def test_file_in_parts_becomes_an_upload_with_its_metadata(client: TusClient) -> None:
    image = scripted_png(lines=["# Title"])
    path = client.begin(
        len(image), filename="päge.png", filetype="image/png", metadata='{"case": 7}', languages="de,en"
    )
    first = client.patch(path, 0, image[:10])
    assert (first.status_code, first.headers["upload-offset"]) == (204, "10")
    assert "scanrill-upload" not in first.headers
    assert client.offset(path) == 10
    last = client.patch(path, 10, image[10:])
    assert (last.status_code, last.headers["scanrill-duplicate"]) == (204, "false")
    upload = client.instance(last)
    assert (upload["filename"], upload["metadata"]) == ("päge.png", {"case": 7})
    assert (upload["languages"], upload["bytes"]) == (["de", "en"], len(image))
    assert upload["image_hash"] == hashlib.sha256(image).hexdigest()
    whole = client.http.head(path)
    assert whole.headers["scanrill-upload"] == last.headers["scanrill-upload"]
    assert whole.headers["upload-offset"] == str(len(image))
    assert whole.headers["tus-resumable"] == "1.0.0"


def test_creation_with_the_whole_file_is_one_request(client: TusClient) -> None:
    image = scripted_png()
    created = client.create(len(image), image)
    assert (created.status_code, created.headers["upload-offset"]) == (201, str(len(image)))
    assert client.instance(created)["bytes"] == len(image)
    again = client.create(len(image), image)
    assert again.headers["scanrill-duplicate"] == "true"
    assert again.headers["scanrill-upload"] == created.headers["scanrill-upload"]


def test_connection_that_breaks_keeps_what_arrived(client: TusClient) -> None:
    image = scripted_png() + bytes(3 * CHUNK_BYTES)
    path = client.begin(len(image))
    with socket.create_connection(("127.0.0.1", client.server.port)) as connection:
        connection.sendall(client.patch_head(path, len(image)) + image[: 2 * CHUNK_BYTES])
        wait_until(lambda: client.offset(path) >= CHUNK_BYTES, "a chunk is stored")

    def rest_is_accepted() -> bool:
        offset = client.offset(path)
        answer = client.patch(path, offset, image[offset:])
        assert answer.status_code in (204, 409, 423), answer.text
        return answer.status_code == 204

    wait_until(rest_is_accepted, "the cut request has released the file")
    upload = client.instance(client.http.head(path))
    assert upload["image_hash"] == hashlib.sha256(image).hexdigest()


def test_second_request_while_one_writes_is_locked(client: TusClient) -> None:
    image = scripted_png()
    path = client.begin(len(image))
    with socket.create_connection(("127.0.0.1", client.server.port)) as connection:
        connection.sendall(client.patch_head(path, len(image), expect=True))
        assert connection.recv(100).startswith(b"HTTP/1.1 100"), "the handler waits for the body"
        second = client.patch(path, 0, image)
        assert (second.status_code, problem_of(second)["code"]) == (423, "resumable_upload_locked")
        assert client.http.delete(path).status_code == 423
        connection.sendall(image)
        assert connection.recv(100).startswith(b"HTTP/1.1 204")


def test_wrong_offset_is_refused_and_changes_nothing(client: TusClient) -> None:
    path = client.begin(100)
    client.patch(path, 0, b"a" * 10)
    for offset in (0, 9, 11, 100):
        answer = client.patch(path, offset, b"b")
        assert (answer.status_code, problem_of(answer)["code"]) == (409, "offset_mismatch")
    assert client.offset(path) == 10


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_checksum_that_differs_discards_the_body(client: TusClient, algorithm: str) -> None:
    path = client.begin(100)
    right = base64.b64encode(hashlib.new(algorithm, b"a" * 10).digest()).decode()
    wrong = client.patch(path, 0, b"b" * 10, **{"Upload-Checksum": f"{algorithm} {right}"})
    assert (wrong.status_code, problem_of(wrong)["code"]) == (460, "checksum_mismatch")
    assert client.offset(path) == 0
    fine = client.patch(path, 0, b"a" * 10, **{"Upload-Checksum": f"{algorithm} {right}"})
    assert (fine.status_code, fine.headers["upload-offset"]) == (204, "10")


def test_terminated_upload_is_gone(client: TusClient) -> None:
    path = client.begin(100)
    assert client.http.delete(path).status_code == 204
    assert client.http.head(path).status_code == 404
    answer = client.patch(path, 0, b"a")
    assert problem_of(answer)["code"] == "resumable_upload_not_found"


def test_termination_keeps_the_upload_that_it_became(client: TusClient) -> None:
    image = scripted_png()
    created = client.create(len(image), image)
    assert client.http.delete(created.headers["location"]).status_code == 204
    assert client.instance(created)["bytes"] == len(image)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 400),
        ({"Upload-Length": "-1"}, 400),
        ({"Upload-Length": "x"}, 400),
        ({"Upload-Defer-Length": "1"}, 400),
        ({"Upload-Length": str(1024**3 + 1)}, 413),
        ({"Upload-Length": "5", "Upload-Metadata": "filename %"}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "engine eA=="}, 400),
        ({"Upload-Length": "5", "Upload-Metadata": "metadata eA=="}, 400),
        ({"Upload-Length": "5", "Tus-Resumable": "0.2.2"}, 412),
    ],
)
def test_creation_with_a_wrong_header_is_refused(
    client: TusClient, headers: dict[str, str], status: int
) -> None:
    answer = client.http.post("/api/tus", headers=headers)
    assert answer.status_code == status, answer.text
    assert "location" not in answer.headers


def test_file_of_no_format_is_refused_and_removed(client: TusClient) -> None:
    path = client.begin(10)
    answer = client.patch(path, 0, b"not a scan")
    assert (answer.status_code, list(problem_of(answer)["errors"])) == (400, ["file"])
    assert client.http.head(path).status_code == 404


def test_more_bytes_than_announced_are_refused(client: TusClient) -> None:
    path = client.begin(10)
    assert client.patch(path, 0, b"a" * 11).status_code == 400
    assert client.offset(path) == 0


def test_resumable_uploads_of_other_users_look_like_none(client: TusClient, server: Server) -> None:
    path = client.begin(100)
    other = TusClient(server)
    missing = f"/api/tus/{uuid.uuid4()}"
    for target in (path, missing):
        assert other.http.head(target).status_code == 404
        assert other.http.delete(target).status_code == 404
    foreign, none = other.patch(path, 0, b"a"), other.patch(missing, 0, b"a")
    assert (foreign.status_code, foreign.content) == (404, none.content)
    assert client.offset(path) == 0
    assert httpx.head(f"{server.http}{path}", headers=VERSION).status_code == 401
    other.http.close()


@pytest.fixture(scope="module")
def small_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a small quota, which a test kills."""
    settings = {"MAX_BYTES_PER_USER": "100000", "MAX_PENDING_PER_USER": "1"}
    running = Server(tmp_path_factory.mktemp("resumable") / "data", **settings).start()
    yield running
    assert running.stop() == 0


def test_announced_bytes_of_unfinished_uploads_count_to_the_quota(small_server: Server) -> None:
    client = TusClient(small_server)
    first = client.begin(60_000)
    refused = client.create(60_000)
    assert (refused.status_code, problem_of(refused)["code"]) == (507, "quota_exceeded")
    client.http.delete(first)
    client.begin(60_000)
    client.http.close()


def test_limit_that_passes_keeps_the_file_until_head_succeeds(small_server: Server) -> None:
    client = TusClient(small_server)
    waiting = scripted_png(lines=["a"], wait_for=str(small_server.data_dir / "go"), wait_after=1)
    first = client.create(len(waiting), waiting)
    image = scripted_png()
    path = client.begin(len(image))
    refused = client.patch(path, 0, image)
    assert (refused.status_code, problem_of(refused)["retryable"]) == (429, True)
    assert client.http.head(path).status_code == 423
    client.http.delete(f"/api/uploads/{first.headers['scanrill-upload']}/")
    whole = client.http.head(path)
    assert whole.status_code == 200
    assert client.instance(whole)["bytes"] == len(image)
    client.http.close()


def test_killed_server_continues_where_the_file_ends(small_server: Server) -> None:
    client = TusClient(small_server)
    image = scripted_png()
    path = client.begin(len(image))
    client.patch(path, 0, image[:30])
    small_server.stop(9)
    run_query(small_server, "UPDATE core_resumableupload SET received = 0")
    small_server.start()
    wait_until(lambda: client.offset(path) == 30, "the offset is that of the file")
    last = client.patch(path, 30, image[30:])
    assert client.instance(last)["image_hash"] == hashlib.sha256(image).hexdigest()
    client.http.close()
