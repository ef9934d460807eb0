"""The documentation: `pages/` is written by hand, `generate/` writes the reference from the code.

`make docs` builds both into `site/`; `make lint` says where they and the program differ.
"""
