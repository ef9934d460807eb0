"""Texts that page furniture has: page numbers, dates and addresses of a browser, notices, watermarks."""

import re
import unicodedata

_ROMAN = r"(?=[ivxlc])(?:c{0,3})(?:xc|xl|l?x{0,3})(?:ix|iv|v?i{0,3})"
_PAGE_WORD = (
    r"page|pg\.?|p\.|seite|s\.|página|pagina|pág\.|pag\.|strona|sida|side|стр\.?|страница|第|صفحة|صفحه"
)
_OF = r"/|of|von|de|di|sur|av|van|из|z|共|من|از|\|"
_PART = r"(?:(?:[a-z]{1,2}|\d{1,2})\s?[-–]\s?)"  # “A-12”, “ES-6”, “3-14”: the part of a report
_PAGE_NUMBER = re.compile(
    rf"(?:[-–—|·•\[(~]\s*)?(?:(?:{_PAGE_WORD})\s*)?(?:{_PART}?\d{{1,4}}|{_ROMAN})"
    rf"(?:\s*[页頁]?\s*(?:{_OF})\s*\d{{1,4}})?\s*[页頁]?(?:\s*[-–—|·•\])~])?",
    re.IGNORECASE,
)
_NUMBERED_PAGE = re.compile(
    rf"(?:{_PAGE_WORD})\s*\d{{1,4}}\b.*|\d{{1,4}}\s*/\s*\d{{1,4}}|[-–—]\s*\d{{1,4}}\s*[-–—]", re.IGNORECASE
)
_NUMBER_AT_END = re.compile(
    r"(?:\d{1,4}|[ivxl]{1,7})\s*[|•·]\s*\S.*|\S.*[|•·]\s*(?:\d{1,4}|[ivxl]{1,7})"
    rf"|\S.*[,;:|•·–—-]\s*(?:{_PAGE_WORD})\s*\d{{1,4}}(?:\s*(?:{_OF})\s*\d{{1,4}})?",
    re.IGNORECASE,
)
# “11/30/26, 5:25 AM”, “30.11.2026, 05:25”, “2026-11-30 05:25”, “2026/11/30 17:25”: Chromium and Firefox.
_DATE = r"(?:\d{1,2}[./]\s?\d{1,2}[./]\s?\d{2,4}|\d{4}[-/.]\s?\d{1,2}[-/.]\s?\d{1,2}\.?)"
_TIME = r"(?:[ap]\.?m\.?\s*|[上下]午\s*)?\d{1,2}[:.]\d{2}(?:[:.]\d{2})?(?:\s*[ap]\.?\s?m\.?)?"
_PRINT_TIME = re.compile(rf"{_DATE},?\s+{_TIME}", re.IGNORECASE)
_PRINT_TIME_AT_END = re.compile(rf"(?:^|\s){_PRINT_TIME.pattern}$", re.IGNORECASE)
_COUNT = rf"\d{{1,4}}\s*(?:{_OF})\s*\d{{1,4}}"
_PAGE_COUNT = re.compile(rf"^{_COUNT}(?=\s|$)|(?:^|\s){_COUNT}$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?|file|data|blob|about|chrome|ftp):\S+(?:\s*…)?", re.IGNORECASE)
_NOTICE = re.compile(
    r"(?:this (?:article|copy|document|content|file|material) (?:was|is|has been)? ?)?"
    r"(?:downloaded|licensed|printed|accessed|retrieved|provided|distributed|heruntergeladen|téléchargé|descargado)"
    r"\s+(?:from|to|by|on|for|via|von|am|depuis|de)\b"
    r"|authorized licensed use limited to|for personal use only|this copy is for"
    r"|arxiv:\s?\d{4}\.\d{4,5}|(?:arxiv:)?[a-z-]+/\d{7}|b[io]+o?rxiv preprint|medrxiv preprint",
    re.IGNORECASE,
)
_WATERMARK = re.compile(
    r"(?:first |final |rough )?draft(?: copy| only)?|(?:strictly )?confidential|sample|specimen|preview"
    r"|(?:do not )?copy|proof|void|uncontrolled(?: copy)?|internal(?: use)?(?: only)?"
    r"|not for (?:distribution|resale|publication|release)"
    r"|entwurf|vertraulich|muster|kopie|brouillon|confidentiel|spécimen|copie|borrador|confidencial|muestra|copia"
    r"|bozza|черновик|образец|копия|草稿|样本|樣本|机密|機密|保密|内部资料|مسودة|سري",
    re.IGNORECASE,
)
MIN_PAGE_WORD_LETTERS = 4
_LEADING_NUMBER = re.compile(r"\d{1,4}\s+[^\W\d_]")
_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")


