"""PDFs of one page, written by hand: content, resources and annotations as a test needs them."""

from PIL import Image, ImageDraw, ImageFont

from tests.file_corpus.pdfs import pdf_from_objects, stream

LETTER = (
    "This letter is a long enough piece of text",
    "to be taken from the page as it stands,",
    "Invoice number 2024-0815, dated 3 March 2024.",
)
FONT = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding{}>>"
PAGE = 5
"""Number of the page's object. Objects from 10 are free."""


def letter() -> str:
    """Return the content of a page with three lines of ordinary text at its top."""
    return text_at(60, 780, *LETTER)


def text_at(x: float, y: float, *lines: str, size: float = 11) -> str:
    """Return lines of text, from their baseline at (x, y) downwards."""
    rows = " T* ".join(f"({line}) Tj" for line in lines)
    return f"BT /F {size} Tf {1.3 * size} TL {x} {y} Td {rows} ET\n"


def drawn_page(
    content: str,
    *,
    resources: str = "",
    entries: str = "",
    catalog: str = "",
    font_entries: str = "",
    box: str = "0 0 595 842",
    more: dict[int, str | bytes] | None = None,
) -> bytes:
    """Return a PDF of one page.

    Args:
        content: operators that draw the page; `/F` is Helvetica.
        resources: entries of the resources, beside the font.
        entries: entries of the page, such as its annotations.
        catalog: entries of the catalog, such as its form.
        font_entries: entries of the font, such as `/ToUnicode 10 0 R`.
        box: media box in points.
        more: other objects by number, from 10.
    """
    objects: dict[int, str | bytes] = {
        1: f"<</Type/Catalog/Pages 2 0 R{catalog}>>",
        2: f"<</Type/Pages/Kids[{PAGE} 0 R]/Count 1>>",
        3: FONT.format(font_entries),
        4: stream(content.encode("latin-1")),
        PAGE: (
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Contents 4 0 R"
            f"/Resources<</Font<</F 3 0 R>>{resources}>>{entries}>>"
        ),
    }
    return pdf_from_objects(objects | (more or {}))


def form_object(content: str, box: str, resources: str = "/Font<</F 3 0 R>>") -> bytes:
    """Return a form object with a bounding box."""
    entries = f"/Type/XObject/Subtype/Form/BBox[{box}]/Resources<<{resources}>>"
    return stream(content.encode("latin-1"), entries)


def picture(*lines: str, ink: int = 0, paper: int = 255, size: int = 60) -> Image.Image:
    """Return a gray picture of lines of text."""
    font = ImageFont.load_default(size=size)
    width = max(int(font.getlength(line)) for line in lines) + 2 * size
    image = Image.new("L", (width, round(1.6 * size * len(lines)) + size), paper)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((size, size / 2 + number * 1.6 * size), line, fill=ink, font=font)
    return image


def image_object(image: Image.Image) -> bytes:
    """Return an image object of a gray picture."""
    entries = (
        f"/Type/XObject/Subtype/Image/Width {image.width}/Height {image.height}"
        "/ColorSpace/DeviceGray/BitsPerComponent 8"
    )
    return stream(image.tobytes(), entries)


def outlines(text: str, x: float, y: float, size: float) -> str:
    """Return letters as a filled path; each run of dark pixels of a drawn text is a rectangle."""
    image = picture(text, size=40)
    scale = size / 40
    parts = []
    for row in range(image.height):
        line = image.crop((0, row, image.width, row + 1)).tobytes()
        start = None
        for column, value in enumerate((*line, 255)):
            if value < 128 and start is None:
                start = column
            elif value >= 128 and start is not None:
                top = y - row * scale
                parts.append(
                    f"{x + start * scale:.2f} {top:.2f} {(column - start) * scale:.2f} {scale:.2f} re"
                )
                start = None
    return " ".join([*parts, "f\n"])
