"""M6 - a file cannot fill the log: libraries that print without end are cut off for each page."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from backend_main.reading import EngineProcess, Line, Options
from backend_main.reading.child_process.child import ChildProcess
from backend_main.reading.child_process.child_log import MAX_BYTES_PER_PAGE, ChildLog
from backend_main.reading.child_process.ipc import Request
from tests.support.hostile import register_hostile_engine
from tests.support.page_images import scripted_png

PRINTED_BYTES = 1_000_000


def test_m6_output_of_a_page_is_cut_off_and_its_size_is_logged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    register_hostile_engine(monkeypatch)
    path = tmp_path / "page.png"
    path.write_bytes(scripted_png(attack="print", bytes=PRINTED_BYTES))
    with EngineProcess("hostile", threads=1) as process:
        for _ in range(2):
            lines = [
                event.text
                for event in process.read(path, Options(engine="hostile"))
                if isinstance(event, Line)
            ]
            assert lines == ["printed"]
    log = capfd.readouterr().err
    assert "begin\n" in log
    assert len(log) < 3 * MAX_BYTES_PER_PAGE  # the start of the process may print too
    dropped = [
        int(found[1])
        for found in map(re.compile(r"printed (\d+) bytes more").search, caplog.messages)
        if found
    ]
    assert sum(dropped) > 2 * (PRINTED_BYTES - 2 * MAX_BYTES_PER_PAGE)


def test_m6_limits_of_a_page_start_before_the_child_gets_its_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Otherwise what a fast child prints before the parent goes on would have a second limit.
    calls: list[str] = []
    start_page, send = ChildProcess.start_page, ChildProcess.send

    def record_start(child: ChildProcess, seconds: float) -> None:
        calls.append("limits")
        start_page(child, seconds)

    def record_request(child: ChildProcess, request: Request, file_fd: int | None = None) -> None:
        calls.append("request")
        send(child, request, file_fd)

    path = tmp_path / "page.png"
    path.write_bytes(scripted_png(attack="print", bytes=0))
    with EngineProcess("") as process:
        process.start()
        monkeypatch.setattr(ChildProcess, "start_page", record_start)
        monkeypatch.setattr(ChildProcess, "send", record_request)
        process.render_page(path, 1, 100)
        assert calls == ["limits", "request"]
        calls.clear()
        process.original_parts(path)
        assert calls[:2] == ["limits", "request"]
        calls.clear()
    register_hostile_engine(monkeypatch)
    with EngineProcess("hostile", threads=1) as process:
        process.start()
        calls.clear()
        list(process.read(path, Options(engine="hostile")))
        assert calls[:2] == ["limits", "request"]


def test_m6_output_in_the_pipe_belongs_to_the_page_that_ends(capfd: pytest.CaptureFixture[str]) -> None:
    pages = 20
    for _ in range(pages):
        reading_end, writing_end = os.pipe()
        log = ChildLog(reading_end)
        os.write(writing_end, b"x" * (1 << 20))  # waits until the last 64 KiB are in the pipe
        log.start_page()
        os.close(writing_end)
        log.close(10)
    assert capfd.readouterr().err.count("x") == pages * MAX_BYTES_PER_PAGE


def test_m6_output_of_a_page_has_no_control_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    register_hostile_engine(monkeypatch)
    path = tmp_path / "page.png"
    path.write_bytes(scripted_png(attack="print", bytes=0))
    with EngineProcess("hostile", threads=1) as process:
        list(process.read(path, Options(engine="hostile")))
    log = capfd.readouterr().err
    assert "hostile" in log
    assert "\x1b" not in log
    assert "\x07" not in log
