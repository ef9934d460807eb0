"""find_long_string: the value of json.loads, in any chunks; errors; position."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend_main.core.protocol import long_strings
from backend_main.core.protocol.long_strings import LongString, find_long_string

FIELD = re.compile(r'"(image_base64|processed_text)":"')
TEXTS = st.text(st.sampled_from('aЖ😀"\\/\n\x01 u0d83'), max_size=40)


def find(
    text: str, *, min_characters: int = 0, max_decoded: dict[str, int] | None = None
) -> LongString | None:
    return find_long_string(
        text,
        FIELD,
        before=1000,
        min_characters=min_characters,
        max_decoded={"processed_text": 100} if max_decoded is None else max_decoded,
    )


def encoded(text: str, *, ascii_only: bool, escapes_slashes: bool) -> str:
    result = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    return result.replace("/", "\\/") if escapes_slashes else result


@pytest.fixture(autouse=True, params=[1, 2, 3, 7, 11, 1000])
def chunk_characters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(long_strings, "DECODE_CHUNK_CHARACTERS", request.param)
    monkeypatch.setattr(long_strings, "SEARCH_CHUNK_CHARACTERS", request.param)


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.booleans(), st.booleans(), st.sampled_from(["image_base64", "processed_text"]))
@example("😀" * 10, True, False, "processed_text")
@example("\\" * 20, True, False, "image_base64")
@example("\\u", True, False, "image_base64")
def test_value_in_any_chunks_is_the_value_of_a_json_parser(
    text: str, ascii_only: bool, escapes_slashes: bool, name: str
) -> None:
    value = encoded(text, ascii_only=ascii_only, escapes_slashes=escapes_slashes)
    before, after = f'{{"{name}":"', '","x":"image_base64"}'
    found = find(before + value + after)
    assert found is not None
    assert (found.name, found.start, found.end) == (name, len(before), len(before + value))
    assert str(found.value) == text


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from('"\\u0d8x\n'), max_size=15))
def test_any_string_is_the_value_of_a_json_parser_or_an_error(text: str) -> None:
    frame = '{"processed_text":"' + text
    try:
        expected = json.JSONDecoder().raw_decode(frame, len('{"processed_text":'))
    except ValueError:
        with pytest.raises(ValueError):  # noqa: PT011 - the message depends on the chunks
            find(frame)
    else:
        found = find(frame)
        assert found is not None
        assert (found.value, found.end + 1) == expected


def test_longer_value_than_allowed_is_cut_but_still_too_long() -> None:
    found = find('{"processed_text":"' + "x" * 5000 + '"}')
    assert found is not None
    assert 100 < len(found.value) <= 100 + 1000
    assert found.end - found.start == 5000


def test_short_strings_before_a_long_one_are_skipped() -> None:
    found = find('{"image_base64":"QQ","processed_text":"' + "x" * 50 + '"}', min_characters=50)
    assert found is not None
    assert found.name == "processed_text"


def test_many_short_strings_are_not_all_searched() -> None:
    assert (
        find('{"image_base64":"QQ",' * 40 + '"image_base64":"' + "Q" * 50 + '"}', min_characters=50) is None
    )
