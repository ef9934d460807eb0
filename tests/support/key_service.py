"""A service that signs tokens and publishes its keys (JWKS); it can stop to answer."""

from __future__ import annotations

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.tokens import RsaKey, claims

KEY_ID = "current"


class KeyService(ThreadingHTTPServer):
    """The service, on a port of its own. While `is_hanging`, requests get no response before `close`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._key = RsaKey()
        self.document = json.dumps({"keys": [self._key.public_jwk() | {"kid": KEY_ID, "use": "sig"}]})
        self.requests = 0
        self.is_hanging = False
        self.closing = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/keys"

    def token(self, user_id: str) -> str:
        """Return an access token of a user."""
        return self._key.signed(claims(user_id), header={"kid": KEY_ID})

    def unknown_key_token(self, user_id: str) -> str:
        """Return a token with a key id that the service does not have."""
        return self._key.signed(claims(user_id), header={"kid": str(uuid.uuid4())})

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: KeyService

    def do_GET(self) -> None:
        self.server.requests += 1
        if self.server.is_hanging:
            self.server.closing.wait()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.document)))
        self.end_headers()
        self.wfile.write(self.server.document.encode())

    def log_message(self, *_arguments: object) -> None:
        pass
