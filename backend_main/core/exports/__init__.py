"""Exports: a finished upload, or a file that was read, as a document in one of several formats.

This package knows the results of a reading, but neither engines nor HTTP. A writer is a generator of bytes:
it reads the pages in order, a few at a time, so its memory does not grow with the document.

`formats`     registry: name of a format → media type, extension and writer
`document`    `ExportDocument`: what a writer gets, with corrections and options applied to each page
`stored`      `ExportDocument` of an upload in the database
`correction`  a person's text in the Markdown, the lines and the words of a page
`markup`      Markdown of a page → blocks with runs of text, for `html`, `docx` and `tables`
`word_boxes`  words of a line with boxes, interpolated where the engine gave none

Formats: `text` (Markdown, plain text), `page_json`, `html`, `docx`, `hocr`, `alto`, `tables` (CSV, XLSX),
`searchable_pdf`; `archive` makes one ZIP archive of many exports.
"""
