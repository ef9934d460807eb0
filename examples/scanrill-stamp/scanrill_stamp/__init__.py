"""Example of an engine in another package. It returns the size of a page and the darkness of its rows.

Install it in the environment of scanrill: `pip install ./examples/scanrill-stamp`. Then `scanrill engines` lists
it, and `scanrill read --engine stamp page.png` uses it. An upload can select it as well.
"""

from collections.abc import Iterator

from backend_main.reading import Engine, Line, MarkdownWriter, Options, PageImage


class StampEngine(Engine):
    """Engine with a heading for the size of the page and a line for every 100 rows of pixels."""

    name = "stamp"
    profiles = ("words", "bars")

    def load(self, threads: int) -> None:
        """Load models, once per process. This engine has none."""

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
    """Return the corners of a full-width box, clockwise from the top left."""
    return ((0.0, top), (float(page.width), top), (float(page.width), bottom), (0.0, bottom))
