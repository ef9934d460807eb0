"""Words and sentence openers that the project avoids, and the files in which `docs.check` looks for them.

Plain technical English is easier to read than metaphors and inverted sentences: see CONTRIBUTING.md.
"""

from __future__ import annotations

# Files that must be clean. Patterns are relative to the repository.
PATHS = (
    "*.md",
    "deploy/*.md",
    "docs/pages/**/*.md",
    "docs/*.py",
    "docs/generate/*",
    "examples/**/*.md",
    "benchmarks/README.md",
    "docs/decisions/*.md",
    "clients/python/*.md",
    "clients/python/scanrill_client/**/*.py",
    "clients/typescript/src/**/*.ts",
    "web/src/**/*.ts",
    "web/src/**/*.tsx",
    "backend_main/**/*.py",
    "scanrill/**/*.py",
    "benchmarks/*.py",
    "tests/**/*.py",
    "tools/*.py",
)
# Files that have to contain the words: this list, its tests, and the decision about the old names.
EXCLUDED = (
    "docs/word_list.py",
    "tests/unit/docs/test_check_words.py",
    "docs/decisions/0101-names-and-layout.md",
)

# Regular expressions of words, each with the advice that the check prints. Case does not matter.
WORDS = {
    r"bells?": "notification, pub/sub",
    r"couriers?": "notifier",
    r"heard": "received",
    r"heed(?:s|ed|ing)?": "handle",
    r"wishes": "read options",
    r"telling": "publish, progress",
    r"anew": "again",
    r"gaze": "page position",
    r"shelf|shelves": "cache, list",
    r"zoo": "file corpus",
    r"desks?": "view, page",
    r"doors?": "entry point, endpoint",
    r"rooms?": "module, package, space",
    r"whoever": "anybody who, the client that",
    r"whomever|whosever": "name the actor",
    r"beforehand": "before",
    r"(?<=.)just now": "currently, or leave it out",
    r"no setting": "not a setting, unknown setting",
    r"so many": "the number, or many",
    r"as many as may": "the maximum",
    r"(?<!there )(?:is|are|was|were) no(?= )(?! longer| more| less| better| worse| \w+er than)": "is not a",
    r"is to (?:be|have|do|go|come|stay|take|give|say|read|write)": "must, should, or the present tense",
    r"in the place of": "instead of",
    r"is told|are told|tells? of|told of": "the server sends, reports",
}
# Beginnings of sentences, each with the advice. Questions and headings are fine.
OPENERS = {
    r"What\b.*\b(?:is|are|was|were|has|have|does|do|can|may|must|comes?|ends?)\b": "start with the thing",
    r"Who(?:m|se)?\b": "name the actor",
    r"Of (?!course\b|the \d|\d)": "subject, verb, object",
    r"The same[,.;:]": "a complete sentence",
    r"Its?, where\b": "a complete sentence",
    r"(?:His|Her|Its|Their), ": "name the owner",
    r"Where\b.*,": "if, or name the thing",
}
# Parts of names in code: identifiers and files.
NAME_PARTS = {
    *("anew", "bell", "courier", "desk", "door", "doubt", "gaze", "heard", "heed", "house", "room", "shelf"),
    *("telling", "wishes", "zoo"),
}
# Phrases in which a word above is right.
ALLOWED = (
    r"service desk",
    r"at home|home page",
)
