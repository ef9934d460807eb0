"""Options of the clients for HTTP: credentials, certificates, pools of the caller, repeated reads."""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from scanrill_client import AsyncClient, CertificateError, ServerUnreachable, Timeouts

from tests.clients.conftest import FAST_TIMEOUTS
from tests.support.accounts import Account

ME = {"username": "ada", "max_upload_bytes": 0, "version": "1"}


def write_certificate(path: Path) -> None:
    """Write a key and a certificate for 127.0.0.1 that signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "scanrill test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    encoding = serialization.Encoding.PEM
    secret = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(secret + certificate.public_bytes(encoding))


@asynccontextmanager
async def tls_server(certificate: Path) -> AsyncIterator[str]:
    """Serve one response to each connection over TLS, and yield the URL."""

    async def respond(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = httpx.Response(200, json=ME).content
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = await asyncio.start_server(respond, "127.0.0.1", ssl=context)
    async with server:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_unknown_certificate_is_an_error_that_names_the_remedy(tmp_path: Path) -> None:
    write_certificate(tmp_path / "server.pem")
    async with tls_server(tmp_path / "server.pem") as url, AsyncClient(url, token="t") as client:
        with pytest.raises(CertificateError, match=r"pass tls=ssl\.create_default_context\(cafile=…\)"):
            await client.me()
        with pytest.raises(CertificateError):
            await client.connect()


async def test_tls_option_accepts_the_certificate_of_an_own_authority(tmp_path: Path) -> None:
    write_certificate(tmp_path / "server.pem")
    context = ssl.create_default_context(cafile=tmp_path / "server.pem")
    async with (
        tls_server(tmp_path / "server.pem") as url,
        AsyncClient(url, token="t", tls=context) as client,
    ):
        assert (await client.me()).username == "ada"


def test_one_credential_is_required() -> None:
    for credentials in ({}, {"token": "a", "api_key": "b"}):
        with pytest.raises(ValueError, match="either token= or api_key="):
            AsyncClient("http://127.0.0.1:1", **credentials)  # type: ignore[arg-type]


def test_http_client_of_httpx_without_asyncio_is_refused() -> None:
    with httpx.Client() as pool, pytest.raises(TypeError, match=r"Pass an httpx\.AsyncClient"):
        AsyncClient("http://127.0.0.1:1", token="t", http_client=pool)  # type: ignore[arg-type]


async def test_api_key_and_http_client_of_the_caller_are_used(ada: Account) -> None:
    requests: list[httpx.Request] = []

    async def record(request: httpx.Request) -> None:
        requests.append(request)

    async with httpx.AsyncClient(event_hooks={"request": [record]}) as pool:
        async with AsyncClient(ada.server.http, api_key=ada.mint(), http_client=pool) as client:
            assert (await client.me()).username == ada.name
        assert not pool.is_closed
    assert [request.url.path for request in requests] == ["/api/me/"]


class FailingTransport(httpx.AsyncBaseTransport):
    """Transport that fails for the requests of these numbers."""

    def __init__(self, *failing: int) -> None:
        self.failing = failing
        self.requests: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.method)
        if len(self.requests) in self.failing:
            raise httpx.ReadError("cut")
        return httpx.Response(200, json=ME)


async def me_twice(transport: FailingTransport, timeouts: Timeouts = FAST_TIMEOUTS) -> None:
    async with httpx.AsyncClient(transport=transport) as pool:
        client = AsyncClient("http://scans.example", token="t", http_client=pool, timeouts=timeouts)
        await client.me()
        await client.me()


async def test_read_that_is_cut_is_repeated() -> None:
    transport = FailingTransport(2, 3)
    await me_twice(transport)
    assert len(transport.requests) == 4


async def test_read_is_repeated_twice_at_most() -> None:
    transport = FailingTransport(2, 3, 4)
    with pytest.raises(ServerUnreachable):
        await me_twice(transport)
    assert len(transport.requests) == 4


async def test_read_from_a_server_that_never_responded_fails_at_once() -> None:
    transport = FailingTransport(1)
    with pytest.raises(ServerUnreachable):
        await me_twice(transport)
    assert len(transport.requests) == 1
