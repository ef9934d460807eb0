"""An upload and its life. The rooms, in the order in which a message flows through them:

 1  `backend/asgi.py`        HTTP, WebSocket and lifespan stacks
 2  `auth.py`                token → user; expiry, revocation, Origin rule
 3  `consumers.py`           the socket door: decode, call one function of `uploads` or `queries`, reply
 3  `views.py`               the HTTP door
 4  `protocol.py`            the messages as types; `decoding.py`: frame → request
 5  `uploads.py`             create, update, delete: the only writer of Upload; `queries.py` reads
 6  `intake.py`              untrusted base64, path or hash → a verified file; `storage.py` keeps it
 7  `models.py`              User, Upload, Page, Job
 8  `dispatch.py`            "there is work"
 9  `tasks.py`               claims the next job, has it read, finishes it
10  `backend_main.reading`   bytes → pages → lines → Markdown, in a child process
11  `events.py`              what happened, told after the commit, in the order of the commits
12  `live.py`                one hub per process: events and live text → the sockets that want them

Beside the way: `errors.py`, `conf.py`, `orm.py` (database work off the event loop), `limits.py`, `logs.py`,
`checks.py`, `serializers.py`.
"""
