"""Output formats: Markdown of lines and blocks, and plain text of Markdown.

Functions here are pure: text in, text out. The package may import `layout`, for `Block` and the rules for
joining lines.
"""
