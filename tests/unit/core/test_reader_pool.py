"""Tests of the claims that a server releases when its reader pool starts."""

from __future__ import annotations

import msgspec
import pytest

from backend_main.core.conf import conf
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import reader_pool
from backend_main.core.models import Job
from backend_main.core.pubsub.local import LocalPubSub
from tests.support.database import new_upload, new_user

pytestmark = pytest.mark.django_db(transaction=True)


def start_and_stop(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Start and stop a pool without readers."""
    embedded = {"database_url": "", "redis_url": "", "readers": 0, "reader_threads": 1}
    monkeypatch.setattr(reader_pool, "conf", msgspec.structs.replace(conf, **(embedded | settings)))
    pool = reader_pool.ReaderPool(LocalPubSub(), 0)
    pool.start()
    pool.stop()


def test_start_of_an_embedded_server_releases_every_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    upload = new_upload(new_user())
    assert job_queue.claim_next("other reader")
    start_and_stop(monkeypatch)
    assert Job.objects.get(upload=upload).claimed_by == ""


@pytest.mark.parametrize("shared", ["database_url", "redis_url"])
def test_start_beside_other_servers_releases_expired_claims_only(
    shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    valid, expired = (new_upload(new_user()) for _ in range(2))
    while job_queue.claim_next("other reader"):
        pass
    Job.objects.filter(upload=expired).update(lease_until="2020-01-01T00:00Z")
    start_and_stop(monkeypatch, **{shared: "set"})
    assert Job.objects.get(upload=valid).claimed_by == "other reader"
    assert Job.objects.get(upload=expired).claimed_by == ""
