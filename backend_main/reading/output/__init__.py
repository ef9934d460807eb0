"""Output formats: Markdown of lines and blocks, and plain text of Markdown.

Functions here are pure: text in, text out. The package may import `layout`, for `Block` and the rules for
joining lines.

markdown        lines and blocks → Markdown
tables          cells → a pipe table or an HTML table
escaping        characters that Markdown or HTML would interpret
latex           formulas in Markdown, and their readable text
plain_text      Markdown → plain text
formatted_page  final text of a page
"""
