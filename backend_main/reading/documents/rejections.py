"""Messages for files that scanrill rejects.

A server checks the header of a file as the file arrives, and the reader checks it again before it decodes the
file. Both give the user these messages.
"""

from .image_headers import SUPPORTED

UNSUPPORTED_FORMAT = f"Unsupported file format. Supported: {SUPPORTED}."
EMPTY_FILE = "The file is empty."


def malformed_header(format_name: str) -> str:
    """Return the message for a file that begins like `format_name` and then breaks its rules."""
    return f"Invalid {format_name} header. The file may be damaged."


def too_many_pages(max_pages: int) -> str:
    """Return the message for a file that exceeds the limit of pages."""
    return f"The file has more than {max_pages} pages, the maximum."


def too_many_pixels(width: int, height: int, max_pixels: int) -> str:
    """Return the message for a page that exceeds the limit of pixels."""
    return f"A page has more than {max_pixels} pixels, the maximum ({width} × {height})."
