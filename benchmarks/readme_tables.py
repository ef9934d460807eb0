"""Where results go: into README.md, between the markers of their section; the rest is written by hand."""

from pathlib import Path

README = Path(__file__).with_name("README.md")


def write(section: str, text: str) -> None:
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    head, _, rest = README.read_text().partition(begin)
    _, marker, tail = rest.partition(end)
    if not marker:
        raise SystemExit(f"{README.name} has no {begin} and {end}.")
    README.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}")
