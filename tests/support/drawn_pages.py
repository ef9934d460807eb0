"""Hypothesis strategy for pictures of pages: scripts, turns, sizes, modes, formats and damage.

`PageTraits` is small and prints as the call that makes it, so that a failed example can be repeated.
`draw_page` makes the file, and knows the place of each word.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from tests.file_corpus.images import png_chunk, saved

from . import language_pages, sentences
from .fonts import find_font

Coverage = npt.NDArray[np.uint8]
"""Ink of a page, from 0 to 255: (height, width)."""
Color = tuple[int, int, int]

LATIN = (
    *("NotoSans-Regular.ttf", "NotoSerif-Regular.ttf", "NotoSans-Bold.ttf"),
    *("DejaVuSans.ttf", "DejaVuSerif.ttf", "DejaVuSansMono.ttf"),
)
SANS_AND_SERIF = tuple(name for name in LATIN if "Mono" not in name)
FONTS = {
    # In fixed-width fonts ı has serifs like 1, and the marks of Vietnamese stand on each other.
    "tr": SANS_AND_SERIF,
    "vi": SANS_AND_SERIF,
    # Tesseract loses letters of large bold Greek.
    "el": ("NotoSans-Regular.ttf", "NotoSerif-Regular.ttf", "DejaVuSans.ttf"),
    "ar": ("NotoSansArabic-Regular.ttf", "NotoNaskhArabic-Regular.ttf"),
    "he": ("NotoSansHebrew-Regular.ttf",),
    "hi": ("NotoSansDevanagari-Regular.ttf",),
    "th": ("NotoSansThai-Regular.ttf",),
    "ka": ("NotoSansGeorgian-Regular.ttf",),
    "ko": ("NanumGothic.ttf", "NanumMyeongjo.ttf"),
    "ja": ("NanumGothic.ttf",),
}
"""Fonts by language; the others have `LATIN`."""
FURTHER_TEXTS = {
    # Nanum has the characters of Korean in this form, and not those that Japan has simplified.
    "ja": "北の港は 冬でも めったに凍らない 委員は 東京都で 本が三百冊 どこへ消えたのか 知らない",
    "hi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतंत्रता और समानता प्राप्त है",
    "th": "ท่าเรือ ทางเหนือ แทบไม่ เป็นน้ำแข็ง ในฤดูหนาว ห้องสมุด อยู่ริมแม่น้ำ",
    "ka": "ყველა ადამიანი იბადება თავისუფალი და თანასწორი თავისი ღირსებით",
}
LANGUAGES = (
    *("en", "de", "fr", "es", "pl", "tr", "vi", "ru", "el"),
    *("ar", "he", "hi", "ko", "ja", "th", "ka"),
)
"""Not among them: Czech, which must be requested, and Armenian, which is read as Latin with confidence."""
MIN_TEXT = {"vi": (3, 5), "th": (2, 3), "ka": (2, 3), **dict.fromkeys(("ar", "he", "hi", "ko"), (2, 2))}
"""Least numbers of lines and of words in each, by language. An engine that lacks the letters of a language
reads a word of it as another one: only a text shows the language (`lost_letters.MIN_WORDS`) or the script."""
LOOK_ALIKES = frozenset("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧονυАВЕКМНОРСТХаеорсух")
"""Letters that look like Latin ones. A page with a word of them alone is read as Latin."""
MISREAD_CAPITALS = ("Ź",)
"""Capitals that PP-OCRv6 takes for similar ones in any size (docs/decisions/0117)."""
WITHOUT_SPACES = frozenset({"ja", "th"})
"""Languages that have no spaces between words. A drawn word is a few of their letters."""
MIN_SIZE, MAX_SIZE = 18, 90
"""Size of the print in pixels. In print of 18 pixels, small letters are 10 pixels high."""
MAX_LENGTH = 12_000
"""Longer side of tall pages in pixels; WebP allows 16,383."""
MIN_SIZES = {"vi": 30}
"""Exceptions from it: the two marks on one letter of Vietnamese need the pixels."""
MIN_SIZE_ON_LARGE_PAGE = 30
"""Size of print of 7 points at 300 dpi, the smallest one on large pages."""
COLORS: dict[str, tuple[Color, Color]] = {
    "black on white": ((0, 0, 0), (255, 255, 255)),
    "white on black": ((255, 255, 255), (0, 0, 0)),
    "red on cream": ((180, 20, 20), (250, 244, 220)),
    "pale on white": ((170, 170, 170), (255, 255, 255)),
    "light on gray": ((240, 240, 240), (120, 120, 120)),
    "black on transparent": ((0, 0, 0), (0, 0, 0)),
    "white on transparent": ((255, 255, 255), (255, 255, 255)),
}
"""Ink and paper. Transparent paper has the color of the ink, so that only the opacity tells them apart."""
FORMATS = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "TIFF": ("1", "L", "P", "RGB", "RGBA", "I;16", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "GIF": ("P",),
    "BMP": ("1", "L", "P", "RGB"),
}
SHAPES = ("fitted", "tight", "tall", "wide", "large")
DAMAGES = ("noise", "specks", "blur", "quality", "cut", "metadata", "orientation")
TRANSPOSES = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}
ORIENTATIONS = {1: 6, 2: 3, 3: 8}
"""Value of the EXIF tag that undoes quarter turns counterclockwise."""
ORIENTATION_TAG = 0x0112
MAX_POOR_SIZE = 24
"""Size of the print up to which letters with accents differ in a pixel or two."""


class DrawnWord(NamedTuple):
    """Word and its place: left, top, right, bottom in pixels of the upright picture."""

    text: str
    area: tuple[float, float, float, float]


@dataclass(frozen=True)
class PageTraits:
    """All that decides how a page is drawn."""

    language: str
    font: str
    size: int
    lines: tuple[tuple[str, ...], ...]
    shape: str
    turns: int
    colors: str
    format: str
    mode: str
    damage: str | None
    seed: int

    @property
    def is_poor(self) -> bool:
        """Return whether letters of the picture lack pixels, so that a reader may take one for another."""
        return (
            self.damage in ("noise", "specks", "blur", "quality")
            or self.size <= MAX_POOR_SIZE
            or self.colors == "pale on white"
            or self.mode == "1"
        )

    @property
    def is_cut(self) -> bool:
        return self.damage == "cut"


class DrawnPage(NamedTuple):
    """File of a page, and its words."""

    content: bytes
    words: list[DrawnWord]


def words_of(language: str) -> list[str]:
    """Return words with letters or digits of a language, without repetitions."""
    if language == "en":
        text = " ".join([*sentences.SUBJECTS, *sentences.VERBS, *sentences.OBJECTS])
    else:
        _, known = language_pages.TEXTS.get(language, ((), FURTHER_TEXTS.get(language, "")))
        text = known.replace("|", "")
    return list(dict.fromkeys(word for word in text.split() if _is_readable(word)))


def _is_readable(word: str) -> bool:
    letters = {letter for letter in word if letter.isalnum()}
    has_text = any(letter.isalpha() or letter.isdecimal() for letter in letters - LOOK_ALIKES)
    return has_text and not letters.intersection(MISREAD_CAPITALS)


@st.composite
def page_traits(draw: st.DrawFn, languages: tuple[str, ...] = LANGUAGES) -> PageTraits:
    """Draw the traits of a page; half of the pages have no damage."""
    language = draw(st.sampled_from(languages))
    file_format = draw(st.sampled_from(sorted(FORMATS)))
    mode = draw(st.sampled_from(FORMATS[file_format]))
    min_lines, min_words = MIN_TEXT.get(language, (1, 1))
    words = st.lists(st.sampled_from(words_of(language)), min_size=min_words, max_size=6, unique=True)
    damage = draw(st.none() | st.sampled_from(DAMAGES))
    shape = draw(st.sampled_from(SHAPES))
    min_size = MIN_SIZE_ON_LARGE_PAGE if shape == "large" else MIN_SIZES.get(language, MIN_SIZE)
    return PageTraits(
        language=language,
        font=draw(st.sampled_from(FONTS.get(language, LATIN))),
        size=draw(st.integers(min_size, MAX_SIZE)),
        lines=tuple(map(tuple, draw(st.lists(words, min_size=min_lines, max_size=5)))),
        shape=shape,
        turns=draw(st.integers(1 if damage == "orientation" else 0, 3)),
        colors=draw(st.sampled_from([name for name in COLORS if _has_colors(mode, file_format, name)])),
        format=file_format,
        mode=mode,
        damage=damage if damage != "orientation" or file_format in ("JPEG", "TIFF", "WEBP", "PNG") else None,
        seed=draw(st.integers(0, 99)),
    )


def _has_colors(mode: str, format: str, colors: str) -> bool:
    """Return whether a picture can have the colors: transparent ones need an alpha channel."""
    if "transparent" not in colors:
        return True
    return mode in ("LA", "RGBA") or (mode, format) == ("P", "PNG")


def draw_page(traits: PageTraits) -> DrawnPage:
    """Draw a page.

    Raises:
        LookupError: the font is not installed.
    """
    font = find_font(traits.font, traits.size)
    if font is None:
        raise LookupError(traits.font)
    ink, words = _ink(traits, font)
    picture = _damaged(_colored(ink, traits), traits)
    turned = picture.transpose(TRANSPOSES[traits.turns]) if traits.turns else picture
    if traits.damage != "orientation":
        words = [_turned(word, traits.turns, picture.size) for word in words]
    return DrawnPage(_encoded(turned, traits), words)


def _ink(traits: PageTraits, font: ImageFont.FreeTypeFont) -> tuple[Image.Image, list[DrawnWord]]:
    """Return the page as ink (255) on nothing (0), and its words."""
    space, step = font.getlength(" "), round(traits.size * 1.7)
    width = max(sum(font.getlength(word) + space for word in line) for line in traits.lines)
    needed = round(width), step * len(traits.lines)
    page, (left, top) = _page_size(traits, needed)
    image = Image.new("L", page, 0)
    draw = ImageDraw.Draw(image)
    words = []
    for number, line in enumerate(traits.lines):
        x, y = float(left), top + number * step
        is_from_right = traits.language in language_pages.RIGHT_TO_LEFT
        for word in reversed(line) if is_from_right else line:
            draw.text((x, y), word, fill=255, font=font)
            words.append(DrawnWord(word, draw.textbbox((x, y), word, font=font)))
            x += font.getlength(word) + space
    return image, words


def _page_size(traits: PageTraits, needed: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the size of the page, and the place of its first line."""
    width, height = needed
    margin = round(traits.size * (0.3 if traits.shape == "tight" else 1.5))
    width, height = width + 2 * margin, height + 2 * margin
    page = {
        "tall": (width, max(height, min(10 * width, MAX_LENGTH))),
        "wide": (max(width, min(12 * height, MAX_LENGTH)), height),
        "large": (max(width, 2480), max(height, 3508)),
    }.get(traits.shape, (width, height))
    place = random.Random(traits.seed)
    return page, (
        margin + place.randint(0, page[0] - width),
        margin + place.randint(0, page[1] - height),
    )


