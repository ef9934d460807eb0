"""Search over file names, page texts and corrections of one user.

`tokens`   words of a text, folded: what the index stores, and what a query looks for
`query`    the query language: words, "phrases", prefix*, -without, name:, status:, before:, after:
`index`    entries of the index, written in the transaction of the text; the rebuild of the index
`matches`  entries that match a query, ranked
`hits`     snippets, and the lines and boxes of a page that match

Both databases store the same tokens and give the same results: FTS5 on SQLite, `tsvector` on PostgreSQL
(docs/decisions/0145). Each token in the index begins with the scope of its owner, so a query reads no list
of another user's pages.
"""
