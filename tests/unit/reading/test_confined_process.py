"""Tests of a confined engine process: what it still reads, and when it does not start."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from backend_main.reading import EngineFailed, EngineProcess, UnreadableFile
from backend_main.reading.child_process.child_policy import policy_for
from backend_main.reading.documents.source_file import memory_file, open_source
from backend_main.sandbox.measures import MEASURES


@pytest.fixture(scope="module")
def rendering() -> Iterator[EngineProcess]:
    with EngineProcess("", threads=1) as process:
        yield process


def test_start_without_a_required_measure_fails_with_its_name(rendering: EngineProcess) -> None:
    rendering.start()
    assert [measure.name for measure in rendering.measures] == list(MEASURES)
    with EngineProcess("", required_measures=MEASURES) as process:
        if missing := [measure.name for measure in rendering.measures if not measure.is_in_force]:
            with pytest.raises(EngineFailed, match=f"cannot be confined as required: {missing[0]} "):
                process.start()
        else:
            process.start()


def test_start_of_an_unconfined_engine_fails_if_measures_are_required() -> None:
    with (
        EngineProcess("dummy", required_measures=["seccomp"]) as process,
        pytest.raises(EngineFailed, match="dummy"),
    ):
        process.start()


def test_policy_of_an_engine_without_network_has_none() -> None:
    default, remote = policy_for(["rapid"]), policy_for(["vision"])
    assert default is not None
    assert remote is not None
    assert (default.has_network, remote.has_network) == (False, True)
    assert policy_for(["dummy"]) is None


@pytest.mark.parametrize("name", ["PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "AVIF", "PDF"])
def test_render_page_of_each_format_works_in_a_confined_process(
    rendering: EngineProcess, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "page"
    Image.new("RGB", (80, 60), "red").save(path, name)
    image = Image.open(io.BytesIO(rendering.render_page(path, 1, 40)))
    assert image.width == 40
    red, green, _ = image.convert("RGB").getpixel((20, 10))  # type: ignore[misc]
    assert red > 200 > 60 > green


def test_render_page_of_the_same_file_twice_reads_it_from_its_start(
    rendering: EngineProcess, tmp_path: Path
) -> None:
    path = tmp_path / "pages.tiff"
    frames = [Image.new("L", (80, 60), shade) for shade in (0, 255)]
    frames[0].save(path, save_all=True, append_images=frames[1:])
    images = [Image.open(io.BytesIO(rendering.render_page(path, number, 80))) for number in (1, 2, 1)]
    assert [image.convert("L").getpixel((5, 5)) for image in images] == [0, 255, 0]


def test_render_page_of_a_missing_file_or_a_pipe_is_unreadable(
    rendering: EngineProcess, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("missing", "pipe"):
        with pytest.raises(UnreadableFile, match="could not be opened"):
            rendering.render_page(tmp_path / name, 1, 40)


def test_readers_of_one_descriptor_have_their_own_positions() -> None:
    descriptor = memory_file(b"0123456789")
    try:
        with open_source(descriptor) as first, open_source(descriptor) as second:
            assert first.read(3) == b"012"
            assert second.read(2) == b"01"
            first.seek(-1, 2)
            assert (first.read(5), second.read(1)) == (b"9", b"2")
    finally:
        os.close(descriptor)
