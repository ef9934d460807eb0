"""Step 10 - what each family of models is asked, the size of picture it is made for, and how it answers.

The prompts are those of the models' own cards; Qwen-VL and what is not known here are asked in plain words.
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
OLMOCR = (
    "Attached is one page of a document that you must process. Just return the plain text representation of "
    "this document as if you were reading it naturally. Convert equations to LateX and tables to markdown."
)


class Profile(NamedTuple):
    """`longest_side` is in pixels; larger pages are made smaller, smaller ones stay."""

    prompt: str
    longest_side: int
    response_parser: type[ResponseParser]
    models: tuple[str, ...] = ()
    """What stands in the names of the models that it is for."""


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
    "olmocr": Profile(OLMOCR, 1288, FrontMatterResponse, ("olmocr",)),
    "paddleocr-vl": Profile("OCR:", 2048, MarkdownResponse, ("paddleocr-vl", "paddleocrvl")),
}


def select_profile(name: str, model: str) -> Profile:
    """The profile, or without a name that of the model, which its own name gives away."""
    if name in PROFILES:
        return PROFILES[name]
    lower = model.lower()
    return next((p for p in PROFILES.values() if any(m in lower for m in p.models)), PROFILES["generic"])
