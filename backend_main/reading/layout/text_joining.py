"""Text rules that depend on characters alone: joining lines, list markers, and the width of letters."""

import re

from ..languages import CJK as CJK

LETTER = r"[^\W_]"
"""Pattern of a letter or digit of any script."""

SOFT_HYPHEN = "\u00ad"
HYPHENATED = re.compile(rf"{LETTER}[-\u2010\u00ad]")

SENTENCE_ENDS = (".", "!", "?", ":", ";", "。", "！", "？", "…", "؟", "۔", "।")
CLOSING_MARKS = "\"'”’»)]›"

BULLETS = "•█●▪■◦‣○◆►∙·⁃◘◙❖➢➤▶▸▹◾◽✦★▫→⚫⚬"
"""Without check boxes and check marks, which are text."""
# A dash or an asterisk without a space after it is part of a word, a bullet never is. Symbol fonts have their
# bullets in the area for private use.
BULLET = rf"(?:[{BULLETS}\uf000-\uf0ff]\s*|[*–—-]\s+)"
"""Pattern of a bullet and the space after it."""
_BULLET = re.compile(rf"^{BULLET}(?=\S)")
_NUMBER = re.compile(r"^\d{1,3}[.)](?:\s+(?=\D)|(?=[^\s\d.,)]{2}))")
_LETTERED = re.compile(r"^(?:\((?:\d{1,3}|[a-zA-Z]|[ivx]{1,4})\)|[a-zA-Z]\)|[①-⑳])")

FIGURE_CAPTION = re.compile(
    r"(?:fig(?:ure|ura|\.)?|abb(?:ildung|\.)?|photo|image|chart|diagram|graph|map|exhibit|scheme|plate|obr\.?|"
    r"рис(?:унок|\.)?|bild|图|圖|図|그림)\s*[\d.:A-Z-]+",
    re.IGNORECASE,
)
"""Start of the caption of a figure: “Figure 3”, “Abb. 2:”."""
CAPTION = re.compile(
    r"^(?:fig(?:ure|\.)?|tab(?:le|\.)?|scheme|chart|plate|exhibit|listing|algorithm|box|abb(?:ildung|\.)?"
    r"|tabelle|figura|tabla|tableau|tabella|tabel|afbeelding|рис(?:унок|\.)?|табл(?:ица|\.)?|图|表|図)"
    rf"\s?(?:[A-Z]?\d+(?:[.-]\d+)*[a-z]?|[IVX]+)(?:\s*[.:|–—]|\s*$|\s+(?={LETTER}))",
    re.IGNORECASE,
)
"""Start of a caption: "Figure 3.", "Table 2:"."""

# “一、总则” and “第三章 税收”: sections with Chinese numbers; the line is short and not a sentence.
_CJK_SECTION = re.compile(
    r"(?:第[一二三四五六七八九十百\d]{1,4}[章节節课課编編篇]|[一二三四五六七八九十]{1,3}[、.．])"
    r"\s*\S[^。；！？!?;]{0,28}[^。；：，、！？.,:;!?]"
)

# “1.234,56 EUR”, “-12%”, “(0.01)”, “RM 4.20-”
_FIGURE = re.compile(r"[-+–(]?\s?(?:[€$£¥]|[A-Z]{2,3})?\s?-?\d[\d.,'’ ]*(?:[-–]|\s?[%)€$£¥]|\s?[A-Z]{2,3})?")

# Widths of print letters, in widths of a lower-case letter.
_NARROW = frozenset("iljtfrI.,:;'|!()[] -")
NARROW_WIDTH, CAPITAL_WIDTH, CJK_WIDTH = 0.6, 1.35, 2.0


def join_lines(text: str, line: str) -> str:
    """Append a line of the same paragraph: with a space, but without one between CJK characters.

    A hyphen at the end of `text` is removed where it divides a word, and kept in “Jean-Paul” and “2004-07”.
    """
    lines = TextJoiner()
    lines.add(text)
    lines.add(line)
    return str(lines)


class TextJoiner:
    """Lines of a text, joined one by one; each costs its own length, however long the text is."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._end = ""  # the last two letters, which alone decide how the next line is joined

    def __str__(self) -> str:
        return "".join(self._parts)

    def add(self, line: str) -> None:
        """Append a line of the same paragraph, as `join_lines` does."""
        if not self._parts or not line:
            self._append(line)
        elif HYPHENATED.fullmatch(self._end):
            if line[0].islower() or self._end[-1] == SOFT_HYPHEN:
                self._parts[-1] = self._parts[-1][:-1]
                self._end = self._end[:-1]
                self._append(line)
            else:
                self._append(*([] if line[0].isalnum() else [" "]), line)
        elif CJK.match(self._end[-1]) and CJK.match(line[0]):
            self._append(line)
        else:
            self._append(" ", line)

    def add_below(self, line: str) -> None:
        """Append a line of its own."""
        self._append(*(["\n"] if self._parts else []), line)

    def _append(self, *parts: str) -> None:
        self._parts += filter(None, parts)
        self._end = (self._end + "".join(parts))[-2:]


def ends_sentence(text: str) -> bool:
    """Return whether a text ends with a mark that ends a sentence, or a part of one."""
    return text.rstrip(CLOSING_MARKS).endswith(SENTENCE_ENDS)


def starts_lower(text: str) -> bool:
    """Return whether a text begins with a small letter."""
    return text[:1].isalpha() and text[:1].islower()


def estimated_width(text: str) -> float:
    """Estimate the printed width of a text, in widths of a lower-case letter."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if letter in _NARROW:
        return NARROW_WIDTH
    if letter.isascii():
        return CAPITAL_WIDTH if letter.isupper() or letter in "mw" else 1.0
    return CJK_WIDTH if CJK.match(letter) else 1.0


def list_marker(text: str) -> str:
    """Return the bullet or number that begins a list item, with the space after it; "" if there is none."""
    found = _BULLET.match(text) or _NUMBER.match(text)
    return found[0] if found else ""


def is_bullet(text: str) -> bool:
    """Return whether the text begins with a bullet."""
    return bool(_BULLET.match(text))


def starts_list_item(text: str) -> bool:
    """Return whether the text begins with a bullet or number of any kind, also one that Markdown lacks."""
    return bool(list_marker(text) or _LETTERED.match(text))


def is_cjk_section(text: str) -> bool:
    """Return whether a line is the heading of a section with a Chinese number."""
    return bool(_CJK_SECTION.fullmatch(text))


def is_figure(text: str) -> bool:
    """Return whether a text is a number or an amount."""
    return bool(_FIGURE.fullmatch(text))
