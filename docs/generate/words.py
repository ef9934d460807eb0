"""What requests and messages are for, in a reader's words. What they look like comes from the code."""

REQUESTS = {
    "subscribe": "Asks for an acknowledgement, which has no `type`. A socket follows its uploads from the moment it is "
    "connected, so a client that wants nothing else need not send this. With `stream` it asks for live text in "
    "another form, and the acknowledgement then has a `type`: `full` is all the text so far each time, as without it; "
    "`pages` is the text so far of the page that is being read; `delta` is what was added to it. The acknowledgement "
    "then also has a `cursor`, as has every event after it; `since` with the last one that a client has heard brings "
    "what it missed (`recovered: true`), or, where the server does not know any more, the list of all uploads.",
    "create": "Brings a file in and has it read. One of the three fields for it is enough. With `image_base64` the bytes "
    "are in the message, a data URL's prefix and white space are fine, and `image_path` is only the file's name. "
    "With `image_path` alone the server takes a file of its own machine, where "
    "[`SCANRILL_IMPORT_ROOTS`](settings.md#scanrill_import_roots) allows it. With `image_hash` alone (the SHA-256, "
    "in hex) the upload that you have with these bytes is found. The same bytes a second time are the same upload: "
    'the reply says `"duplicate": true`, and the upload is read again only if it had ended in `error` or '
    "`cancelled`. `engine`, `languages`, `pages` (“3”, “2-5”, “1-3,7,9-”), `profile` and `priority` ask for more than the "
    "default: see [Choose what reads](../how-to/engines.md).",
    "list": "Your uploads, newest first, without their texts. Without `limit` all of them come in one message (an "
    "error beyond 10,000); with `limit` the reply has `next`, which is the `cursor` of the following list, or null.",
    "retrieve": "One upload with its texts.",
    "update": "Changes what is given and leaves the rest. `processed_text` is a person's correction, which another "
    "reading leaves alone; null takes it back.",
    "delete": "Removes an upload and its file. The reply is its last state. If it is just being read, the reading "
    "stops, and nothing more of it is sent.",
    "cancel": "Ends the wait for an upload, or its reading: it ends with status `cancelled`, and finished pages keep their text.",
    "retry": "Has an upload that has ended read again, from its first page; a correction stays. It may ask for what a "
    "`create` may, inside `data` or beside `type`; what it does not name stays as it was asked before. With `pages`, "
    "those alone are read, and the others keep their text.",
    "authenticate": "Hands in a fresh token on an open socket, before the old one expires.",
    "ping": "Asks for a `pong`, and so keeps a connection open, or finds out that it is not.",
    "resync": "Asks for the live text of an upload from the start, for a client that has lost count of a `delta` stream.",
}
MESSAGES = {
    "UploadMessage": "`Upload.created`, `Upload.updated` and `Upload.deleted` come as the reply to the one who asked, "
    "and as an event to the user's other sockets; `Upload.status` with an `instance` is the reply to `retrieve`. "
    "`duplicate` stands in the reply to a `create` alone.",
    "ListMessage": "The reply to `list`. `next` is there for those who sent `limit`.",
    "ErrorMessage": "A request that was not carried out. `type` is that of the reply that was waited for, or `error` "
    "where the request could not be understood; `error` has a sentence for each field that is wrong. Nothing was "
    "changed, and the socket stays open.",
    "Partial": "The text so far of an upload that is being read. The first has an empty text: a reader has taken the "
    "upload.",
    "Processed": "The end of a reading, and its last message. `raw_text` is the whole Markdown, its pages with a blank "
    "line between them; `processed_text` is the reading text, without Markdown and with its paragraphs on one line "
    "each, or a person's correction.",
    "Failed": "The other end: the upload could not be read, or was cancelled; also the reply to `cancel`. `error` is a "
    "sentence for people.",
    "Subscribed": "The reply to `subscribe`. `type` and `cursor` are there for those who sent `stream` or `since`, "
    "`recovered` for those who sent `since`.",
    "Authenticated": "The reply to `authenticate`: the socket lives on until the new token expires.",
    "Pong": "The reply to `ping`.",
    "Resynced": "The reply to `resync`. What there is of the upload's live text follows.",
    "PagePartial": "Live text for those who asked for `pages`: `streamed_text` is that of one page so far. With `done` "
    "the page is finished, and this is its final Markdown. `line` is the place of the newest line.",
    "DeltaPartial": "Live text for those who asked for `delta`: `streamed_text` stands behind the first `offset` code "
    "points of the page; at 0 it takes the place of all of it.",
    "LinePlace": "Where a line stands: its corners, clockwise from the top left, in pixels of the upright page.",
}
# Of routes and errors these are said better here than by the code's own docstrings.
ROUTES = {
    "/": "The web page.",
    "/healthz": "200 while the process lives.",
    "/readyz": "200 once uploads are accepted and will be read, with status `ok`, or `degraded` and the `reasons` why that "
    "may take longer; 503 with the reasons where they are not accepted.",
    "/api/me/": "Whose the token is, and what a client goes by: `username`, `max_upload_bytes` (0: unlimited), "
    "`version`.",
    "/api/engines/": "What can read here, as `scanrill engines --json` lists it: `engines`, each with `name`, "
    "`installed` or what it is `lacking`, `languages` (none: any), `profiles`; and which is the `default`.",
    "/api/token/": '`POST`: `username` and `password` → an `access` and a `refresh` token; with `"cookie": true` the '
    "second is set as a cookie instead. `DELETE` takes the cookie away.",
    "/api/token/code/": "The `code` of a sign-in link → an `access` token, and the cookie.",
    "/api/token/refresh/": "A `refresh` token, or with an empty body the cookie → a new `access` token.",
    "/api/uploads/": "Your uploads, newest first, without their texts: `list` and, with `limit`, `next`.",
    "/api/uploads/{id}/": "One upload: `GET` with its texts; `PATCH` changes `filename`, `processed_text`, `metadata`; "
    "`DELETE` removes it and answers with its last state.",
    "/api/uploads/{id}/cancel": "As [`cancel`](websocket.md#request-cancel).",
    "/api/uploads/{id}/retry": "As [`retry`](websocket.md#request-retry).",
    "/api/uploads/{id}/file": "The file as it was sent.",
    "/api/uploads/{id}/pages/{n}": "A finished page: its size, its text, its lines with boxes and confidences.",
    "/api/uploads/{id}/pages/{n}/image": "A picture of a page, with `?width=` in pixels.",
}
ERRORS = {
    "ScanrillError": "The root of them all.",
    "PictureFailed": "A page of the file cannot be drawn.",
}
