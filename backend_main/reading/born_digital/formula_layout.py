"""LaTeX of a displayed formula from the places of its parts: fractions, roots, limits and scripts.

Parts are found from the largest bar to the smallest. The rest is read along its baseline. A formula that
has parts elsewhere, such as a matrix, has no certain LaTeX.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from ..documents.pdf_characters import AXIS_HEIGHT
from ..documents.pdf_graphics import Rule
from ..documents.styled_text import TextPiece
from ..output.latex import LARGE_OPERATORS
from .formula_latex import Atom, atoms_of, joined, with_scripts

# In font sizes.
MAX_BASELINE_DISTANCE = 0.15
MAX_COMPOSITE_DISTANCE = 0.3
MAX_SCRIPT_SHIFT = 1.1
MAX_LIMIT_ASIDE, MAX_CHAIN_GAP = 0.8, 0.6
SMALL = 0.1
ASCENT, DESCENT = 0.72, 0.22
LARGE_EXTENT = (1.0, 0.6)
"""Height and depth of a large operator."""
MAX_SCRIPT_SIZE = 0.92
"""In sizes of the base."""
MAX_FRACTION_HEIGHT = 2.6
"""Distance of a numerator's baseline from its bar."""
RULE_SLACK = 4.0
"""In pixels: parts reach over the ends of a bar by rounding."""
MAX_DEPTH = 8
_LIMIT_FUNCTIONS = frozenset(
    {"\\lim", "\\max", "\\min", "\\sup", "\\inf", "\\limsup", "\\liminf", "\\det", "\\Pr"}
)
ROOT = "√"


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a formula: its atoms, and its place in pixels, downwards."""

    atoms: tuple[Atom, ...]
    left: float
    right: float
    baseline: float
    size: float
    top: float
    bottom: float
    is_composite: bool = False
    """A fraction or a root: its size is not that of the line it stands in."""

    @property
    def center(self) -> float:
        return (self.left + self.right) / 2

    @property
    def is_root(self) -> bool:
        return self.atoms == (Atom(ROOT),)

    @property
    def has_limits(self) -> bool:
        atom = self.atoms[-1]
        return atom.kind == "large" or atom.latex in _LIMIT_FUNCTIONS


def parts_of(pieces: Sequence[TextPiece]) -> list[Part] | None:
    """Return the parts of a formula's pieces, None if a character has no place in LaTeX."""
    parts: list[Part] = []
    for piece in pieces:
        for text, left, right in _divided(piece):
            atoms = [Atom(ROOT)] if text == ROOT else atoms_of(text, piece.style.font)
            if atoms is None:
                return None
            if atoms:
                size = piece.style.size
                ascent, descent = (ASCENT, DESCENT) if atoms[0].kind != "large" else LARGE_EXTENT
                top, bottom = piece.baseline - ascent * size, piece.baseline + descent * size
                parts.append(Part(tuple(atoms), left, right, piece.baseline, size, top, bottom))
    return parts


def _divided(piece: TextPiece) -> list[tuple[str, float, float]]:
    """Return the text of a piece, divided at roots and large operators, with the place of each part."""
    marks = LARGE_OPERATORS | {ROOT}
    if not any(letter in marks for letter in piece.text) or len(piece.text) == 1:
        return [(piece.text, piece.left, piece.right)]
    width = (piece.right - piece.left) / len(piece.text)
    texts = [""]
    for letter in piece.text:
        texts += [letter, ""] if letter in marks else []
        if letter not in marks:
            texts[-1] += letter
    place, divided = piece.left, []
    for text in filter(None, texts):
        divided.append((text, place, place + width * len(text)))
        place += width * len(text)
    return divided


def formula_latex(parts: Sequence[Part], rules: Sequence[Rule], depth: int = 0) -> str | None:
    """Return the LaTeX of the parts of one displayed line; None if it is not certain."""
    atoms = _composed(list(parts), rules, depth)
    return joined(atoms) if atoms else None


