"""Warnings of a page: their codes and boxes, from the engine to the end of the read."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backend_main.reading import Options, PageDone, PageWarning, WarningCode, read
from backend_main.reading.child_process import ipc
from backend_main.reading.types import level_box
from backend_main.reading.warning_boxes import MAX_WARNING_BOXES
from tests.support.fake_engines import FakeEngine
from tests.support.page_warnings import codes_of, messages_of

BOXED = PageWarning("stamp-unclear", "The stamp is not clear.", (level_box(1.5, 2.0, 30.0, 40.0),), 0.25)


class WarningEngine(FakeEngine):
    """Engine of another package that warns by a sentence, and by a warning with a code of its own."""

    def warnings(self) -> Sequence[PageWarning | str]:
        return ["The paper is yellow.", BOXED]


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    path = tmp_path / "page.png"
    Image.fromarray(np.full((200, 300), 255, np.uint8)).save(path)
    return path


def test_read_gives_a_sentence_of_an_engine_the_code_unspecified(blank: Path) -> None:
    events = list(read(blank, Options(), WarningEngine("good text of a line")))
    assert isinstance(done := events[-1], PageDone)
    assert codes_of(done)[:2] == [WarningCode.UNSPECIFIED, "stamp-unclear"]
    assert messages_of(done)[:2] == ["The paper is yellow.", "The stamp is not clear."]
    assert done.warnings[1] == BOXED


class ManyBoxesEngine(FakeEngine):
    """Engine with a warning about 12,345 places."""

    def warnings(self) -> Sequence[PageWarning]:
        places = ((x, y) for y in range(123) for x in range(101))
        boxes = tuple(level_box(2.0 * x, 1.0 * y, 2.0 * x + 1, y + 1.0) for x, y in places)
        return [PageWarning("speck", "There are specks.", boxes[:12_345])]


def test_read_merges_the_boxes_of_a_warning_beyond_the_limit(blank: Path) -> None:
    """A page of noise has an unread row at each place."""
    *_, done = read(blank, Options(), ManyBoxesEngine("good text of a line"))
    assert isinstance(done, PageDone)
    boxes = np.array(done.warnings[0].boxes)
    assert MAX_WARNING_BOXES / 2 < len(boxes) <= MAX_WARNING_BOXES
    assert boxes.min() == 0.0
    assert boxes.max(axis=(0, 1)).tolist() == [201.0, 123.0]


def test_page_warning_as_string_is_its_message() -> None:
    assert str(BOXED) == "The stamp is not clear."


def test_ipc_keeps_code_boxes_and_share_of_a_warning() -> None:
    reading, writing = os.pipe()
    try:
        coded = PageWarning(WarningCode.LAYOUT_FAILED, "x")
        ipc.send(writing, PageDone(1, 1, 300, 200, "", "", [], [coded, BOXED]))
        reader = ipc.FrameReader(reading)
        reader.fill()
        done = reader.next_reply()
    finally:
        os.close(reading)
        os.close(writing)
    assert isinstance(done, PageDone)
    assert done.warnings == [coded, BOXED]
