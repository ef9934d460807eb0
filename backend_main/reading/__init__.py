"""OCR in pure Python: a file → page images → lines → Markdown.

Modules here import neither Django nor the server, and raise subclasses of ReadingError. Other programs import
the package `scanrill`, which accepts more kinds of sources. Each module imports only from those below it:

child_process/        an engine in a child process, which may crash, hang or leak
searchable_pdf/       a PDF with the text that was read, invisible, over the original pages
pipeline.py           all pages of a file: text layer or engine
page_reader.py        one page: streamed lines, final text, warnings
text_layer_reader.py  one page with a text layer, and what the text layer lacks
unread_text.py        recognition of the parts of a page that its text layer lacks
text_layer_check.py   comparison of a text layer with some recognized lines
unread_ink.py         ink that no line covers, read again or named in a warning
ink_account.py        ink of a page, and rows like text that no line covers
lost_letters.py       lines in a language of which the engine lacks letters
small_print.py        print that is too small to be read for certain
likely_words.py       likely words in place of unsure ones, on a page in English
other_script_words.py words in another script, in lines that are read otherwise
other_scripts.py      lines in another script, read by an engine for it
script_readings.py    pieces of a page as engines for other scripts read them
line_sheet.py         some lines of a page as one image
warning_boxes.py      boxes of warnings, limited in number
warning_texts.py      warnings about scripts, languages and letters
barcodes.py           barcodes of a page as blocks, where the options ask for them
formula_pages.py      the engine `vision`, for pages that are mostly formulas
recognized_formulas.py   how much of a recognized page is formulas
fallback.py           another engine, for a page that the first one cannot read
document_text.py      plain text of all pages, with paragraphs joined over page breaks
page_assembly.py      lines of a recognized page → final Markdown and plain text
layout_page.py        boxes of a recognized page, and the tables, figures and side blocks among them
born_digital/         text layer and drawing of a PDF page → final Markdown and plain text
confidence.py         detection of text that the engine cannot read
engines/              page image → lines: the interface, the registry, four engines, loading when needed
page_structure/       final Markdown and lines → blocks of the page, places of lines in the Markdown
output/               blocks → Markdown; Markdown → plain text
layout/               boxes → reading order, columns, tables, headings
documents/            file → page images, within limits
inference.py          ONNX Runtime and OpenVINO behind one interface
words.py              words of a line: places, boxes, changes of the text
page_ranges.py        page selection such as `1-3,7`
english_words.py      words of English
character_sets.py     languages that a set of characters can write
languages.py          language codes and scripts
types.py              events, warnings and options
warning_codes.py      codes of warnings
errors.py             the tree of errors

Where to make a change:

add an engine                        engines/ and an entry point in `pyproject.toml`; `engines/base.py` is the
                                     interface
accept another file format           documents/image_headers/, documents/document.py
headers, footers and page numbers    layout/page_furniture.py, document_furniture.py (which lines);
                                     page_assembly.py, born_digital/assembly.py (which output)
hyphens at line ends                 layout/text_joining.py; born_digital/joined_rows.py, for text layers
orientation of a page                documents/pixels.py (EXIF), engines/rapid/orientation.py (by the text)
turned words on an upright page      engines/rapid/turned_words.py
turned blocks of a text layer        documents/turned_blocks.py, born_digital/rotations.py
stamps across text                   engines/rapid/overprint.py; layout/overprint.py
check boxes                          layout/check_boxes.py; documents/pdf_annotations.py, for text layers
heading thresholds                   layout/headings.py; born_digital/headings.py and document_profile.py
tables                               layout/tables.py and its neighbours; born_digital/tables.py
addresses and slips side by side     layout/side_blocks.py, column_sides.py; lines that stay: short_lines.py
curled pages                         engines/rapid/curl.py (reading), layout/displacement.py, geometry.py
text layers: letters, words, lines   documents/pdf_characters.py, pdf_words.py, pdf_lines.py
order of columns                     layout/columns.py; born_digital/order.py, side_blocks.py
lists, quotes, code, footnotes       layout/blocks.py; born_digital/ has a module for each
formulas                             born_digital/formulas.py, formula_spans.py; output/latex.py
bold, italic, links, `<sup>`         born_digital/inline.py; documents/pdf_links.py
text layers: what is left out        documents/pdf_visibility.py
text layers: what is recognized      documents/unread_areas.py, text_layer_reader.py
text layers: form fields and notes   documents/pdf_annotations.py, born_digital/notes.py
blocks and places of lines           page_structure/; output/formatted_page.py (which lines a block has)
Markdown of tables                   output/tables.py; web/src/text/ shows it on the web page
another engine for unreadable pages  fallback.py; confidence.py (when a page counts as unreadable)
another engine for some lines        other_scripts.py, lost_letters.py
another engine for some words        engines/rapid/unread_words.py (which), other_script_words.py
misread words                        engines/rapid/unsure_words.py (which), likely_words.py (whether)
another engine for formulas          formula_pages.py; born_digital/formula_share.py, recognized_formulas.py
languages of an engine               character_sets.py, engines/rapid/letters.py
warnings                             warning_codes.py, and the module that finds the fault; `Engine.warnings`
"""

from .child_process.engine_pool import EngineProcessPool
from .child_process.engine_process import EngineProcess
from .documents.document import PageImage
from .engines import Engine, PageFailed, PageRestarted, known_engines, load_engine
from .engines.info import EngineInfo, engine_info
from .errors import (
    Cancelled,
    EngineCrashed,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    NoSuchPage,
    PasswordNeeded,
    ReadingError,
    UnknownEngine,
    UnreadableFile,
    UnsupportedOption,
)
from .output.markdown import MarkdownWriter
from .pipeline import read
from .types import (
    SCHEMA_VERSION,
    BatchedEvent,
    Block,
    BlockType,
    Box,
    Line,
    LinesRead,
    Options,
    PageDone,
    PageStarted,
    PageWarning,
    ReadEvent,
    TableCell,
    Word,
)
from .warning_codes import WarningCode

__all__ = [
    "SCHEMA_VERSION",
    "BatchedEvent",
    "Block",
    "BlockType",
    "Box",
    "Cancelled",
    "Engine",
    "EngineCrashed",
    "EngineFailed",
    "EngineInfo",
    "EngineProcess",
    "EngineProcessPool",
    "EngineTimeout",
    "EngineUnavailable",
    "Line",
    "LinesRead",
    "MarkdownWriter",
    "NoSuchPage",
    "Options",
    "PageDone",
    "PageFailed",
    "PageImage",
    "PageRestarted",
    "PageStarted",
    "PageWarning",
    "PasswordNeeded",
    "ReadEvent",
    "ReadingError",
    "TableCell",
    "UnknownEngine",
    "UnreadableFile",
    "UnsupportedOption",
    "WarningCode",
    "Word",
    "engine_info",
    "known_engines",
    "load_engine",
    "read",
]
