"""Each reason there is for not being ready, and what is said where there is nothing to show."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import DatabaseError
from django.http import Http404
from django.test import RequestFactory

from backend_main.core import views
from backend_main.core.storage.files import Files


@pytest.fixture
def all_well(monkeypatch: pytest.MonkeyPatch, db: None) -> pytest.MonkeyPatch:
    monkeypatch.setattr(views.readers, "any_warm", lambda: True)
    assert views._reasons() == []
    return monkeypatch


def test_a_cold_reader_is_a_reason(all_well: pytest.MonkeyPatch) -> None:
    all_well.setattr(views.readers, "any_warm", lambda: False)
    assert views._reasons() == ["no reader is warm yet"]


def test_a_missing_directory_is_a_reason(all_well: pytest.MonkeyPatch, tmp_path: Path) -> None:
    all_well.setattr(views.storage, "_store", lambda: Files(tmp_path / "missing"))
    assert views._reasons() == ["the storage cannot be written"]


def test_a_database_that_does_not_answer_or_is_not_migrated_is_a_reason(all_well: pytest.MonkeyPatch) -> None:
    class NotMigrated(views.MigrationExecutor):
        def migration_plan(self, *_args: object, **_options: object) -> list[object]:  # type: ignore[override]
            return ["one"]

    def silent(_connection: object) -> None:
        raise DatabaseError("secret detail")

    all_well.setattr(views, "MigrationExecutor", NotMigrated)
    assert views._reasons() == ["the database is not migrated"]
    all_well.setattr(views, "MigrationExecutor", silent)
    assert views._reasons() == ["the database does not answer"]


async def test_a_checkout_without_its_page_says_how_to_build_it() -> None:
    answer = await views.page_is_missing(RequestFactory().get("/"))
    assert answer.status_code == 503
    assert answer["Content-Type"].startswith("text/plain")
    assert b"`make web`" in answer.content


def test_what_fails_says_nothing_of_the_inside() -> None:
    for path, kind in (("/api/x/", "application/json"), ("/x", "text/plain; charset=utf-8")):
        request = RequestFactory().get(path)
        failed = views.server_error(request)
        lost = views.not_found(request, Http404("/secret/path"))
        bad = views.bad_request(request, ValueError("/secret/path"))
        assert [answer.status_code for answer in (failed, lost, bad)] == [500, 404, 400]
        for answer in (failed, lost, bad):
            assert answer["Content-Type"] == kind
            assert b"secret" not in answer.content
