"""Conformance client of the WebSocket API: it plays the golden transcripts against a running server.

The server may be any implementation of the API whose default engine reads scripted pages, as the engine
`dummy` does. The client needs the extra `conformance`, and imports nothing of the server.

main.py        command `scanrill-conformance`
transcript.py  one transcript: what is sent, and the comparison of what comes
images.py      pages with a script for the engine `dummy`
"""
