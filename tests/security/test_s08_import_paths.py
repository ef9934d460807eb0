"""S08 — `image_path`: only a regular file below an import root is read, and all refusals sound alike."""

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
GOOD = scripted_png(lines=["good"])
REFUSED = {"image_path": "This path names no regular file that may be imported."}
OPENINGS = 3_000


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """An import root with a good file, and beside it a directory with a secret one."""
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (root / "good.png").write_bytes(GOOD)
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


def refusal(owner: User, path: str) -> dict[str, str]:
    with pytest.raises(RequestError) as raised:
        create(owner, path)
    assert not Upload.objects.filter(owner=owner).exists()
    assert not list(conf.staging_dir.iterdir())
    return raised.value.fields


def test_s08_without_a_root_no_path_is_read(owner: User, root: Path, settings: Callable[..., None]) -> None:
    settings(import_roots=[])
    sentences = {
        str(refusal(owner, path)) for path in (str(root / "good.png"), "good.png", "/etc/passwd", "", "/")
    }
    assert len(sentences) == 1
    assert "off" in sentences.pop()


def test_s08_no_root_is_the_default() -> None:
    assert conf.import_roots == []


@pytest.mark.parametrize(
    "relative", ["good.png", "./good.png", "sub/good.png", "sub//good.png", "sub/./good.png"]
)
def test_s08_a_file_below_a_root_is_read_by_its_relative_and_its_absolute_path(
    relative: str, owner: User, root: Path
) -> None:
    upload, _ = create(owner, relative)
    assert upload.filename == "good.png"
    again, duplicate = create(owner, f"{root}/{relative}")
    assert duplicate
    assert again == upload


def test_s08_a_second_root_is_a_root_too(
    owner: User, root: Path, tmp_path: Path, settings: Callable[..., None]
) -> None:
    settings(import_roots=[root / "missing", root / "sub", tmp_path / "outside"])
    assert create(owner, "secret.png").upload.filename == "secret.png"
    assert create(owner, str(root / "sub" / "good.png")).upload.filename == "good.png"
    with pytest.raises(RequestError):
        create(owner, str(root / "good.png"))


def test_s08_a_root_may_itself_be_a_symlink(
    owner: User, root: Path, tmp_path: Path, settings: Callable[..., None]
) -> None:
    (tmp_path / "link").symlink_to(root)
    settings(import_roots=[tmp_path / "link"])
    assert create(owner, str(tmp_path / "link" / "good.png")).upload.bytes == len(GOOD)


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
def test_s08_every_other_path_is_refused_in_one_sentence(path: str, owner: User, root: Path) -> None:
    filled = path.replace("{root}", str(root)).replace("{outside}", str(root.parent / "outside"))
    assert refusal(owner, filled) == REFUSED


def links(root: Path) -> Iterator[tuple[str, str]]:
    """Things with the name of a file in the root that are none, and what each is."""
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
        here = os.open(root, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{here}/socket.png")  # its own path is too long for a socket
        finally:
            os.close(here)
    yield "a socket", "socket.png"


@pytest.mark.timeout(20)
def test_s08_what_is_no_regular_file_with_one_name_is_refused_at_once(owner: User, root: Path) -> None:
    found = {what: refusal(owner, path) for what, path in links(root)}
    assert len(found) == 10
    assert found == dict.fromkeys(found, REFUSED)


@pytest.mark.timeout(20)
@pytest.mark.parametrize("device", ["null", "zero", "tty", "stdin", "fd/0", "shm"])
def test_s08_a_device_is_refused_also_where_its_directory_is_a_root(
    device: str, owner: User, settings: Callable[..., None]
) -> None:
    settings(import_roots=[Path("/dev")])
    assert refusal(owner, device) == REFUSED
    assert refusal(owner, f"/dev/{device}") == REFUSED


def test_s08_a_refusal_leaves_no_open_descriptor(owner: User, root: Path) -> None:
    paths = [path for _, path in links(root)]
    refusal(owner, "missing.png")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in [*paths, *(p for p in TRAVERSALS if "{" not in p)]:
        refusal(owner, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# ── other users' scans ──


def test_s08_a_root_around_the_data_directory_opens_no_upload(settings: Callable[..., None]) -> None:
    upload = new_upload(new_user())
    thief = new_user()
    around = conf.data_dir.parent
    settings(import_roots=[around])
    kept = conf.files_dir / upload.image_path
    assert kept.exists()
    for path in (kept, kept.relative_to(around), conf.database_path, conf.data_dir / "secret.key"):
        assert refusal(thief, str(path)) == REFUSED
    settings(import_roots=[Path("/")])
    assert refusal(thief, str(kept)) == REFUSED
    assert refusal(thief, str(kept.relative_to("/"))) == REFUSED


@pytest.mark.parametrize("inside", ["", "files", "incoming", "../{name}/files"])
def test_s08_a_root_in_the_data_directory_stops_the_start(
    inside: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = conf.data_dir / inside.format(name=conf.data_dir.name)
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, import_roots=[bad]))
    assert [problem.id for problem in checks.import_roots()] == ["core.E002"]


def test_s08_a_symlink_to_the_data_directory_as_a_root_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(conf.files_dir)
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, import_roots=[tmp_path / "link"]))
    assert [problem.id for problem in checks.import_roots()] == ["core.E002"]


