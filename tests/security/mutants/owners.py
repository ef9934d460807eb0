"""Guards between users: queries through the owner, and the scope of words in the search index."""

from __future__ import annotations

from . import Mutant

QUERIES = "backend_main/core/uploads/queries.py"
TESTS = "test_s07_other_users.py -k "

MUTANTS = [
    Mutant(
        "s07",
        QUERIES,
        'Upload.objects.owned_by(owner).select_related("owner").filter(pk=upload_id)',
        'Upload.objects.select_related("owner").filter(pk=upload_id)',
        TESTS + "query_for_another",
    ),
    Mutant(
        "s07",
        QUERIES,
        "Upload.objects.owned_by(owner).filter(pk__in=upload_ids)",
        "Upload.objects.filter(pk__in=upload_ids)",
        TESTS + "route_of_another",
    ),
    Mutant(
        "s07",
        "backend_main/core/search/index.py",
        "return owner_digits(owner_id) + letter",
        "return letter",
        TESTS + "words_in_the_index",
    ),
    Mutant(
        "s07",
        "backend_main/core/search/matches.py",
        '("entry.owner_id = %s", ',
        '("%s IS NOT NULL", ',
        TESTS + "begin_alike",
    ),
]
