"""H12 - a slow key service, or tokens that name unknown keys, stop sign-ins with valid tokens."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from backend_main.core.auth import jwks
from backend_main.core.auth.jwks import Keys
from backend_main.core.errors import TokenKeysUnavailable, Unauthenticated
from tests.support.key_service import KeyService
from tests.support.server import Server
from tests.support.tokens import RsaKey, claims
from tests.support.websocket_client import WebSocketClient

URL = "http://127.0.0.1:9/keys"


class Service:
    """A key service whose answers the test gives; a fetch waits for one."""

    def __init__(self) -> None:
        self.fetches = 0
        self._answers: list[Keys | Exception] = []
        self._given = threading.Semaphore(0)

    def answer(self, answer: Keys | Exception) -> None:
        self._answers.append(answer)
        self._given.release()

    def __call__(self, url: str) -> Keys:
        self.fetches += 1
        self._given.acquire()
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(jwks, "time", clock)
    return clock


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def cache(service: Service, clock: Clock) -> jwks.KeyCache:
    """A cache that has the key `a`."""
    cache = jwks.KeyCache(URL, service)
    end_fetch(cache, service, {"a": "key a"})
    assert cache.key("a") == "key a"
    return cache


def end_fetch(cache: jwks.KeyCache, service: Service, answer: Keys | Exception) -> None:
    running = cache.prefetch()
    assert running is not None
    service.answer(answer)
    assert running.wait(30)


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads do not wait for a fetch that hangs."""
    monkeypatch.setattr(jwks, "FETCH_TIMEOUT_SECONDS", 0.0)


def test_h12_known_key_is_returned_while_a_fetch_hangs(cache: jwks.KeyCache, clock: Clock) -> None:
    clock.now += jwks.REFRESH_AFTER_SECONDS + 1
    for _ in range(10):
        assert cache.key("a") == "key a"


def test_h12_stale_keys_are_refreshed_in_the_background(
    cache: jwks.KeyCache, service: Service, clock: Clock
) -> None:
    clock.now += jwks.REFRESH_AFTER_SECONDS + 1
    assert cache.key("a") == "key a"
    end_fetch(cache, service, {"b": "key b"})
    assert cache.key("b") == "key b"
    with pytest.raises(Unauthenticated):
        cache.key("a")


@pytest.mark.usefixtures("no_patience")
def test_h12_unknown_keys_cause_one_fetch_per_cooldown(
    cache: jwks.KeyCache, service: Service, clock: Clock
) -> None:
    for _ in range(2):
        with pytest.raises(Unauthenticated):  # the keys are current
            cache.key("unknown")
    clock.now += jwks.COOLDOWN_SECONDS
    for number in range(50):
        with pytest.raises(TokenKeysUnavailable):
            cache.key(f"unknown {number}")
    assert cache.key("a") == "key a"
    end_fetch(cache, service, {"a": "key a"})
    assert service.fetches == 2


@pytest.mark.usefixtures("no_patience")
def test_h12_failed_fetch_has_a_cooldown_and_keeps_the_keys(
    cache: jwks.KeyCache, service: Service, clock: Clock
) -> None:
    clock.now += jwks.COOLDOWN_SECONDS
    end_fetch(cache, service, OSError("no route to host"))
    for _ in range(3):
        with pytest.raises(TokenKeysUnavailable):
            cache.key("unknown")
        assert cache.key("a") == "key a"
    assert service.fetches == 2
    clock.now += jwks.MAX_AGE_SECONDS
    with pytest.raises(TokenKeysUnavailable):
        cache.key("a")
    service.answer({})


def test_h12_fetch_without_a_thread_is_tried_again(
    cache: jwks.KeyCache, service: Service, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    clock.now += jwks.COOLDOWN_SECONDS
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        with pytest.raises(RuntimeError):
            cache.prefetch()
    end_fetch(cache, service, {"b": "key b"})
    assert cache.key("b") == "key b"


def test_h12_few_threads_wait_for_a_fetch(service: Service, clock: Clock) -> None:
    cache = jwks.KeyCache(URL, service)
    with ThreadPoolExecutor(20) as threads:
        requests = [threads.submit(cache.key, "a") for _ in range(20)]
        refused = 0
        while refused < 20 - jwks.MAX_WAITING_THREADS:  # they are refused although the fetch hangs
            refused = sum(request.done() for request in requests)
        service.answer({"a": "key a"})
    failed = [request for request in requests if isinstance(request.exception(), TokenKeysUnavailable)]
    assert len(failed) == 20 - jwks.MAX_WAITING_THREADS
    assert service.fetches == 1


@pytest.mark.parametrize("key_id", [None, 1, {}, ["a"]])
def test_h12_key_id_that_is_not_a_text_is_refused(cache: jwks.KeyCache, key_id: object) -> None:
    with pytest.raises(Unauthenticated):
        cache.key(key_id)


@pytest.mark.parametrize(
    "document",
    [
        *(b"", b"[]", b"{}", b'{"keys": 1}', b'{"keys": []}', b'{"keys": [1, {}]}'),
        b'{"keys": [{"kid": "a", "kty": "RSA"}]}',
        b'{"keys": [{"kid": 1, "kty": "oct", "k": "AA"}]}',
        pytest.param(b"[" * 100_000, id="deep"),
    ],
)
def test_h12_document_without_usable_keys_is_a_failed_fetch(document: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        jwks.parse_keys(document)


def test_h12_unusable_key_does_not_disable_the_others() -> None:
    good = RsaKey().public_jwk() | {"kid": "good"}
    document = {"keys": [{"kid": "bad", "kty": "?"}, good, good | {"kid": "enc", "use": "enc"}]}
    assert jwks.parse_keys(json.dumps(document).encode()).keys() == {"good"}


# ── a server whose key service hangs ──


@pytest.fixture
def key_service() -> Iterator[KeyService]:
    service = KeyService()
    yield service
    service.close()


async def test_h12_server_accepts_known_keys_while_the_service_hangs(
    key_service: KeyService, new_server: Callable[..., Server]
) -> None:
    server = new_server(JWT_ALGORITHM="RS256", JWT_JWKS_URL=key_service.url)
    user_id = server.user_id(server.user())
    valid = key_service.token(user_id)
    async with WebSocketClient(server.url(token=valid)) as client:
        assert (await client.request({"type": "ping"}))["type"] == "pong"
    key_service.is_hanging = True
    for _ in range(5):
        unknown = key_service.unknown_key_token(user_id)
        answer = httpx.get(f"{server.http}/api/me/", headers={"Authorization": f"Bearer {unknown}"})
        assert answer.status_code == 401, "the keys were fetched a moment ago"
    answer = httpx.get(f"{server.http}/api/me/", headers={"Authorization": f"Bearer {valid}"})
    assert answer.status_code == 200
    assert key_service.requests == 1
    assert server.unexpected_tracebacks == []


async def test_h12_server_without_keys_answers_503(new_server: Callable[..., Server]) -> None:
    server = new_server(JWT_ALGORITHM="RS256", JWT_JWKS_URL=URL)
    token = RsaKey().signed(claims(str(uuid.uuid4())), header={"kid": "one"})
    answer = httpx.get(f"{server.http}/api/me/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 503
    answer = httpx.get(
        f"{server.http}/api/uploads/{uuid.uuid4()}/file", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 503
    async with WebSocketClient(server.url(token=token)) as client:
        assert await client.close_code() == 1011
    signed_in = httpx.post(f"{server.http}/api/token/", json={"username": "a", "password": "b"})
    assert signed_in.status_code in (400, 401)
