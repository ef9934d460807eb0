"""An S3 server (moto) in this process, on its own port, whose requests a test can fail, freeze or cut."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

import boto3
from botocore.config import Config
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

KEY, SECRET, REGION = "the key", "the/secret+of it", "eu-central-1"
BUCKET = "scans"

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class _QuietRequestHandler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass

    def log(self, type: str, message: str, *args: object) -> None:
        """Log nothing: tests cut connections on purpose."""


class S3:
    """An S3 server. Between `fail()` and `recover()` it answers 503.

    `requests` lists the requests received, as "GET /path".
    """

    def __init__(self) -> None:
        self._serve: Wsgi = DomainDispatcherApplication(create_backend_app)
        # moto has no locks: a list fails if one of its objects is removed meanwhile.
        self._one_at_a_time = threading.Lock()
        self._failing_methods: tuple[str, ...] = ()
        self._remaining_successes, self._failure = 0, ("", "")
        self._remaining_lock = threading.Lock()
        self._cut_after: int | None = None
        self._unfrozen = threading.Event()
        self._unfrozen.set()
        self.requests: list[str] = []
        self._server = make_server(
            "127.0.0.1", 0, self._handle, threaded=True, request_handler=_QuietRequestHandler
        )
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=KEY,
            aws_secret_access_key=SECRET,
            config=Config(s3={"addressing_style": "path"}),
        )
        self.create_bucket(BUCKET)

    def stop(self) -> None:
        self.client.close()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def create_bucket(self, name: str) -> None:
        """Create the bucket if needed: all servers of this process share moto's state."""
        with suppress(self.client.exceptions.BucketAlreadyOwnedByYou):
            self.client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})

    def url(self, prefix: str = "", *, bucket: str = BUCKET, credentials: str = "") -> str:
        """Return a value for SCANRILL_STORAGE_URL; `credentials` has the form `key:secret@`."""
        return f"s3://{credentials}{bucket}/{prefix}?endpoint={self.endpoint}&region={REGION}"

    @property
    def environment(self) -> dict[str, str]:
        """The credentials as AWS environment variables."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

    def fail(
        self, *methods: str, after: int = 0, status: str = "503 Slow Down", code: str = "SlowDown"
    ) -> None:
        """Fail requests of these methods (all, if none is given) after the first `after` requests."""
        self._remaining_successes, self._failure = after, (status, code)
        self._failing_methods = methods or ("GET", "PUT", "POST", "DELETE", "HEAD")

    def recover(self) -> None:
        self._failing_methods, self._cut_after = (), None
        self._unfrozen.set()

    def freeze(self) -> None:
        """Accept requests but answer none before `recover()`."""
        self._unfrozen.clear()

    def cut_once_after(self, size: int) -> None:
        """Cut the next response body that is longer than `size` at that length."""
        self._cut_after = size

    def keys(self, prefix: str = "") -> set[str]:
        """Return the keys of all objects that belong to uploads."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        keys_found = {item["Key"] for page in pages for item in page.get("Contents", ())}
        return {key for key in keys_found if not key.rpartition("/")[2].startswith(".")}

    def content(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def get_count(self, key: str) -> int:
        """Return how often the object was requested."""
        return self.requests.count(f"GET /{BUCKET}/{key}")

    def _handle(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        self._unfrozen.wait()
        if environ["REQUEST_METHOD"] in self._failing_methods and not self._still_succeeds():
            # Read the body, or the next request on this connection would begin inside it.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            status, code = self._failure
            body = f"<Error><Code>{code}</Code><Message>failed by the test</Message></Error>".encode()
            start_response(status, [("Content-Length", str(len(body)))])
            return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]
        with self._one_at_a_time:
            return self._cut_if_scheduled(self._serve(environ, start_response))

    def _still_succeeds(self) -> bool:
        with self._remaining_lock:
            self._remaining_successes -= 1
            return self._remaining_successes >= 0

    def _cut_if_scheduled(self, body: Iterable[bytes]) -> Iterable[bytes]:
        if self._cut_after is None:
            return body
        complete = b"".join(body)
        if len(complete) <= self._cut_after:
            return [complete]
        cut, self._cut_after = complete[: self._cut_after], None
        return _cut_stream(cut)


def _cut_stream(start: bytes) -> Iterable[bytes]:
    yield start
    raise ConnectionError("cut by the test")
