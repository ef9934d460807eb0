"""Writes the zoo into a directory, each file with its expected end in `ends.txt` beside it."""

import sys
from pathlib import Path

from . import images, malformed, pdfs


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    ends = []
    for exhibit in [*images.CORPUS_FILES, *pdfs.CORPUS_FILES, *malformed.CORPUS_FILES]:
        name = exhibit.name.replace(" ", "-").replace(":", ".").replace(";", ".")
        (directory / name).write_bytes(exhibit.make())
        ends.append(f"{name}: {exhibit.expected}\n")
    (directory / "ends.txt").write_text("".join(ends))
    print(f"{len(ends)} files in {directory}")


main(Path(sys.argv[1]))
