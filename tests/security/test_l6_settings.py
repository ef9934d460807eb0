"""L6 - `scanrill settings` shows the password in a URL."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend_main.core import conf
from backend_main.core.conf import Conf

URLS = {
    "https://ada:s3cret@models.example/v1": "https://***@models.example/v1",
    "https://s3cret@models.example:8080": "https://***@models.example:8080",
    "https://a@b:s3cret@models.example/v1": "https://***@models.example/v1",
    "https://models.example/v1?api_key=s3cret&x=s3cret": "https://models.example/v1?api_key=***&x=***",
    "http://[::1]:11434/v1": "http://[::1]:11434/v1",
    "http://localhost:11434/v1": "http://localhost:11434/v1",
}


@pytest.mark.parametrize("url", URLS)
def test_l6_settings_show_urls_without_credentials(url: str) -> None:
    rows = {row.variable: row.value for row in conf.describe(Conf(vision_url=url, jwt_jwks_url=url))}
    assert rows["SCANRILL_VISION_URL"] == URLS[url]
    assert rows["SCANRILL_JWT_JWKS_URL"] == URLS[url]


def test_l6_settings_show_origins_and_paths_as_they_are() -> None:
    settings = Conf(allowed_origins=["https://a.example", "http://b.example:8000"], import_roots=[Path("/a")])
    rows = {row.variable: row.value for row in conf.describe(settings)}
    assert rows["SCANRILL_ALLOWED_ORIGINS"] == "https://a.example,http://b.example:8000"
    assert rows["SCANRILL_IMPORT_ROOTS"] == "/a"
