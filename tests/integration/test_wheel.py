"""The wheel, install without the checkout: it contains the page, the migrations and the models."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from tests.support.http_client import HttpClient
from tests.support.page_images import lines_of_text, page_png
from tests.support.server import Server
from tests.support.wheel import BUILD_TIMEOUT_SECONDS, ROOT, UV, Wheel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(BUILD_TIMEOUT_SECONDS)]


def only(directory: Path, pattern: str) -> Path:
    [path] = directory.glob(pattern)
    return path


def test_sdist_contains_the_page_its_sources_and_their_lock(wheel: Wheel) -> None:
    with tarfile.open(only(wheel.dist, "*.tar.gz")) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    sources = {"web/package.json", "web/package-lock.json", "clients/typescript/package.json"}
    assert sources | {"backend_main/web/index.html", "uv.lock", "Makefile"} <= names
    assert any(name.startswith("backend_main/web/assets/") for name in names)
    assert not any("node_modules" in name or ".venv" in name for name in names)


def test_wheel_contains_the_page_without_its_sources(wheel: Wheel) -> None:
    with zipfile.ZipFile(only(wheel.dist, "*.whl")) as archive:
        names = archive.namelist()
    assert "backend_main/web/index.html" in names
    assert "backend_main/core/migrations/0001_initial.py" in names
    assert {"scanrill/py.typed", "backend_main/py.typed"} <= set(names)
    distribution = only(wheel.dist, "*.whl").name.rsplit("-", 3)[0]
    tops = {name.partition("/")[0] for name in names}
    assert tops == {"backend_main", "scanrill", f"{distribution}.dist-info"}


def test_wheel_installed_serves_the_page_and_reads_a_scan(wheel: Wheel, tmp_path: Path) -> None:
    class Installed(Server):
        program = [str(wheel.scanrill)]

    server = Installed(tmp_path / "data", ENGINE="rapid").start()
    try:
        page = httpx.get(server.http)
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="([^":]*assets/[^"]+)"', page.text)
        assert any(asset.endswith(".js") for asset in assets)
        for asset in assets:
            assert httpx.get(urljoin(f"{server.http}/", asset)).status_code == 200
        code = {"code": server.sign_in_link.rpartition("=")[2]}
        signed_in = httpx.post(f"{server.http}/api/token/code/", json=code, headers={"Origin": server.http})
        http_client = HttpClient(server, signed_in.json()["access"])
        with http_client.http:
            upload = http_client.http.get(http_client.read(page_png(lines_of_text(2, seed=4))) + "/").json()
    finally:
        assert server.stop() == 0
    assert (upload["status"], upload["error"]) == ("processed", None)
    assert len(upload["raw_text"].split()) > 5


def test_wheel_installed_is_importable_as_a_library(wheel: Wheel, tmp_path: Path) -> None:
    words = lines_of_text(2, seed=4)
    (tmp_path / "page.png").write_bytes(page_png(words))
    code = "import scanrill; print(scanrill.read_markdown(open('page.png', 'rb')))"
    python = wheel.scanrill.with_name("python")
    done = subprocess.run([python, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == " ".join(words).split()


# ── which installations need Node.js ──


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with this build backend; its page is not built and its Node.js requirement does not exist."""
    text = (ROOT / "pyproject.toml").read_text()
    head = text[: text.index("[project]")]
    (tmp_path / "pyproject.toml").write_text(
        f'{head}[project]\nname = "tiny"\nversion = "1"\n[dependency-groups]\n'
        'web = ["nowhere @ file:///nowhere/nowhere-1-py3-none-any.whl"]\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["backend_main"]\n'
    )
    shutil.copytree(ROOT / "tools", tmp_path / "tools")
    for name in ("backend_main/__init__.py", "web/package.json"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    return tmp_path


def install(project: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [UV, "pip", "install", "--no-deps", "--target", str(project / "target"), *options, str(project)]
    return subprocess.run(
        [*command, "--python", sys.executable], capture_output=True, text=True, timeout=BUILD_TIMEOUT_SECONDS
    )


def test_editable_installation_needs_no_node(project: Path) -> None:
    done = install(project, "--editable")
    assert done.returncode == 0, done.stderr


def test_wheel_build_without_built_page_needs_node(project: Path) -> None:
    done = install(project)
    assert done.returncode != 0
    assert "nowhere" in done.stderr
