"""CORS: pages of allowed origins may read responses, and no others."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from backend_main.core.auth import origin as origins
from backend_main.core.conf import conf
from backend_main.core.http.cors import cors_middleware
from backend_main.core.http.responses import send_empty
from backend_main.core.http.types import Receive, Scope, Send

ALLOWED = "https://app.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "PATCH",
    "Access-Control-Request-Headers": "authorization,if-match",
}


@pytest.fixture(autouse=True)
def allowed_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(origins, "conf", msgspec.structs.replace(conf, allowed_origins=[ALLOWED]))


async def application(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send_empty(send, {"Vary": "Accept", "X-Application": "yes"})


async def request(method: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(cors_middleware(application))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        return await http.request(method, "/api/me", headers=headers)


async def test_response_to_an_allowed_origin_can_be_read_by_its_page() -> None:
    response = await request("GET", Origin=ALLOWED)
    assert response.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert response.headers["Access-Control-Allow-Credentials"] == "true"
    assert {"ETag", "Location", "Retry-After"} <= set(
        response.headers["Access-Control-Expose-Headers"].split(", ")
    )
    assert response.headers.get_list("Vary", split_commas=True) == ["Accept", "Origin"]


@pytest.mark.parametrize("origin", ["https://other.example", "null", "*", "https://app.example.evil.example"])
async def test_response_to_another_origin_has_no_headers_of_cors(origin: str) -> None:
    for response in (
        await request("GET", Origin=origin),
        await request("OPTIONS", Origin=origin, **PREFLIGHT),
    ):
        assert response.headers["X-Application"] == "yes"
        assert not [name for name in response.headers if name.startswith("access-control-")]
        assert response.headers.get_list("Vary", split_commas=True) == ["Accept", "Origin"]


async def test_preflight_of_an_allowed_origin_is_answered_for_the_application() -> None:
    response = await request("OPTIONS", Origin=ALLOWED, **PREFLIGHT)
    assert response.status_code == 204
    assert "X-Application" not in response.headers
    assert response.headers["Access-Control-Allow-Origin"] == ALLOWED
    assert "PATCH" in response.headers["Access-Control-Allow-Methods"].split(", ")
    assert response.headers["Access-Control-Allow-Headers"] == "authorization,if-match"


async def test_options_without_a_requested_method_reaches_the_application() -> None:
    response = await request("OPTIONS", Origin=ALLOWED)
    assert response.headers["X-Application"] == "yes"
    assert response.headers["Access-Control-Allow-Origin"] == ALLOWED