def _colored(ink: Image.Image, traits: PageTraits) -> Image.Image:
    """Return the page in the colors and the mode of the traits."""
    color, paper = COLORS[traits.colors]
    if "transparent" in traits.colors:
        return _transparent(ink, color, traits.mode)
    share = np.asarray(ink, np.float32)[..., None] / 255
    pixels = (share * np.array(color) + (1 - share) * np.array(paper)).round().astype(np.uint8)
    image = Image.fromarray(pixels)
    if traits.mode == "1":
        is_light = np.asarray(image.convert("L")) > (sum(color) + sum(paper)) / 6
        return Image.fromarray(is_light)
    if traits.mode == "I;16":
        bits = (8, 10, 12, 16)[traits.seed % 4]
        levels = np.asarray(image.convert("L"), np.uint32)
        return Image.fromarray((levels * (2**bits - 1) // 255).astype(np.uint16))
    return image.convert(traits.mode)


def _transparent(ink: Image.Image, color: Color, mode: str) -> Image.Image:
    """Return ink on transparent paper. In a palette, each index is an opacity."""
    if mode == "P":
        image = Image.fromarray(np.asarray(ink)).convert("P")
        image.putpalette(color * 256)
        image.info["transparency"] = bytes(range(256))
        return image
    image = Image.new("RGB", ink.size, color)
    image.putalpha(ink)
    return image.convert(mode)


def _damaged(image: Image.Image, traits: PageTraits) -> Image.Image:
    """Return the picture with damaged pixels. Modes whose pixels are not levels stay whole."""
    if image.mode not in ("L", "RGB", "CMYK"):
        return image
    values = np.random.default_rng(traits.seed)
    pixels = np.asarray(image).astype(np.int16)
    if traits.damage == "blur":
        return image.filter(ImageFilter.GaussianBlur(traits.size / 30))
    if traits.damage == "noise":
        pixels += values.normal(0, 12, pixels.shape).round().astype(np.int16)
    elif traits.damage == "specks":
        pixels[values.random(pixels.shape[:2]) < 0.002] = values.choice([0, 255])
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8), image.mode)


