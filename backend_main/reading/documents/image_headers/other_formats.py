"""Formats that scanrill does not read, by their first bytes, so that a message can name them.

The magic bytes are those of `file` (https://github.com/file/file/tree/master/magic/Magdir).
"""

import re

from .header import Advice, Data

START_BYTES, END_BYTES = 4096, 65_536
"""Parts of a file that are searched. The names in a ZIP archive are listed at its end."""


_FORMATS = (
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL", Advice.IMAGE),
    (rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ", "JPEG 2000", Advice.IMAGE),
    (rb"(?:II|MM)\xbc\x01?", "JPEG XR", Advice.IMAGE),
    (rb"8BPS\0[\x01\x02]", "Photoshop (PSD)", Advice.IMAGE),
    (rb"AT&TFORM", "DjVu", Advice.TEXT_DOCUMENT),
    (rb"\0\0[\x01\x02]\0[\x01-\xff]\0", "Windows icon (ICO)", Advice.IMAGE),
    (rb"\x97JB2\r\n\x1a\n", "JBIG2", Advice.IMAGE),
    (rb"\x76\x2f\x31\x01", "OpenEXR", Advice.IMAGE),
    (rb"P[1-7][\s]", "Netpbm (PBM, PGM, PPM, PAM)", Advice.IMAGE),
    (rb"qoif", "QOI", Advice.IMAGE),
    (rb"gimp xcf ", "GIMP (XCF)", Advice.IMAGE),
    (rb"\x0a[\x00-\x05]\x01[\x01\x02\x04\x08]", "PCX", Advice.IMAGE),
    (rb"SIMPLE  =", "FITS", Advice.IMAGE),
    (rb".{128}DICM", "DICOM", Advice.IMAGE),
    (rb".{40} EMF|\xd7\xcd\xc6\x9a", "Windows metafile", Advice.IMAGE),
    (rb"FUJIFILMCCD-RAW|\0MRM|IIRO|IIU\0", "camera raw", Advice.IMAGE),
    (rb"%!PS|\x04%!PS|\xc5\xd0\xd3\xc6", "PostScript", Advice.TEXT_DOCUMENT),
    (rb"\{\\rtf", "Rich Text (RTF)", Advice.TEXT_DOCUMENT),
    (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Microsoft Office 97 (DOC, XLS, PPT, MSG)", Advice.TEXT_DOCUMENT),
    (rb".{60}BOOKMOBI", "Mobipocket e-book", Advice.TEXT_DOCUMENT),
    (rb"ITSF", "Windows help (CHM)", Advice.TEXT_DOCUMENT),
    (rb"7z\xbc\xaf\x27\x1c", "7-Zip archive", Advice.ARCHIVE),
    (rb"Rar!\x1a\x07", "RAR archive", Advice.ARCHIVE),
    (rb"\x1f\x8b\x08", "gzip archive", Advice.ARCHIVE),
    (rb"BZh[1-9]", "bzip2 archive", Advice.ARCHIVE),
    (rb"\xfd7zXZ\0", "xz archive", Advice.ARCHIVE),
    (rb"\x28\xb5\x2f\xfd", "Zstandard archive", Advice.ARCHIVE),
    (rb".{257}ustar", "tar archive", Advice.ARCHIVE),
    (rb".{4}ftyp(?:heic|heix|mif1)", "HEIF", Advice.IMAGE),
    (rb".{4}ftypcrx ", "camera raw", Advice.IMAGE),
    (rb".{4}ftyp(?:M4A|M4B)|ID3|OggS|fLaC|RIFF.{4}WAVE", "sound", Advice.OTHER),
    (rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", "video", Advice.OTHER),
    (rb"\x7fELF|MZ[\0-\xff]{58}|\xcf\xfa\xed\xfe", "program", Advice.OTHER),
)
_PATTERNS = [(re.compile(magic, re.DOTALL), name, advice) for magic, name, advice in _FORMATS]
_ZIP_MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
_ZIPPED_DOCUMENTS = (
    (rb"word/document", "Word (DOCX)"),
    (rb"xl/workbook", "Excel (XLSX)"),
    (rb"ppt/presentation", "PowerPoint (PPTX)"),
    (rb"application/epub\+zip", "EPUB"),
    (rb"application/vnd\.oasis\.opendocument", "OpenDocument (ODT, ODS, ODP)"),
    (rb"FixedDocSeq|FixedDocumentSequence", "XPS"),
    (rb"Index/Document\.iwa", "Apple iWork"),
)
_MARKUP = (
    (rb"<svg[\s>]", "SVG", Advice.IMAGE),
    (rb"<!doctype html|<html[\s>]", "HTML", Advice.TEXT_DOCUMENT),
    (rb"<FictionBook", "FictionBook", Advice.TEXT_DOCUMENT),
    (rb"^\s*<\?xml", "XML", Advice.TEXT_DOCUMENT),
)


def name_format(data: Data) -> tuple[str | None, Advice]:
    """Return the name of a format that is not supported, and the kind of its files; None: it is not known."""
    start = data[:START_BYTES]
    if start.startswith(_ZIP_MAGIC):
        return _name_zip(start + data[-END_BYTES:])
    for pattern, name, advice in _PATTERNS:
        if pattern.match(start):
            return name, advice
    return _name_text(start)


def _name_zip(content: bytes) -> tuple[str, Advice]:
    for pattern, name in _ZIPPED_DOCUMENTS:
        if re.search(pattern, content):
            return name, Advice.TEXT_DOCUMENT
    return "ZIP archive", Advice.ARCHIVE


def _name_text(start: bytes) -> tuple[str | None, Advice]:
    for pattern, name, advice in _MARKUP:
        if re.search(pattern, start, re.IGNORECASE):
            return name, advice
    text = start.removeprefix(b"\xef\xbb\xbf")
    if start.startswith((b"\xff\xfe", b"\xfe\xff")) or (
        text and not re.search(rb"[\0-\x08\x0e-\x1a\x7f]", text)
    ):
        return "plain text", Advice.TEXT_DOCUMENT
    return None, Advice.OTHER
