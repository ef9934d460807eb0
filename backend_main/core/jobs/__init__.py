"""The job queue in the database, and the readers that work on it.

Code here claims jobs, writes results, and wakes readers; only `reader_pool` starts threads and engines.
May import uploads, live, pubsub, storage, protocol, models and below, each module at its own level:
`pyproject.toml`.

`claim`        what a claim is, and the row filters that fence a reader's writes
`queue`        claiming, splitting and releasing jobs; recovery of jobs whose reader died
`results`      what a reader writes: finished pages, and the end of a job or an upload
`options`      validation of read options, and the engine that they select
`progress`     text of the page that a reader is reading
`reader_time`  time that users take of readers
`slow_owners`  users who leave one reader to others
`long_pages`   interrupts pages for users who wait
`notify`       wakes readers in this process and calls workers
`reader_pool`  the readers of this process
"""
