"""S08 - `image_path` escapes the import roots: only regular files below a root open, others get one error."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from backend_main.core import checks
from backend_main.core.conf import conf
from backend_main.core.errors import RequestError
from backend_main.core.models import Upload, User
from backend_main.core.uploads import commands, ingest
from backend_main.core.uploads.commands import UploadSource
from tests.support.database import new_upload, new_user
from tests.support.page_images import scripted_png
from tests.support.server import Server
from tests.support.websocket_client import WebSocketClient

pytestmark = pytest.mark.django_db

SECRET = scripted_png(lines=["the secret"])
ALLOWED = scripted_png(lines=["good"])
REJECTION = {"image_path": "No importable file has this path. Use a regular file below a root."}
MIN_OPENS = 3_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An import root with allowed files, beside a directory with a secret file."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "good.png").write_bytes(ALLOWED)
    (root / "sub" / "good.png").write_bytes(scripted_png())
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.png").write_bytes(SECRET)
    return root


@pytest.fixture
def owner() -> User:
    return new_user()


@pytest.fixture(autouse=True)
def settings(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def change(**changes: object) -> None:
        monkeypatch.setattr(ingest, "conf", msgspec.structs.replace(conf, **changes))

    change(import_roots=[root])
    return change


def create(owner: User, path: str) -> commands.CreateResult:
    return commands.create(owner=owner, source=UploadSource(image_path=path))


def rejection(owner: User, path: str) -> dict[str, str]:
    with pytest.raises(RequestError) as raised:
        create(owner, path)
    assert not Upload.objects.filter(owner=owner).exists()
    assert not list(conf.staging_dir.iterdir())
    return raised.value.fields


def test_s08_path_without_import_roots_is_rejected(
    owner: User, root: Path, settings: Callable[..., None]
) -> None:
    settings(import_roots=[])
    texts = {
        str(rejection(owner, path)) for path in (str(root / "good.png"), "good.png", "/etc/passwd", "", "/")
    }
    assert len(texts) == 1
    assert "does not import files by path" in texts.pop()


def test_s08_import_roots_default_to_none() -> None:
    assert conf.import_roots == []


@pytest.mark.parametrize(
    "relative", ["good.png", "./good.png", "sub/good.png", "sub//good.png", "sub/./good.png"]
)
def test_s08_file_below_a_root_opens_by_relative_and_absolute_path(
    relative: str, owner: User, root: Path
) -> None:
    upload, _ = create(owner, relative)
    assert upload.filename == "good.png"
    second, duplicate = create(owner, f"{root}/{relative}")
    assert duplicate
    assert second == upload


def test_s08_file_below_a_second_root_opens(
    owner: User, root: Path, tmp_path: Path, settings: Callable[..., None]
) -> None:
    settings(import_roots=[root / "missing", root / "sub", tmp_path / "outside"])
    assert create(owner, "secret.png").upload.filename == "secret.png"
    assert create(owner, str(root / "sub" / "good.png")).upload.filename == "good.png"
    with pytest.raises(RequestError):
        create(owner, str(root / "good.png"))


def test_s08_root_that_is_a_symlink_works(
    owner: User, root: Path, tmp_path: Path, settings: Callable[..., None]
) -> None:
    (tmp_path / "link").symlink_to(root)
    settings(import_roots=[tmp_path / "link"])
    assert create(owner, str(tmp_path / "link" / "good.png")).upload.bytes == len(ALLOWED)


TRAVERSALS = [
    "../outside/secret.png",
    "sub/../../outside/secret.png",
    "sub/../good.png",
    "..",
    "../root/good.png",
    "./../outside/secret.png",
    "%2e%2e/outside/secret.png",
    "..\\outside\\secret.png",
    "{root}/../outside/secret.png",
    "{root}/sub/../../outside/secret.png",
    "{root}/../root/good.png",
    "{outside}/secret.png",
    "{root}good.png",
    "{root}/../root2/secret.png",
    "/proc/self/root{outside}/secret.png",
    "/proc/self/environ",
    "/proc/self/cwd/pyproject.toml",
    "/etc/passwd",
    "/dev/stdin",
    "/dev/fd/0",
    "/",
    ".",
    "",
    " ",
    "~/secret.png",
    "$HOME/secret.png",
    "missing.png",
    "good.png/x",
    "sub",
    "sub/",
    "good.png\x00",
    "\x00",
    "sub/\x00/good.png",
    "{outside}/secret.png\x00{root}/good.png",
    "good.png\n",
    "*.png",
    "x" * 300,
    "x/" * 3000,
    "\ud800",
    "http://127.0.0.1:9/a.png",
    "https://example.com/a.png",
    "file://{outside}/secret.png",
    "file://{root}/good.png",
    "s3://bucket/key.png",
    "data:image/png;base64,AAAA",
    "| cat {outside}/secret.png",
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_s08_path_outside_the_roots_gets_the_one_error(path: str, owner: User, root: Path) -> None:
    filled = path.replace("{root}", str(root)).replace("{outside}", str(root.parent / "outside"))
    assert rejection(owner, filled) == REJECTION


def create_irregular_files(root: Path) -> Iterator[tuple[str, str]]:
    """Create links and special files in the root; yield a description and the name of each."""
    outside = root.parent / "outside"
    (root / "link.png").symlink_to(outside / "secret.png")
    yield "a symlink to a file outside", "link.png"
    (root / "inner.png").symlink_to(root / "good.png")
    yield "a symlink to a file inside", "inner.png"
    (root / "dangling.png").symlink_to(root / "missing")
    yield "a symlink to nothing", "dangling.png"
    (root / "loop.png").symlink_to(root / "loop.png")
    yield "a symlink to itself", "loop.png"
    (root / "dir").symlink_to(outside)
    yield "a symlinked directory", "dir/secret.png"
    (root / "sub" / "up").symlink_to("..")
    yield "a symlink upwards, in the middle", "sub/up/good.png"
    (root / "proc").symlink_to("/proc/self/fd")
    yield "a symlink into /proc", "proc/0"
    os.link(outside / "secret.png", root / "hard.png")
    yield "a hard link to a file outside", "hard.png"
    os.mkfifo(root / "fifo.png")
    yield "a FIFO without a writer", "fifo.png"
    with socket.socket(socket.AF_UNIX) as listener:
        directory = os.open(root, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{directory}/socket.png")  # the direct path is too long for a socket
        finally:
            os.close(directory)
    yield "a socket", "socket.png"


@pytest.mark.timeout(20)
def test_s08_link_or_special_file_is_rejected_without_blocking(owner: User, root: Path) -> None:
    found = {kind: rejection(owner, path) for kind, path in create_irregular_files(root)}
    assert len(found) == 10
    assert found == dict.fromkeys(found, REJECTION)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("device", ["null", "zero", "tty", "stdin", "fd/0", "shm"])
def test_s08_device_below_a_root_is_rejected(device: str, owner: User, settings: Callable[..., None]) -> None:
    settings(import_roots=[Path("/dev")])
    assert rejection(owner, device) == REJECTION
    assert rejection(owner, f"/dev/{device}") == REJECTION


def test_s08_rejection_leaves_no_open_descriptor(owner: User, root: Path) -> None:
    paths = [path for _, path in create_irregular_files(root)]
    rejection(owner, "missing.png")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in [*paths, *(p for p in TRAVERSALS if "{" not in p)]:
        rejection(owner, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# ── other users' scans ──


def test_s08_root_above_the_data_directory_opens_no_upload(settings: Callable[..., None]) -> None:
    upload = new_upload(new_user())
    other_user = new_user()
    parent = conf.data_dir.parent
    settings(import_roots=[parent])
    stored = conf.files_dir / upload.image_path
    assert stored.exists()
    for path in (stored, stored.relative_to(parent), conf.database_path, conf.data_dir / "secret.key"):
        assert rejection(other_user, str(path)) == REJECTION
    settings(import_roots=[Path("/")])
    assert rejection(other_user, str(stored)) == REJECTION
    assert rejection(other_user, str(stored.relative_to("/"))) == REJECTION


@pytest.mark.parametrize("inside", ["", "files", "incoming", "../{name}/files"])
def test_s08_root_inside_the_data_directory_is_a_system_check_error(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    invalid_root = conf.data_dir / inside.format(name=conf.data_dir.name)
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, import_roots=[invalid_root]))
    assert [problem.id for problem in checks.check_import_roots()] == ["core.E002"]


def test_s08_root_symlinked_to_the_data_directory_is_a_system_check_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(conf.files_dir)
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, import_roots=[tmp_path / "link"]))
    assert [problem.id for problem in checks.check_import_roots()] == ["core.E002"]


def test_s08_root_elsewhere_passes_the_system_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, import_roots=[tmp_path]))
    assert checks.check_import_roots() == []


# ── swaps during an open ──


def read_or_none(path: str) -> bytes | None:
    try:
        descriptor = ingest._open_below_roots(path)
    except RequestError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


class PathSwapper:
    """A thread that alternately replaces a path by different entries."""

    def __init__(self, path: Path, makers: list[Callable[[Path], None]]) -> None:
        self._path, self._makers = path, makers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.swaps = 0

    def _run(self) -> None:
        draft = self._path.with_name("draft")
        while not self._stop.is_set():
            for make in self._makers:
                make(draft)
                os.replace(draft, self._path)
            self.swaps += 1

    def __enter__(self) -> PathSwapper:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()


def test_s08_file_swapped_for_a_symlink_during_open_never_reads_the_secret(root: Path) -> None:
    secret = root.parent / "outside" / "secret.png"
    makers: list[Callable[[Path], None]] = [
        lambda draft: draft.symlink_to(secret),
        lambda draft: draft.write_bytes(ALLOWED) and None,
    ]
    with PathSwapper(root / "flip.png", makers) as swapper:
        found = {read_or_none("flip.png") for _ in range(MIN_OPENS)}
        while swapper.swaps < 100 or not {None, ALLOWED} <= found:
            found.add(read_or_none("flip.png"))
    assert SECRET not in found


def test_s08_directory_swapped_for_a_symlink_during_open_reads_no_secret(root: Path) -> None:
    """A symlink cannot replace a directory in one step, so the directory is renamed first."""
    outside = root.parent / "outside"
    (root / "stored").mkdir()
    (root / "stored" / "secret.png").write_bytes(ALLOWED)
    path = root / "flip"

    def directory(_draft: Path) -> None:
        path.unlink(missing_ok=True)
        (root / "stored").rename(path)

    def link(_draft: Path) -> None:
        path.rename(root / "stored")
        path.symlink_to(outside)

    stop = threading.Event()
    swaps = []

    def swap() -> None:
        while not stop.is_set():
            directory(path)
            link(path)
            swaps.append(1)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        found = {read_or_none("flip/secret.png") for _ in range(MIN_OPENS)}
        while len(swaps) < 100 or not {None, ALLOWED} <= found:
            found.add(read_or_none("flip/secret.png"))
    finally:
        stop.set()
        thread.join()
    assert SECRET not in found


# ── over the socket ──


async def test_s08_socket_with_invalid_path_gets_an_error_and_stays_open(
    server: Server, other_token: str, tmp_path: Path
) -> None:
    (tmp_path / "scan.png").write_bytes(ALLOWED)
    async with WebSocketClient(server.url(token=other_token)) as client:
        for path in (str(tmp_path / "scan.png"), "/etc/passwd", "../x", "", "\x7f", "http://127.0.0.1/"):
            reply = await client.request({"type": "create", "data": {"image_path": path}})
            assert reply.keys() == {"type", "error"}
            assert reply["type"] == "Upload.created"
            assert list(reply["error"]) == ["image_path"]
        assert (await client.request({"type": "list"}))["list"] == []
