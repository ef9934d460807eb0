"""Download of files from URLs that users name: hosts, limits, and what is left behind."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from backend_main.core import outgoing
from backend_main.core.conf import conf
from backend_main.core.conf_types import Network
from backend_main.core.errors import FileTooLarge, OutgoingRefused, OutgoingUnavailable, RequestError
from backend_main.core.http import fetch
from backend_main.core.uploads import ingest
from tests.support.http_receiver import HTTPReceiver
from tests.support.page_images import scripted_png

# The quota is read on a database thread, whose connection of an earlier test is checked there.
pytestmark = pytest.mark.django_db

USER: Any = SimpleNamespace(pk=uuid.uuid4())


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPReceiver]:
    """A host from which files may be fetched, on the loopback interface."""
    with HTTPReceiver() as receiver:
        receiver.status, receiver.body = 200, scripted_png(lines=["one"])
        values = msgspec.structs.replace(
            conf,
            fetch_hosts=["127.0.0.1"],
            outgoing_allow=[Network("127.0.0.1/32")],
            outgoing_ports=[receiver.port],
        )
        for module in (fetch, outgoing):
            monkeypatch.setattr(module, "conf", values)
        yield receiver


async def fetch_bytes(url: str, filename: str | None = None) -> tuple[str, bytes]:
    async with fetch.fetch_file(USER, url, filename) as file:
        return file.filename, file.path.read_bytes()


async def test_fetch_returns_the_file_and_its_name(host: HTTPReceiver) -> None:
    assert await fetch_bytes(f"{host.url}a/my%20scan.png?x=1") == ("my scan.png", host.body)
    assert await fetch_bytes(f"{host.url}a", "letter.png") == ("letter.png", host.body)
    assert await fetch_bytes(host.url) == ("scan.png", host.body)


async def test_fetch_from_a_host_that_is_not_named_sends_nothing(host: HTTPReceiver) -> None:
    with pytest.raises(RequestError, match="does not fetch files from this host"):
        await fetch_bytes(host.url.replace("127.0.0.1", "localhost"))
    assert not host.received


async def test_fetch_from_a_private_address_is_refused_although_its_name_is_allowed(
    host: HTTPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = msgspec.structs.replace(outgoing.conf, outgoing_allow=[Network("10.0.0.0/8")])
    monkeypatch.setattr(outgoing, "conf", values)
    with pytest.raises(OutgoingRefused):
        await fetch_bytes(host.url)
    assert not host.received


@pytest.mark.parametrize("status", [204, 302, 404, 500])
async def test_fetch_of_another_status_is_refused_and_follows_no_redirect(
    host: HTTPReceiver, status: int
) -> None:
    host.status, host.headers, host.body = status, {"Location": f"{host.url}other"}, b""
    with pytest.raises(RequestError, match=str(status)):
        await fetch_bytes(host.url)
    assert [request.path for request in host.received] == ["/"]


async def test_fetch_stops_at_the_largest_size_of_an_upload(
    host: HTTPReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "conf", msgspec.structs.replace(conf, max_upload_bytes=100))
    with pytest.raises(FileTooLarge):
        await fetch_bytes(host.url)


async def test_fetch_of_a_file_that_is_cut_short_is_refused(host: HTTPReceiver) -> None:
    host.headers = {"Content-Length": str(len(host.body) + 1), "Connection": "close"}
    with pytest.raises(OutgoingUnavailable):
        await fetch_bytes(host.url)


async def test_fetch_of_something_that_is_not_a_scan_is_refused(host: HTTPReceiver) -> None:
    host.body = b"<html>a page</html>"
    with pytest.raises(RequestError) as refused:
        await fetch_bytes(host.url)
    assert list(refused.value.fields) == ["url"]
