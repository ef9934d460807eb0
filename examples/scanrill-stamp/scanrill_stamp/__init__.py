"""Example engine for scanrill, in forty lines: its text is the size of a page, and how dark it is.

Install it beside scanrill (`pip install ./examples/scanrill-stamp`). Then `scanrill engines` lists it, and
`scanrill read --engine stamp page.png` and `scanrill.read("page.png", engine="stamp")` use it.
"""

from collections.abc import Iterator

from scanrill import Engine, Line, MarkdownWriter, Options, PageImage


class StampEngine(Engine):
    """Engine without a model."""

    name = "stamp"
    profiles = ("words", "bars")

    def load(self, threads: int) -> None:
        """Load the models, once in a process. This engine has none."""

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
    """Return the corners of a strip of the page, clockwise from the top left."""
    return ((0.0, top), (float(page.width), top), (float(page.width), bottom), (0.0, bottom))