def _composed(parts: list[Part], rules: Sequence[Rule], depth: int) -> list[Atom] | None:
    if depth > MAX_DEPTH or not parts:
        return None
    ordered = sorted(rules, key=lambda rule: rule.x0 - rule.x1)
    for number, rule in enumerate(ordered):
        smaller = ordered[number + 1 :]
        found = _root(parts, rule, smaller, depth) or _fraction(parts, rule, smaller, depth)
        if found is not None:
            rest, part = found
            return _composed([*rest, part], smaller, depth + 1)
    return _line(parts, depth)


def _root(
    parts: Sequence[Part], rule: Rule, rules: Sequence[Rule], depth: int
) -> tuple[list[Part], Part] | None:
    """Return the other parts, and the root whose bar the rule is."""
    signs = [
        part for part in parts if part.is_root and abs(part.right - rule.x0) < MAX_LIMIT_ASIDE * part.size
    ]
    sign = min(signs, key=lambda part: abs(part.right - rule.x0), default=None)
    if sign is None:
        return None
    inside = [
        part
        for part in parts
        if part is not sign and _is_within(part, rule) and rule.y0 < part.baseline < sign.bottom + sign.size
    ]
    atoms = _composed(inside, _rules_of(inside, rules), depth + 1)
    if atoms is None:
        return None
    degree = [part for part in parts if _is_degree(part, sign)]
    prefix = formula_latex(degree, [], depth + 1) if degree else None
    latex = f"\\sqrt{f'[{prefix}]' if prefix else ''}{{{joined(atoms)}}}"
    rest = [part for part in parts if part is not sign and part not in inside and part not in degree]
    return rest, _merged([sign, *inside], latex, median(part.baseline for part in _largest(inside)))


def _is_degree(part: Part, sign: Part) -> bool:
    is_small = part.size < MAX_SCRIPT_SIZE * sign.size
    is_left = sign.left - 0.5 * sign.size < part.center < (sign.left + sign.center) / 2
    return is_small and is_left and part.baseline < sign.baseline


def _fraction(
    parts: Sequence[Part], rule: Rule, rules: Sequence[Rule], depth: int
) -> tuple[list[Part], Part] | None:
    """Return the other parts, and the fraction whose bar the rule is."""
    within = [part for part in parts if _is_within(part, rule)]
    limit = MAX_FRACTION_HEIGHT * max((part.size for part in within), default=0.0)
    above = [part for part in within if -limit < part.baseline - rule.y0 < DESCENT * part.size]
    below = [part for part in within if DESCENT * part.size <= part.baseline - rule.y0 < limit]
    if not above or not below:
        return None
    numerator = _composed(above, _rules_of(above, rules), depth + 1)
    denominator = _composed(below, _rules_of(below, rules), depth + 1)
    if numerator is None or denominator is None:
        return None
    latex = f"\\frac{{{joined(numerator)}}}{{{joined(denominator)}}}"
    size = max(part.size for part in within)
    rest = [part for part in parts if part not in above and part not in below]
    return rest, _merged([*above, *below], latex, rule.y0 + AXIS_HEIGHT * size)


def _is_within(part: Part, rule: Rule) -> bool:
    return rule.x0 - RULE_SLACK < part.center < rule.x1 + RULE_SLACK


def _rules_of(parts: Sequence[Part], rules: Sequence[Rule]) -> list[Rule]:
    """Return the rules among some parts."""
    if not parts:
        return []
    top, bottom = min(part.top for part in parts), max(part.bottom for part in parts)
    return [rule for rule in rules if top - RULE_SLACK < rule.y0 < bottom + RULE_SLACK]


def _merged(parts: Sequence[Part], latex: str, baseline: float) -> Part:
    return Part(
        (Atom(latex),),
        min(part.left for part in parts),
        max(part.right for part in parts),
        baseline,
        max(part.size for part in parts),
        min(part.top for part in parts),
        max(part.bottom for part in parts),
        is_composite=True,
    )


def _largest(parts: Sequence[Part]) -> list[Part]:
    simple = [part for part in parts if not part.is_composite] or parts
    size = max(part.size for part in simple)
    return [part for part in simple if part.size > MAX_SCRIPT_SIZE * size]


