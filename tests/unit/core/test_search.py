"""Tests of `search.hits.search`: what a query finds, in which order, and where on the page."""

from __future__ import annotations

import datetime as dt
import re
import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backend_main.core.errors import RequestError
from backend_main.core.models import Page, Reading, ReadingPage, SearchEntry, Upload, User
from backend_main.core.protocol.search_results import SearchHit
from backend_main.core.search import hits, index, marks, matches
from backend_main.core.uploads import commands, reading_commands
from tests.support.searchable import insert_upload, new_user

pytestmark = pytest.mark.django_db

TEXTS = {
    "invoice": "Invoice 4711\nTotal amount due: 1.234,56 EUR",
    "minutes": "Minutes of the meeting\nThe amount of work is due on Monday",
    "umlaut": "Größe der Lieferung: zwölf Stück aus Łódź",
    "chinese": "增值税专用发票\n发票号码 04711",
    "japanese": "請求書 御中 ガス料金",
    "arabic": "فاتورة مُحَمَّد",
    "hindi": "हिन्दी में चालान",
}


@pytest.fixture
def owner() -> User:
    user = new_user()
    for name, text in TEXTS.items():
        insert_upload(user, text, filename=f"{name}.pdf")
    return user


def find(owner: User, q: str, **options: Any) -> list[SearchHit]:
    return hits.search(owner=owner, q=q, **options).hits


def names(found: list[SearchHit]) -> list[str]:
    return sorted(hit.upload.filename.removesuffix(".pdf") for hit in found)


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("4711", ["invoice"]),
        ("amount", ["invoice", "minutes"]),
        ("AMOUNT monday", ["minutes"]),
        ('"amount due"', ["invoice"]),
        ('"due amount"', []),
        ("amount -meeting", ["invoice"]),
        ('amount -"total amount"', ["minutes"]),
        ("amoun", []),
        ("amoun*", ["invoice", "minutes"]),
        ('"amount du"*', ["invoice"]),
        ("1.234,56", ["invoice"]),
        ("grosse", ["umlaut"]),
        ("Zwolf lodz", ["umlaut"]),
        ("发票", ["chinese"]),
        ("专用发票", ["chinese"]),
        ("用专", []),
        ("税", ["chinese"]),
        ("码", ["chinese"]),
        ("料金", ["japanese"]),
        ("か", []),
        ("ガス", ["japanese"]),
        ("محمد", ["arabic"]),
        ("चालान", ["hindi"]),
        ("minutes", ["minutes", "minutes"]),  # the page, and the name of the file
        ("name:invoice", ["invoice"]),
        ("name:inv* 4711", ["invoice"]),
        ("name:minutes 4711", []),
        ("amount status:processed", ["invoice", "minutes"]),
        ("amount status:error", []),
        ("nothing", []),
    ],
)
def test_search_finds_pages_and_names(owner: User, q: str, expected: list[str]) -> None:
    assert names(find(owner, q)) == expected


def test_search_with_dates_is_from_after_until_before(owner: User) -> None:
    upload = Upload.objects.get(owner=owner, filename="invoice.pdf")
    Upload.objects.filter(pk=upload.pk).update(created_at=dt.datetime(2024, 5, 2, tzinfo=dt.UTC))
    assert names(find(owner, "amount after:2024-05-02 before:2024-05-03")) == ["invoice"]
    assert names(find(owner, "amount before:2024-05-02")) == []
    assert names(find(owner, "amount after:2024-05-03")) == ["minutes"]


@pytest.mark.parametrize("q", ['name:"annual report"', 'total name:"annual report"', 'name:"annual repo"*'])
def test_name_phrase_keeps_the_order_of_its_words(owner: User, q: str) -> None:
    insert_upload(owner, "total", filename="annual report.pdf")
    insert_upload(owner, "total", filename="report annual.pdf")
    assert set(names(find(owner, q))) == {"annual report"}


def test_phrase_after_many_equal_words_is_found(owner: User) -> None:
    insert_upload(owner, "apple " * 300 + "pear", filename="long.pdf")
    assert names(find(owner, '"apple pear"')) == ["long"]
    assert names(find(owner, '"pear apple"')) == []


def test_search_ranks_names_first_then_pages_with_more_of_the_words(owner: User) -> None:
    rare = insert_upload(owner, "apple " + "pear " * 50)
    often = insert_upload(owner, "apple apple apple")
    named = insert_upload(owner, "", filename="apple.png")
    newer = insert_upload(owner, "apple " + "pear " * 50)
    found = [hit.upload.id for hit in find(owner, "apple")]
    assert found == [named.pk, often.pk, newer.pk, rare.pk]


