"""Writer of results to README.md, between the markers of a section."""

from pathlib import Path

README = Path(__file__).with_name("README.md")


def write(section: str, text: str) -> None:
    """Replace the text of a section."""
    begin, end = f"<!-- {section}: begin -->", f"<!-- {section}: end -->"
    head, _, rest = README.read_text().partition(begin)
    _, marker, tail = rest.partition(end)
    if not marker:
        raise SystemExit(f"{README.name} has no {begin} and {end}. Add both lines.")
    README.write_text(f"{head}{begin}\n\n{text}\n\n{end}{tail}")
