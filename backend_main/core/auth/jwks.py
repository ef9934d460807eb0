"""Public keys (JWKS) of another service that signs tokens: a cache that is filled in the background.

A request never waits for a key that the cache has, however slow the service is. Clients choose the key id of
a token, so unknown ids cause one fetch in `COOLDOWN_SECONDS` and let few threads wait for it.
"""

from __future__ import annotations

import logging
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any
from urllib.error import HTTPError

import jwt
import msgspec

from ..errors import TokenKeysUnavailable, Unauthenticated

log = logging.getLogger(__name__)

FETCH_TIMEOUT_SECONDS = 3.0
COOLDOWN_SECONDS = 30.0
"""Time between two fetches, also after a failure."""
REFRESH_AFTER_SECONDS = 300.0
MAX_AGE_SECONDS = 86_400.0
"""Age at which keys are no longer accepted, if no fetch succeeds: the service may have withdrawn them."""
MAX_DOCUMENT_BYTES = 1024 * 1024
MAX_WAITING_THREADS = 2

Keys = Mapping[str, Any]


class KeyCache:
    """Keys by key id. All methods may be called from any thread.

    Args:
        url: URL of the JWKS document.
        fetch: returns the keys at a URL, or raises any exception.
    """

    def __init__(self, url: str, fetch: Callable[[str], Keys] | None = None) -> None:
        self._url = url
        self._fetch = fetch or fetch_keys
        self._lock = threading.Lock()
        self._keys: Keys = {}
        self._fetched_at = float("-inf")
        self._next_fetch_at = float("-inf")
        self._is_current = False
        self._running: threading.Event | None = None
        self._waiting = threading.BoundedSemaphore(MAX_WAITING_THREADS)

    def key(self, key_id: object) -> Any:
        """Return the key with this id.

        Raises:
            Unauthenticated: the service has no such key.
            TokenKeysUnavailable: the service may have it, but has not answered yet.
        """
        if not isinstance(key_id, str):
            raise Unauthenticated("The token does not name its key.")
        age = time.monotonic() - self._fetched_at
        if age < MAX_AGE_SECONDS and (key := self._keys.get(key_id)) is not None:
            if age > REFRESH_AFTER_SECONDS:
                self.prefetch()
            return key
        self._wait(self.prefetch())
        if (key := self._keys.get(key_id)) is not None and self._is_current:
            return key
        if self._is_current:
            raise Unauthenticated("The key of the token is unknown.")
        raise TokenKeysUnavailable()

    def prefetch(self) -> threading.Event | None:
        """Start a fetch, unless one is running or a recent one has ended.

        Returns:
            An event that is set when the running fetch ends; None if none is running.
        """
        with self._lock:
            if self._running is None and time.monotonic() >= self._next_fetch_at:
                ended = threading.Event()
                # It may raise an error: then no fetch runs, and the next request tries again.
                threading.Thread(target=self._run_fetch, args=[ended], daemon=True).start()
                self._running, self._is_current = ended, False
            return self._running

    def _wait(self, fetch_ended: threading.Event | None) -> None:
        if fetch_ended is not None and self._waiting.acquire(blocking=False):
            try:
                fetch_ended.wait(FETCH_TIMEOUT_SECONDS)
            finally:
                self._waiting.release()

    def _run_fetch(self, ended: threading.Event) -> None:
        keys: Keys | None = None
        try:
            keys = self._fetch(self._url)
        except Exception as error:
            log.warning("The keys at SCANRILL_JWT_JWKS_URL cannot be fetched: %s", error)
        with self._lock:
            now = time.monotonic()
            if keys is not None:
                self._keys, self._fetched_at, self._is_current = keys, now, True
            self._next_fetch_at = now + COOLDOWN_SECONDS
            self._running = None
        ended.set()


def fetch_keys(url: str) -> Keys:
    """Fetch a JWKS document and return its usable keys by id.

    Raises:
        ValueError: the document is too large, too slow, or without a usable key.
        OSError: the service does not answer.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError("the URL must begin with https:// or http://")
    opener = urllib.request.build_opener(_NoRedirects)
    deadline = time.monotonic() + FETCH_TIMEOUT_SECONDS
    body = b""
    try:
        with opener.open(url, timeout=FETCH_TIMEOUT_SECONDS) as response:
            while chunk := response.read1(64 * 1024):
                body += chunk
                if len(body) > MAX_DOCUMENT_BYTES or time.monotonic() > deadline:
                    raise ValueError("the document is too large, or arrives too slowly")
    except HTTPError as error:
        error.close()
        raise
    return parse_keys(body)


def parse_keys(document: bytes) -> Keys:
    """Return the signing keys of a JWKS document by id. Raises ValueError if it has none."""
    parsed = msgspec.json.decode(document)
    entries = parsed.get("keys") if isinstance(parsed, dict) else None
    keys = {}
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict) or entry.get("use") not in ("sig", None):
            continue
        if isinstance(key_id := entry.get("kid"), str):
            try:
                keys[key_id] = jwt.PyJWK(entry).key
            except Exception as error:
                log.warning("A key at SCANRILL_JWT_JWKS_URL is not usable: %s", error)
    if not keys:
        raise ValueError("the document has no usable key with an id")
    return keys


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_options: Any) -> None:
        return None
