"""English words that the recognition network finds nearly as likely as what it prefers.

The network reads letters, not words: it reads “INSTTUTION” on a worn page, and finds “INSTITUTION”
half as likely. A beam search over its probabilities finds such words (Hannun et al., “First-Pass Large
Vocabulary Continuous Speech Recognition using Bi-Directional Recurrent DNNs”, 2014). Whether the page is in
English is decided later, by the whole of it.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...english_words import MIN_LETTERS, english_words
from ...inference import Floats

CTC_BLANK = 0
"""Class of the network for no character."""
SURE_PROBABILITY = 0.98
"""Probability of every step of a word that is not searched."""
MIN_CLASS_PROBABILITY = 0.01
"""Probability from which a class of a step is followed."""
MIN_LIKELIHOOD_RATIO = 0.02
"""Probability of another word, as a share of that of the word as read (docs/decisions/0127)."""
MAX_PREFIXES = 16
"""Prefixes that the beam search keeps after each step."""
MAX_OTHER_CHARACTERS = 1
"""Digits and the like in a word that is a misread English one. Codes have more: `BC30`."""

MAX_LETTERS = 30
"""Letters of the longest words that are searched. The time of a search grows with their square."""

Prefix = tuple[int, ...]
"""Classes of characters, without blanks."""
Beam = dict[Prefix, tuple[float, float]]
"""Probabilities that a prefix ends with a blank, and that it ends with its last character."""


class UnsureWord(NamedTuple):
    """A word between spaces as it was read, and a likely English one with the marks around it."""

    word: str
    likely: str
    ratio: float
    """Probability of the likely word, as a share of that of the word as read."""


def unsure_words(
    classes: npt.NDArray[np.int64], probabilities: Floats, characters: Sequence[str]
) -> Iterator[UnsureWord]:
    """Yield the unsure words of a line.

    Args:
        classes: class of each step, as it is written.
        probabilities: of (steps, classes).
        characters: character of each class. The last one is the space.
    """
    space = len(characters) - 1
    ends = [-1, *np.flatnonzero(classes == space).tolist(), len(classes)]
    for before, after in pairwise(ends):
        steps = probabilities[before + 1 : after]
        if len(steps) < MIN_LETTERS or steps.max(axis=1).min() >= SURE_PROBABILITY:
            continue
        read = _without_repetitions(classes[before + 1 : after])
        if likely := _likely_word(steps[:, :-1], read, characters):
            yield UnsureWord(_text(read, characters), *likely)


def most_likely(words: set[UnsureWord]) -> Mapping[str, str]:
    """Return the most likely English word for each word as it was read."""
    ordered = sorted(words, key=lambda word: (word.ratio, word.likely))
    return {word.word: word.likely for word in ordered}


def _without_repetitions(classes: npt.NDArray[np.int64]) -> Prefix:
    starts = np.flatnonzero(np.diff(classes, prepend=CTC_BLANK))
    return tuple(number for number in classes[starts].tolist() if number != CTC_BLANK)


def _is_possible(word: str) -> bool:
    """Return whether a word without the marks around it is none of the file, and may be one misread."""
    is_short_enough = MIN_LETTERS <= len(word) <= MAX_LETTERS
    if not is_short_enough or _other_characters(word) > MAX_OTHER_CHARACTERS:
        return False
    return not english_words().has(word.lower())


def _other_characters(word: str) -> int:
    """Return the number of characters other than Latin letters."""
    return len(re.sub("[A-Za-z\u00c0-\u024f]", "", word))


def _bare(word: str) -> str:
    """Return a word without the marks around it."""
    return re.sub(r"^[\W_]+|[\W_]+$", "", word)


def _likely_word(probabilities: Floats, read: Prefix, characters: Sequence[str]) -> tuple[str, float] | None:
    """Return the most likely common word that the steps may show, and its ratio to the one as read."""
    bare_read = _bare(_text(read, characters))
    if not _is_possible(bare_read):
        return None
    # A digit may be a misread letter, but is not dropped: it may be the mark of a footnote.
    min_letters = len(bare_read) if _other_characters(bare_read) else MIN_LETTERS
    found = beam_search(probabilities)
    probability_read = found.get(read, 1.0)
    for prefix, probability in sorted(found.items(), key=lambda item: -item[1]):
        if probability < MIN_LIKELIHOOD_RATIO * probability_read:
            return None
        word = _text(prefix, characters)
        bare = _bare(word)
        if len(bare) >= min_letters and _is_common(bare):
            return word, probability / probability_read
    return None


def _is_common(word: str) -> bool:
    """Return whether a word is common, and has one case or a capital first."""
    is_cased = word in (word.lower(), word.upper(), word.capitalize())
    return is_cased and word.lower() in english_words().common


def _text(prefix: Prefix, characters: Sequence[str]) -> str:
    return "".join(characters[number] for number in prefix)


def beam_search(probabilities: Floats) -> dict[Prefix, float]:
    """Return the most likely texts of some steps with their probabilities, by CTC prefix beam search."""
    beam: Beam = {(): (1.0, 0.0)}
    for step in probabilities:
        extended = _extended(beam, step)
        possible = [prefix for prefix, ends in extended.items() if sum(ends) > 0]
        best = sorted(possible, key=lambda prefix: (-sum(extended[prefix]), prefix))[:MAX_PREFIXES]
        beam = {prefix: extended[prefix] for prefix in best}
    return {prefix: sum(ends) for prefix, ends in beam.items()}


def _extended(beam: Beam, step: Floats) -> Beam:
    """Return the prefixes of a beam after one more step."""
    followed = np.flatnonzero(step >= min(MIN_CLASS_PROBABILITY, step.max())).tolist()
    ending_blank: defaultdict[Prefix, float] = defaultdict(float)
    ending_character: defaultdict[Prefix, float] = defaultdict(float)
    for prefix, (after_blank, after_character) in beam.items():
        total = after_blank + after_character
        ending_blank[prefix] += total * float(step[CTC_BLANK])
        last = prefix[-1] if prefix else CTC_BLANK
        if prefix:
            ending_character[prefix] += after_character * float(step[last])
        for number in followed:
            if number != CTC_BLANK:
                before = after_blank if number == last else total
                ending_character[*prefix, number] += before * float(step[number])
    prefixes = ending_blank.keys() | ending_character.keys()
    return {prefix: (ending_blank[prefix], ending_character[prefix]) for prefix in prefixes}
