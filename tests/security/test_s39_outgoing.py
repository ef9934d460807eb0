"""S39 - a URL of a user leads to a service that only the server can reach (SSRF)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import msgspec
import pytest

from backend_main.core import outgoing
from backend_main.core.conf import Conf
from backend_main.core.conf_types import Network
from backend_main.core.errors import OutgoingRefused, OutgoingUnavailable
from tests.support.http_receiver import HTTPReceiver

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.9.9.9",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "::127.0.0.1",
]


@pytest.fixture
def set_conf(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def set_values(**values: object) -> None:
        monkeypatch.setattr(outgoing, "conf", msgspec.structs.replace(Conf(), **values))

    return set_values


@pytest.fixture
def receiver() -> Iterator[HTTPReceiver]:
    with HTTPReceiver() as running:
        yield running


def resolve_to(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Make each look-up of a name return the next answer; return the names that are asked for."""
    names: list[str] = []

    def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        names.append(host)
        return [(0, 0, 0, "", (address, port)) for address in answers[min(len(names), len(answers)) - 1]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return names


@pytest.mark.parametrize("address", PRIVATE)
def test_s39_address_that_is_not_public_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch, set_conf: Callable[..., None]
) -> None:
    set_conf()
    assert not outgoing.is_public(ip_address(address))
    resolve_to(monkeypatch, [address])
    with pytest.raises(OutgoingRefused, match="not public"):
        outgoing.resolve("https://host.example/")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:93.184.216.34"])
def test_s39_public_address_is_allowed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolve_to(monkeypatch, [address])
    assert outgoing.resolve("https://host.example/a?b=1").path == "/a?b=1"


def test_s39_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    resolve_to(monkeypatch, ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(OutgoingRefused):
        outgoing.resolve("https://host.example/")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host.example/",
        "file:///etc/passwd",
        "https:///path",
        "https://user:password@host.example/",
        "https://host.example:22/",
        "https://host.example:99999/",
        "http://host.example/",
        "https://host.example/a b",
        "https://host.example/\r\nX: y",
        "https://host.example/" + "a" * 2000,
        "",
    ],
)
def test_s39_url_of_a_wrong_form_is_refused(url: str) -> None:
    with pytest.raises(OutgoingRefused):
        outgoing.check_url(url)


def test_s39_numeric_forms_of_loopback_are_refused() -> None:
    for host in ("127.1", "2130706433", "0x7f.1", "[::1]", "[::ffff:7f00:1]", "localhost"):
        with pytest.raises((OutgoingRefused, OutgoingUnavailable)):
            outgoing.resolve(f"https://{host}/")


def test_s39_plain_http_is_for_allowed_networks_only(
    monkeypatch: pytest.MonkeyPatch, set_conf: Callable[..., None]
) -> None:
    set_conf(outgoing_allow=[Network("10.0.0.0/8")])
    resolve_to(monkeypatch, ["10.1.1.1"], ["93.184.216.34"])
    assert outgoing.resolve("http://host.example/").addresses == [ip_address("10.1.1.1")]
    with pytest.raises(OutgoingRefused, match="https"):
        outgoing.resolve("http://host.example/")


def test_s39_request_connects_to_the_address_that_was_checked(
    monkeypatch: pytest.MonkeyPatch, set_conf: Callable[..., None], receiver: HTTPReceiver
) -> None:
    set_conf(outgoing_allow=[Network("127.0.0.1/32")], outgoing_ports=[receiver.port])
    names = resolve_to(monkeypatch, ["127.0.0.1"], ["192.0.2.1"])
    connected: list[tuple[str, int]] = []
    create_connection = socket.create_connection

    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        connected.append(address)
        monkeypatch.undo()  # `create_connection` itself resolves the numeric address
        return create_connection(address, timeout)

    monkeypatch.setattr(socket, "create_connection", connect)
    url = f"http://rebinding.example:{receiver.port}/hook"
    with outgoing.request("POST", url, body=b"{}", timeout_seconds=10) as response:
        assert response.status == 204
    assert names == ["rebinding.example"]
    assert connected == [("127.0.0.1", receiver.port)]
    assert receiver.received[0].headers["host"] == f"rebinding.example:{receiver.port}"


def test_s39_redirect_is_not_followed(set_conf: Callable[..., None], receiver: HTTPReceiver) -> None:
    set_conf(outgoing_allow=[Network("127.0.0.1/32")], outgoing_ports=[receiver.port])
    receiver.status, receiver.headers = 302, {"Location": receiver.url + "elsewhere"}
    with outgoing.request("GET", receiver.url, timeout_seconds=10) as response:
        assert response.status == 302
    assert [request.path for request in receiver.received] == ["/"]


def test_s39_exchange_ends_at_its_deadline_although_bytes_arrive(set_conf: Callable[..., None]) -> None:
    """The other side sends a byte of its headers whenever the socket would not time out."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        set_conf(outgoing_allow=[Network("127.0.0.1/32")], outgoing_ports=[port])
        is_over = threading.Event()

        def drip() -> None:
            connected, _ = listening.accept()
            with connected:
                connected.sendall(b"HTTP/1.1 200 OK\r\nX: ")
                while not is_over.wait(0.05):
                    try:
                        connected.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with (
                pytest.raises(OutgoingUnavailable),
                outgoing.request("GET", f"http://127.0.0.1:{port}/", timeout_seconds=0.5),
            ):
                pass
        finally:
            is_over.set()
            thread.join()
