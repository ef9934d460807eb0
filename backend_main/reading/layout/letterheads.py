"""Letterheads and company details: rows that repeat, but that a reader needs once.

They stay on the first page that has them. A running head whose words the page has elsewhere does not.
"""

import re
from collections.abc import Sequence

from .furniture_page import EdgeRow, FurniturePage, Roles
from .furniture_text import is_page_number

MIN_LETTERHEAD_ROWS = 3
"""Rows at an edge that are more than a running head."""
MIN_FOOT_DETAILS = 2
"""Kinds of company details in a foot of one or two rows; an address of a website alone is a running foot."""
MIN_WORD_LETTERS = 3
_DETAILS = tuple(
    map(
        re.compile,
        (
            r"(?<![\w.+-])[\w.+-]+@[\w-]+\.\w",
            r"\bwww\.\w|\bhttps?://",
            r"\b(?i:tel|phone|fon|telefon|telefono|téléphone|fax|mobile?|тел)\b[\s.:/]*[+(\d]"
            r"|\+\d\d[\s\d()/-]{7}",
            r"\b(?i:IBAN|BIC|SWIFT|sort code|account no)\b|\b[A-Z]{2}\d\d(?:\s?\d{4}){3}",
            r"\b(?:VAT|TVA|USt|BTW|P\.?\s?IVA|ABN|EIN|CIF|NIP|ИНН|HRB|SIRET|KvK)\b|Kamer van Koophandel"
            r"|\b(?i:(?:tax|company|registration) (?:no|number|id)|registered (?:in|office))\b",
            # Places in the USA and Canada, Great Britain, the Netherlands, and countries with five digits.
            r"\b[A-Z]{2} \d{5}\b|\b[A-Z]\d[A-Z] \d[A-Z]\d\b|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"
            r"|\b\d{4} [A-Z]{2}\b|\b\d{5} [A-Z]\w{2}|\b(?:P\.? ?O\.? ?Box|Postfach|Postbus|Box) \d",
            r"\b(?:Street|Road|Avenue|Straße|Strasse|Rue|rue|Via|Calle|Laan)\b[ \w.]* \d"
            r"|\w(?:str\.|straße|straat) ?\d"
            r"|\d \w+ (?:Street|St\.|Road|Rd\.|Avenue|Ave\.|Lane)",
            r"\b(?:GmbH|AG|Ltd|LLC|Inc|Corp|PLC|B\.V\.|N\.V\.|S\.A\.|S\.r\.l\.|SARL|ООО)(?!\w)",
        ),
    )
)
"""Addresses of mail and of the web, telephone, bank account, registers, towns, streets, companies."""


def is_letterhead(rows: Sequence[EdgeRow], *, is_top: bool) -> bool:
    """Return whether the rows are a letterhead, or the details of a company at the foot of a letter."""
    unnumbered = [row for row in rows if not row.is_page_number]
    if len(unnumbered) >= MIN_LETTERHEAD_ROWS:
        return True
    details = detail_count(" ".join(row.text for row in unnumbered))
    return details >= (1 if is_top else MIN_FOOT_DETAILS)


def detail_count(text: str) -> int:
    """Return how many kinds of company details a text has: telephone, bank account, address and others."""
    return sum(bool(pattern.search(text)) for pattern in _DETAILS)


def number_roles(row: EdgeRow) -> Roles:
    """Return the roles of the page numbers of a row whose other parts stay."""
    if not row.has_page_number:
        return {}
    return {
        box.index: "page_number" for box, text in zip(row.row, row.texts, strict=True) if is_page_number(text)
    }


def is_running_head(page: FurniturePage, row: EdgeRow) -> bool:
    """Return whether the row is in small print, or has a page number, or the page has its words elsewhere."""
    if row.has_page_number or max(page.size_ratio(box) for box in row.row) < 1:
        return True
    others = {box.index for box in row.row}
    elsewhere = {
        word for box in page.boxes if box.index not in others for word in _words(page.texts[box.index])
    }
    return set(_words(row.text)) <= elsewhere


def _words(text: str) -> list[str]:
    return [word for word in re.findall(r"[^\W\d_]+", text.casefold()) if len(word) >= MIN_WORD_LETTERS]
