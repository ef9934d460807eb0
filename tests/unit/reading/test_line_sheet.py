"""Sheets of lines of a page, which an engine reads as a page."""

from collections.abc import Iterator

import numpy as np

from backend_main.reading import Engine, Line, Options, PageImage
from backend_main.reading.fallback import FallbackEngines
from backend_main.reading.line_sheet import GAP, LINE_HEIGHT, MAX_SHEET_LINES
from backend_main.reading.lost_letters import reread_lost_letters
from backend_main.reading.other_scripts import reread_other_scripts
from backend_main.reading.types import level_box
from tests.support.fake_engines import FakeEngine

LINE_COUNT = MAX_SHEET_LINES + 50
PAGE = PageImage(1, np.full((LINE_COUNT, 200, 3), 255, np.uint8), 200, LINE_COUNT)


class EnglishEngine(FakeEngine):
    languages = frozenset({"en"})


class SheetEngine(FakeEngine):
    """Engine that reads one text in each line of a sheet, and records the numbers of their lines."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.line_counts: list[int] = []

    def configured_languages(self) -> frozenset[str]:
        return frozenset({"ru"})

    def read_column(self, page: PageImage) -> Iterator[Line]:
        self.line_counts.append((page.height - GAP) // (LINE_HEIGHT + GAP))
        for number in range(self.line_counts[-1]):
            top = float(GAP + number * (LINE_HEIGHT + GAP))
            box = level_box(GAP, top, 100, top + LINE_HEIGHT)
            yield Line(1, self.texts[0], self.texts[0], box, 0.95)


class OneEngine(FallbackEngines):
    """Fallback engines with one, for Russian and Vietnamese."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine

    def readable_scripts(self) -> frozenset[str]:
        return frozenset({"Cyrillic"})

    def engines_for_script(
        self, script: str, options: Options, *, with_latin: bool = False
    ) -> Iterator[Engine]:
        yield self._engine

    def engine_for_language(self, code: str, options: Options) -> Engine:
        return self._engine


def lines_with(text: str) -> list[Line]:
    return [Line(1, text, text, level_box(0, y, 200, y + 1), 0.9) for y in range(LINE_COUNT)]


def test_reread_lost_letters_with_many_lines_reads_several_sheets() -> None:
    other = SheetEngine("Cộng hòa xã hội chủ nghĩa")
    lines = lines_with("Cng hòa xã hi ch nghĩa")
    result = reread_lost_letters(PAGE, lines, EnglishEngine(), Options(), OneEngine(other))
    assert result is not None
    assert {line.text for line in result.lines} == {"Cộng hòa xã hội chủ nghĩa"}
    assert other.line_counts == [MAX_SHEET_LINES, 50]


def test_reread_other_scripts_with_many_look_alikes_reads_several_sheets() -> None:
    other = SheetEngine("Жители города собрались")
    lines = lines_with("Macca")
    lines[0] = Line(1, "", "", lines[0].box, 0.0)  # the only suspect
    result = reread_other_scripts(PAGE, lines, EnglishEngine(), Options(), OneEngine(other))
    assert result is not None
    assert {line.text for line in result.lines} == {"Жители города собрались"}
    assert max(other.line_counts) == MAX_SHEET_LINES
