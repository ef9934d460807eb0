"""Step 3 — the web page: the files that were built from `web/`, as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path
from wsgiref.headers import Headers

from servestatic import ServeStaticASGI

from .types import Application

BUILT = Path(__file__).parents[2] / "web"
ASSETS = "/assets/"


class BuiltFiles(ServeStaticASGI):
    """Reads the directory once, at start; each file in the smallest form that the browser accepts."""

    FOREVER = 365 * 86_400


def web_page_middleware(application: Application, built: Path = BUILT) -> Application:
    """The application with the page before it; where the page was not built, the application alone."""
    if not (built / "index.html").is_file():
        return application
    files: Application = BuiltFiles(
        application,
        root=built,
        index_file=True,
        max_age=None,
        allow_all_origins=False,
        immutable_file_test=_is_immutable,
        add_headers_function=_add_headers,
    )
    return files


def _is_immutable(_path: str, url: str) -> bool:
    """Names below `/assets/` carry a hash of their content."""
    return url.startswith(ASSETS)


def _add_headers(headers: Headers, path: str, _url: str) -> None:
    """An ETag of the content: time and size of `index.html` can be the same in two builds of a wheel.

    It is a weak one, as the compressed forms of a file share it.
    """
    digest = hashlib.sha256(Path(path).read_bytes()).hexdigest()
    headers["ETag"] = f'W/"{digest[:32]}"'
    headers.setdefault("Cache-Control", "no-cache")
