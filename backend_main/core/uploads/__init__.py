"""The use cases on uploads, on behalf of their owner.

`commands` changes uploads, each function in one transaction with its event; `queries` reads them through the
owner. May import jobs, event_log, storage, protocol, models and below; never http or consumers.

`commands`          create, update, delete, cancel, retry
`duplicates`        uploads of bytes that the user has already
`queries`           one upload, finished pages
`listing`           lists of uploads: filters, orders and cursors
`readings`          the current reading and earlier ones; `reading_commands` and `reading_queries` for users
`word_differences`  comparison of two texts by words
`kept_corrections`  corrections of pages that are read again; `correction_merge` merges them
`page_texts`        texts, warnings and grade that the pages of a reading determine
`rows`              row of an upload inside of a command
`page_content`      lines and words of stored pages
`packed_words`      words of a page as bytes
`idempotency`       requests that a client repeats, carried out once
`expiry`            deletion of uploads whose time is over
`ingest`            base64, a path or chunks of a body → a checked and hashed file in the staging directory
`resumable`         files that arrive over several requests
`quotas`            limits for the files, bytes and waiting uploads of a user
`page_images`       JPEG images of pages, rendered in a child process
"""
