"""An engine of one's own for scanrill, in forty lines: how large a page is, and how dark its lines are.

Install it where scanrill is (`pip install ./examples/scanrill-stamp`); `scanrill engines` lists it, and
`scanrill read --engine stamp page.png` reads with it, as does an upload that asks for it.
"""

from collections.abc import Iterator

from backend_main.reading import Engine, Line, MarkdownWriter, Options, PageImage


class StampEngine(Engine):
    name = "stamp"
    profiles = ("words", "bars")

    def load(self, threads: int) -> None:
        """Models are loaded here, once a process. This one has none."""

    def configure(self, options: Options) -> None:
        self.profile = options.profile or self.profiles[0]

    def read_page(self, page: PageImage) -> Iterator[Line]:
        writer = MarkdownWriter()
        size = f"{page.width} × {page.height} pixels"
        yield Line(page.number, size, writer.write("# ", size), corners(page, 0, page.height), 1.0)
        for top in range(0, page.height, 100):
            bottom = min(top + 100, page.height)
            darkness = 1 - float(page.pixels[top:bottom].mean()) / 255
            text = "█" * round(40 * darkness) if self.profile == "bars" else f"{darkness:.0%} dark"
            if text:
                markdown = writer.write("\n\n", text)
                yield Line(page.number, text, markdown, corners(page, top, bottom), 1.0)


def corners(page: PageImage, top: float, bottom: float) -> tuple:
    """Clockwise from the top left."""
    return ((0.0, top), (float(page.width), top), (float(page.width), bottom), (0.0, bottom))