def test_search_hit_has_page_snippet_and_boxes(owner: User) -> None:
    upload = insert_upload(owner, "nothing here", "first line\nthe Zürich office\nlast line of zurich")
    [hit] = find(owner, "zurich")
    assert (hit.upload.id, hit.field, hit.page, hit.width, hit.height) == (upload.pk, "page", 2, 100, 200)
    text = hit.snippet.text
    assert [text[start:end] for start, end in hit.snippet.marks] == ["Zürich", "zurich"]
    assert [(line.line, line.marks) for line in hit.lines] == [(1, [(4, 10)]), (2, [(13, 19)])]
    assert hit.lines[0].boxes == [((0, 10), (90, 10), (90, 18), (0, 18))]


def test_search_hit_of_chinese_characters_has_one_mark(owner: User) -> None:
    """The index has them in pairs, which overlap."""
    [hit] = find(owner, "专用发票")
    assert [hit.snippet.text[start:end] for start, end in hit.snippet.marks] == ["专用发票"]
    assert [(line.line, line.marks) for line in hit.lines] == [(0, [(3, 7)])]


def test_search_phrase_over_a_line_break_marks_both_lines(owner: User) -> None:
    insert_upload(owner, "the blue\nwhale sings")
    [hit] = find(owner, '"blue whale"')
    assert [(line.text, line.marks) for line in hit.lines] == [
        ("the blue", [(4, 8)]),
        ("whale sings", [(0, 5)]),
    ]


def test_search_snippet_of_a_long_text_is_cut_around_the_first_mark(owner: User) -> None:
    insert_upload(owner, "before " * 100 + "needle " + "after " * 100)
    [hit] = find(owner, "needle")
    [(start, end)] = hit.snippet.marks
    assert hit.snippet.text[start:end] == "needle"
    assert 100 < len(hit.snippet.text) <= hits.SNIPPET_CHARACTERS
    assert hit.snippet.text.startswith("before ")
    assert hit.snippet.text.endswith("after")