def is_page_number(text: str) -> bool:
    """Return whether the whole text is a page number, such as “17”, “- 3 -”, “xiv” or “Page 3 of 9”.

    A Roman number of capitals alone is that of a chapter.
    """
    text = text.strip()
    return bool(_PAGE_NUMBER.fullmatch(text)) and not (text.isalpha() and text.isupper())


def is_marked_page_number(text: str) -> bool:
    """Return whether the text is a page number by its own marks: “Page 3”, “3/9” or “- 3 -”, not “3”."""
    return is_page_number(text) and bool(_NUMBERED_PAGE.fullmatch(text.strip()))


def is_worded_page_number(text: str) -> bool:
    """Return whether the text is a page number with its word, such as “Page 3” or “Seite 3 von 9”."""
    return is_marked_page_number(text) and letter_count(text) >= MIN_PAGE_WORD_LETTERS


def has_barred_page_number(text: str) -> bool:
    """Return whether a page number is at an end of the text: “12 | Chapter 2”, “A letter, page 2”."""
    return bool(_NUMBER_AT_END.fullmatch(text.strip()))


def has_leading_number(text: str) -> bool:
    """Return whether the text begins with a number and a word, as running heads of left pages do."""
    return bool(_LEADING_NUMBER.match(text.strip()))


def has_print_time(text: str) -> bool:
    """Return whether a date with a time of day is at an end of the text, as a browser prints it."""
    return bool(_PRINT_TIME.match(text.strip()) or _PRINT_TIME_AT_END.search(text.strip()))


def has_address(text: str) -> bool:
    """Return whether a URL with its scheme is at an end of the text, as a browser prints it."""
    words = text.split() or [""]
    return any(map(_ADDRESS.fullmatch, (words[0], words[-1])))


def has_page_count(text: str) -> bool:
    """Return whether a number of pages such as “1/3” or “1 of 3” is at an end of the text."""
    return bool(_PAGE_COUNT.search(text.strip()))


def is_notice(text: str) -> bool:
    """Return whether the text begins like a notice of a download, a licence or a preprint server."""
    return bool(_NOTICE.match(text.strip()))


def is_watermark(text: str) -> bool:
    """Return whether the whole text is a word that watermarks consist of, such as “DRAFT”."""
    return bool(_WATERMARK.fullmatch(text.strip(" -–—*!.")))


def masked(text: str) -> str:
    """Return the text for comparisons between pages: lower case, single spaces, and `#` for each number."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_DIGITS.sub("#", folded).split())


def numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in the text."""
    return tuple(
        int(digits) for digits in _DIGITS.findall(unicodedata.normalize("NFKC", text)) if len(digits) < 10
    )


def letter_count(text: str) -> int:
    """Return the number of letters in the text."""
    return len(_LETTER.findall(text))


def letters_of(text: str) -> str:
    """Return the letters of the text in lower case."""
    return "".join(filter(str.isalpha, unicodedata.normalize("NFKC", text).casefold()))


def letters_and_digits(text: str) -> str:
    """Return the letters and digits of the text in lower case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
