"""System checks of settings that need packages or other settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from backend_main.core import checks
from backend_main.core.conf import Conf

REDIS = "redis://somewhere/0"


@pytest.fixture
def check_ids(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str | None]]:
    """Return a function: ids of the failed checks, by installed packages and settings."""

    def run(*installed: str, **settings: str) -> list[str | None]:
        monkeypatch.setattr(checks, "conf", Conf(**settings))
        monkeypatch.setattr(checks, "find_spec", lambda name: name if name in installed else None)
        problems = [
            *checks.check_redis_package(),
            *checks.check_celery_package(),
            *checks.check_redis_for_workers(),
        ]
        return [problem.id for problem in problems]

    return run


def test_checks_embedded_server_needs_neither_redis_nor_celery(
    check_ids: Callable[..., list[str | None]],
) -> None:
    assert check_ids() == []


def test_checks_redis_url_needs_both_packages(check_ids: Callable[..., list[str | None]]) -> None:
    assert check_ids("redis", "celery", redis_url=REDIS) == []
    assert check_ids("redis", redis_url=REDIS) == ["core.E005"]
    assert check_ids("celery", redis_url=REDIS) == ["core.E004"]


def test_checks_broker_url_needs_redis_url_too(check_ids: Callable[..., list[str | None]]) -> None:
    amqp = "amqp://somewhere"
    assert check_ids("redis", "celery", redis_url=REDIS, broker_url=amqp) == []
    assert check_ids("redis", "celery", broker_url=amqp) == ["core.E006"]
    assert check_ids("redis", broker_url=amqp) == ["core.E005", "core.E006"]


def test_checks_required_sandbox_names_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "conf", Conf(required_sandbox=["landlock", "seccomb"]))
    [problem] = checks.check_required_sandbox()
    assert "seccomb" in problem.msg
    assert "seccomp" in str(problem.hint)
