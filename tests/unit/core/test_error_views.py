"""What is said where there is nothing to show, and what is not said where something failed."""

from __future__ import annotations

from django.http import Http404
from django.test import RequestFactory

from backend_main.core.http import error_views


async def test_a_checkout_without_its_page_says_how_to_build_it() -> None:
    answer = await error_views.web_page_not_built(RequestFactory().get("/"))
    assert answer.status_code == 503
    assert answer["Content-Type"].startswith("text/plain")
    assert b"`make web`" in answer.content


def test_what_fails_says_nothing_of_the_inside() -> None:
    for path, kind in (("/api/x/", "application/json"), ("/x", "text/plain; charset=utf-8")):
        request = RequestFactory().get(path)
        failed = error_views.server_error(request)
        lost = error_views.not_found(request, Http404("/secret/path"))
        bad = error_views.bad_request(request, ValueError("/secret/path"))
        assert [answer.status_code for answer in (failed, lost, bad)] == [500, 404, 400]
        for answer in (failed, lost, bad):
            assert answer["Content-Type"] == kind
            assert b"secret" not in answer.content
