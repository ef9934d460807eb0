"""Header of AVIF (AOMedia, "AV1 Image File Format"): HEIF boxes around AV1."""

import re

from .header import FileType, Format
from .heif import parse

BRANDS = (b"avif", b"avis")
BRAND_OFFSET = 8
# Programs also write the general brands of HEIF. Then the list of brands, or the type of an item, shows AV1.
_MAGIC = rb".{4}ftyp(?:avi[fs]|(?:mif1|msf1|miaf|MA1[AB])(?=.{0,1000}?(?:avi[fs]|av01)))"

FORMAT = Format(re.compile(_MAGIC, re.DOTALL), FileType("AVIF", "image/avif", "avif"), parse)
