"""Tests of the Tesseract engine: text, boxes, paragraphs, languages, and the life of its program."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image, ImageDraw, ImageFont

from backend_main.reading import (
    Engine,
    EngineProcess,
    EngineTimeout,
    EngineUnavailable,
    Options,
    PageDone,
    PageImage,
    UnsupportedOption,
    read,
)
from backend_main.reading.engines import load_engine
from backend_main.reading.engines import tesseract as module
from backend_main.reading.engines.tesseract import TesseractEngine
from tests.support.fonts import TEXTS, page_png_in
from tests.support.tesseract import skip_without_tesseract

from .conftest import wait_until


@pytest.fixture
def tesseract() -> Engine:
    skip_without_tesseract("en")
    return load_engine("tesseract")


def drawn(*paragraphs: list[str]) -> PageImage:
    image = Image.new("RGB", (900, 700), "white")
    draw, font, top = ImageDraw.Draw(image), ImageFont.load_default(size=28), 50
    for paragraph in paragraphs:
        for line in paragraph:
            draw.text((60, top), line, fill="black", font=font)
            top += 40
        top += 60
    return PageImage(1, np.asarray(image)[:, :, ::-1].copy(), 900, 700)


FIRST = ["The quick brown fox jumps over", "the lazy dog and runs away."]
SECOND = ["Another paragraph stands below", "with seven wizards in it."]


def test_tesseract_reads_lines_and_paragraphs(tesseract: Engine) -> None:
    lines = list(tesseract.read_page(drawn(FIRST, SECOND)))
    assert [line.text for line in lines] == [*FIRST, *SECOND]
    assert "".join(line.markdown for line in lines) == "\n".join(FIRST) + "\n\n" + "\n".join(SECOND)


def test_tesseract_lines_have_boxes_and_confidences(tesseract: Engine) -> None:
    for number, line in enumerate(tesseract.read_page(drawn(FIRST))):
        assert line.box is not None
        (left, top), _, (right, bottom), _ = line.box
        assert 50 < left < 70
        assert 300 < right < 600
        assert abs((top + bottom) / 2 - (50 + 40 * number + 17)) < 12
        assert 0.7 < (line.confidence or 0) <= 1


def test_tesseract_yields_no_lines_for_an_empty_page(tesseract: Engine) -> None:
    assert list(tesseract.read_page(drawn())) == []


def test_language_may_be_a_code_a_pack_or_a_region(tmp_path: Path) -> None:
    skip_without_tesseract("de")
    path = tmp_path / "page.png"
    path.write_bytes(page_png_in("de"))
    for word in ("de", "deu", "de-AT"):
        events = list(read(path, Options(engine="tesseract", languages=(word,))))
        assert isinstance(events[-1], PageDone)
        assert set(events[-1].text.split()) <= set(TEXTS["de"][1].split())


def test_language_without_a_pack_raises_unsupported_option(tesseract: Engine, tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    Image.new("RGB", (30, 30), "white").save(path)
    with pytest.raises(UnsupportedOption, match=r"does not read xx; it reads .*en \(English\)") as raised:
        list(read(path, Options(engine="tesseract", languages=("xx",)), tesseract))
    assert raised.value.option == "languages"


def test_missing_program_raises_with_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(EngineUnavailable, match="apt install tesseract-ocr"):
        load_engine("tesseract")


def test_parse_words_of_table_and_plain_text() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    rows = [
        "4\t1\t1\t1\t1\t0\t10\t20\t90\t12\t-1\t",
        "5\t1\t1\t1\t1\t1\t10\t20\t40\t12\t96.5\tHello",
        "5\t1\t1\t1\t1\t2\t60\t21\t40\t12\t-1\t ",
        "5\t1\t1\t1\t1\t3\t60\t21\t40\t12\t91\tWorld",
    ]
    table, plain = module._split_output("\n".join([head, *rows, "", "HelloWorld ", " "]))
    assert table == rows
    words = list(module._parse_words(table))
    assert [(word.text, word.confidence) for word in words] == [("Hello", 0.965), ("World", 0.91)]
    assert module._bounding_box(words) == ((10, 20), (100, 20), (100, 33), (10, 33))
    assert module._text_of_line(words, plain) == "HelloWorld"  # the spaces are those of the plain text
    assert module._text_of_line(words, plain) == "Hello World"


def test_tesseract_reads_korean_with_its_spaces_beside_english(tmp_path: Path) -> None:
    skip_without_tesseract("ko", "en")
    path = tmp_path / "page.png"
    path.write_bytes(page_png_in("ko"))
    options = Options(engine="tesseract", languages=("en", "ko"))
    [done] = [one for one in read(path, options) if isinstance(one, PageDone)]
    words = TEXTS["ko"][1].split()
    assert set(words) & set(done.text.split()) >= {"자유로우며", "존엄과", "부여받았으며"}


# ── a program that hangs ──


@pytest.fixture
def hanging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the process id of a fake Tesseract, which lists one language and hangs on a page.

    It is a script that writes a file, so its process is not confined.
    """
    monkeypatch.setattr(TesseractEngine, "is_confined", False)
    pid = tmp_path / "pid"
    program = tmp_path / "tesseract"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --list-langs ] && printf "List of available languages (1):\\neng\\n" && exit\n'
        f'echo $$ > "{pid}.part" && mv "{pid}.part" "{pid}"\nexec sleep 600\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return pid


def is_gone(pid: Path) -> bool:
    try:
        os.kill(int(pid.read_text()), 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{int(pid.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
    return state == "Z"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    Image.new("RGB", (60, 60), "white").save(path)
    return path


def test_program_is_killed_at_the_time_limit_of_a_page(hanging: Path, page: Path) -> None:
    process = EngineProcess("tesseract")
    try:
        with pytest.raises(EngineTimeout):
            list(process.read(page, Options(engine="tesseract", page_seconds=1.0)))
        wait_until(lambda: is_gone(hanging))
    finally:
        process.stop()


def test_program_is_killed_with_the_engine_process(hanging: Path, page: Path) -> None:
    """The process is killed alone, as when the machine runs out of memory."""
    process = EngineProcess("tesseract")
    try:
        events = process.read(page, Options(engine="tesseract"))
        next(events)
        wait_until(hanging.exists)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        wait_until(lambda: process.pid is None)
        with pytest.raises(Exception, match="stopped unexpectedly"):
            list(events)
        wait_until(lambda: is_gone(hanging))
    finally:
        process.stop()


def test_runner_of_programs_ends_with_the_engine_process() -> None:
    skip_without_tesseract("en")
    process = EngineProcess("tesseract")
    try:
        process.start()
        [runner] = psutil.Process(process.pid).children()
        os.kill(runner.ppid(), signal.SIGKILL)
        wait_until(lambda: not runner.is_running() or runner.status() == psutil.STATUS_ZOMBIE)
    finally:
        process.stop()


def test_program_is_killed_with_the_server_process(hanging: Path, page: Path) -> None:
    """The request socket closes, as at any end of a server."""
    process = EngineProcess("tesseract")
    try:
        events = process.read(page, Options(engine="tesseract"))
        next(events)
        wait_until(hanging.exists)
        assert process._child
        process._child._requests.close()
        wait_until(lambda: is_gone(hanging))
    finally:
        process.stop()
