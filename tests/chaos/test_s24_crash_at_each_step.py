"""S24 — a process that dies at any step of a create or a delete: after a sweep, files and rows agree."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from tests.support.database_rows import run_query
from tests.support.encoding import base64_of
from tests.support.page_images import scripted_png
from tests.support.server import Server

DIED = 9
# Dies before or after a call of the function that is named, in the middle of what the scenario does.
SCRIPT = """
import importlib, os, sys
scenario, when, owner, which, place = sys.argv[1:6]
from backend_main.cli.data_dir import set_up
set_up(None)
from backend_main.core.uploads import commands
from backend_main.core.models import User
module, _, name = place.partition(":")
holder = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    holder = getattr(holder, part)
original = getattr(holder, last)
def dying(*args, **kwargs):
    if when == "after":
        original(*args, **kwargs)
    os._exit(9)
user = User.objects.get(username=owner)
setattr(holder, last, dying)
if scenario == "create":
    commands.create(owner=user, source=commands.UploadSource(image_base64=sys.stdin.read()))
else:
    commands.delete(owner=user, upload_id=which)
"""
CORE = "backend_main.core"
CREATE = [  # a step, where in it the process dies, and how many uploads there are then
    (f"{CORE}.uploads.ingest:StagedFileWriter.write", "before", 0),
    (f"{CORE}.uploads.ingest:StagedFileWriter.write", "after", 0),
    (f"{CORE}.uploads.ingest:StagedFileWriter.finish", "after", 0),
    (f"{CORE}.storage:put", "before", 0),
    (f"{CORE}.storage.filesystem:os.replace", "before", 0),
    (f"{CORE}.storage.filesystem:os.replace", "after", 0),
    (f"{CORE}.storage:put", "after", 0),
    (f"{CORE}.models:Upload.objects.create", "after", 0),
    (f"{CORE}.models:Job.objects.create", "after", 0),
    (f"{CORE}.jobs.notify:notify_jobs_available", "before", 1),
]
DELETE = [
    (f"{CORE}.models:Upload.delete", "before", 1),
    (f"{CORE}.models:Upload.delete", "after", 1),
    (f"{CORE}.storage:delete", "before", 0),
    (f"{CORE}.storage.filesystem:shutil.os.unlink", "after", 0),
    (f"{CORE}.storage.filesystem:shutil.os.rmdir", "before", 0),
    (f"{CORE}.storage:delete", "after", 0),
]
NEVER_CALLED = f"{CORE}.storage:is_writable"  # by a create: that one ends well


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A data directory and its commands; no server runs on it."""
    return Server(tmp_path_factory.mktemp("machine") / "data")


@pytest.fixture(scope="module")
def owner(machine: Server) -> str:
    return machine.user()


def die(machine: Server, scenario: str, place: str, when: str, owner: str, which: str = "") -> int:
    """The exit code of a process that creates an image, or deletes an upload."""
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT, scenario, when, owner, which, place],
        env=machine.environment,
        input=base64_of(scripted_png()),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode in (0, DIED), ended.stderr
    return ended.returncode


def sweep(machine: Server) -> None:
    """Where other machines' servers may be, what is young is theirs; so it is made old."""
    if not machine.is_embedded:
        for directory in ("files", "incoming"):
            for path in (machine.data_dir / directory).iterdir():
                os.utime(path, (0, 0))
    swept = machine.command("sweep")
    assert swept.returncode == 0, swept.stderr


def files_of(machine: Server) -> set[str]:
    return {path.name for path in (machine.data_dir / "files").iterdir()}


def uploads_of(machine: Server) -> set[str]:
    return {str(uuid.UUID(key)) for (key,) in run_query(machine, "SELECT id FROM core_upload")}


def assert_agreement(machine: Server) -> None:
    assert files_of(machine) == uploads_of(machine)
    for (key,) in run_query(machine, "SELECT image_path FROM core_upload"):
        assert (machine.data_dir / "files" / key).is_file()
    assert list((machine.data_dir / "incoming").iterdir()) == []
    jobs = {str(uuid.UUID(key)) for (key,) in run_query(machine, "SELECT upload_id FROM core_job")}
    assert jobs == uploads_of(machine), "each waits to be read"


def test_s24_creates_that_die_are_done_or_never_were(machine: Server, owner: str) -> None:
    for place, when, kept in CREATE:
        before = uploads_of(machine)
        assert die(machine, "create", place, when, owner) == DIED
        assert len(uploads_of(machine) - before) == kept, (place, when)
    assert files_of(machine) > uploads_of(machine), "the crashes left something"
    assert any((machine.data_dir / "incoming").iterdir())
    sweep(machine)
    assert_agreement(machine)


def test_s24_deletes_that_die_are_done_or_never_were(machine: Server, owner: str) -> None:
    for place, when, kept in DELETE:
        before = uploads_of(machine)
        assert die(machine, "create", NEVER_CALLED, "before", owner) == 0
        [upload_id] = uploads_of(machine) - before
        assert die(machine, "delete", place, when, owner, upload_id) == DIED
        assert (upload_id in uploads_of(machine)) == bool(kept), (place, when)
    assert files_of(machine) > uploads_of(machine), "the crashes left something"
    sweep(machine)
    assert_agreement(machine)


@pytest.mark.embedded("elsewhere another machine may be taking in what is young")
def test_s24_what_a_crash_left_is_swept_by_the_next_start_as_well(machine: Server, owner: str) -> None:
    for place, when, _ in (CREATE[1], CREATE[6], CREATE[9]):
        assert die(machine, "create", place, when, owner) == DIED
    left = files_of(machine) - uploads_of(machine), list((machine.data_dir / "incoming").iterdir())
    assert [len(each) for each in left] == [1, 1]
    server = machine.start()
    try:
        assert files_of(server) == uploads_of(server)
        assert list((Path(server.data_dir) / "incoming").iterdir()) == []
    finally:
        assert server.stop() == 0
