"""Layout analysis: from boxes and texts of lines to reading order, headings, paragraphs, lists and tables.

Functions here are pure but for the layout model: no files, no engine, no Markdown. The package may import
`documents.pixels`, `inference` and `types`.

All lengths are pixels of the page, all coordinates those of its frame (`geometry.PageFrame`). Most thresholds
are multiples of the body height, the height of running text. A threshold without a source in its comment was
chosen by hand; `python -m benchmarks.accuracy` measures its effect.

geometry, rows, columns    level boxes, rows of boxes, columns of rows; column_sides: two groups side by side
displacement               a polynomial that makes the lines of a curled page level
side_blocks                addresses and slips side by side
short_lines                lines that stay lines: addresses, and names that end at one edge
check_boxes, overprint     drawn check boxes; lines in color across others
formula_clusters           texts that are one displayed formula
reading_order              order and paragraphs by boxes alone, for live text
headings, print_styles     heading thresholds and paragraph starts; bold and colored print
blocks                     headings, paragraphs and list items by boxes and texts, for the final Markdown
cells                      rows and columns that a cell spans
ruled_tables, rule_stacks  tables by drawn lines: grids, and horizontal lines alone
tables, aligned_tables     tables by gaps between columns, and by alignment alone
layout_model               regions that a neural network detects
page_furniture             headers, footers, page numbers and other page furniture that one page shows
document_furniture         page furniture that repeats on other pages; row_comparison compares the rows of
                           furniture_page, and furniture_history has the pages that were recognized so far
body_rows, letterheads     rows near the edges of pages that are text, and heads of letters
furniture_text             texts of page furniture: page numbers, dates, notices
line_numbers               numbers beside lines
text_joining               joined lines, list markers, letter classes
sequences                  runs of items that belong together, weighted median
"""
