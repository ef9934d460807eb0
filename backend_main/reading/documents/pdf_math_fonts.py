"""Fonts for formulas: their names, and the characters of TeX's fonts, whose glyphs have no Unicode names.

The tables are TeX's encodings OMS (CMSY) and OMX (CMEX), of Donald Knuth, The TeXbook, appendix F.
"""

import re

_MATH_FONT = re.compile(
    r"^CM(?:MI|MIB|SY|BSY|EX)|^MS[AB]M|^EU[FSR]M|^RSFS|^STMARY|^LMMath|^LatinModernMath|^esint|^wasy|"
    r"Math(?:ematical)?(?:Pi|Italic|Symbols|Extension|ext|$|[-_ ]|\d)|CambriaMath|"
    r"^(?:rtx|tx|px|npx|ntx)(?:b?mi|sy|ex)|^MT(?:MI|SY|EX)|^Fourier-Math|^Euclid(?:Symbol|Extra|Math)|^EuclidMath",
    re.IGNORECASE,
)
_SYMBOLS = re.compile(r"^(?:CMB?SY|LMMathSymbols)", re.IGNORECASE)
_EXTENSION = re.compile(r"^(?:CMEX|LMMathExtension)", re.IGNORECASE)

_OMS = (
    "−·×∗÷⋄±∓⊕⊖⊗⊘⊙◯∘•≍≡⊆⊇≤≥⪯⪰∼≈⊂⊃≪≫≺≻←→↑↓↔↗↘≃⇐⇒⇑⇓⇔↖↙∝′∞∈∋△▽\u0338↦∀∃¬∅ℜℑ⊤⊥ℵ"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ∪∩⊎∧∨⊢⊣⌊⌋⌈⌉{}⟨⟩|‖↕⇕\\≀√⨿∇∫⊔⊓⊑⊒§†‡¶♣♢♡♠"
)
_OMX = (
    "()[]⌊⌋⌈⌉{}⟨⟩|‖/\\()()[]⌊⌋⌈⌉{}⟨⟩/\\()[]⌊⌋⌈⌉{}⟨⟩/\\/\\⎛⎞⎡⎤⎣⎦⎢⎥⎧⎫⎩⎭⎨⎬⎪⏐⎝⎠⎜⎟⟨⟩⨆⨆∮∮⊙⊙⊕⊕⊗⊗"
    "∑∏∫⋃⋂⨄⋀⋁∑∏∫⋃⋂⨄⋀⋁∐∐\u0302\u0302\u0302\u0303\u0303\u0303[]⌊⌋⌈⌉{}√√√√√"
)
_BRACKET_PARTS = dict(zip(map(chr, range(0xF8EB, 0xF8FF)), "⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪⎮⎞⎟⎠⎤⎥⎦⎫⎬⎭", strict=True))
"""Adobe's private characters for the parts of large brackets."""

_SYMBOL_FONT = re.compile(r"^Symbol", re.IGNORECASE)
_SYMBOL = (
    " !∀#∃%&∋()∗+,−./0123456789:;<=>?≅ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ[∴]⊥_\u203eαβχδεφγηιϕκλμνοπθρστυϖωξψζ{|}∼",
    "ϒ′≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…⏐⎯↵ℵℑℜ℘⊗⊕∅∩∪⊃⊇⊄⊂⊆∈∉∠∇®©™∏√⋅¬∧∨⇔⇐⇑⇒⇓◊⟨®©™∑⎛⎜⎝⎡⎢⎣⎧⎨⎩⎪",
    "⟩∫⌠⎮⌡⎞⎟⎠⎤⎥⎦⎫⎬⎭",
)
"""Adobe's encoding of the font Symbol, from 0x20, 0xA1 and 0xF1 on.

Windows programs write its codes as private characters from U+F000 on.
"""
_PRIVATE_SYMBOLS = {
    chr(0xF000 + first + place): letter
    for first, letters in zip((0x20, 0xA1, 0xF1), _SYMBOL, strict=True)
    for place, letter in enumerate(letters)
}


def symbol_letter(name: str, letter: str) -> str:
    """Return the character of a private one in the font Symbol; any other stays."""
    return _PRIVATE_SYMBOLS.get(letter, letter) if _SYMBOL_FONT.search(name) else letter


def is_math_font(name: str) -> bool:
    """Return whether a font is made for formulas."""
    return bool(_MATH_FONT.search(name))


def hangs(name: str, letter: str) -> bool:
    """Return whether a glyph hangs below its origin: TeX's large operators and brackets, and its roots."""
    return bool(_EXTENSION.search(name) or (letter == "√" and _SYMBOLS.search(name)))


def math_letter(name: str, letter: str, *, is_mapped: bool) -> str:
    """Return the character of a glyph in a font for formulas.

    Args:
        name: of the font.
        letter: what pdfium returns: the code in the font if the glyph has no mapping.
        is_mapped: whether the glyph has a mapping.
    """
    if letter == "\\" and _SYMBOLS.search(name):
        return "∖"
    if letter in _BRACKET_PARTS:
        return _BRACKET_PARTS[letter]
    if is_mapped and letter != "\0":
        return letter
    table = _OMX if _EXTENSION.search(name) else _OMS if _SYMBOLS.search(name) else ""
    return table[ord(letter)] if ord(letter) < len(table) else letter
