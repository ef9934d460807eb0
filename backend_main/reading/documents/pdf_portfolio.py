"""Files that are attached to a PDF."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ...control_characters import remove_controls

MAX_PARTS, MAX_PARTS_BYTES = 1000, 1024 * 1024 * 1024
"""Files that are extracted, and bytes of all of them."""
MAX_NAME_CHARACTERS = 100


class Part(NamedTuple):
    """An attached file. `content` is None if the file is over the limits, or could not be extracted."""

    name: str
    content: bytes | None


def read_parts(pdf: Any) -> Iterator[Part]:
    """Yield the attached files, in the order of the document."""
    bytes_left = MAX_PARTS_BYTES
    for index in range(min(pdf.count_attachments(), MAX_PARTS)):
        name, content = f"file {index + 1}", None
        try:
            attachment = pdf.get_attachment(index)
            name = _one_line(attachment.get_name()) or name
            content = bytes(attachment.get_data())
        except Exception:  # pdfium raises any exception on broken data
            yield Part(name, None)
            continue
        bytes_left -= len(content)
        yield Part(name, content if bytes_left >= 0 else None)


def _one_line(name: str) -> str:
    return " ".join(remove_controls(name).split())[:MAX_NAME_CHARACTERS].strip()
