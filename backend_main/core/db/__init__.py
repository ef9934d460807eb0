"""Database access: connection settings, retries and threads.

It decides how the database is reached, not what is stored: tables are in `models`. It may import `conf` and
`errors`, and it works with SQLite and PostgreSQL.

`settings` chooses the database. `retry` repeats transactions after transient errors. `executor` runs
queries off the event loop. `raw_rows` reads models by hand-written SQL, where each request does so.
`migrations_state` compares the schema with this program.
"""
