"""What other programs find in a file of `wild.py`: words, ink, and decoded pictures.

pdftotext returns the words of a PDF, and pdftoppm draws the page: a word counts if there is ink in its box.
ImageMagick decodes pictures. Tesseract reads pages without a text layer, and those where scanrill and
pdftotext disagree.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

RENDER_DPI = 150
MAX_SIDE_PIXELS = 2500
POINTS_PER_INCH = 72
PROGRAM_TIMEOUT_SECONDS = 60
MIN_INK_CONTRAST = 40
"""Levels of 256 between the lightest and the darkest pixel of a box with visible text."""
MIN_INK_PIXELS = 20
MIN_TESSERACT_CONFIDENCE = 90
MIN_TESSERACT_LETTERS = 3
MIN_TESSERACT_SIDE = 1200
MAX_ENLARGEMENT = 4.0
TESSERACT_MODES = ("3", "11")
"""Page segmentation: blocks of lines, then sparse text."""
CONVERT = os.environ.get("CONVERT", "convert")
"""ImageMagick's program."""

Grey = NDArray[np.uint8]
_PAGE = re.compile(r'<page width="([\d.]+)" height="([\d.]+)">')
_WORD = re.compile(
    r'<word xMin="([-\d.]+)" yMin="([-\d.]+)" xMax="([-\d.]+)" yMax="([-\d.]+)">(.*?)</word>', re.DOTALL
)


@dataclass(frozen=True)
class PdfPage:
    """A page as poppler has it: the drawn picture, its words with ink, and its words without."""

    picture: Grey
    drawn_words: list[str]
    hidden_words: list[str]

    @property
    def has_ink(self) -> bool:
        return has_ink(self.picture)


def missing_programs() -> list[str]:
    """Return how to install the programs that are missing."""
    packages = {
        "pdftotext": "poppler-utils",
        "tesseract": "tesseract-ocr",
        CONVERT: "imagemagick",
    }
    return [
        f"{program}: install Debian's package {package}."
        for program, package in packages.items()
        if not shutil.which(program)
    ]


# ── PDFs ──


def pdf_page(path: Path, number: int) -> PdfPage | None:
    """Return a page as poppler has it; None if poppler cannot read it."""
    page = ["-f", str(number), "-l", str(number)]
    boxes = _run("pdftotext", *page, "-bbox", path, "-").decode(errors="replace")
    size = _PAGE.search(boxes)
    if size is None or not float(size[1]) or not float(size[2]):
        return None
    longer = max(float(size[1]), float(size[2]))
    dpi = min(RENDER_DPI, MAX_SIDE_PIXELS * POINTS_PER_INCH / longer)
    picture = decoded(_run("pdftoppm", *page, "-r", f"{dpi:.2f}", "-gray", path))
    if picture is None:
        return None
    drawn, hidden = list[str](), list[str]()
    for *corners, text in _WORD.findall(boxes):
        scale = picture.shape[1] / float(size[1])
        is_drawn = _has_ink_in(picture, [float(corner) * scale for corner in corners])
        (drawn if is_drawn else hidden).append(unescape(text))
    return PdfPage(picture, drawn, hidden)


def is_encrypted(path: Path) -> bool:
    """Return whether poppler calls the PDF encrypted, with or without a password to open it."""
    return bool(re.search(rb"Encrypted:\s+yes|Incorrect password", _run("pdfinfo", path, with_errors=True)))


def _has_ink_in(picture: Grey, corners: list[float]) -> bool:
    height, width = picture.shape
    left, top = max(0, int(corners[0])), max(0, int(corners[1]))
    right, bottom = min(width, int(corners[2]) + 1), min(height, int(corners[3]) + 1)
    box = picture[top:bottom, left:right]
    return bool(box.size) and int(box.max()) - int(box.min()) >= MIN_INK_CONTRAST


# ── pictures ──


def picture(path: Path, number: int) -> Grey | None:
    """Return a page of a picture file as ImageMagick or else OpenCV decodes it; None if neither can."""
    turn_and_flatten = ["-auto-orient", "-background", "white", "-alpha", "remove"]
    grey = ["-colorspace", "Gray", "-depth", "8", "-resize", f"{MAX_SIDE_PIXELS}x{MAX_SIDE_PIXELS}>"]
    found = decoded(_run(CONVERT, f"{path}[{number - 1}]", *turn_and_flatten, *grey, "pgm:-"))
    return decoded(path.read_bytes()) if found is None and number == 1 else found


def picture_format(path: Path) -> str:
    """Return the name of a picture's format by its first bytes, for the table."""
    head = path.read_bytes()[:32]
    known = {
        b"\x89PNG": "PNG",
        b"\xff\xd8": "JPEG",
        b"II*\0": "TIFF",
        b"MM\0*": "TIFF",
        b"GIF8": "GIF",
        b"BM": "BMP",
    }
    for start, name in known.items():
        if head.startswith(start):
            return name
    if head[8:12] == b"WEBP":
        return "WebP"
    return "HEIF" if head[4:8] == b"ftyp" else "another format"


def decoded(content: bytes) -> Grey | None:
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
    return None if found is None else np.asarray(found, np.uint8)


def has_ink(picture: Grey) -> bool:
    """Return whether some pixels differ visibly from the most frequent level."""
    paper = int(np.bincount(picture.ravel(), minlength=256).argmax())
    return bool(np.count_nonzero(np.abs(picture.astype(int) - paper) >= MIN_INK_CONTRAST) >= MIN_INK_PIXELS)


def similarity(one: Grey, other: Grey) -> float | None:
    """Return the correlation of two pictures of a page, without its sign; None if one is of one level.

    An inverted picture, or one with another contrast, shows the same page.
    """
    shapes = [_thumbnail(picture) for picture in (one, other)]
    if any(shape.std() < 1 for shape in shapes):
        return None
    return float(abs(np.corrcoef(shapes[0].ravel(), shapes[1].ravel())[0, 1]))


def _thumbnail(picture: Grey, side: int = 48) -> NDArray[np.float64]:
    return cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA).astype(np.float64)


# ── words in pictures ──


def tesseract_words(picture: Grey, languages: str = "eng") -> list[str]:
    """Return the words of which Tesseract is sure, in lines or else scattered; small pictures enlarged."""
    scale = min(MAX_ENLARGEMENT, max(1.0, MIN_TESSERACT_SIDE / max(picture.shape)))
    enlarged = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    _, png = cv2.imencode(".png", enlarged)
    for mode in TESSERACT_MODES:
        command = ["tesseract", "-", "-", "-l", languages, "--psm", mode, "tsv"]
        if words := _sure_words(_run(*command, stdin=png.tobytes()).decode(errors="replace")):
            return words
    return []


def _sure_words(table: str) -> list[str]:
    """Return the words of Tesseract's table above its minimum confidence."""
    words = []
    for row in table.splitlines()[1:]:
        *_, confidence, text = row.split("\t")
        letters = sum(letter.isalnum() for letter in text)
        if letters >= MIN_TESSERACT_LETTERS and float(confidence) >= MIN_TESSERACT_CONFIDENCE:
            words.append(text)
    return words


def _run(*command: str | Path, stdin: bytes = b"", with_errors: bool = False) -> bytes:
    """Return the output of a program; nothing if it fails."""
    limits = os.environ | {"OMP_THREAD_LIMIT": "1"}
    try:
        done = subprocess.run(
            command,
            input=stdin,
            env=limits,
            capture_output=True,
            timeout=PROGRAM_TIMEOUT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout + done.stderr if with_errors else done.stdout
