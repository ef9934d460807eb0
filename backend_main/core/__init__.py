"""An upload and its life. The rooms, in the order in which a message flows through them:

 1  `backend/asgi.py`        HTTP, WebSocket and lifespan stacks
 2  `auth.py`                token → user; expiry, revocation, Origin rule; `codes.py`: sign-in links
 3  `consumers.py`           the socket door: decode, call one function of `uploads` or `queries`, reply
 3  `rest.py`                the REST door to the same functions; `receiving.py` takes files by POST,
                            `files.py` gives them out; `tokens.py`: signing in; `views.py`, `health.py`: is
                            all well; `page.py`: the web page; `headers.py`: what all of these tell a browser;
                            `cutting.py`: what is answered where a server ends before it could
 4  `protocol.py`            the messages as types; `decoding.py`: frame → request
 5  `uploads.py`             create, update, delete, cancel, retry: the only writer of Upload on a
                            user's behalf; `queries.py` reads
 6  `wishes.py`              engine, languages, pages, profile → checked
 6  `intake.py`              untrusted base64, path or stream → a verified file; `storage/` keeps it,
                            `pictures.py` has pages of it drawn
 7  `models.py`              User, Upload, Page, Job, Event
 8  `dispatch.py`            "there is work"; `readers.py` starts and ends those who take it, in a server or
                            a worker; `backend/celery.py` calls workers
 8  `jobs.py`                the queue as rows: claim, extend, give back, count a failure, end
 9  `tasks.py`               takes the next job and has its pages read one by one; `telling.py` says what is
                            read of a page, not more often than it is worth
10  `backend_main.reading`   bytes → pages → lines → Markdown, in a child process
11  `events.py`              the log of what happened: written with the change, in the order of the commits;
                            `replay.py` reads it, from a cursor on
12  `bell.py`                says that the log has grown, and what is being read just now; `redis_bell.py`
                            says it to other processes too; `endings.py` tells readers of ends elsewhere
12  `live.py`                one hub per process: log and live text → the sockets that want them; `feed.py` is
                            one user's log, `heard.py` what was said of an upload, `streaming.py` the live
                            text, `slot.py` that of one upload, `order.py` which page of it comes next,
                            `sockets.py` one client, `outbox.py` what waits for it

Beside the way: `errors.py`, `conf.py`, `database.py` (which one), `again.py` (a transaction run once more),
`orm.py` (database work off the event loop), `limits.py`, `quotas.py`, `tries.py`,
`logs.py`, `checks.py`, `serializers.py`, `sweep.py` (what crashes leave behind).
"""
