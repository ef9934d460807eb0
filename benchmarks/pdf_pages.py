"""Writer of PDFs with exact Markdown, in many layouts: a set to measure on while developing.

Chromium and WeasyPrint print the documents, whose sentences are our own. Each file NAME.pdf has NAME.gt.md
beside it; `benchmarks.pdf --files DIR` scores them. A seed always gives the same documents. Their look
depends on the installed fonts: Debian has fonts-dejavu-core, fonts-liberation, fonts-noto-core,
fonts-noto-cjk, fonts-lato and fonts-ebgaramond.

    .venv/bin/python -m benchmarks.pdf_pages DIR --seeds 2
    .venv/bin/python -m benchmarks.pdf --files DIR
"""

import argparse
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

from benchmarks.pdf_layouts import LAYOUTS, Layout
from tests.support.pdf_printers import ChromiumPrinter, print_with_weasyprint


def documents(layouts: list[str], seeds: range) -> Iterator[tuple[str, Layout, Random]]:
    """Return name, layout and random generator of each document."""
    for name, layout in LAYOUTS.items():
        if layouts and name not in layouts:
            continue
        for seed in seeds:
            yield f"{name}_{seed}", layout, Random(zlib.crc32(f"{name} {seed}".encode()))


def write(folder: Path, layouts: list[str], seeds: range) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with ChromiumPrinter() as chromium:
        for name, layout, random in documents(layouts, seeds):
            document = layout.draw(random)
            html = document.html()
            header, footer = layout.chromium_header, layout.chromium_footer
            prints = {
                "chrome": lambda html=html, header=header, footer=footer: chromium.print(
                    html, header=header, footer=footer
                ),
                "weasy": lambda html=html: print_with_weasyprint(html),
            }
            for printer in layout.printers:
                stem = f"{name}_{printer}"
                (folder / f"{stem}.pdf").write_bytes(prints[printer]())
                (folder / f"{stem}.gt.md").write_text(document.markdown())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, metavar="DIR")
    parser.add_argument("--seeds", type=int, default=2, help="documents of each layout (default: 2)")
    parser.add_argument("--first", type=int, default=0, help="first seed (default: 0)")
    parser.add_argument("--layouts", nargs="*", default=[], help=", ".join(LAYOUTS))
    options = parser.parse_args()
    write(options.folder, options.layouts, range(options.first, options.first + options.seeds))


if __name__ == "__main__":
    main()