def _turned(word: DrawnWord, turns: int, size: tuple[int, int]) -> DrawnWord:
    """Return a word after quarter turns of the page counterclockwise."""
    (left, top, right, bottom), (width, height) = word.area, size
    areas = (
        word.area,
        (top, width - right, bottom, width - left),
        (width - right, height - bottom, width - left, height - top),
        (height - bottom, left, height - top, right),
    )
    return DrawnWord(word.text, areas[turns])


def _encoded(image: Image.Image, traits: PageTraits) -> bytes:
    """Return the file, with damage to its bytes."""
    options: dict[str, object] = {}
    if traits.damage == "orientation":
        exif = Image.Exif()
        exif[ORIENTATION_TAG] = ORIENTATIONS[traits.turns]
        options["exif"] = exif
    if traits.format in ("JPEG", "WEBP"):
        options["quality"] = 25 if traits.damage == "quality" else 90
    if "transparency" in image.info:
        options["transparency"] = image.info["transparency"]
    if traits.format == "TIFF" and traits.seed % 2:
        options["compression"] = "tiff_lzw"
    content = saved(image, traits.format, **options)
    if traits.damage == "cut":
        return content[: round(len(content) * (0.4 + traits.seed % 10 * 0.06))]
    return _with_bad_metadata(content, traits.format) if traits.damage == "metadata" else content


def _with_bad_metadata(content: bytes, format: str) -> bytes:
    """Return a file with metadata that break the rules of their format."""
    if format == "PNG":
        chunk = png_chunk(b"pHYs", bytes(9))[:-4] + b"\0\1\2\3"
        header_end = content.index(b"IDAT") - 4
        return content[:header_end] + chunk + content[header_end:]
    if format == "JPEG":
        # One entry, whose value lies beyond the block.
        exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\xff\0\0\0\xff\xff\0\0\0\0\0\0"
        return content[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + content[2:]
    return content + bytes(16)
