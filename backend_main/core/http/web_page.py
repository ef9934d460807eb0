"""ASGI middleware that serves the built web page: the files that `make web` writes from `web/`."""

from __future__ import annotations

import hashlib
from pathlib import Path
from wsgiref.headers import Headers

from servestatic import ServeStaticASGI

from .types import Application

BUILD_DIR = Path(__file__).parents[2] / "web"
ASSETS_URL = "/assets/"


class BuiltFiles(ServeStaticASGI):
    """Static files that are read once, at start.

    The browser gets each file in the smallest encoding that it accepts.
    """

    FOREVER = 365 * 86_400


def web_page_middleware(application: Application, build_dir: Path = BUILD_DIR) -> Application:
    """Wrap an application: the page is served before it. Without a built page, return the application."""
    if not (build_dir / "index.html").is_file():
        return application
    files: Application = BuiltFiles(
        application,
        root=build_dir,
        index_file=True,
        max_age=None,
        allow_all_origins=False,
        # Names below `/assets/` contain a hash of the content.
        immutable_file_test=lambda _path, url: url.startswith(ASSETS_URL),
        add_headers_function=_add_headers,
    )
    return files


def _add_headers(headers: Headers, path: str, _url: str) -> None:
    """Add an ETag of the content: two builds of `index.html` in a wheel can have one time and one size.

    The tag is weak, because all encodings of a file share it.
    """
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    headers["ETag"] = f'W/"{digest[:32]}"'
    headers.setdefault("Cache-Control", "no-cache")
