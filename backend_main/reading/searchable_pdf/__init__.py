"""Searchable PDF: the original, with the text that was read as invisible text over its pages.

The original is parsed in a confined process. The writer gets the parts that it needs as messages.

document.py          the output: a PDF with an update, or pictures as pages
original_parts.py    parts of an original, as messages between the two processes
text_content.py      words at their places, as a content stream
invisible_font.py    font of the invisible text
page_geometry.py     pixels of the page image to user space; pictures as pages
pdf_writer.py        objects, table and trailer of a PDF

Parsing, in the confined process:

pdf_structure.py     page objects of a PDF, without what the update replaces
picture.py           picture of a page of an image file
picture_copies.py    JPEG, PNG and Group 4 as they are in the file
encoded_picture.py   decoded pixels as Group 4, Flate or JPEG
"""

from .document import Original, TextPage, write_searchable_pdf
from .original_parts import FetchParts, PdfParts, original_parts, receive_parts
from .picture_copies import PdfPicture

__all__ = [
    "FetchParts",
    "Original",
    "PdfParts",
    "PdfPicture",
    "TextPage",
    "original_parts",
    "receive_parts",
    "write_searchable_pdf",
]
