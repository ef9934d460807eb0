"""Command `watch`: folders, whole files, restarts, failures, and reading on a server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from watchfiles import watch as watch_files

from backend_main.cli.watch import LIST_INTERVAL_SECONDS, run
from backend_main.cli.watch_readers import FileFailed, Postponed, ServerReader
from backend_main.cli.watched_folder import READING_FOLDER, WatchedFolder
from backend_main.core.errors import CommandError
from backend_main.reading import Options
from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import SCANRILL, Server

Folder = Callable[..., WatchedFolder]


class NamingReader:
    """Reader that writes the content of each file, and records the names."""

    def __init__(self, *errors: Exception) -> None:
        self.names: list[str] = []
        self.errors = list(errors)

    def read(self, path: Path, formats: Sequence[str], folder: Path) -> list[Path]:
        self.names.append(path.name)
        if self.errors:
            raise self.errors.pop(0)
        results = [folder / f"{path.name}.{name}" for name in formats]
        for result in results:
            result.write_bytes(path.read_bytes())
        return results


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "out").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def open_folder(inbox: Path) -> Iterator[Folder]:
    """Function that opens the folder as a new process does; the process before has ended then."""
    opened: list[WatchedFolder] = []

    def close() -> None:
        while opened:
            os.close(opened.pop()._lock)

    def open_it(*, settle_seconds: float = 0) -> WatchedFolder:
        close()
        opened.append(
            WatchedFolder(inbox, done=inbox / "done", failed=inbox / "failed", settle_seconds=settle_seconds)
        )
        return opened[0]

    yield open_it
    close()


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {
        f"{READING_FOLDER}/.lock"
    }


# ── which files are taken ──


def test_whole_files_takes_a_file_that_does_not_change(inbox: Path, open_folder: Folder) -> None:
    folder = open_folder(settle_seconds=2)
    (inbox / "a.png").write_bytes(b"begin")
    assert list(folder.whole_files(now=0.0)) == []
    (inbox / "a.png").write_bytes(b"begin and end")
    assert list(folder.whole_files(now=2.0)) == []
    assert list(folder.whole_files(now=3.9)) == []
    [taken] = folder.whole_files(now=4.0)
    assert (taken.name, taken.parent.name) == ("a.png", READING_FOLDER)
    assert not folder.has_unsettled_files


def test_whole_files_leaves_hidden_temporary_and_special_files(inbox: Path, open_folder: Folder) -> None:
    folder = open_folder()
    for name in (".a.png", "~$a.docx", "b.png.part", "c.pdf.crdownload", "d.TMP", "e.png~"):
        (inbox / name).write_bytes(b"x")
    (inbox / "link.png").symlink_to(inbox / ".a.png")
    (inbox / "folder.png").mkdir()
    os.mkfifo(inbox / "pipe.png")
    for now in (0.0, 1.0):
        assert list(folder.whole_files(now)) == []


def test_second_process_on_a_folder_is_refused(inbox: Path, open_folder: Folder) -> None:
    open_folder()
    with pytest.raises(CommandError, match="Another scanrill watches this folder"):
        WatchedFolder(inbox, done=inbox / "done", failed=inbox / "failed", settle_seconds=0)


# ── reading ──


def watch_twice(folder: WatchedFolder, reader: NamingReader, inbox: Path) -> None:
    """List the folder twice: a file is whole at the second time."""
    run(folder, reader, ["md", "txt"], inbox.parent / "out", changes=iter([None, None]))


def test_run_writes_results_and_moves_the_file(inbox: Path, open_folder: Folder) -> None:
    (inbox / "a.png").write_bytes(b"one")
    watch_twice(open_folder(), NamingReader(), inbox)
    assert files(inbox) == {"done/a.png"}
    assert files(inbox.parent / "out") == {"a.png.md", "a.png.txt"}


def test_second_file_of_a_name_replaces_nothing(inbox: Path, open_folder: Folder) -> None:
    folder = open_folder()
    for content in (b"one", b"two"):
        (inbox / "a.png").write_bytes(content)
        watch_twice(folder, NamingReader(), inbox)
    assert files(inbox) == {"done/a.png", "done/a (2).png"}
    assert (inbox.parent / "out" / "a.png.md").read_bytes() == b"one"
    assert (inbox.parent / "out" / "a (2).png.md").read_bytes() == b"two"


def test_file_that_cannot_be_read_moves_with_its_error(inbox: Path, open_folder: Folder) -> None:
    (inbox / "a.png").write_bytes(b"bad")
    (inbox / "b.png").write_bytes(b"good")
    watch_twice(open_folder(), NamingReader(FileFailed("It is not an image.")), inbox)
    assert files(inbox) == {"failed/a.png", "failed/a.png.error.txt", "done/b.png"}
    assert (inbox / "failed/a.png.error.txt").read_text() == "It is not an image.\n"


def test_file_of_a_killed_process_is_read_once_more_under_its_name(inbox: Path, open_folder: Folder) -> None:
    (inbox / "a.png").write_bytes(b"one")
    with pytest.raises(KeyboardInterrupt):
        run(
            open_folder(),
            _Killed(),
            ["md"],
            inbox.parent / "out",
            changes=iter([None, None]),
        )
    assert files(inbox) == {f"{READING_FOLDER}/a.png"}
    (inbox / "a.png").write_bytes(b"two")  # arrives before the restart
    reader = NamingReader()
    watch_twice(open_folder(), reader, inbox)
    assert reader.names == ["a.png", "a (2).png"]
    assert files(inbox) == {"done/a.png", "done/a (2).png"}
    assert (inbox.parent / "out" / "a.png.md").read_bytes() == b"one"


class _Killed(NamingReader):
    """Reader of a process that is killed after the first result."""

    def read(self, path: Path, formats: Sequence[str], folder: Path) -> list[Path]:
        super().read(path, formats, folder)
        raise KeyboardInterrupt


def test_postponed_file_stays_and_is_read_later(
    inbox: Path, open_folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backend_main.cli.watch.RETRY_INTERVAL_SECONDS", 0)
    (inbox / "a.png").write_bytes(b"one")
    reader = NamingReader(Postponed("The server does not respond."))
    run(open_folder(), reader, ["md"], inbox.parent / "out", changes=iter([None] * 3))
    assert reader.names == ["a.png", "a.png"]
    assert files(inbox) == {"done/a.png"}


def test_file_that_changes_while_it_is_read_is_read_again(inbox: Path, open_folder: Folder) -> None:
    (inbox / "a.png").write_bytes(b"beg")

    class Slow(NamingReader):
        def read(self, path: Path, formats: Sequence[str], folder: Path) -> list[Path]:
            results = super().read(path, formats, folder)
            if len(self.names) == 1:
                path.write_bytes(b"begin and end")
            return results

    reader = Slow()
    run(open_folder(), reader, ["md"], inbox.parent / "out", changes=iter([None] * 3))
    assert reader.names == ["a.png", "a.png"]
    assert (inbox.parent / "out" / "a.png.md").read_bytes() == b"begin and end"


# ── the command ──


def wait_for_file(path: Path) -> None:
    """Wait until a file exists, by the events of its folder."""
    path.parent.mkdir(exist_ok=True)
    for _ in watch_files(path.parent, watch_filter=None, rust_timeout=200, yield_on_timeout=True):
        if path.exists():
            return


def test_watch_command_reads_what_arrives_until_sigterm(inbox: Path) -> None:
    (inbox / "first.png").write_bytes(scripted_png(lines=["# First"]))
    (inbox / "bad.png").write_bytes(b"not an image")
    out = inbox.parent / "out"
    process = subprocess.Popen(
        [*SCANRILL, "watch", str(inbox), "-o", str(out), "--engine", "dummy", "--settle", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_file(inbox / "done" / "first.png")
        (inbox / "second.png").write_bytes(scripted_png(lines=["second"]))
        wait_for_file(inbox / "done" / "second.png")
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False), errors
    assert (out / "first.png.md").read_text() == "# First\n"
    assert (out / "second.png.md").read_text() == "second\n"
    assert files(inbox / "failed") == {"bad.png", "bad.png.error.txt"}
    assert f"{inbox / 'failed' / 'bad.png'}: " in errors


def test_list_interval_covers_folders_without_events() -> None:
    assert LIST_INTERVAL_SECONDS <= 5


@pytest.fixture
def account(server: Server) -> Account:
    return Account.create(server)


def test_server_reader_reads_on_the_server(account: Account, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(scripted_png(lines=["on the server"]))
    reader = ServerReader(account.server.http, account.mint(), Options(engine=""))
    for _ in range(2):  # after a kill, the second upload is a duplicate
        results = reader.read(scan, ["md", "json"], tmp_path)
        assert [path.name for path in results] == ["scan.png.md", "scan.png.json"]
        assert (tmp_path / "scan.png.md").read_text() == "on the server\n"


def test_server_reader_names_failures_by_what_helps(account: Account, tmp_path: Path) -> None:
    scan = tmp_path / "scan.png"
    scan.write_bytes(b"not an image")
    with pytest.raises(FileFailed):
        ServerReader(account.server.http, account.mint(), Options(engine="")).read(scan, ["md"], tmp_path)
    with pytest.raises(CommandError, match="--api-key"):
        ServerReader(account.server.http, "wrong", Options(engine="")).read(scan, ["md"], tmp_path)
    with pytest.raises(Postponed):
        ServerReader("http://127.0.0.1:1", "key", Options(engine="")).read(scan, ["md"], tmp_path)


class CutExports(BaseHTTPRequestHandler):
    """A server that closes the connection within each export."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps({"instance": {"id": "1", "status": "processed", "error": None}}).encode()
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.write(b"5\r\nhello\r\n")
        self.close_connection = True


def test_server_reader_postpones_a_file_whose_export_is_cut_short(tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(b"bytes")
    with ThreadingHTTPServer(("127.0.0.1", 0), CutExports) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        reader = ServerReader(f"http://127.0.0.1:{server.server_port}", "key", Options(engine=""))
        with pytest.raises(Postponed):
            reader.read(tmp_path / "scan.png", ["md"], tmp_path)
        server.shutdown()
    assert files(tmp_path) == {"scan.png"}
