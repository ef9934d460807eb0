"""Documents: from an uploaded file to page images and text layers, within limits.

Pillow, libtiff and pdfium decode untrusted bytes here, so the server runs this package only in the engine
process; `image_headers` and `rejections` are what the server process uses. The package may import `types`,
`errors` and `page_ranges`.

image_headers     type, size and page count of a file, by a bounded parser
document          a file's pages, decoded one by one; open_document keeps the last one open
pixels            an image in any color mode to upright BGR pixels
pdf_text_layer    the text of a PDF page, if it can be trusted
pdf_objects       the objects of a PDF page: texts, paths, images
pdf_graphics      what a PDF page draws beside its text
pdf_characters    the glyphs of a PDF page
pdf_text_objects  size, rotation, font and color of glyphs
pdf_lines         glyphs to lines
pdf_words         glyphs of a line to words
pdf_bidi          logical order of right-to-left lines
page_jpeg         a page as JPEG
rejections        messages for files that are not accepted
"""
