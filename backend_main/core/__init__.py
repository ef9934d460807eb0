"""Server of scanrill: uploads, their reading, and live delivery to clients.

Modules and packages, in the order of their imports: each may import those below it. The contract in
`pyproject.toml` has the exact order. The package docstrings say what each package may do.

    consumers.py     WebSocket entry point: parse a request, call one command or query, reply
    http/            REST views and ASGI middleware: uploads, downloads, sign-in, health, web page
    runtime.py       composition root: the objects of a server process, for consumers and views
    tasks.py         reader: claims jobs, reads their pages, stores them; in servers and workers
    maintenance.py   recovery of expired leases; missing index entries; removal of orphaned files, old events
                     and expired sign-ins
    live/            delivery of events and live text to the connections of one process
    uploads/         commands and queries on uploads for their owner; ingest, quotas, page images
    search/          search index: words of texts and names, query language, ranked hits
    jobs/            job queue in the database, read options, and the readers that work on the queue
                     (`jobs.reader_pool` starts readers and stands above `tasks.py`)
    event_log.py     append-only log of changes, written in the transaction of the change
    webhooks/        events sent to URLs of users: deliveries, their attempts, signatures
    apps.py          Django app, which registers the checks
    checks.py        Django system checks of the settings
    auth/            tokens, sessions, passwords, accounts, origins, sign-in codes
    pubsub/          best-effort messages between threads and processes
    storage/         stored files: a directory or an S3 bucket
    models.py        database tables and their constraints (`migrations/`: their history;
                     `integration_models.py`: the tables of webhooks)
    protocol/        message types and their JSON
    db/              database settings, retries, threads, state of the migrations
    outgoing.py      HTTP requests to URLs that users name: only to allowed addresses
    secret_keys.py   the key that signs tokens: its source, and whether it can be guessed
    conf.py          settings, each declared once (`conf_types.py`: their own types)
    log_filters.py   redaction of tokens in logs
    errors.py        tree of all errors, with codes, HTTP statuses and close codes
    extras.py        command that installs a missing extra

Beside `core`: `backend_main.backend` assembles the process (ASGI, lifespan, Celery), and
`backend_main.reading` turns bytes into text in child processes. It knows nothing of the server.

Where to make a change:

    add a close code or an error              errors.py; a final close code also in `connection.py` and
                                              `socket.ts` of the clients, docs/pages/how-to/reconnect.md
    add a setting                             conf.py (checks.py, if it depends on another setting)
    add a request or a field of a message     protocol/messages.py, then consumers.py and http/rest.py
    add a REST route                          backend/urls.py, http/rest.py; with a body or a response that is
                                              a stream: http/stream_routes.py
    send a new field with live text           tasks.py, pubsub/messages.py (from the reader to the hub),
                                              live/live_document.py, protocol/messages.py, live/replay.py
                                              (clients that join late), the types of both clients
    change what a command does                uploads/commands.py
    change the order in which jobs are read   jobs/queue.py: `_fair_order` and `has_competing_job`
    add a read option                         protocol/messages.py, jobs/options.py
    store files elsewhere                     a new module in storage/, storage/__init__.py, storage/url.py;
                                              conf.py and cli/backup.py compare `storage_url` too
    accept another file format                uploads/ingest.py and reading/documents/
    limit the pages of a PDF                  reading/documents/document.py: the server process opens no PDF
    limit what a user may store               uploads/quotas.py
    limit connections                         consumers.py, live/hub.py, live/rate_limit.py, runtime.py
    share something by turns of users          fair_sharing.py; jobs/reader_time.py, db/executor.py,
                                              uploads/page_images.py, http/user_turns.py
    limit messages and frames                 backend/websocket_protocol.py, backend/websocket_frames.py,
                                              live/message_memory.py, protocol/parsing.py
    change who may connect                    auth/origin.py, auth/authentication.py
    change how tokens are signed              backend/settings.py, conf.py, checks.py, auth/tokens.py
    change how long events are kept           conf.py: `event_retention`; event_log.py: `remove_expired`
    change what the search finds              search/tokens.py (then `scanrill rebuild-index`), query.py
    add a table or a column                   models.py, then a migration
    add a periodic cleanup                    maintenance.py
    add a reason to `/readyz`                 http/health.py
    count the pages that are read             jobs/results.py; there is no metrics endpoint yet
    add an object that a process has once     runtime.py (`backend/lifespan.py` starts and stops it)

`make lint` reports each setting, request, field, route and error that the documentation lacks.
The glossary explains the terms: `docs/pages/reference/glossary.md`.
"""
