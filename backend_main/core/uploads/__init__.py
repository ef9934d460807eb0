"""The use cases on uploads, on behalf of their owner.

`commands` changes uploads, each function in one transaction with its event; `queries` reads them through the
owner. May import jobs, event_log, storage, protocol, models and below; never http or consumers.

`commands`      create, update, delete, cancel, retry
`queries`       one upload, lists with cursors, finished pages
`page_content`  lines and words of stored pages
`packed_words`  words of a page as bytes
`ingest`        base64, a path or chunks of a body → a checked and hashed file in the staging directory
`quotas`        limits for the files, bytes and waiting uploads of a user
`page_images`   JPEG images of pages, rendered in a child process
"""
