"""A file of every kind, good and bad, each with its expected end.

`python -m tests.zoo DIRECTORY` writes them.

exhibit.py  what there is to say of one
images.py   every format and colour mode;  tiff.py  TIFF byte by byte
papers.py   PDFs
strays.py   what is no scan, is broken, or is made to do harm
"""
