"""S24 - a process dies at any step of a create or delete: a sweep makes files and rows agree."""

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

CRASH_EXIT_CODE = 9
# Exits before or after the named function, in the middle of the scenario.
CRASHING_PROGRAM = """
import importlib, os, sys
scenario, when, owner, upload_id, step = sys.argv[1:6]
from backend_main.cli.data_dir import set_up
set_up(None)
from backend_main.core.uploads import commands
from backend_main.core.models import User
module, _, name = step.partition(":")
holder = importlib.import_module(module)
*path, last = name.split(".")
for part in path:
    holder = getattr(holder, part)
original = getattr(holder, last)
def crashing(*args, **kwargs):
    if when == "after":
        original(*args, **kwargs)
    os._exit(9)
user = User.objects.get(username=owner)
setattr(holder, last, crashing)
if scenario == "create":
    commands.create(owner=user, source=commands.UploadSource(image_base64=sys.stdin.read()))
else:
    commands.delete(owner=user, upload_id=upload_id)
"""
CORE = "backend_main.core"
CREATE = [  # a step, where in it the process exits, and how many uploads are new then
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
NEVER_CALLED = f"{CORE}.storage:is_writable"  # a create does not call it, so it completes


@pytest.fixture(scope="module")
def stopped_server(tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A data directory for commands; no server runs on it."""
    return Server(tmp_path_factory.mktemp("stopped_server") / "data")


@pytest.fixture(scope="module")
def owner(stopped_server: Server) -> str:
    return stopped_server.user()


def crash_at(
    stopped_server: Server, scenario: str, step: str, when: str, owner: str, upload_id: str = ""
) -> int:
    """Run a create or a delete that exits at a step; return the exit code."""
    ended = subprocess.run(
        [sys.executable, "-c", CRASHING_PROGRAM, scenario, when, owner, upload_id, step],
        env=stopped_server.environment,
        input=base64_of(scripted_png()),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ended.returncode in (0, CRASH_EXIT_CODE), ended.stderr
    return ended.returncode


def sweep(stopped_server: Server) -> None:
    """Run `scanrill sweep`; make files old first where it keeps recent files of other machines."""
    if not stopped_server.is_embedded:
        for directory in ("files", "incoming"):
            for path in (stopped_server.data_dir / directory).iterdir():
                os.utime(path, (0, 0))
    swept = stopped_server.command("sweep")
    assert swept.returncode == 0, swept.stderr


def files_of(stopped_server: Server) -> set[str]:
    return {path.name for path in (stopped_server.data_dir / "files").iterdir()}


def uploads_of(stopped_server: Server) -> set[str]:
    return {str(uuid.UUID(key)) for (key,) in run_query(stopped_server, "SELECT id FROM core_upload")}


def assert_files_match_rows(stopped_server: Server) -> None:
    assert files_of(stopped_server) == uploads_of(stopped_server)
    for (key,) in run_query(stopped_server, "SELECT image_path FROM core_upload"):
        assert (stopped_server.data_dir / "files" / key).is_file()
    assert list((stopped_server.data_dir / "incoming").iterdir()) == []
    jobs = {str(uuid.UUID(key)) for (key,) in run_query(stopped_server, "SELECT upload_id FROM core_job")}
    assert jobs == uploads_of(stopped_server), "each upload has a job"


def test_s24_crash_at_each_step_of_a_create_completes_or_leaves_nothing(
    stopped_server: Server, owner: str
) -> None:
    for step, when, expected_new in CREATE:
        before = uploads_of(stopped_server)
        assert crash_at(stopped_server, "create", step, when, owner) == CRASH_EXIT_CODE
        assert len(uploads_of(stopped_server) - before) == expected_new, (step, when)
    assert files_of(stopped_server) > uploads_of(stopped_server), "the crashes left files"
    assert any((stopped_server.data_dir / "incoming").iterdir())
    sweep(stopped_server)
    assert_files_match_rows(stopped_server)


def test_s24_crash_at_each_step_of_a_delete_completes_or_leaves_nothing(
    stopped_server: Server, owner: str
) -> None:
    for step, when, expected_new in DELETE:
        before = uploads_of(stopped_server)
        assert crash_at(stopped_server, "create", NEVER_CALLED, "before", owner) == 0
        [upload_id] = uploads_of(stopped_server) - before
        assert crash_at(stopped_server, "delete", step, when, owner, upload_id) == CRASH_EXIT_CODE
        assert (upload_id in uploads_of(stopped_server)) == bool(expected_new), (step, when)
    assert files_of(stopped_server) > uploads_of(stopped_server), "the crashes left files"
    sweep(stopped_server)
    assert_files_match_rows(stopped_server)


@pytest.mark.embedded("elsewhere another machine may be writing recent files")
def test_s24_start_after_crashes_removes_leftover_files(stopped_server: Server, owner: str) -> None:
    for step, when, _ in (CREATE[1], CREATE[6], CREATE[9]):
        assert crash_at(stopped_server, "create", step, when, owner) == CRASH_EXIT_CODE
    left = (
        files_of(stopped_server) - uploads_of(stopped_server),
        list((stopped_server.data_dir / "incoming").iterdir()),
    )
    assert [len(each) for each in left] == [1, 1]
    server = stopped_server.start()
    try:
        assert files_of(server) == uploads_of(server)
        assert list((Path(server.data_dir) / "incoming").iterdir()) == []
    finally:
        assert server.stop() == 0
