"""Documents: from an uploaded file to page images and text layers, within limits.

Pillow, libtiff and pdfium decode untrusted bytes here, so the server runs this package only in the engine
process; `image_headers` and `rejections` are what the server process uses. The package may import `types`,
`errors` and `page_ranges`.

image_headers      type, size and page count of a file, by a bounded parser
rejections         messages for files that are not accepted, or not complete
document           a file's pages, decoded one by one; open_document keeps the last one open
base               Document and PageImage
source_file        a file by its path or its descriptor
portfolio          a PDF portfolio with its files as one document
picture_file       the pictures in an image file
large_pictures     large pictures in color, decoded in strips
picture_parts      the parts of an image file that draw the picture
picture_recovery   the picture in a damaged file, as far as it goes
pdf_encryption     by whom and for whom a PDF is encrypted
pdf_containers     XFA forms and portfolios
page_jpeg          a page as JPEG
pixels             an image in any color mode to upright BGR pixels
ink_levels         ink and paper of a picture, from its numbers and its opacity
library_messages   what C libraries print

The text layer of a PDF page:

pdf_pages          pages of a PDF with their annotations, and with their fields and stamps drawn
pdf_index          pages that are empty because the index of their PDF is wrong
pdf_annotations    form fields, stamps and notes
pdf_text_layer     the text of a PDF page, and what is beside it
turned_page        a page whose text is rotated, in the frame of its text
pdf_lines          glyphs to lines; pdf_accents, pdf_ruby and pdf_vertical: accents drawn over letters,
                   furigana, vertical text
pdf_drop_caps      large first letters before their lines
pdf_glyph_lines    glyphs on one baseline
pdf_words          glyphs of a line to words; pdf_logos levels the letters of logos
pdf_bidi           logical order of right-to-left lines
pdf_characters     the glyphs of a PDF page; pdf_copies drops those that are drawn twice
pdf_text_objects   size, rotation, font and color of glyphs
pdf_fonts          styles of fonts; pdf_math_fonts: fonts for formulas
pdf_links          addresses of glyphs
pdf_glyph          a glyph
styled_text        pieces of words with their style
pdf_structure      headings and quotes by the structure tree
pdf_graphics       what a PDF page draws beside its text
pdf_objects        the objects of a PDF page: texts, paths, images

The comparison of a text layer with the page:

pdf_visibility     glyphs that nobody sees
unread_areas       parts of a page that look like text and are not in its text layer
text_like_areas    rows of shapes like letters in an image
pdf_rendering      a page as pixels, with and without its text
glyph_outlines     outlines that are not those of the letters
text_plausibility  letters that form no words, by the tables of letter_pairs and base_letters
"""
