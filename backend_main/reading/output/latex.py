"""LaTeX of formulas: commands of symbols, where formulas stand in Markdown, and their plain text.

GitHub's rule for a formula in Markdown: the opening dollar sign has no letter before and no space after it,
the closing one has no space before and no letter or digit after it.
"""

import re
import unicodedata

COMMANDS = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ϵ": "epsilon", "ε": "varepsilon", "ζ": "zeta",
    "η": "eta", "θ": "theta", "ϑ": "vartheta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu",
    "ξ": "xi", "π": "pi", "ϖ": "varpi", "ρ": "rho", "ϱ": "varrho", "σ": "sigma", "ς": "varsigma", "τ": "tau",
    "υ": "upsilon", "ϕ": "phi", "φ": "varphi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma",
    "∆": "Delta", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Υ": "Upsilon",
    "Φ": "Phi", "Ψ": "Psi", "\u2126": "Omega", "Ω": "Omega", "∂": "partial", "∇": "nabla", "∞": "infty",
    "ℓ": "ell",
    "ℏ": "hbar", "ℜ": "Re", "ℑ": "Im", "ℵ": "aleph", "∅": "emptyset", "∀": "forall", "∃": "exists",
    "¬": "neg", "⊤": "top", "⊥": "bot", "′": "prime", "∠": "angle", "△": "triangle", "▽": "triangledown",
    "…": "dots", "⋯": "cdots", "⋮": "vdots", "⋱": "ddots", "†": "dagger", "‡": "ddagger", "℘": "wp",
    "°": "circ", "♣": "clubsuit", "♢": "diamondsuit", "♡": "heartsuit", "♠": "spadesuit", "◯": "bigcirc",
    "±": "pm", "∓": "mp", "×": "times", "÷": "div", "·": "cdot", "⋅": "cdot", "∗": "ast", "⋆": "star",
    "∘": "circ", "∙": "bullet", "•": "bullet", "⊕": "oplus", "⊖": "ominus", "⊗": "otimes", "⊘": "oslash",
    "⊙": "odot", "∪": "cup", "∩": "cap", "⊎": "uplus", "∧": "wedge", "∨": "vee", "∖": "setminus",
    "⊔": "sqcup", "⊓": "sqcap", "⋄": "diamond", "≀": "wr", "⨿": "amalg",
    "≤": "leq", "≥": "geq", "⩽": "leqslant", "⩾": "geqslant", "≪": "ll", "≫": "gg", "≠": "neq",
    "≡": "equiv", "≈": "approx", "∼": "sim", "≃": "simeq", "≅": "cong", "∝": "propto", "≍": "asymp",
    "⪯": "preceq", "⪰": "succeq", "≺": "prec", "≻": "succ", "⊂": "subset", "⊃": "supset", "⊆": "subseteq",
    "⊇": "supseteq", "⊑": "sqsubseteq", "⊒": "sqsupseteq", "∈": "in", "∋": "ni", "∉": "notin", "⊢": "vdash",
    "⊣": "dashv", "⊨": "models", "∣": "mid", "∥": "parallel", "→": "to", "←": "leftarrow",
    "↔": "leftrightarrow", "⇒": "Rightarrow", "⇐": "Leftarrow", "⇔": "Leftrightarrow", "↦": "mapsto",
    "↑": "uparrow", "↓": "downarrow", "⇑": "Uparrow", "⇓": "Downarrow", "↗": "nearrow", "↘": "searrow",
    "↖": "nwarrow", "↙": "swarrow", "⟶": "longrightarrow", "⟵": "longleftarrow", "⟹": "Longrightarrow",
    "≜": "triangleq", "≐": "doteq", "⇌": "rightleftharpoons",
    "∑": "sum", "∏": "prod", "∐": "coprod", "∫": "int", "∬": "iint", "∭": "iiint", "∮": "oint",
    "⋃": "bigcup", "⋂": "bigcap", "⨆": "bigsqcup", "⨄": "biguplus", "⋀": "bigwedge", "⋁": "bigvee",
    "⟨": "langle", "⟩": "rangle", "⌊": "lfloor", "⌋": "rfloor", "⌈": "lceil", "⌉": "rceil", "‖": "|",
    "{": "{", "}": "}", "%": "%", "#": "#", "&": "&", "$": "$", "_": "_",
}  # fmt: skip
"""Commands of characters, without the backslash."""
RELATIONS = frozenset("=<>≤≥⩽⩾≪≫≠≡≈∼≃≅∝≍⪯⪰≺≻⊂⊃⊆⊇⊑⊒∈∋∉⊢⊣⊨∣→←↔⇒⇐⇔↦⟶⟵⟹≜≐⇌:↑↓")
OPERATORS = frozenset("+-−±∓×÷·⋅∗*⋆∘∙⊕⊖⊗⊘⊙∪∩⊎∧∨∖⊔⊓⋄≀⨿")
LARGE_OPERATORS = frozenset("∑∏∐∫∬∭∮⋃⋂⨆⨄⋀⋁")
OPENING, CLOSING = "([{⟨⌊⌈", ")]}⟩⌋⌉"
FUNCTIONS = frozenset(
    [
        "arccos",
        "arcsin",
        "arctan",
        "arg",
        "argmax",
        "argmin",
        "cos",
        "cosh",
        "cot",
        "coth",
        "csc",
        "deg",
        "det",
        "dim",
        "exp",
        "gcd",
        "hom",
        "inf",
        "ker",
        "lg",
        "lim",
        "liminf",
        "limsup",
        "ln",
        "log",
        "max",
        "min",
        "Pr",
        "sec",
        "sin",
        "sinh",
        "sup",
        "tan",
        "tanh",
    ]
)
ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar",
    "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030a": "mathring", "\u030c": "check",
    "\u20d7": "vec",
}  # fmt: skip

