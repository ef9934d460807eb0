"""Born-digital pages: styled text and drawing of a PDF page → Markdown, without an image of the page.

It imports documents/, layout/ and output/. Each module imports only from those below it:

assembly.py          one page: furniture, tables, figures, order, blocks → Markdown
document_context.py  what other pages of the document tell: running text, heading levels, page furniture
blocks.py            rows of a column → headings, paragraphs, list items, code, quotes
tables.py            tables by ruling lines and by alignment
figures.py           drawings and images, and the text in them
notes.py             notes of the page as quotes
formulas.py          formulas → LaTeX
markdown.py          blocks → Markdown
inline.py            pieces of words → inline Markdown: bold, italic, code, links, raised and lowered text
page.py              the page: boxes of its runs, their styles, its drawing
"""
