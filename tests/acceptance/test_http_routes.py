"""Every route of HTTP: both forms of its path, its versions, and its methods."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import NamedTuple

import django
import httpx
import pytest

from tests.support.http_client import HttpClient
from tests.support.page_images import scripted_png
from tests.support.problems import errors_of, problem_of
from tests.support.raw_http import RawHttp, request
from tests.support.server import Server

UNKNOWN = str(uuid.UUID(int=1))


class Route(NamedTuple):
    """A path without its first slash, with values for its parameters, its methods, and those of views."""

    path: str
    methods: frozenset[str]
    of_views: frozenset[str]


def all_routes() -> Iterator[Route]:
    """Yield the routes of views and of streams; the root is the web page."""
    django.setup()
    from backend_main.backend.urls import stream_routes, urlpatterns
    from backend_main.core.http.route_checks import methods_of_view, view_of

    paths = {str(pattern.pattern) for pattern in urlpatterns}
    for path in map(fill, paths | {route.path for route in stream_routes.routes}):
        if path and "path:" not in path:
            viewed = methods_of_view(view_of(f"/{path}"))
            yield Route(path, stream_routes.methods(f"/{path}") | viewed, viewed)


def fill(path: str) -> str:
    """Return a path with values for its parameters."""
    return re.sub("<(?!path:).*?>", "1", re.sub("<uuid:.*?>", UNKNOWN, path))


ROUTES = sorted(all_routes())


@pytest.fixture(scope="module")
def http_client(server: Server) -> Iterator[HttpClient]:
    http_client = HttpClient(server, server.token(server.user()))
    yield http_client
    http_client.http.close()


def forms(path: str) -> list[str]:
    """Return all paths of a route."""
    bare = path.removesuffix("/")
    paths = [f"/{bare}", f"/{bare}/"]
    if path.startswith("api/"):
        paths += [f"/api/v1/{bare.removeprefix('api/')}", f"/api/v1/{bare.removeprefix('api/')}/"]
    return paths


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_options_names_the_methods_of_a_route_in_each_form(server: Server, route: Route) -> None:
    if "OPTIONS" in route.methods:
        pytest.skip("The handler of the route answers OPTIONS.")
    with httpx.Client(base_url=server.http) as http:
        for path in forms(route.path):
            answer = http.options(path)
            assert (answer.status_code, answer.content) == (204, b""), path
            assert set(answer.headers["Allow"].split(", ")) == route.methods | {"OPTIONS"}, path


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_method_that_a_route_lacks_is_405_with_allow(server: Server, route: Route) -> None:
    lacking = next(name for name in ("PUT", "DELETE", "LINK") if name not in route.methods)
    with httpx.Client(base_url=server.http) as http:
        for path in forms(route.path):
            answer = http.request(lacking, path)
            assert answer.status_code == 405, path
            assert lacking not in answer.headers["Allow"]
            assert not path.startswith("/api/") or problem_of(answer)["code"] == "method_not_allowed"


@pytest.mark.parametrize(
    "route", [one for one in ROUTES if {"GET", "HEAD"} <= one.methods], ids=lambda route: route.path
)
def test_head_has_the_status_of_get_and_no_body(http_client: HttpClient, route: Route) -> None:
    got, head = (http_client.http.request(method, f"/{route.path}") for method in ("GET", "HEAD"))
    assert head.status_code == got.status_code
    assert head.content == b""
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


@pytest.mark.parametrize("path", ["/api/uploads", "/api/uploads/", "/api/v1/uploads", "/api/v1/uploads/"])
def test_post_stores_the_file_in_each_form_of_the_path(http_client: HttpClient, path: str) -> None:
    answer = http_client.http.post(path, content=scripted_png())
    assert answer.status_code == 201
    instance = answer.json()["instance"]
    assert http_client.http.get(f"{path.removesuffix('/')}/{instance['id']}").json()["id"] == instance["id"]


def test_unknown_version_of_the_api_is_404(http_client: HttpClient) -> None:
    assert problem_of(http_client.http.get("/api/v2/me"))["code"] == "path_not_found"


def test_target_that_is_a_url_is_its_path(http_client: HttpClient) -> None:
    target = f"{http_client.server.http}/api/me?"
    authorization = f"Authorization: Bearer {http_client.token}"
    response = RawHttp(http_client.server).send(request("GET", target, authorization)).response()
    assert response.status == 200


def test_host_of_a_target_that_is_a_url_must_be_allowed(server: Server) -> None:
    response = RawHttp(server).send(request("GET", "http://elsewhere.example/healthz")).response()
    assert response.status == 400


# ── parameters ──


@pytest.mark.parametrize(
    "route",
    [route for route in ROUTES if route.path.startswith("api/")],
    ids=lambda route: route.path,
)
def test_parameter_that_a_route_lacks_is_refused_by_name(http_client: HttpClient, route: Route) -> None:
    for method in route.of_views - {"HEAD"}:
        answer = http_client.http.request(method, f"/{route.path}", params={"colour": "red"})
        assert answer.status_code == 400, method
        assert errors_of(answer).keys() == {"colour"}, method


@pytest.mark.parametrize(
    ("query", "name", "words"),
    [
        ("limit=1&limit=2", "limit", "once"),
        ("search=a%00b", "search", "NUL"),
        ("token=x", "token", "Authorization: Bearer"),
    ],
)
def test_parameter_that_no_route_accepts_is_refused(
    http_client: HttpClient, query: str, name: str, words: str
) -> None:
    answer = http_client.http.get(f"/api/uploads/?{query}")
    assert answer.status_code == 400
    assert words in errors_of(answer)[name]


# ── pages of other origins ──


@pytest.mark.parametrize("path", ["/api/uploads", "/api/me/", "/api/v1/nothing", "/api/uploads?x=1"])
def test_refusal_can_be_read_by_the_page_of_an_allowed_origin(server: Server, path: str) -> None:
    headers = {"Origin": server.http}
    answer = httpx.post(server.http + path, headers=headers)
    assert answer.status_code >= 400
    assert answer.headers["Access-Control-Allow-Origin"] == server.http
    asked = httpx.options(server.http + path, headers=headers | {"Access-Control-Request-Method": "POST"})
    assert (asked.status_code, asked.headers["Access-Control-Allow-Origin"]) == (204, server.http)
