"""Born-digital pages: styled text and drawing of a PDF page → Markdown, without an image of the page.

It imports documents/, layout/ and output/. Each module imports only from those below it:

rotations.py         blocks of text in several rotations, each assembled in its own frame
assembly.py          one page: furniture, order, blocks → Markdown
document_context.py  what other pages of the document show: running text, heading levels, page furniture
page_order.py        everything on a page in its order: columns, tables, figures, formulas, frames
captions.py          captions → their figures
order.py             boxes → columns in reading order
side_blocks.py       short lines side by side: blocks of their own, or rows; side_texts.py: labels, figures
frames.py            boxed text
page_flow.py         columns → blocks in order: paragraphs that go on, footnotes last
column_blocks.py     lines of a column → headings, paragraphs, list items, code, quotes
headings.py          which lines are a heading, and at which level
lists.py, quotes.py, code_blocks.py, contents.py, footnotes.py   the other kinds of blocks
flow.py              edges and distances of lines; which lines are a paragraph
lines.py             runs → lines
document_profile.py  style of running text, levels of heading styles, words of the document
tags.py              headings and quotes by the structure tree of the file
numbering.py         section numbers and list markers
blocks.py            blocks
tables.py            tables of a page: grids, then regions with level lines, then text in columns
table_blocks.py      tables without lines
table_sides.py       tables without lines side by side
table_regions.py     tables with level lines or stripes, and with upright lines alone
table_grids.py       tables in a grid of lines; table_refining.py corrects them by their text
table_text.py        lines of text → a table, or not; by table_rows.py and table_columns.py
table_drawing.py     the order in which a table is drawn, as evidence of rows and of columns of text
table_heads.py       heads above lines that consist of the borders of cells
table_centered.py    tables whose cells are centered in their rows; table_text_cells.py has their cells
table_terms.py       tables of terms and definitions, by the order of the content
table_captions.py    captions and notes in the frame of a table
table_markdown.py    cells → a pipe table or an HTML table
table_rules.py       ruling lines from their pieces, and grids
table_words.py       words and lines with exact bounds
strikethrough.py     words with a line through them
crossing_rules.py    upright lines through words, which divide no columns
figures.py           drawings and images, and which text is in them
figure_labels.py     text in a figure, a line for each label
notes.py             notes of the page as quotes
markdown.py          blocks → Markdown
inline.py            pieces of words → inline Markdown: bold, italic, code, links, raised and lowered text
joined_rows.py       rows of a paragraph → one line: divided words, text without spaces
inline_fractions.py  fractions in running text
matrices.py          matrices and case distinctions in lines
formulas.py          displayed formulas → LaTeX; formula_layout.py composes them by the places of parts
formula_share.py     how much of a page is formulas that are not LaTeX
formula_spans.py     formulas in running text; formula_elements.py finds their words and signs
formula_latex.py     LaTeX of the characters of a formula
page.py              the page: boxes of its runs, their styles, its drawing
"""
