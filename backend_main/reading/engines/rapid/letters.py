"""Languages and letters that PP-OCRv6 reads.

Its dictionary has letters that the model does not read. A language is claimed if the dictionary has its
letters and the model reads the small ones; a capital is at most the first letter of a word.
"""

UNREAD_LETTERS = {
    "accurate": "ĺľŕťďģþĥŝĝĉĵŭŵŷĎŤŇĹĽŔĢÞĤŜĜĈĴŬŴŶĄĘŹĞŐŰŒÏŸÆŌȚ",
    "fast": "ĺľŕťďňůģķņļþðėįűıșțđõźəĥŝĝĉĵŭŵŷĎŤŇĹĽŔŮĢĶŅĻÞÐĖĮŰŐȘȚĐÕŹƏĤŜĜĈĴŬŴŶŒĄĘĞÆØŌŸ",
}
"""Letters of the dictionary that were lost in half of the words or more (tools/unread_letters.py)."""
UNREAD_SIGNS = "‚№₺‡"
"""Signs of usual print that are not read, and come out as others or not at all (tools/unread_letters.py)."""

# What character_sets.covered_languages returns for the dictionaries without UNREAD_LETTERS. They are
# constants, since the dictionary is in the file of the model; a test compares.
ACCURATE_LANGUAGES = """
af az br bs ca da de en es et eu fi fo fr fy ga gd gl hr ht hu id it ja jv ku la lb lt mi ms mt nl no oc
pl pt qu ro sl sq su sv sw tl to tr uz zh
"""
FAST_LANGUAGES = """
af br ca da de en es eu fi fr fy ga gd gl ht id it jv ku la lb mi ms mt nl no oc qu sl sq su sv sw tl to
uz zh
"""
LANGUAGES_BY_PROFILE = {
    "accurate": frozenset(ACCURATE_LANGUAGES.split()),
    "fast": frozenset(FAST_LANGUAGES.split()),
}
