r"""Removal of control and hidden characters from text of strangers: the one place that lists them.

A terminal obeys control characters: ESC `]52` writes to the clipboard. A bidirectional override shows
`exe.gpj` for `gpj.exe`. Characters without width hide text from people, but not from programs. So the text of
files, engines and models, and the names of files, pass through here when they enter.

Kept are a tab, a newline, and what scripts need: the joiners U+200C and U+200D (Persian, Indic scripts,
emoji), the marks U+200E, U+200F and U+061C (Hebrew and Arabic), the soft hyphen, and variation selectors. A
mark only places the punctuation beside it, and cannot turn other text around. See UAX #9, 2.1 to 2.6.
"""

import re

LINE_SEPARATORS = r"\x0b\x0c\r\x85\u2028\u2029"
"""Pattern of characters that end a line in some programs only: they become spaces."""
_CONTROLS = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
_BIDI_CONTROLS = r"\u202a-\u202e\u2066-\u2069"
# Spaces and operators without width, deprecated format characters, annotations, tags.
_HIDDEN = (
    r"\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e007f"
)
# Half of a pair, or reserved for the internal use of programs, such as ours (output/plain_text.py).
_SURROGATES = r"\ud800-\udfff"
_NONCHARACTERS = r"\ufdd0-\ufdef" + "".join(rf"\U{plane:04x}fffe\U{plane:04x}ffff" for plane in range(17))
DROPPED = _CONTROLS + _BIDI_CONTROLS + _HIDDEN + _SURROGATES + _NONCHARACTERS
"""Pattern of the characters that are removed, for a class of a regular expression."""

_LINE_SEPARATOR = re.compile(rf"[{LINE_SEPARATORS}]")
_DROPPED = re.compile(rf"[{DROPPED}]")
_UNSAFE = re.compile(rf"[{DROPPED}{LINE_SEPARATORS}]")
REPLACEMENT_CHARACTER = "\ufffd"


def remove_controls(text: str) -> str:
    """Drop control and hidden characters, and replace unusual line separators by spaces.

    Pieces of a text give the result of the whole text, except for a divided CR LF.
    """
    if text.replace("\n", "").isprintable():  # has none of them
        return text
    return _LINE_SEPARATOR.sub(" ", _DROPPED.sub("", text.replace("\r\n", "\n")))


def mark_controls(text: str) -> str:
    """Replace each control or hidden character by U+FFFD, for a log or a terminal."""
    return text if text.isprintable() else _UNSAFE.sub(REPLACEMENT_CHARACTER, text)
