"""Judgement of `wild.py`: the outcome of a page, from what scanrill and other programs found.

A page on which scanrill and another program disagree is a suspect, because either may be wrong. A person
looks at the page and writes a verdict into `wild_verdicts.json`. A verdict that a page is right holds as
long as the disagreement does not grow; one that a page is wrong, as long as the programs disagree.
"""

import enum
import json
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

VERDICTS = Path(__file__).with_name("wild_verdicts.json")

MAX_LOST_OF_TEXT_LAYER = 0.05
MAX_LOST_OF_TESSERACT = 0.20
"""Share of the words that scanrill may lack; Tesseract misreads more of them than a text layer has wrong."""
MAX_SURPLUS = 0.15
"""Share of scanrill's words that no other program found."""
MIN_SIMILARITY = 0.8
MAX_GROWTH = 0.05
"""Growth of a disagreement after which a verdict no longer holds."""
PIECE_LETTERS = 4
"""Long words are compared in pieces, because scripts without spaces have no words."""
LONG_WORD_LETTERS = 24

_IS_ABOUT_OTHER_IMAGES = re.compile(r"only the first was read")
_MARKUP = re.compile(r"<[^>\n]{1,80}>|\\(?:[a-zA-Z]+|[!-/:-@\[-`{-~])|https?://\S+(?=\))")


class Outcome(enum.StrEnum):
    """Judgement of a page. `REFUSED` is a whole file, with a message that names the reason."""

    RIGHT = "right"
    WARNED = "wrong, with a warning"
    SILENT = "wrong, in silence"
    SUSPECT = "suspect"
    REFUSED = "refused"
    FAILED = "failed"
    UNJUDGED = "not judged"


@dataclass(frozen=True)
class PageFacts:
    """What scanrill read of a page, and what other programs found there. Empty lists: nothing found."""

    text: str
    warnings: list[str] = field(default_factory=list)
    layer_words: list[str] = field(default_factory=list)
    """Words of the text layer with ink on the page."""
    hidden_words: list[str] = field(default_factory=list)
    """Words of the text layer without ink."""
    seen_words: list[str] | None = None
    """Words that Tesseract is sure of; None: not asked."""
    has_ink: bool | None = None
    """None: no other program could draw the page."""
    similarity: float | None = None
    """Likeness of the decoded pictures; None: not compared."""

    @property
    def is_warned(self) -> bool:
        return any(not _IS_ABOUT_OTHER_IMAGES.search(warning) for warning in self.warnings)


@dataclass(frozen=True)
class Disagreement:
    """How much scanrill and the other programs differ about a page, and in what."""

    share: float
    reason: str


@dataclass(frozen=True)
class Verdict:
    """A person's judgement of a suspect. `share` is the disagreement that the person looked at."""

    is_right: bool
    share: float
    reason: str


def disagreement(facts: PageFacts) -> Disagreement | None:
    """Return the greatest difference beyond its limit; None if there is none."""
    found = [one for one in _differences(facts) if one is not None]
    return max(found, key=lambda one: one.share, default=None)


def needs_tesseract(facts: PageFacts) -> bool:
    """Return whether a second opinion is wanted: no text layer, or one that scanrill differs from."""
    return facts.has_ink is True and (not facts.layer_words or disagreement(facts) is not None)


def outcome(facts: PageFacts, verdict: Verdict | None) -> Outcome:
    differs = disagreement(facts)
    if differs is None:
        if facts.has_ink is not None:
            return Outcome.RIGHT
        if verdict is None:
            return Outcome.UNJUDGED
        differs = Disagreement(0.0, "no other program reads the page")
    if verdict is not None and not verdict.is_right:
        return Outcome.WARNED if facts.is_warned else Outcome.SILENT
    if verdict is not None and differs.share <= verdict.share + MAX_GROWTH:
        return Outcome.RIGHT
    return Outcome.WARNED if facts.is_warned else Outcome.SUSPECT


def _differences(facts: PageFacts) -> Iterable[Disagreement | None]:
    if facts.similarity is not None and facts.similarity < MIN_SIMILARITY:
        yield Disagreement(1 - facts.similarity, "another picture")
    if facts.layer_words:
        yield _lost(facts.text, facts.layer_words, MAX_LOST_OF_TEXT_LAYER, "the text layer")
        known = [*facts.layer_words, *facts.hidden_words, *(facts.seen_words or ())]
        yield _surplus(facts.text, known)
    elif facts.seen_words:
        yield _lost(facts.text, facts.seen_words, MAX_LOST_OF_TESSERACT, "Tesseract")
    elif facts.has_ink is not None and compared_words([facts.text]):
        yield Disagreement(1.0, "text where no other program finds any")


def _lost(text: str, words: Iterable[str], limit: float, source: str) -> Disagreement | None:
    compared = compared_words(words)
    squashed = _squashed(text)
    lost = [word for word in compared if not _is_in(word, squashed)]
    share = len(lost) / max(1, len(compared))
    return Disagreement(share, f"lost words of {source}: {_shown(lost)}") if share > limit else None


def _surplus(text: str, known: Iterable[str]) -> Disagreement | None:
    compared = compared_words([text])
    squashed = _squashed(" ".join(known))
    surplus = [word for word in compared if not _is_in(word, squashed)]
    share = len(surplus) / max(1, len(compared))
    return Disagreement(share, f"surplus words: {_shown(surplus)}") if share > MAX_SURPLUS else None


def _is_in(word: str, text: str) -> bool:
    """Return whether a text contains a word. Right-to-left words count in either order of letters."""
    return word in text or (unicodedata.bidirectional(word[0]) in ("R", "AL") and word[::-1] in text)


def _shown(words: list[str], count: int = 12) -> str:
    return " ".join(words[:count])


# ── words ──


def compared_words(texts: Iterable[str]) -> list[str]:
    """Return the words with two letters or digits and more; long ones in pieces."""
    found = []
    for word in unescape(_MARKUP.sub(" ", " ".join(texts))).split():
        bare = _squashed(word)
        if len(bare) > LONG_WORD_LETTERS or _is_without_spaces(bare):
            found += [bare[at : at + PIECE_LETTERS] for at in range(0, len(bare), PIECE_LETTERS)]
        elif len(bare) >= 2:
            found.append(bare)
    return found


def _squashed(text: str) -> str:
    """Return the letters and digits alone, without accents and case."""
    folded = unicodedata.normalize("NFKD", unescape(_MARKUP.sub("", text))).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


def _is_without_spaces(word: str) -> bool:
    return len(word) > PIECE_LETTERS and any("\u2e80" <= letter <= "\ufaff" for letter in word)


# ── verdicts ──


def listed_verdicts(path: Path = VERDICTS) -> dict[str, Verdict]:
    """Return the verdicts by `owner/name/path#page`."""
    return {
        page: Verdict(entry["verdict"] == "right", entry["share"], entry["reason"])
        for page, entry in json.loads(path.read_text()).items()
    }
