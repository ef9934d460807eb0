"""Profiles of model families: prompt, image size and response format.

The prompts are those of the models' own cards. Qwen-VL and unknown models get the generic prompt.
"""

from typing import NamedTuple

from .response import (
    DocTagsResponse,
    FrontMatterResponse,
    MarkdownResponse,
    ResponseParser,
)

GENERIC_PROMPT = (
    "Convert this page to Markdown: all of its text, in reading order, in the language it is written in. "
    "Headings as headings, lists as lists, tables as pipe tables. Leave out page headers, page footers and "
    "page numbers. Answer with the Markdown alone; where there is no text, with nothing."
)
OLMOCR_PROMPT = (
    "Attached is one page of a document that you must process. Just return the plain text representation of "
    "this document as if you were reading it naturally. Convert equations to LateX and tables to markdown."
)


class Profile(NamedTuple):
    """Request and response format of a model family.

    longest_side: maximum side of the image in pixels; larger pages are scaled down.
    model_names: lower-case substrings of the names of its models.
    """

    prompt: str
    longest_side: int
    response_parser: type[ResponseParser]
    model_names: tuple[str, ...] = ()


PROFILES: dict[str, Profile] = {
    "generic": Profile(GENERIC_PROMPT, 2048, MarkdownResponse),
    "deepseek-ocr": Profile("Free OCR.", 1280, MarkdownResponse, ("deepseek-ocr", "deepseekocr")),
    "glm-ocr": Profile("Text Recognition:", 2048, MarkdownResponse, ("glm-ocr", "glmocr")),
    "lightonocr": Profile("", 1540, MarkdownResponse, ("lightonocr",)),
    "got": Profile("", 1024, MarkdownResponse, ("got-ocr", "got_ocr")),
    "granite-docling": Profile(
        "Convert this page to docling.",
        1536,
        DocTagsResponse,
        ("granite-docling", "granite_docling", "smoldocling"),
    ),
    "olmocr": Profile(OLMOCR_PROMPT, 1288, FrontMatterResponse, ("olmocr",)),
    "paddleocr-vl": Profile("OCR:", 2048, MarkdownResponse, ("paddleocr-vl", "paddleocrvl")),
}


def select_profile(name: str, model: str) -> Profile:
    """Return the profile of a name, or without a known name the profile that suits the name of a model."""
    if name in PROFILES:
        return PROFILES[name]
    model = model.lower()
    for profile in PROFILES.values():
        if any(part in model for part in profile.model_names):
            return profile
    return PROFILES["generic"]
