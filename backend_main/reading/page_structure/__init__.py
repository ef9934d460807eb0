"""Structure of a finished page: its blocks, and the place of each line in its Markdown.

Each module imports only from those below it:

structured_page.py   Markdown, lines and the assembly's blocks → blocks with lines and boxes, lines with spans
furniture_blocks.py  blocks of page furniture that the Markdown leaves out
line_spans.py        lines of a block → their places in its Markdown
markdown_blocks.py   Markdown → blocks, for pages without blocks of an assembly
table_cells.py       Markdown of a table → its cells
markdown_letters.py  letters that Markdown shows, with their places
"""
