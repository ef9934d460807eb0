"""The documentation: hand-written pages in `pages/`, and generators of the reference in `generate/`.

`make docs` builds both into `site/`; `make lint` reports differences between them and the program.
"""