_DISPLAYED = r"(?<!\\)\$\$(?P<displayed>[^$]+?)(?<!\\)\$\$"
_INLINE = r"(?<![\w\\$])\$(?=[^\s$])(?P<inline>(?:[^$\n\\]|\\[^\n])+?)(?<=\S)\$(?![\w$])"
FORMULA = re.compile(f"{_DISPLAYED}|{_INLINE}")
"""A formula in Markdown, with dollar signs."""

_LETTERS = {command: letter for letter, command in reversed(COMMANDS.items()) if command.isalpha()}
_COMMAND = re.compile(r"\\([A-Za-z]+)|\\(.)", re.DOTALL)
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s*(?:\[([^\[\]]*)\])?\s*\{([^{}]*)\}")
_GROUP = re.compile(r"\\(?:text|math(?:rm|it|bf|bb|cal|frak|sf|tt)|operatorname)\{([^{}]*)\}")
_ACCENT = re.compile(r"\\(" + "|".join(ACCENTS.values()) + r")\{([^{}]*)\}")
_SCRIPT = re.compile(r"([_^])\{([^{}]*)\}")
_TAG = re.compile(r"\\tag\{([^{}]*)\}")
_MARKS = {name: mark for mark, name in ACCENTS.items()}
MAX_NESTING = 20
"""Passes over a formula; each removes one level of braces."""


def latex_text(latex: str) -> str:
    """Return a formula as readable text: `\\frac{a}{b^2}` as `a/b^2`."""
    for _ in range(MAX_NESTING):
        replaced = _GROUP.sub(r"\1", latex)
        replaced = _ACCENT.sub(lambda found: found[2] + _MARKS[found[1]], replaced)
        replaced = _FRACTION.sub(lambda found: f"{_grouped(found[1])}/{_grouped(found[2])}", replaced)
        replaced = _ROOT.sub(lambda found: f"{found[1] or ''}√{_grouped(found[2])}", replaced)
        replaced = _SCRIPT.sub(lambda found: found[1] + _grouped(found[2]), replaced)
        replaced = _TAG.sub(r"(\1)", replaced)
        if replaced == latex:
            break
        latex = replaced
    return unicodedata.normalize("NFC", " ".join(_COMMAND.sub(_command_text, latex).split()))


def _grouped(text: str) -> str:
    is_simple = re.fullmatch(r"√?\\?\w+(?:[_^]\\?\w+)?|[^\s{}]", text)
    return text if is_simple or not text else f"({text})"


def _command_text(found: re.Match[str]) -> str:
    if found[2]:
        return found[2] if found[2] in "{}%#&$_" else "‖" if found[2] == "|" else " "
    name = found[1]
    if name in {"left", "right", "big", "Big", "quad", "qquad", "displaystyle"}:
        return " " if "quad" in name else ""
    letter = _LETTERS.get(name)
    if letter is None:
        return f"{name} "
    return f" {letter} " if letter in RELATIONS or letter in OPERATORS else letter