def test_s08_a_root_elsewhere_does_not_stop_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "conf", msgspec.structs.replace(conf, import_roots=[tmp_path]))
    assert checks.import_roots() == []


# ── what is swapped while it is opened ──


def opened(path: str) -> bytes | None:
    try:
        descriptor = ingest._open_below_roots(path)
    except RequestError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


class Swapping:
    """A thread that puts each of two things in the same place, over and over."""

    def __init__(self, place: Path, makers: list[Callable[[Path], None]]) -> None:
        self._place, self._makers = place, makers
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.swaps = 0

    def _run(self) -> None:
        draft = self._place.with_name("draft")
        while not self._stop.is_set():
            for make in self._makers:
                make(draft)
                os.replace(draft, self._place)
            self.swaps += 1

    def __enter__(self) -> Swapping:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._thread.join()


def test_s08_a_file_swapped_for_a_symlink_while_it_is_opened_never_gives_the_secret(root: Path) -> None:
    secret = root.parent / "outside" / "secret.png"
    makers: list[Callable[[Path], None]] = [
        lambda draft: draft.symlink_to(secret),
        lambda draft: draft.write_bytes(GOOD) and None,
    ]
    with Swapping(root / "flip.png", makers) as swapping:
        found = {opened("flip.png") for _ in range(OPENINGS)}
        while swapping.swaps < 100 or not {None, GOOD} <= found:
            found.add(opened("flip.png"))
    assert SECRET not in found


def test_s08_a_directory_swapped_for_a_symlink_while_it_is_walked_never_gives_the_secret(root: Path) -> None:
    """A directory cannot be replaced by a symlink in one step, but two symlinks can change places with it."""
    outside = root.parent / "outside"
    (root / "kept").mkdir()
    (root / "kept" / "secret.png").write_bytes(GOOD)
    place = root / "flip"

    def directory(_draft: Path) -> None:
        place.unlink(missing_ok=True)
        (root / "kept").rename(place)

    def link(_draft: Path) -> None:
        place.rename(root / "kept")
        place.symlink_to(outside)

    stop = threading.Event()
    swaps = []

    def swap() -> None:
        while not stop.is_set():
            directory(place)
            link(place)
            swaps.append(1)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        found = {opened("flip/secret.png") for _ in range(OPENINGS)}
        while len(swaps) < 100 or not {None, GOOD} <= found:
            found.add(opened("flip/secret.png"))
    finally:
        stop.set()
        thread.join()
    assert SECRET not in found


# ── and over the socket ──


async def test_s08_the_socket_gives_one_error_on_image_path_and_stays(
    server: Server, other_token: str, tmp_path: Path
) -> None:
    (tmp_path / "scan.png").write_bytes(GOOD)
    async with WebSocketClient(server.url(token=other_token)) as client:
        for path in (str(tmp_path / "scan.png"), "/etc/passwd", "../x", "", "\x7f", "http://127.0.0.1/"):
            reply = await client.request({"type": "create", "data": {"image_path": path}})
            assert reply.keys() == {"type", "error"}
            assert reply["type"] == "Upload.created"
            assert list(reply["error"]) == ["image_path"]
        assert (await client.request({"type": "list"}))["list"] == []
