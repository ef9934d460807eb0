"""Generator of backend_main/reading/documents/letter_pairs.py from the profiles of the package langdetect.

The profiles count pairs of letters in Wikipedia. For each script, the probability of a pair is the highest of
its languages, given the first letter.

    pip download --no-deps --no-binary :all: langdetect && tar xf langdetect-*.tar.gz
    .venv/bin/python tools/letter_pairs.py langdetect-*/langdetect/profiles
"""

import json
import math
import sys
from pathlib import Path

TARGET = Path(__file__).parents[1] / "backend_main" / "reading" / "documents" / "letter_pairs.py"
MAX_COST = 9
SCRIPTS = {
    "LATIN": (
        "abcdefghijklmnopqrstuvwxyz",
        "af ca cs da de en es et fi fr hr hu id it lt lv nl no pl pt ro sk sl so sq sv sw tl tr",
    ),
    "CYRILLIC": ("абвгдежзийклмнопрстуфхцчшщъыьэюяѓєіїјљњќџґ", "bg mk ru uk"),
    "GREEK": ("αβγδεζηθικλμνξοπρσςτυφχψω", "el"),
    "HEBREW": ("אבגדהוזחטיךכלםמןנסעףפץצקרשת", "he"),
    "ARABIC": ("ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژکگیٹڈڑںھہے", "ar fa ur"),
}
HEADER = '''"""Costs of pairs of letters in five scripts, for tests of whether letters form words.

tools/letter_pairs.py writes this file. A digit is the cost of a pair in bits, at most 9: the first letter is
the row, the second one the column. A space stands for the start and the end of a word. Latin and Greek
letters are without their marks.
"""
'''


def main(profiles: Path) -> None:
    """Write the module."""
    sys.path.insert(0, str(TARGET.parents[3]))
    from backend_main.reading.documents.base_letters import to_base_letters

    parts = [HEADER]
    for name, (letters, languages) in SCRIPTS.items():
        alphabet = " " + letters
        best: dict[str, float] = {}
        for language in languages.split():
            counts: dict[str, int] = {}
            for text, count in json.loads((profiles / language).read_text())["freq"].items():
                pair = to_base_letters(text)
                if len(pair) == 2 and pair != "  " and set(pair) <= set(alphabet):
                    counts[pair] = counts.get(pair, 0) + count
            for pair, count in counts.items():
                total = sum(other for key, other in counts.items() if key[0] == pair[0])
                best[pair] = max(best.get(pair, 0.0), count / total)
        rows = ["".join(cost(best.get(first + second)) for second in alphabet) for first in alphabet]
        parts.append(f'\n{name} = "{alphabet}", """\n' + "\n".join(rows) + '\n"""\n')
    TARGET.write_text("".join(parts))


def cost(probability: float | None) -> str:
    return str(min(MAX_COST, round(-math.log2(probability)))) if probability else str(MAX_COST)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
