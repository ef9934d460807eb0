"""Messages for files that scanrill rejects, and for pictures that a file contains in part.

A server checks the header of a file as the file arrives, and the reader checks it again before it decodes the
file. Both give the user these messages.
"""

from collections.abc import Sequence

from ..types import PageWarning
from ..warning_codes import WarningCode
from .image_headers import SUPPORTED, Advice, UnsupportedFormat
from .pdf_encryption import Encryption

EMPTY_FILE = "The file is empty."
_ADVICE = {
    Advice.IMAGE: "Save the image as PNG, JPEG or TIFF, and send that.",
    Advice.TEXT_DOCUMENT: "Open the file in its program, save or print it as PDF, and send that.",
    Advice.ARCHIVE: "Unpack the archive, and send the files in it.",
    Advice.OTHER: f"Supported: {SUPPORTED}.",
}
TIFF_COMPRESSIONS = {
    9: "JBIG",
    10: "JBIG",
    32947: "Kodak DCS",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34712: "JPEG 2000",
    34715: "JBIG2",
    34887: "LERC",
    34892: "lossy JPEG of DNG",
    34933: "PNG",
    34934: "JPEG XR",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
"""Compressions that Pillow's libtiff does not decode (libtiff, `tiff.h`)."""
RIGHTS_MANAGEMENT = {
    "MicrosoftIRMServices": "Microsoft rights management",
    "EBX_HANDLER": "Adobe Digital Editions",
    "Adobe.APS": "Adobe LiveCycle rights management",
    "FOPN_foweb": "FileOpen rights management",
    "FOPN_fLock": "FileOpen rights management",
}
"""Security handlers that ask a server for permission, by their names in `/Filter`."""
MAX_PORTFOLIO_FILES = 20
"""Files that a warning lists."""
XFA_PLACEHOLDER = PageWarning(
    WarningCode.XFA_FORM,
    "The PDF is an XFA form, which only Adobe's programs display. This page is a placeholder, not the "
    "document. Open it in Adobe Acrobat Reader, print it to a PDF, and send that.",
)
TIFF_SAMPLE_FORMATS = {
    1: "whole numbers",
    2: "signed numbers",
    3: "floating-point numbers",
    5: "complex numbers",
}
AVIF_NOT_INSTALLED = (
    "AVIF is not supported by the Pillow that is installed. Save the image as PNG, and send that."
)
SUPPORTED_TIFF_COMPRESSIONS = {
    *range(1, 9),
    *(32766, 32771, 32773, 32809, 32909, 32946, 34676, 34677, 34925, 50000),
}


def unsupported_format(error: UnsupportedFormat) -> str:
    """Return the message for a file of another format: what it is, and what its sender can do."""
    if error.name is None:
        return f"Unsupported file format. {_ADVICE[Advice.OTHER]}"
    return f"Unsupported file format: {error.name}. {_ADVICE[error.advice]}"


def malformed_header(format_name: str) -> str:
    """Return the message for a file that begins like `format_name` and then breaks its rules."""
    return f"Invalid {format_name} header. The file may be damaged."


def too_many_pages(max_pages: int) -> str:
    """Return the message for a file that exceeds the limit of pages."""
    return f"The file has more than {max_pages} pages, the maximum."


def too_many_pixels(width: int, height: int, max_pixels: int) -> str:
    """Return the message for a page that exceeds the limit of pixels."""
    return f"A page has more than {max_pixels} pixels, the maximum ({width} × {height})."


def broken_page(number: int) -> str:
    """Return the message for a page that cannot be decoded."""
    return f"Page {number} of the file is broken or truncated. Send the whole file again."


def unsupported_compression(number: int, compression: int) -> str | None:
    """Return the message for a page of a TIFF if its compression is the reason that it cannot be decoded."""
    if compression in SUPPORTED_TIFF_COMPRESSIONS:
        return None
    name = TIFF_COMPRESSIONS.get(compression, "an unknown method")
    return (
        f"Page {number} is compressed with {name} (TIFF compression {compression}), which is not supported. "
        "Save the TIFF with LZW or Group 4 compression, and send that."
    )


def unsupported_codec(name: str) -> str:
    """Return the message for a HEIF file whose picture is not compressed with HEVC or AV1."""
    return f"The HEIF file contains a picture with {name}, which is not supported. {_ADVICE[Advice.IMAGE]}"


def unsupported_jpeg(kind: str) -> str:
    """Return the message for a JPEG of a kind that no decoder knows."""
    return f"The JPEG has {kind}, which is not supported. Save the image as PNG, and send that."


def unsupported_bmp(number: int) -> str:
    """Return the message for a page of a BMP with a layout of pixels that Pillow does not know."""
    return f"Page {number} has pixels in a layout of BMP that is not supported. {_ADVICE[Advice.IMAGE]}"


def unsupported_samples(number: int, bits: Sequence[int], sample_format: int) -> str:
    """Return the message for a page of a TIFF with an unknown kind of pixels, by its tags 258 and 339."""
    kind = TIFF_SAMPLE_FORMATS.get(sample_format, "values of an unknown kind")
    depths = "+".join(str(depth) for depth in bits)
    return (
        f"Page {number} has pixels of {depths} bits ({kind}), in a combination that is not supported. "
        "Save the TIFF with 8 bits per color, and send that."
    )


def unreadable_pdf(encryption: Encryption | None, *, needs_password: bool) -> str:
    """Return the message for a PDF that does not open, by its encryption."""
    if encryption is None or (encryption.needs_password and not needs_password):
        return "The PDF is broken, or has no pages."
    if encryption.needs_password:
        return "The PDF is encrypted and needs a password. Save it without the password, and send that."
    if encryption.needs_certificate:
        names = ", ".join(f"“{name}”" for name in encryption.recipients)
        holders = (
            f"the holders of certificates of {names}" if names else "the holders of certain certificates"
        )
        return (
            f"The PDF is encrypted for {holders}. One of them can save it without encryption, and send that."
        )
    handler = RIGHTS_MANAGEMENT.get(encryption.handler, f"“{encryption.handler}”")
    return (
        f"The PDF is encrypted by {handler}, for the people whom its owner has given rights. "
        "One of them can save it without protection, and send that."
    )


def portfolio(contents: Sequence[str]) -> PageWarning:
    """Return the warning on the cover of a portfolio, with what became of each of its files."""
    count = len(contents)
    more = [f"{count - MAX_PORTFOLIO_FILES} more files follow."] if count > MAX_PORTFOLIO_FILES else []
    files = "one file" if count == 1 else f"{count} files"
    cover = f"The PDF is a portfolio of {files}, and page 1 is its cover."
    return PageWarning(WarningCode.PORTFOLIO, " ".join([cover, *contents[:MAX_PORTFOLIO_FILES], *more]))


def rows_missing(number: int, share: float) -> PageWarning:
    """Return the warning for a page whose picture is not all in the file."""
    percent = round(share * 100)
    amount = "less than 1 %" if percent < 1 else f"{min(percent, 99)} %"
    return PageWarning(
        WarningCode.MISSING_ROWS,
        f"The file is damaged or cut short: {amount} of the rows of page {number} are missing. "
        "Send the whole file again.",
    )


def detail_missing(number: int) -> PageWarning:
    """Return the warning for a page whose picture the file contains with less detail than intended."""
    return PageWarning(
        WarningCode.MISSING_DETAIL,
        f"The file is cut short: the picture of page {number} may lack detail, so text may be wrong. "
        "Send the whole file again.",
    )


def damaged_inside(number: int) -> PageWarning:
    """Return the warning for a page with a part whose compressed bytes are wrong."""
    return PageWarning(
        WarningCode.DAMAGED_PICTURE,
        f"The picture of page {number} is damaged, so text may be missing or wrong. "
        "Send the whole file again.",
    )


def other_images(count: str) -> PageWarning:
    """Return the warning for the first image of a file whose other images are not read."""
    message = f"The file contains {count} images; only the first was read."
    return PageWarning(WarningCode.OTHER_IMAGES, message)


def truncated_after(number: int) -> PageWarning:
    """Return the warning for the last page of a file that ends before its other pages."""
    message = f"The file is truncated after page {number}; the pages after it are lost."
    return PageWarning(WarningCode.TRUNCATED_FILE, message)
