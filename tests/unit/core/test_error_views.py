"""Responses to errors, and the page that is not built."""

from __future__ import annotations

from django.http import Http404
from django.test import RequestFactory

from backend_main.core.http import error_views


async def test_web_page_not_built_says_how_to_build_it() -> None:
    response = await error_views.web_page_not_built(RequestFactory().get("/"))
    assert response.status_code == 503
    assert response["Content-Type"].startswith("text/plain")
    assert b"`make web`" in response.content


def test_error_views_reveal_nothing_of_the_error() -> None:
    for path, kind in (("/api/x/", "application/problem+json"), ("/x", "text/plain; charset=utf-8")):
        request = RequestFactory().get(path)
        server_error = error_views.server_error(request)
        not_found = error_views.not_found(request, Http404("/secret/path"))
        bad_request = error_views.bad_request(request, ValueError("/secret/path"))
        assert [response.status_code for response in (server_error, not_found, bad_request)] == [
            500,
            404,
            400,
        ]
        for response in (server_error, not_found, bad_request):
            assert response["Content-Type"] == kind
            assert b"secret" not in response.content
