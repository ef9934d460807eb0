"""Places of words in the image of a line, by the steps of the network and the ink."""

from __future__ import annotations

import numpy as np
import pytest

from backend_main.reading.engines.rapid.word_places import words_of_line

HEIGHT, LETTER, PITCH = 48, 14, 20
TOP, BOTTOM = 12, 36
BLACK, ORANGE, PALE_GRAY = (0, 0, 0), (60, 150, 245), (190, 190, 190)


@pytest.mark.parametrize("color", [ORANGE, PALE_GRAY])
@pytest.mark.parametrize("pale", [{0}, {1}, {3}, {1, 2}, {0, 1, 2}])
def test_words_of_line_in_paler_ink_than_the_rest_have_its_places(
    pale: set[int], color: tuple[int, int, int]
) -> None:
    text = "one three five seven"
    line = np.full((HEIGHT, PITCH * len(text), 3), 255, np.uint8)
    truth = {}
    start = 0
    for number, word in enumerate(text.split()):
        lefts = [PITCH * (start + place) for place in range(len(word))]
        for left in lefts:
            line[TOP:BOTTOM, left : left + LETTER] = color if number in pale else BLACK
        truth[word] = (lefts[0], TOP), (lefts[-1] + LETTER, BOTTOM)
        start += len(word) + 1
    positions = [PITCH * number + LETTER / 2 for number in range(len(text))]

    words = words_of_line(text, positions, [1.0] * len(text), line)

    assert {word.text: (word.box[0], word.box[2]) for word in words if word.box} == truth
