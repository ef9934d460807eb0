"""What is set, and cannot be had, is refused with what to do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend_main.core import checks
from backend_main.core.conf import Conf

REDIS = "redis://somewhere/0"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str | None]]:
    """The ids of what is said of these settings, where `installed` are the packages."""

    def ids(*installed: str, **settings: str) -> list[str | None]:
        monkeypatch.setattr(checks, "conf", Conf(**settings))
        monkeypatch.setattr(checks, "find_spec", lambda name: name if name in installed else None)
        found = [*checks.redis_client(), *checks.celery(), *checks.redis_for_workers()]
        return [problem.id for problem in found]

    return ids


def test_one_server_alone_needs_neither_redis_nor_celery(told: Callable[..., list[str | None]]) -> None:
    assert told() == []


def test_workers_need_both_packages(told: Callable[..., list[str | None]]) -> None:
    assert told("redis", "celery", redis_url=REDIS) == []
    assert told("redis", redis_url=REDIS) == ["core.E005"]
    assert told("celery", redis_url=REDIS) == ["core.E004"]


def test_another_broker_does_not_make_up_for_redis(told: Callable[..., list[str | None]]) -> None:
    amqp = "amqp://somewhere"
    assert told("redis", "celery", redis_url=REDIS, broker_url=amqp) == []
    assert told("redis", "celery", broker_url=amqp) == ["core.E006"]
    assert told("redis", broker_url=amqp) == ["core.E005", "core.E006"]
