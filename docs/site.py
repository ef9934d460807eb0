"""Builder of the documentation (`make docs`): hand-written and generated pages → `site/`.

It copies all pages to `.docs/` first, because zensical reads files only. The build fails on a broken link,
and on anything that a page would load from another host.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import generate, tutorial_invoice

ROOT = Path(__file__).parents[1]
STAGE, SITE = ROOT / ".docs", ROOT / "site"
NOTES = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)
# A page names a decision by its number alone, because the rest of the file name may change.
DECISION = re.compile(r"\bdecisions/(\d{4})\.md")
# Everything that makes a browser load a file: sources, style sheets and icons, and URLs in style sheets.
LOADS = re.compile(
    r"""<(?:script|img|iframe|source|audio|video|embed|object)\b[^>]*?\b(?:src|srcset|data|poster)="((?:https?:)?//[^"]*)"
    |<link\b(?=[^>]*\brel="?(?:stylesheet|icon|preload|preconnect|modulepreload|manifest))[^>]*?\bhref="((?:https?:)?//[^"]*)"
    |(?:url\(|@import\s+)["']?((?:https?:)?//[^"')\s]*)""",
    re.VERBOSE,
)


def build() -> None:
    stage_pages()
    command = [
        sys.executable,
        "-m",
        "zensical",
        "build",
        "--strict",
        "--clean",
        "--config-file",
        "zensical.toml",
    ]
    built = subprocess.run(command, cwd=STAGE, capture_output=True, text=True)
    if built.returncode:
        sys.exit(built.stdout + built.stderr)
    shutil.rmtree(SITE, ignore_errors=True)
    shutil.move(STAGE / "site", SITE)  # the builder writes below its own directory only
    if foreign := foreign_loads():
        sys.exit("these pages load from another host:\n" + "\n".join(foreign))
    print(f"documentation built: {SITE / 'index.html'}")


def stage_pages() -> None:
    """Copy everything that the builder needs to `.docs/`."""
    shutil.rmtree(STAGE, ignore_errors=True)
    pages = STAGE / "pages"
    shutil.copytree(ROOT / "docs" / "pages", pages)
    shutil.copy(ROOT / "docs" / "zensical.toml", STAGE)
    shutil.copy(ROOT / "web" / "src" / "icon.svg", pages / "assets" / "mark.svg")
    tutorial_invoice.draw(pages / "assets" / "invoice.png")
    for name, text in generate.pages().items():
        if (pages / name).exists():
            sys.exit(f"docs/pages/{name} would be overwritten: docs/generate writes a page of that name")
        (pages / name).parent.mkdir(parents=True, exist_ok=True)
        (pages / name).write_text(text)
    decisions = {p.name[:4]: f"decisions/{p.name}" for p in (ROOT / "docs" / "decisions").glob("[0-9]*.md")}
    for path in pages.rglob("*.md"):
        text = NOTES.sub("", path.read_text())  # notes to the tests are not for readers
        path.write_text(DECISION.sub(lambda found: decisions[found[1]], text))


def foreign_loads() -> list[str]:
    """Return `file: URL` for each load from another host in the built files."""
    return [
        f"{path.relative_to(SITE)}: {next(filter(None, found.groups()))}"
        for path in sorted(SITE.rglob("*"))
        if path.suffix in (".html", ".css")
        for found in LOADS.finditer(path.read_text())
    ]


if __name__ == "__main__":
    build()