def _line(parts: list[Part], depth: int) -> list[Atom] | None:
    """Return the atoms of parts along their baseline, with their limits and scripts."""
    if any(part.is_root for part in parts):
        return None
    largest = _largest(parts)
    weights = [(part.baseline, len(part.atoms)) for part in largest]
    baseline = max(
        {y for y, _ in weights}, key=lambda y: sum(n for other, n in weights if abs(other - y) < 2)
    )
    size = max(part.size for part in largest)
    on_line = [part for part in parts if part in largest or part.is_composite]
    bases = sorted((part for part in on_line if _is_on(part, baseline, size)), key=lambda part: part.left)
    limits = _owned(bases, [part for part in parts if part not in bases])
    if limits is None:
        return None
    atoms: list[Atom] = []
    for number, base in enumerate(bases):
        atoms += base.atoms
        if number in limits:
            scripted = _with_scripts(base, limits[number], depth)
            if scripted is None:
                return None
            atoms[-1] = scripted
    return atoms


def _is_on(part: Part, baseline: float, size: float) -> bool:
    limit = MAX_COMPOSITE_DISTANCE if part.is_composite else MAX_BASELINE_DISTANCE
    return abs(part.baseline - baseline) <= limit * size


def _owned(bases: Sequence[Part], scripts: Sequence[Part]) -> dict[int, list[Part]] | None:
    """Return the scripts and limits of each base; None if one belongs to none."""
    owned: dict[int, list[Part]] = {}
    for chain in _chains(scripts):
        owner = _limit_owner(bases, chain)
        for part in chain:
            place = _script_owner(bases, part) if owner is None else owner
            if place is None:
                return None
            owned.setdefault(place, []).append(part)
    return owned


def _chains(parts: Sequence[Part]) -> list[list[Part]]:
    """Group small parts that follow each other closely on about one baseline."""
    chains: list[list[Part]] = []
    for part in sorted(parts, key=lambda part: part.left):
        for chain in chains:
            last = chain[-1]
            is_beside = part.left - last.right < MAX_CHAIN_GAP * chain[0].size
            if is_beside and abs(part.baseline - chain[0].baseline) < MAX_CHAIN_GAP * chain[0].size:
                chain.append(part)
                break
        else:
            chains.append([part])
    return chains


def _limit_owner(bases: Sequence[Part], chain: Sequence[Part]) -> int | None:
    """Return the operator right above or below a chain of parts."""
    left, right = chain[0].left, max(part.right for part in chain)
    center, baseline, top = (left + right) / 2, chain[0].baseline, min(part.top for part in chain)
    for number, base in enumerate(bases):
        aside = MAX_LIMIT_ASIDE * chain[0].size
        overlaps = base.left - aside < center < base.right + aside and left < base.right and right > base.left
        is_apart = baseline < base.baseline - ASCENT * base.size or top > base.baseline - SMALL * base.size
        if base.has_limits and overlaps and is_apart:
            return number
    return None


def _script_owner(bases: Sequence[Part], part: Part) -> int | None:
    """Return the base that a raised or lowered part follows."""
    before = [number for number, base in enumerate(bases) if base.left < part.left]
    if not before:
        return None
    base = bases[before[-1]]
    shift = abs(part.baseline - base.baseline) / base.size
    height = max(base.size, (base.bottom - base.top) / 2)
    is_near = abs(part.baseline - base.baseline) < MAX_SCRIPT_SHIFT * height and shift > 0.05
    return before[-1] if is_near and part.size < MAX_SCRIPT_SIZE * base.size else None


def _with_scripts(base: Part, scripts: Sequence[Part], depth: int) -> Atom | None:
    """Return the last atom of a base with its scripts or limits."""
    raised = [part for part in scripts if part.baseline < base.baseline]
    lowered = [part for part in scripts if part.baseline >= base.baseline]
    latex: list[str | None] = []
    for group in (lowered, raised):
        text = formula_latex(group, [], depth + 1) if group else None
        if group and text is None:
            return None
        latex.append(text)
    return with_scripts(base.atoms[-1], latex[0], latex[1])
