"""Generator of backend_main/reading/models/english_words.txt.xz from the package symspellpy.

    pip download --no-deps symspellpy==6.10.1 && unzip symspellpy-*.whl
    .venv/bin/python tools/english_words.py symspellpy/frequency_dictionary_en_82_765.txt

The dictionary has 82,765 words with their counts in Google's books. Its common words come first, in a line of
their own, then the others.
"""

import lzma
import re
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "backend_main" / "reading" / "models" / "english_words.txt.xz"
MIN_COUNTS = {4: 50_000_000, 5: 500_000}
"""Count from which a word is common, by its letters; longer words as those of five, shorter ones never.

Alan and Gregg are in the dictionary: among short words, rare ones are mostly names.
"""


def main(dictionary: Path) -> None:
    """Write the words."""
    entries = [line.split() for line in dictionary.read_text(encoding="utf-8-sig").splitlines()]
    counts = {word: int(count) for word, count in entries if re.fullmatch("[a-z]{4,}", word)}
    common = {word for word, count in counts.items() if count >= MIN_COUNTS[min(5, len(word))]}
    text = "\n".join(" ".join(sorted(words)) for words in (common, counts.keys() - common))
    TARGET.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
