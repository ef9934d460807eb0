"""Generator of backend_main/reading/cldr/exemplar_letters.txt from CLDR's JSON data.

    npm pack cldr-misc-full && tar xf cldr-misc-full-*.tgz
    .venv/bin/python tools/cldr_exemplars.py package

Each line of the file is the code of a language, a tab, and the letters that the language needs: CLDR's main
exemplar characters, and their capitals. Characters of one code point remain; letters with a combining mark
that have no code point of their own are given as letter and mark.
"""

import json
import re
import sys
import unicodedata
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "backend_main" / "reading" / "cldr"
LOCALES = {"no": "nb", "tl": "fil", "la": "en"}
"""CLDR's name of a language, where it is not the code. CLDR has no letters for Latin."""
TOKEN = re.compile(r"\{[^}]*\}|\\u[0-9A-Fa-f]{4}|\\.|[^\s]")


def main(package: Path) -> None:
    """Write the file and CLDR's license."""
    sys.path.insert(0, str(FOLDER.parents[2]))
    from backend_main.reading.languages import LANGUAGES

    rows = []
    for code in sorted(LANGUAGES):
        locale = LOCALES.get(code, code)
        data = json.loads((package / "main" / locale / "characters.json").read_text())
        letters = parse_unicode_set(data["main"][locale]["characters"]["exemplarCharacters"])
        capitals = {letter.upper() for letter in letters if len(letter.upper()) == 1}
        rows.append(f"{code}\t{''.join(sorted(letters | capitals))}\n")
    (FOLDER / "exemplar_letters.txt").write_text("".join(rows), encoding="utf-8")
    (FOLDER / "LICENSE").write_text((package / "LICENSE").read_text(encoding="utf-8"), encoding="utf-8")


def parse_unicode_set(text: str) -> set[str]:
    """Return the characters of a UnicodeSet without operators, such as `[a-c {ch} \\u200C]`."""
    characters: list[str] = []
    is_range = False
    for part in TOKEN.findall(text.strip()[1:-1]):
        if part == "-":
            is_range = True
            continue
        found = list(_characters(part))
        if is_range:
            found = [chr(code) for code in range(ord(characters[-1]) + 1, ord(found[0]) + 1)]
            is_range = False
        characters += found
    # Joiners and direction marks are not printed.
    return {character for character in characters if unicodedata.category(character) != "Cf"}


def _characters(token: str) -> str:
    if token.startswith("\\u"):
        return chr(int(token[2:], 16))
    if token.startswith("\\"):
        return token[1]
    return unicodedata.normalize("NFC", token.strip("{}"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
