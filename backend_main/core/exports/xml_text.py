"""Text of XML files."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape, quoteattr

# XML 1.0, 2.2: every other character makes a file invalid, however it is written.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_invalid(text: str) -> str:
    """Return a text without the characters that XML cannot have."""
    return _NOT_XML.sub("", text)


def xml_text(text: str) -> str:
    """Return a text for the content of an element."""
    return escape(without_invalid(text))


def xml_attributes(**values: object) -> str:
    """Return attributes, each after a space. Those that are None are left out."""
    return "".join(
        f" {name}={quoteattr(without_invalid(str(value)))}"
        for name, value in values.items()
        if value is not None
    )