def test_search_snippet_of_a_correction_comes_from_the_words_of_the_index(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = insert_upload(owner, "text")
    lengths: list[int] = []

    def recorded(texts: list[str], terms: Any) -> list[marks.Mark]:
        lengths.append(len(texts[0]))
        return marks.marks(texts, terms)

    monkeypatch.setattr(hits, "marks", recorded)
    late = "word " * 10_000 + "needle " + "word " * 200_000
    commands.update(owner=owner, upload_id=upload.pk, correction=late)
    [hit] = find(owner, "needle")
    [(start, end)] = hit.snippet.marks
    assert hit.snippet.text[start:end] == "needle"
    assert lengths == list(hits.SNIPPET_PARTS_CHARACTERS)


def test_search_in_parts_yields_each_hit_once(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matches, "WINDOW_ROWS", 5)
    monkeypatch.setattr(hits, "WINDOW_ROWS", 5)
    expected = {insert_upload(owner, f"pear {number}").pk for number in range(12)}
    found, cursor = [], None
    while True:
        results = hits.search(owner=owner, q="pear", limit=2, cursor=cursor)
        found += [hit.upload.id for hit in results.hits]
        insert_upload(owner, "pear of a later upload")
        cursor = results.next
        if cursor is None:
            break
    assert len(found) == 12
    assert set(found) == expected


@pytest.mark.parametrize("cursor", ["x", "MTp4", "LTE6MA", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OjA", "é"])
def test_search_with_an_invalid_cursor_raises_error(owner: User, cursor: str) -> None:
    with pytest.raises(RequestError) as error:
        find(owner, "amount", cursor=cursor)
    assert list(error.value.fields) == ["cursor"]


def test_update_of_name_and_correction_changes_what_search_finds(owner: User) -> None:
    upload = Upload.objects.get(owner=owner, filename="invoice.pdf")
    commands.update(owner=owner, upload_id=upload.pk, filename="bill.pdf", correction="paid in cash")
    assert names(find(owner, "name:invoice")) == []
    assert names(find(owner, "name:bill")) == ["bill"]
    [hit] = find(owner, "cash")
    assert (hit.field, hit.page, hit.snippet.text) == ("correction", None, "paid in cash")
    commands.update(owner=owner, upload_id=upload.pk, correction=None)
    assert find(owner, "cash") == []


def test_correction_of_a_page_changes_what_search_finds(owner: User) -> None:
    upload = Upload.objects.get(owner=owner, filename="invoice.pdf")
    reading_commands.correct_page(owner=owner, upload_id=upload.pk, number=1, correction="Invoice 4712")
    assert find(owner, "4711") == []
    [hit] = find(owner, "4712")
    assert (hit.upload.id, hit.page, hit.snippet.text, hit.lines) == (upload.pk, 1, "Invoice 4712", [])
    reading_commands.correct_page(owner=owner, upload_id=upload.pk, number=1, correction=None)
    assert names(find(owner, "4711")) == ["invoice"]


def test_earlier_reading_that_becomes_current_is_found(owner: User) -> None:
    upload = Upload.objects.get(owner=owner, filename="invoice.pdf")
    reading = Reading.objects.create(upload_id=upload.pk, number=7, status="processed", page_count=1)
    ReadingPage.objects.create(
        reading=reading, number=1, width=9, height=9, text="an earlier text", markdown="an earlier text"
    )
    assert find(owner, "earlier") == []
    reading_commands.make_current(owner=owner, upload_id=upload.pk, number=7)
    assert names(find(owner, "earlier")) == ["invoice"]
    assert find(owner, "4711") == []


def test_delete_and_retry_remove_pages_from_the_index(owner: User) -> None:
    invoice, minutes = (Upload.objects.get(owner=owner, filename=f"{n}.pdf") for n in ("invoice", "minutes"))
    commands.delete(owner=owner, upload_id=invoice.pk)
    commands.retry(owner=owner, upload_id=minutes.pk)
    assert find(owner, "amount") == []
    assert names(find(owner, "name:minutes")) == ["minutes"]
    assert not SearchEntry.objects.filter(upload_id=invoice.pk).exists()


def test_index_missing_adds_what_an_older_program_wrote(owner: User) -> None:
    upload = insert_upload(owner, "written by an older program", is_indexed=False)
    Upload.objects.filter(pk=upload.pk).update(filename="renamed.pdf")
    assert find(owner, "older") == []
    assert index.index_missing() == 2
    assert names(find(owner, "older")) == ["renamed"]
    assert index.index_missing() == 0
    Upload.objects.filter(pk=upload.pk).update(filename="again.pdf")  # a trigger removes the old name
    assert names(find(owner, "name:renamed")) == []
    index.index_missing()
    assert names(find(owner, "name:again")) == ["again"]


def test_search_before_the_index_is_complete_says_so(owner: User) -> None:
    assert hits.search(owner=owner, q="amount").complete
    index.clear()
    assert not hits.search(owner=owner, q="amount").complete
    assert find(owner, "amount") == []
    index.index_missing()
    assert hits.search(owner=owner, q="amount").complete
    assert names(find(owner, "amount")) == ["invoice", "minutes"]


def test_search_of_another_user_finds_nothing_and_ranks_alone(owner: User) -> None:
    other = new_user()
    mine = [insert_upload(other, "amount of apples " * 2), insert_upload(other, "apples and the amount")]
    before = [hit.upload.id for hit in find(other, "amount apples*")]
    for number in range(30):
        insert_upload(owner, f"apples {number} amount")
    assert [hit.upload.id for hit in find(other, "amount apples*")] == before
    assert set(before) == {upload.pk for upload in mine}
    assert find(other, "monday") == []
    assert find(other, "name:invoice") == []


def test_index_of_a_page_with_more_words_than_the_index_holds(owner: User) -> None:
    words = [f"w{number}" * 12 for number in range(index.MAX_WORDS + 10)]
    insert_upload(owner, " ".join(words))
    assert len(find(owner, words[0])) == 1
    assert find(owner, words[-1]) == []


def test_tokens_of_the_index_begin_with_the_scope_of_the_owner(owner: User) -> None:
    entries = SearchEntry.objects.filter(owner_id=owner.pk)
    assert entries.count() == 2 * len(TEXTS)
    assert {entry.scope for entry in entries} == {owner.pk.hex[:8] + "t", owner.pk.hex[:8] + "n"}
    assert Page.objects.filter(upload__owner=owner).count() == len(TEXTS)


def test_search_reads_no_entries_of_other_users(owner: User) -> None:
    """By the primary key, PostgreSQL would pass the newest entries of all users."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite searches by words, which begin with the scope of the owner")
    with CaptureQueriesContext(connection) as captured:
        find(owner, "amount")
    [search] = [query["sql"] for query in captured if " @@ " in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off"
        )
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(line for (line,) in cursor)
    assert "core_searchentry_newest" in plan
    assert "core_searchentry_pkey" not in plan


def test_phrase_on_postgresql_is_found_by_its_pairs(owner: User) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the index of SQLite has positions")
    with CaptureQueriesContext(connection) as captured:
        find(owner, '"amount due"')
    [search] = [query["sql"] for query in captured if " @@ " in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX core_searchentry_newest; SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {search}")
        plan = "\n".join(line for (line,) in cursor)
    [condition] = [line for line in plan.splitlines() if "Index Cond" in line]
    assert "core_searchentry_pairs" in condition


@pytest.mark.parametrize(
    ("filters", "name"),
    [
        ({"upload_id": uuid.UUID(int=1), "page_id": None}, "core_searchentry_(upload|once)"),
        ({"page_id": 1}, "core_searchentry_page"),
    ],
)
def test_entries_of_an_upload_or_page_are_found_by_their_index(filters: dict[str, object], name: str) -> None:
    """By an index of the pages, SQLite would read the names of all uploads, 85 ms at a million."""
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL scans a small table, whatever its indexes")
    assert re.search(name, SearchEntry.objects.filter(**filters).explain())
