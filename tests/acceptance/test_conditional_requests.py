"""Conditional requests: entity tags, 304 for what a client has, 412 for a change of what has changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.problems import problem_of
from tests.support.server import Server

OTHER_TAG = '"0123456789abcdef"'


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


@pytest.fixture(scope="module")
def path(http_client: HttpClient) -> str:
    """The path of a processed upload."""
    return http_client.read(scripted_png())


READ_PATHS = {
    "upload": "",
    "page": "/pages/1",
    "page with words": "/pages/1?words=true",
    "image of a page": "/pages/1/image?width=200",
    "readings": "/readings",
    "reading": "/readings/1",
    "page of a reading": "/readings/1/pages/1",
    "file": "/file",
}


@pytest.mark.parametrize("end", READ_PATHS.values(), ids=READ_PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_a_client_has_is_304_without_a_body(
    http_client: HttpClient, path: str, end: str, method: str
) -> None:
    tag = http_client.http.get(path + end).headers["ETag"]
    for known in (tag, f"W/{tag}", f"{OTHER_TAG}, {tag}", "*"):
        answer = http_client.http.request(method, path + end, headers={"If-None-Match": known})
        assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag), known
    assert http_client.http.get(path + end, headers={"If-None-Match": OTHER_TAG}).status_code == 200


def test_list_that_a_client_has_is_304_until_an_upload_changes(server: Server) -> None:
    client = HttpClient(server, server.token(server.user()))
    with client.http as http:
        path = client.read(scripted_png())
        for query in ("", "?limit=10"):
            known = {"If-None-Match": http.get(f"/api/uploads{query}").headers["ETag"]}
            assert http.get(f"/api/uploads{query}", headers=known).status_code == 304
            http.patch(path, json={"metadata": {"changed by": query}})
            assert http.get(f"/api/uploads{query}", headers=known).status_code == 200


def test_tags_of_variants_of_a_page_differ(http_client: HttpClient, path: str) -> None:
    ends = ("/pages/1", "/pages/1?words=true", "/pages/1/image?width=200", "/pages/1/image?width=400")
    tags = {http_client.http.get(path + end).headers["ETag"] for end in ends}
    assert len(tags) == len(ends)


def test_each_change_of_an_upload_gives_it_another_tag(http_client: HttpClient) -> None:
    path = http_client.read(scripted_png(lines=["a text"]))
    tags = [http_client.http.get(path).headers["ETag"]]
    for change in ({"filename": "b.png"}, {"metadata": {"a": 1}}, {"processed_text": "c"}):
        changed = http_client.http.patch(path, json=change)
        tags.append(changed.headers["ETag"])
        assert http_client.http.get(path).headers["ETag"] == tags[-1]
    http_client.http.patch(f"{path}/pages/1", json={"correction": "d"})
    tags.append(http_client.http.get(path).headers["ETag"])
    assert len(set(tags)) == len(tags)


@pytest.mark.parametrize(
    ("end", "change"), [("", {"filename": "new.png"}), ("/pages/1", {"correction": "new"})]
)
def test_patch_of_what_has_changed_is_412_and_changes_nothing(
    http_client: HttpClient, end: str, change: dict[str, str]
) -> None:
    path = http_client.read(scripted_png(lines=["a text"]))
    fetched = http_client.http.get(path + end)
    known = {"If-Match": fetched.headers["ETag"]}
    for wrong in (OTHER_TAG, f"W/{known['If-Match']}"):
        refused = http_client.http.patch(path + end, json=change, headers={"If-Match": wrong})
        assert problem_of(refused)["code"] == "precondition_failed"
        assert refused.status_code == 412
    assert http_client.http.get(path + end).json() == fetched.json()
    assert http_client.http.patch(path + end, json=change, headers=known).status_code == 200
    assert http_client.http.patch(path + end, json=change, headers=known).status_code == 412
    assert http_client.http.patch(path + end, json=change, headers={"If-Match": "*"}).status_code == 200


def test_page_with_words_can_be_matched(http_client: HttpClient, path: str) -> None:
    known = {"If-Match": http_client.http.get(f"{path}/pages/1?words=true").headers["ETag"]}
    answer = http_client.http.patch(f"{path}/pages/1", json={"correction": "x"}, headers=known)
    assert answer.status_code == 200


def test_delete_of_what_has_changed_is_412(http_client: HttpClient) -> None:
    path = http_client.read(scripted_png(lines=["a text"]))
    known = {"If-Match": http_client.http.get(path).headers["ETag"]}
    http_client.http.patch(path, json={"filename": "b.png"})
    assert http_client.http.delete(path, headers=known).status_code == 412
    known = {"If-Match": http_client.http.get(path).headers["ETag"]}
    assert http_client.http.delete(path, headers=known).status_code == 200
