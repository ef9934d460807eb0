"""Tags and bookmarks of a PDF: the headings that they name, and where they are not believed."""

from dataclasses import replace

from backend_main.reading.born_digital.assembly import DigitalAssembly
from backend_main.reading.born_digital.document_context import DocumentContext
from backend_main.reading.documents.pdf_structure import PageTags, TaggedArea

from .drawn_text import ITALIC, LEFT, PROSE, RIGHT, SIZE, DrawnPage

EVERYWHERE = (0.0, 0.0, 1650.0, 2200.0)


def markdown_of(page: DrawnPage, *areas: TaggedArea, bookmarks: tuple[tuple[str, int], ...] = ()) -> str:
    layer = replace(page.layer(), tags=PageTags(areas))
    context = DocumentContext(1, lambda number: layer, lambda: bookmarks)
    return DigitalAssembly(layer, 1, context).formatted().markdown


def area_of_last_line(page: DrawnPage, tag: str) -> TaggedArea:
    return TaggedArea(tag, (LEFT, page.y - SIZE, RIGHT, page.y + SIZE / 4))


def test_tagged_heading_that_looks_like_text_is_one() -> None:
    page = DrawnPage().paragraph(PROSE).line("The harbour", gap=1)
    area = area_of_last_line(page, "H4")
    assert "\n\n#### The harbour\n\n" in markdown_of(page.paragraph(PROSE), area)


def test_tag_gives_its_level_to_the_style_of_other_headings() -> None:
    page = DrawnPage().line("Harbours", size=60)
    area = area_of_last_line(page, "H2")
    page.paragraph(PROSE).line("Rivers", size=60, gap=1).paragraph(PROSE)
    text = markdown_of(page, area)
    assert text.startswith("## Harbours\n")
    assert "\n## Rivers\n" in text


def test_lines_of_two_tagged_headings_are_not_joined() -> None:
    page = DrawnPage().line("Survey", size=60)
    first = area_of_last_line(page, "H1")
    page.line("Harbours", size=60)
    second = area_of_last_line(page, "H1")
    assert markdown_of(page.paragraph(PROSE), first, second).startswith("# Survey\n\n# Harbours\n\n")


def test_page_that_is_tagged_as_headings_has_none() -> None:
    page = DrawnPage().paragraph(PROSE).paragraph(PROSE)
    assert "#" not in markdown_of(page, TaggedArea("H1", EVERYWHERE))


def test_tagged_quote_is_one() -> None:
    page = DrawnPage().paragraph(PROSE).line("All is well.", gap=1)
    area = area_of_last_line(page, "BlockQuote")
    assert "\n\n> All is well.\n\n" in markdown_of(page.paragraph(PROSE), area)


def test_bookmark_makes_an_italic_line_a_heading() -> None:
    page = DrawnPage().paragraph(PROSE).line("2 The harbour", font=ITALIC, gap=1).paragraph(PROSE)
    assert "\n\n## 2 The harbour\n\n" in markdown_of(page, bookmarks=(("The harbour", 0),))
    assert "#" not in markdown_of(page.paragraph(PROSE), bookmarks=(("The river", 0),))
