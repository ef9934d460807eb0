"""Layout analysis: from boxes and texts of lines to reading order, headings, paragraphs, lists and tables.

Functions here are pure but for the layout model: no files, no engine, no Markdown. The package may import
`documents.pixels`, `inference` and `types`.

All lengths are pixels of the page, all coordinates those of its frame (`geometry.PageFrame`). Most thresholds
are multiples of the body height, the height of running text. A threshold without a source in its comment was
chosen by hand; `python -m benchmarks.accuracy` measures its effect.

geometry, rows, columns    level boxes, rows of boxes, columns of rows
reading_order              order and paragraphs by boxes alone, for live text
headings                   heading thresholds and paragraph starts, for live text and final Markdown
blocks                     headings, paragraphs and list items by boxes and texts, for the final Markdown
ruled_tables, tables       tables by drawn lines, and by gaps between columns
layout_model               regions that a neural network detects
page_furniture             headers, footers, page numbers and other page furniture of one page
text_joining               joined lines, list markers, letter classes
sequences                  runs of items that belong together, weighted median
"""
