"""Writes the corpus into a directory, with the expected result of each file in `expected.txt`."""

import sys
from pathlib import Path

from . import images, malformed, pdfs


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    expected = []
    for file in [*images.CORPUS_FILES, *pdfs.CORPUS_FILES, *malformed.CORPUS_FILES]:
        name = file.name.replace(" ", "-").replace(":", ".").replace(";", ".")
        (directory / name).write_bytes(file.make())
        expected.append(f"{name}: {file.expected}\n")
    (directory / "expected.txt").write_text("".join(expected))
    print(f"{len(expected)} files in {directory}")


main(Path(sys.argv[1]))
