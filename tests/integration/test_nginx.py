"""nginx with the configurations of `deploy/nginx/` in front of a real server."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.processes import wait_until
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

NGINX = Path(__file__).parents[2] / "deploy" / "nginx"
LARGE_BYTES = 3 * 1024**2  # more than nginx accepts by default


class Nginx:
    """An nginx process with a deployed configuration, adapted to a test's port and directory."""

    def __init__(self, directory: Path, configuration: str) -> None:
        self.directory = directory
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        text = re.sub(r"listen [^;]*;", f"listen 127.0.0.1:{self.port};", configuration)
        text = re.sub(r"ssl_certificate.*;", "", text)
        text = re.sub(r"/(?:dev|var/log/nginx)/(\S+)", rf"{directory}/\1.log", text)
        temp_paths = "".join(
            f"{kind}_temp_path {directory}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.geteuid() == 0 else ""
        (directory / "nginx.conf").write_text(
            f"{user} daemon off; pid {directory}/pid; events {{}} http {{ {temp_paths}\n{text}\n}}"
        )
        self.command = [_nginx(), "-c", str(directory / "nginx.conf"), "-e", f"{directory}/start.log"]

    def start(self) -> Nginx:
        self.process = subprocess.Popen(self.command)
        wait_until(self._listens, "nginx listens")
        return self

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    @property
    def log(self) -> str:
        return "".join(path.read_text() for path in self.directory.glob("*.log"))

    def _listens(self) -> bool:
        assert self.process.poll() is None, self.log
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _nginx() -> str:
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("LOUD: nginx is not installed; its configurations were not tested")
    return found


@pytest.fixture
def nginx(tmp_path: Path, server: Server) -> Iterator[Callable[[str], Nginx]]:
    """Return a function that starts nginx in front of the shared server: `nginx("scanrill.conf")`."""
    started: list[Nginx] = []

    def start(name: str) -> Nginx:
        text = (NGINX / name).read_text().replace("127.0.0.1:8000", f"127.0.0.1:{server.port}")
        started.append(
            Nginx(tmp_path, text.replace("server web:8000", f"server 127.0.0.1:{server.port}")).start()
        )
        return started[0]

    yield start
    for proxy in started:
        proxy.stop()


@pytest.mark.parametrize("name", ["scanrill.conf", "compose.conf"])
async def test_nginx_forwards_sockets_and_large_bodies_and_logs_no_token(
    name: str, nginx: Callable[[str], Nginx], server: Server
) -> None:
    proxy, account = nginx(name), Account.create(server)
    token = account.mint()
    async with WebSocketClient(f"ws://127.0.0.1:{proxy.port}/ws/core/upload/?token={token}") as client:
        created = await client.create(scripted_png(lines=["by a proxy"]))
        assert (await client.terminal_message(created["instance"]["id"]))["raw_text"] == "by a proxy"
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{proxy.port}") as http:
        headers = {"Authorization": f"Bearer {token}"}
        big = await http.post("/api/uploads/", content=b"x" * LARGE_BYTES, headers=headers)
        assert big.status_code == 400, "the server rejects it, not nginx"
        assert (await http.get("/healthz", params={"token": token})).status_code == 200
    wait_until(lambda: "/healthz" in proxy.log, "nginx has logged it")
    assert '"GET /ws/core/upload/" 101' in proxy.log
    assert token not in proxy.log
    assert "token=" not in proxy.log


async def test_nginx_without_its_server_logs_no_token(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    text = (NGINX / "scanrill.conf").read_text().replace("127.0.0.1:8000", f"127.0.0.1:{port}")
    proxy = Nginx(tmp_path, text).start()
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{proxy.port}") as http:
            assert (await http.get("/ws/core/upload/", params={"token": "canary"})).status_code == 502
        wait_until(lambda: " 502 " in proxy.log, "nginx has logged it")
        assert "canary" not in proxy.log
    finally:
        proxy.stop()
