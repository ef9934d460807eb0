"""Descriptions that the reference cannot take from the code: requests, messages, fields, routes and errors.

`docs.check` reports every request, message, field, route and error without a description, and every
description of a field that does not exist.
"""

REQUESTS = {
    "subscribe": "Requests an acknowledgement, which has no `type`. A connection receives the events of its uploads from the moment it "
    "is open, so a client that needs nothing else need not send this. With `stream` or `since` the client opts in to more: the "
    "acknowledgement then has a `type` and a `cursor`, and so has every later event.",
    "create": "Sends a file and has it read. One of the three image fields is enough; the first one present counts, in the order of the "
    'table. The same bytes a second time are the same upload: the reply has `"duplicate": true`, and the server reads the upload again '
    "only if it ended in `error` or `cancelled`. [Choose engine, languages and pages](../how-to/engines.md) explains the read options.",
    "list": "Returns your uploads, newest first, without their texts. Without `limit`, all of them come in one message; more than 10,000 "
    "or 16 MiB are an error. With `limit`, the reply has `next`, the `cursor` of the following list, or null. A list of large uploads "
    "can be shorter than `limit`.",
    "retrieve": "Returns one upload with its texts.",
    "update": "Changes the given fields of an upload and leaves the others.",
    "delete": "Removes an upload and its file. The reply is its last state. If it is being read, the reading stops, and no message of the "
    "upload follows.",
    "cancel": "Cancels a waiting job or a reading. The upload ends with status `cancelled`; finished pages keep their text.",
    "retry": "Reads an upload again after it has ended, from its first page; a correction stays. It accepts the read options of `create`, inside "
    "`data` or beside `type`; options that it does not name stay as they were. With `pages`, the server reads those pages only, and the others "
    "keep their text.",
    "authenticate": "Sends a fresh token on an open socket, before the old one expires.",
    "ping": "Requests a `pong`, to keep a connection open or to test it.",
    "resync": "Requests the live text of an upload again from the start, for a client that has lost track of a `delta` stream.",
}
MESSAGES = {
    "UploadMessage": "`Upload.created`, `Upload.updated` and `Upload.deleted` are the reply to the client that made the change, and an event on "
    "the user's other sockets. `Upload.status` with an `instance` is the reply to `retrieve`.",
    "ListMessage": 'The reply to `list`; also sent after an acknowledgement with `"recovered": false`.',
    "ErrorMessage": "The reply to a request that failed. The request changed nothing, and the socket stays open.",
    "Partial": "Live text of an upload that is being read, in the stream mode `full`. The first one has an empty text: a reader has claimed the "
    "upload.",
    "PagePartial": "Live text in the stream mode `pages`: the text of one page so far.",
    "DeltaPartial": "Live text in the stream mode `delta`: text that was added to a page.",
    "Processed": "The end of a successful reading, and its last message.",
    "Failed": "The end of a reading that failed or was cancelled, and its last message; also the reply to `cancel`.",
    "Subscribed": "The reply to `subscribe`.",
    "Authenticated": "The reply to `authenticate`. The socket stays open until the new token expires.",
    "Pong": "The reply to `ping`.",
    "Resynced": "The reply to `resync`. The upload's live text so far follows.",
    "Instance": "An upload. `created`, `deleted` and `list` omit its two texts.",
    "UploadWarning": "A warning about a page of an upload, without its places.",
    "ReadingInfo": "A reading of an upload, without its texts.",
    "Reading": "A reading of an upload, with the texts of its pages.",
    "ReadingList": "The readings of an upload.",
    "WordChange": "Words of a page that differ between two readings.",
    "PageComparison": "The differences of one page between two readings.",
    "ReadingComparison": "Two readings of an upload, page by page.",
    "PageWarning": "A warning about text of a page that is missing or uncertain.",
    "PageInstance": "A finished page, as the REST API returns it. [`GET /api/schemas/page.json`](rest.md) is its JSON Schema.",
    "PageLine": "A line of a finished page.",
    "Word": "A word of a line.",
    "Block": "A part of a finished page: a heading, a paragraph, a table. Fields with their default value are left out.",
    "TableCell": "A cell of a table. Fields with their default value are left out.",
    "LinePosition": "The place of the newest line on its page.",
}
# By the name of the field, or by `Type.field` where a type gives it another meaning.
FIELDS = {
    "boxes": "Places on the page that the warning is about, as the `box` of a line; empty for the whole page, or where it is not known. Neighbors share a box if there are more than 200 places.",
    "bytes": "Size of the file in bytes.",
    "code": "Code for programs: one of the [codes of warnings](warnings.md).",
    "changes": "The words that differ, in order; present if the request named a page.",
    "confidence": "Mean confidence of the letters, from 0 to 1; null if the engine gives none, as for a text layer.",
    "corrected_at": "Time of the correction; null without one.",
    "corrected_by": "Name of the user who corrected the page; null without a correction.",
    "correction": "A person's text of the page, in place of `text` in `processed_text`; null without one.",
    "content_type": "MIME type, detected from the content.",
    "created_at": "Time at which the upload was created.",
    "cursor": "Opaque position in a list: the `next` of the previous reply.",
    "differing_words": "Words to insert, delete or replace to turn the first text into the second; null if the texts are too long to compare.",
    "first_confidence": "Confidence of the page in the first reading; null without one.",
    "first_seconds": "Time that the first reading took for the page; null if it is not known.",
    "first_span": "Place of the words in the page's `text` of the first reading: `[start, end)` in code points.",
    "first_words": "Number of words in the first reading; null if it lacks the page.",
    "is_current": "True for the reading that all other routes and messages give.",
    "kind": "`replace`, `insert` or `delete`, from the first reading to the second.",
    "max_confidence": "Only uploads with this confidence or less.",
    "min_confidence": "Only uploads with this confidence or more.",
    "page_warnings": "The warnings of all pages, by page; present in the response of `GET /api/uploads/{id}/` only.",
    "read_at": "Time at which its last page was finished; null without a page.",
    "reading": "Number of the current reading.",
    "readings": "The readings, the newest first.",
    "second_confidence": "Confidence of the page in the second reading; null without one.",
    "second_seconds": "Time that the second reading took for the page; null if it is not known.",
    "second_span": "Place of the words in the page's `text` of the second reading: `[start, end)` in code points.",
    "second_words": "Number of words in the second reading; null if it lacks the page.",
    "seconds": "Time that readers took for the finished pages together; null if it is not known.",
    "uncertain_share": "Share of the words that the engine is not sure of, from 0 to 1; null where `confidence` is.",
    "warning": "Only uploads of which a page has a warning with this code.",
    "done": "Present if the page is finished; the text is then its final Markdown.",
    "duplicate": "Present in the reply to `create` only: true if you had an upload with the same bytes already.",
    "engine": "Name of the engine, as `GET /api/engines/` lists it.",
    "error": "One sentence per wrong field, by its name; `message` or `type` if the request could not be decoded.",
    "filename": "Name of the file, without a path.",
    "barcodes": "`true` adds barcodes and QR codes to the `blocks` of each page, with `value` and `format`; they are not in "
    "the text. `false` is the default.",
    "formulas": "`vision` sends pages that are mostly formulas to the engine `vision`; `text` (default) does not.",
    "furniture": "`drop` (default) leaves headers, footers and page numbers out of the text; `keep` does not.",
    "height": "Height of the upright page image in pixels.",
    "id": "Id of the upload.",
    "image_base64": "The file itself as base64. A data URL prefix and white space are allowed.",
    "image_hash": "SHA-256 of the file, in hex.",
    "image_path": "Key of the file in the storage backend.",
    "instance": "The upload after the change.",
    "instance_id": "Id of the upload.",
    "languages": "Languages of the text, as ISO 639-1 codes.",
    "limit": "Largest number of uploads in the reply.",
    "line": "Place of the newest line; null if there is none yet, if the engine gives none, or if the page is finished.",
    "lines": "The page's lines: each has `page`, `text`, `markdown`, `box` (four corners in pixels, or null), `confidence` (0 to 1, or null) and `role` (`body`, `header`, `footer`, `page_number`, `margin`, `watermark` or `line_number`).",
    "list": "The uploads, newest first.",
    "markdown": "Markdown of the page.",
    "message": "Sentence for people. It may change between versions.",
    "metadata": "Any JSON object of yours.",
    "next": "Cursor of the following list, null at the end; present if the request had `limit`.",
    "number": "Number of the page, from 1.",
    "offset": "Length of the page's text, in Unicode code points, that `streamed_text` is appended to; 0 replaces the page.",
    "owner": "Name of the user to whom the upload belongs.",
    "page": "Number of the page, from 1.",
    "page_count": "Number of pages of the document; null until it is known.",
    "pages": "Page range, such as `3`, `2-5` or `1-3,7,9-`.",
    "pages_done": "Number of finished pages.",
    "priority": "`interactive` (default), or `batch` for uploads that nobody waits for.",
    "processed_text": "Plain text, one paragraph a line; or a person's correction.",
    "profile": "Profile of the engine.",
    "raw_text": "Markdown of the whole upload, pages separated by one blank line.",
    "ref": "Your own mark of the request; the reply or error repeats it.",
    "search": "Part of a file name or of the Markdown.",
    "share": "Share of the page's print that the warning is about, from 0 to 1; null where it is not known.",
    "since": "Cursor of the last event that you received. The server sends every later event.",
    "status": "State of the upload.",
    "stream": "Stream mode of live text on this socket: `full` (default), `pages` or `delta`.",
    "streamed_text": "Text so far of the whole upload, as Markdown.",
    "text": "Plain text of the page.",
    "token": "A fresh access token of the same user.",
    "type": "Type of the message.",
    "updated_at": "Time of the last change.",
    "warnings": "Sentences about pages that could not be read well.",
    "width": "Width of the upright page image in pixels.",
    # ── where a type differs ──
    "Block.box": "Corners of the rectangle around its lines, or of the picture of a figure; absent: not known.",
    "Block.cells": "Cells of a table by rows, those without text too.",
    "Block.columns": "Number of columns of a table.",
    "Block.format": "Symbology of a barcode, such as `QRCode`.",
    "Block.is_checked": "Whether the check box before the text is ticked; absent: there is no check box.",
    "Block.level": "Level of a heading from 1 to 6, or depth of a list item from 0.",
    "Block.lines": "Indices of its lines in `lines`, in the order of the block.",
    "Block.marker": "Marker of a list item: `-`, or its number, such as `1.`.",
    "Block.rows": "Number of rows of a table.",
    "Block.span": "Start and end of its Markdown in the Markdown of the page, in code points; absent: it is left out, as page furniture is.",
    "Block.text": "Plain text: of a list item without its marker, of a figure its caption.",
    "Block.type": "Kind of the block. `other_furniture` is text of a margin, a watermark, or the numbers of lines.",
    "Block.value": "Content of a barcode.",
    "PageInstance.blocks": "Blocks of the page in reading order, page furniture among them.",
    "PageInstance.schema_version": "Version of the JSON Schema. It grows when a field changes its meaning, not when one is added.",
    "PageInstance.warnings": "Warnings about text that is missing or uncertain.",
    "UploadWarning.page": "Number of the page.",
    "ReadingInfo.engine": "Engine of the reading.",
    "ReadingInfo.error": "The reason, as a sentence for people, if `status` is `error` or `cancelled`; otherwise null.",
    "ReadingInfo.number": "Number of the reading, from 1; never used again for the same upload.",
    "ReadingInfo.pages": "Pages that the text contains, as the request named them; null for all.",
    "ReadingInfo.profile": "Profile of the engine, if the request named one; otherwise null.",
    "ReadingInfo.status": "State of the reading.",
    "Reading.raw_text": "The Markdown of all its pages.",
    "Reading.processed_text": "Plain text of all its pages, with the corrections of pages.",
    "Reading.warnings": "Warnings of its pages, as sentences, each once.",
    "PageComparison.number": "Number of the page.",
    "ReadingComparison.first": "The first reading.",
    "ReadingComparison.second": "The second reading.",
    "ReadingComparison.pages": "The pages of either reading, in order; only the page that the request named.",
    "WordChange.first": "The words in the first reading; empty for `insert`.",
    "WordChange.second": "The words in the second reading; empty for `delete`.",
    "PageLine.box": "Corners of the line, clockwise from the top left of the text, in pixels of the upright page image; null without a place.",
    "PageLine.confidence": "Confidence of the engine, from 0 to 1; null for text of a PDF.",
    "PageLine.markdown": "Text of the line as it was streamed, as Markdown.",
    "PageLine.page": "Page number, from 1.",
    "PageLine.role": "Part of the page that the line belongs to. Every role but `body` is page furniture.",
    "PageLine.span": "Start and end of the line in the Markdown of the page, in code points; null: it is not in it.",
    "PageLine.text": "Text of the line.",
    "PageLine.words": "Words of the line; present with `words=true`, and empty if there are none.",
    "TableCell.box": "Corners of the rectangle around its lines.",
    "TableCell.column": "Column, from 0.",
    "TableCell.column_span": "Number of columns that the cell spans.",
    "TableCell.is_header": "Whether the cell is a head of rows or columns.",
    "TableCell.lines": "Indices of its lines in the `lines` of the page.",
    "TableCell.row": "Row, from 0.",
    "TableCell.row_span": "Number of rows that the cell spans.",
    "TableCell.text": "Plain text.",
    "Word.box": "Corners of the word in pixels of the upright page image; null without a place.",
    "Word.confidence": "Confidence of the engine, from 0 to 1; null for text of a PDF.",
    "Word.start": "Place of the word in the text of its line, in code points.",
    "Word.text": "Text of the word.",
    "Create.image_path": "With `image_base64`: only the name of the file. Alone: path of a file on the server's machine, below one of "
    "[`SCANRILL_IMPORT_ROOTS`](settings.md#scanrill_import_roots).",
    "Create.image_hash": "With the bytes: their expected SHA-256, in hex. Alone: finds your upload with these bytes.",
    "DeltaPartial.streamed_text": "Text that was added to the page.",
    "Failed.error": "The reason, as a sentence for people.",
    "Instance.engine": "Engine that reads the upload; empty until it is chosen.",
    "Instance.error": "The reason, as a sentence for people, if `status` is `error` or `cancelled`; otherwise null.",
    "LinePosition.box": "Corners of the line, clockwise from the top left, in pixels of the upright page image.",
    "ListUploads.status": "Only uploads in this state.",
    "PagePartial.streamed_text": "Text of the page so far, as Markdown.",
    "Processed.processed_text": "Plain text, one paragraph a line; or a person's correction, if there is one.",
    "Subscribed.cursor": "Without `since`: position of the newest event. With `since`: that cursor if `recovered` is true, otherwise the "
    "position of the following list. Present if the request had `stream` or `since`.",
    "Subscribed.instance_id": "Id of the upload on the endpoint of one upload, otherwise null.",
    "Subscribed.message": "Always `subscribed`.",
    "Subscribed.model": "Always `Upload`.",
    "Subscribed.recovered": "True if every event after `since` follows; false if a list of all uploads follows instead. Present if the "
    "request had `since`.",
    "Subscribed.type": "Present if the request had `stream` or `since`.",
    "ErrorMessage.type": "Type of the expected reply, or `error` if the request could not be decoded.",
    "UploadMessage.type": "`Upload.created`, `Upload.updated`, `Upload.deleted` or `Upload.status`.",
    "Update.processed_text": "A person's correction, which later readings keep; null removes it.",
    "EngineInfo.installed": "True if the engine can run on this server.",
    "EngineInfo.is_remote": "True if the engine sends pages to another machine.",
    "EngineInfo.is_test_engine": "True if the engine is for tests only.",
    "EngineInfo.languages": "Supported languages as ISO 639-1 codes; empty if unlimited or unknown.",
    "EngineInfo.name": "Name of the engine, as `engine` of a request.",
    "EngineInfo.profiles": "Names of its profiles; the first is the default.",
    "EngineInfo.provides_boxes": "True if lines have bounding boxes.",
    "EngineInfo.provides_words": "True if lines have words with bounding boxes.",
    "EngineInfo.streams_tokens": "True if text arrives in parts of lines.",
    "EngineInfo.unavailable_reason": "Reason why the engine cannot run, and how to fix it; null if it is installed.",
}
# By method and path; `docs/generate/rest_examples.py` has an example of each.
ROUTES = {
    "GET /": "The web page.",
    "GET /healthz": "Returns 200 while the process runs. Needs no token.",
    "GET /readyz": "Returns 200 if the server accepts uploads and can read them: status `ok`, or `degraded` with the `reasons` why events "
    "or readings are late, or that the disk is full. Returns 503 with status `unavailable` and the `reasons` otherwise. Needs no token.",
    "GET /api/me/": "Returns the token's user, and facts that a client needs.",
    "GET /api/schemas/page.json": "Returns the [JSON Schema](https://json-schema.org/) (draft 2020-12) of a finished page, as "
    "`GET /api/uploads/{id}/pages/{n}` returns it, and of each page of `scanrill read --format json`. Needs no token.",
    "GET /api/engines/": "Lists the engines that a request may name, as `scanrill engines --json` does.",
    "POST /api/token/": 'Exchanges a user name and a password for tokens. With `"cookie": true` the refresh token is set as a cookie instead. '
    "Rate-limited (429).",
    "DELETE /api/token/": "Signs out: ends the session of the cookie, and removes the cookie. Its sockets close. Returns 204 without a body.",
    "POST /api/token/code/": "Exchanges the code of a sign-in link for an access token and the cookie.",
    "POST /api/token/refresh/": "Exchanges a refresh token for a new access token and a new refresh token. The old refresh token is invalid "
    "afterwards; if it comes again more than 30 seconds later, the session ends. With an empty body, the cookie counts and is replaced.",
    "GET /api/sessions/": "Lists your sign-ins that have not ended, the last used first.",
    "DELETE /api/sessions/{session_id}/": "Ends a session: its sockets close within about a second, and none of its tokens is valid. Returns 204 "
    "without a body.",
    "GET /api/uploads/": "Lists your uploads, newest first, without their texts: [`list`](websocket.md#request-list) over HTTP.",
    "POST /api/uploads/": "Creates an upload: the file is the body, or one part of a multipart form that has a file name. The server writes the "
    "file to disk while it receives it. Returns 201 with the new upload, or 200 with your existing upload with the same bytes and "
    '`"duplicate": true`.',
    "GET /api/uploads/{id}/": "Returns one upload with its texts.",
    "PATCH /api/uploads/{id}/": "Changes the given fields: [`update`](websocket.md#request-update) over HTTP.",
    "DELETE /api/uploads/{id}/": "Removes an upload and its file, and returns its last state.",
    "POST /api/uploads/{id}/cancel": "Cancels a waiting job or a reading: [`cancel`](websocket.md#request-cancel) over HTTP. Returns the upload; 409 if "
    "it has ended already.",
    "POST /api/uploads/{id}/retry": "Reads an upload again: [`retry`](websocket.md#request-retry) over HTTP. Returns the upload; 409 if it has not "
    "ended yet.",
    "GET /api/uploads/{id}/file": "Returns the original as an attachment, with `ETag`, and in ranges (`Range: bytes=0-1023`).",
    "GET /api/uploads/{id}/pages/{n}": "Returns a finished page of the current reading: its size, its text, its lines, and with "
    "`words=true` the words of each line.",
    "PATCH /api/uploads/{id}/pages/{n}": "Sets or removes the `correction` of a finished page, and returns the page. A later reading of the page keeps "
    "it: changes of the new reading are merged where the person changed nothing.",
    "GET /api/uploads/{id}/readings": "Lists the readings of an upload, the newest first. "
    "A retry with other options keeps the reading before it; so does one of a whole upload that was processed. "
    "[`SCANRILL_MAX_READINGS_PER_UPLOAD`](settings.md#scanrill_max_readings_per_upload) limits their number.",
    "GET /api/uploads/{id}/readings/{reading}": "Returns a reading with its texts.",
    "DELETE /api/uploads/{id}/readings/{reading}": "Deletes an earlier reading. Returns 204 without a body; 409 for the current one.",
    "GET /api/uploads/{id}/readings/{reading}/pages/{n}": "Returns a finished page of a reading.",
    "POST /api/uploads/{id}/readings/{reading}/current": "Makes a reading the current one: texts, pages and warnings of the upload become its own. Returns the "
    "upload; 409 while it waits or is read.",
    "GET /api/uploads/{id}/readings/{reading}/compare/{other}": "Compares two readings by the words of their pages, as they were read. With `page`, it lists the words "
    "that differ.",
    "GET /api/uploads/{id}/pages/{n}/image": "Returns an upright JPEG of a page.",
    "GET /api/uploads/{id}/export": "Returns a finished upload in [another format](formats.md#exports), as an attachment that is streamed. 409 while the upload is read. "
    "A user has at most 2 exports open at once; further ones wait.",
    "GET /api/export": "Returns the exports of up to 200 finished uploads as one ZIP archive. A file `not-exported.txt` in it names those that cannot be exported.",
    "GET /api/uploads/{id}/pages/{n}/figures/{k}": "Returns a JPEG of the `k`-th figure in the `blocks` of a "
    "finished page, from 1, in the resolution of the page.",
}
# Fields of HTTP requests and responses whose type is not a message type.
REST_FIELDS = {
    "access": "Access token, for `Authorization: Bearer`.",
    "code": "Code of a sign-in link: the part behind `#code=`.",
    "correction": "The text of the page, at most 1,048,576 characters; null removes the correction.",
    "cookie": "True: set the refresh token as a cookie that scripts cannot read.",
    "default": "Engine that reads when a request names none.",
    "engines": "The engines, one object each.",
    "filename": "Name of the file.",
    "format": "`md` (default), `txt`, `json`, `html`, `docx`, `pdf`, `hocr`, `alto`, `csv` or `xlsx`.",
    "furniture": "`keep` or `drop` headers, footers and page numbers. Default: as they were read.",
    "ids": "Ids of uploads, with commas between them.",
    "images": "Pictures of figures: `none` (default), `link` to their addresses, or `embed` them.",
    "max_upload_bytes": "Largest file in bytes; 0 = unlimited.",
    "page": "Number of a page: only this one, with its `changes`.",
    "page_breaks": "`true`: `md` and `txt` mark the beginning of each page. Default: `false`.",
    "pages": "Page ranges, such as `1-3,7,9-`. Default: all.",
    "password": "The user's password.",
    "reasons": "Problems, as sentences; present unless `status` is `ok`.",
    "refresh": "Refresh token; each is valid for one refresh.",
    "sessions": "The sessions, one object each: `id`, `created_at`, `last_used_at`, `address` and `user_agent` of the client at that time, and "
    "`current`, which is true for the session of the request's token.",
    "status": "`ok`, `degraded` or `unavailable`.",
    "table": "Number of the only table of a `csv`, from 1. Default: a ZIP archive of all tables.",
    "username": "Name of the user.",
    "version": "Version of the server.",
    "width": "Width in pixels; the server returns the next larger of a few widths.",
    "words": "`true`: each line has its `words`, if its engine has them. `false` (default): it has none.",
}
# For errors whose class does not say it well enough.
ERRORS = {
    "ScanrillError": "The base class of all errors.",
    "PageImageError": "A page of the file cannot be rendered.",
}
# By the code of a warning: what it means, and what to do.
WARNINGS = {
    "unread-ink": (
        "Ink that looks like text could not be read: handwriting, bad print, or an unknown script. The text lacks it, or differs from the print.",
        "Look at the boxes. Scan again with 300 dots an inch, or choose another engine.",
    ),
    "script-not-read": (
        "Lines, or most of the page, are in a script that no installed engine reads. The message names the script.",
        "Install the package that the message names, and read again.",
    ),
    "language-not-read": (
        "Lines are in a language of which the engine lacks letters. The text lacks these letters.",
        "Install the package that the message names, and read again.",
    ),
    "lost-letters": (
        "A font of the PDF does not name its letters, and recognition did not find them. The text lacks them.",
        "Print the PDF to a new PDF, or scan it.",
    ),
    "incomplete-page": (
        "The engine failed in the middle of the page. The text ends there.",
        "Retry the page, or choose another engine.",
    ),
    "unread-pictures": (
        "The engine failed on the pictures of a page with a text layer. The text may lack their words.",
        "Retry the page.",
    ),
    "no-text": (
        "No text was found, but the page is not blank: it has a drawing, a photograph, or print that looks like neither.",
        "Look at the page.",
    ),
    "blank-page": ("The page has no ink.", "Nothing."),
    "unreadable-page": ("The page could not be decoded. It has no text.", "Send the whole file again."),
    "low-confidence": (
        "The engine is not sure of some lines, or of a large part of the page.",
        "Compare the text with the page. Scan again with 300 dots an inch, or choose another engine.",
    ),
    "correction-conflict": (
        "A page with a correction was read again, and the new reading differs where a person had changed the text. The correction was kept.",
        "Compare the page with its correction.",
    ),
    "small-print": (
        "A fifth of the print or more is lower than 12 pixels. Letters and words may be wrong or missing.",
        "Compare the text with the page. Scan again with 300 dots an inch.",
    ),
    "unchecked-text": (
        "The text layer of the PDF has hardly any words, and no engine could compare it with the page.",
        "Compare the text with the page.",
    ),
    "layout-failed": (
        "The layout analysis failed, or the page has more than 5,000 separate texts. The lines are there, but not tables and headings.",
        "Report the file as a defect.",
    ),
    "plain-formulas": (
        "The page is mostly formulas that are plain text, and the engine `vision` is not set up, or could not read them.",
        "Have the engine `vision` set up, or retry the page.",
    ),
    "script-reread": (
        "Another engine read the page, or lines of it, because the chosen one does not read the script.",
        "Nothing. To save time, choose that engine or name the languages.",
    ),
    "language-reread": (
        "Another engine read lines of the page, because the chosen one lacks letters of the language.",
        "Nothing. To save time, choose that engine or name the languages.",
    ),
    "formulas-reread": (
        "The engine `vision` read the page, because it is mostly formulas and the option `formulas` allows it.",
        "Nothing. A model can invent text: compare it with the page.",
    ),
    "fallback-engine": (
        "The chosen engine failed on the page, and the engine that replaces it read the page.",
        "Check the chosen engine: the message has the reason.",
    ),
    "broken-text-layer": (
        "The text layer of the PDF page is broken. The page was recognized from its picture.",
        "Nothing. The text has the accuracy of recognized text.",
    ),
    "missing-rows": (
        "The image is cut short or damaged: rows of pixels are missing. The message has their share.",
        "Send the whole file again.",
    ),
    "missing-detail": (
        "The image is cut short after a coarse version of all of it, so text may be wrong.",
        "Send the whole file again.",
    ),
    "damaged-picture": (
        "The image is damaged inside, so text may be missing or wrong.",
        "Send the file again.",
    ),
    "truncated-file": ("The file ends before its last pages. They are lost.", "Send the whole file again."),
    "other-images": (
        "The file contains more images, such as an animation. Only the first was read.",
        "Send the images as files, or as one TIFF.",
    ),
    "pages-beyond-end": ("The option `pages` names pages that the document does not have.", "Nothing."),
    "xfa-form": (
        "The PDF is an XFA form, which only Adobe's programs display. The page is a placeholder.",
        "Print the form to a PDF in Adobe Acrobat Reader, and send that.",
    ),
    "portfolio": (
        "The PDF is a portfolio, and the page is its cover. The message has the pages of each file.",
        "Nothing. The pages of its files follow.",
    ),
    "unspecified": (
        "An engine from another package, or an earlier version of scanrill, gave a sentence without a code.",
        "Read the message.",
    ),
}
# By the file name of a transcript in `tests/vectors/`.
TRANSCRIPTS = {
    "authenticate": "A client sends a fresh token on an open socket. An invalid token is an error and changes nothing.",
    "cancel": "The reply to `cancel` is the message that other sockets receive as an event. A second `cancel` gets the same message.",
    "create": "The complete flow: the reply, the event for the user's other socket, the text while it is read, the end.",
    "create_by_hash": "A hash alone finds the user's upload with these bytes.",
    "create_duplicate": "The same bytes again return the same upload. The server does not read it again, and other sockets receive nothing.",
    "create_invalid_base64": "Invalid base64 is an error on its field.",
    "create_nothing": "A `create` without any of the three image fields is an error.",
    "create_three_fields": "The specification's example sends all three image fields: the bytes count, the path is only a name, and the hash is not a SHA-256.",
    "delete": "The last state of the upload is the reply and the event. Afterwards the upload does not exist.",
    "list": "A list contains all uploads of the user without their texts. It is empty at first.",
    "one_upload": "The second endpoint receives the events of its upload only, and accepts every request.",
    "ping": "The server answers a `ping` on the same socket only.",
    "reading_fails": "A reading that fails ends with an error. The server reads the same bytes again when they are sent again.",
    "ref": "The server repeats a client's `ref` on replies and errors, and on nothing else.",
    "retrieve": "The reply contains the whole state of one upload, with its texts.",
    "retry": "The reply to `retry` is the upload with status `pending`, which other sockets receive as an event. Then the server reads it again.",
    "since": "A client resumes with a cursor and receives every later event, once and in order, then new events. It receives its own change as the reply, and as "
    "an event with a cursor.",
    "since_unknown": "A client resumes with a cursor that the server cannot replay from. It receives the list of uploads, and every event after the list.",
    "stream_delta": "A client in the stream mode `delta` receives what was added to each page. The other socket receives the default messages.",
    "stream_pages": "A client in the stream mode `pages` receives the text so far of each page, and at the end the finished page. The other socket receives the "
    "default messages.",
    "subscribe": "Both endpoints acknowledge a `subscribe`; the second names its upload.",
    "unknown_requests": "A message that cannot be decoded gets an error with a type, and the socket stays open.",
    "update": "A person changes an upload: the client receives the reply, and other sockets receive the event.",
}
