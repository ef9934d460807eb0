"""The route of a page: its lines have words only if the query asks for them."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIRequestFactory, force_authenticate

from backend_main import reading
from backend_main.core.http.rest import PageView
from backend_main.core.jobs import queue as job_queue
from backend_main.core.jobs import results
from backend_main.core.models import Page, User
from backend_main.reading.types import level_box
from backend_main.reading.words import even_words
from tests.support.database import new_upload, new_user
from tests.support.problems import errors_of

pytestmark = pytest.mark.django_db

TEXT = "Total 12.00"
BOX = level_box(10.0, 20.0, 120.0, 40.0)


def saved_page(owner: User) -> Page:
    """Store a page of one line with two words."""
    upload = new_upload(owner)
    claim = job_queue.claim_next("a reader")
    assert claim is not None
    lines = [reading.Line(1, TEXT, TEXT, BOX, 0.9, words=even_words(TEXT, BOX, 0.9))]
    results.save_page(claim, reading.PageDone(1, 1, 200, 100, TEXT, TEXT, lines, []))
    return Page.objects.get(upload=upload)


def get_page(page: Page, owner: User, query: str = "") -> Any:
    """Return the response of the route."""
    request = APIRequestFactory().get(f"/api/uploads/{page.upload_id}/pages/1{query}")
    force_authenticate(request, owner)
    return PageView.as_view()(request, upload_id=page.upload_id, number=1)


def test_page_with_words_true_has_the_words_of_each_line() -> None:
    owner = new_user()
    [line] = get_page(saved_page(owner), owner, "?words=true").data["lines"]
    assert [(word["text"], word["start"], word["confidence"]) for word in line["words"]] == [
        ("Total", 0, 0.9),
        ("12.00", 6, 0.9),
    ]
    assert line["words"][0]["box"][1] == (60.0, 20.0)


@pytest.mark.parametrize("query", ["", "?words=false"])
def test_page_without_words_has_no_such_key(query: str) -> None:
    owner = new_user()
    [line] = get_page(saved_page(owner), owner, query).data["lines"]
    assert "words" not in line


@pytest.mark.parametrize("value", ["", "1", "True", "yes", "false,true"])
def test_page_with_another_value_of_words_is_refused(value: str) -> None:
    owner = new_user()
    response = get_page(saved_page(owner), owner, f"?words={value}")
    assert response.status_code == 400
    assert errors_of(response).keys() == {"words"}


def test_page_of_an_earlier_version_has_no_words() -> None:
    owner = new_user()
    page = saved_page(owner)
    Page.objects.filter(pk=page.pk).update(words=None)
    [line] = get_page(page, owner, "?words=true").data["lines"]
    assert line["words"] == ()


def test_page_of_another_user_is_unknown_with_words_too() -> None:
    assert get_page(saved_page(new_user()), new_user(), "?words=true").status_code == 404
