"""Tests of `docs.check_words`: it finds bad sentences and names, and passes good ones."""

from __future__ import annotations

import pytest

from docs import check_words, word_list


def problems(name: str, content: str) -> list[str]:
    return list(check_words.problems_in(name, content))


@pytest.mark.parametrize(
    "sentence",
    [
        "The hub hears the bell.",
        "A client that guesses is told to wait.",
        "What a file is decides its content, not its name.",
        "It waits. Who asks while somebody finds out does not wait for it.",
        "Of the user `owner_id`, the newest.",
        "The same, for short reads.",
        "Where nothing is stored, nothing is sent.",
        "This is no format that can be read.",
        "The page is read anew.",
        "- One thing.\n- Whoever dies, another goes on.",
        "| name | The database does not answer just now. |",
    ],
)
def test_bad_sentence_is_found_in_markdown(sentence: str) -> None:
    assert len(problems("page.md", f"# Title\n\n{sentence}\n")) >= 1


@pytest.mark.parametrize(
    "text",
    [
        "The hub sends the event. The client receives it.",
        "If there is no user, the server adds one.",
        "## What upload_changes\n\nThe reply arrived first.",
        "What is an epoch? It names an event log.",
        "Of course, it is no longer than a page.",
        "Of 34 receipts, two are wrong.",
        "```sh\nring the bell # is no command\n```",
        "The name `Bell` and [a link](old-bell.md).",
    ],
)
def test_good_text_passes_in_markdown(text: str) -> None:
    assert problems("page.md", text) == []


def test_problem_names_file_line_and_advice() -> None:
    [found] = problems("page.md", "# Title\n\nFirst line.\nThe bell rings.\n")
    assert found == "page.md:4: “bell” (better: notification, pub/sub)"


def test_python_docstrings_comments_messages_and_names_are_checked() -> None:
    code = (
        '"""The room of the reader."""\n'
        "# Read anew after a restart.\n"
        "def ring_bell(value: str) -> None:\n"
        '    raise ValueError(f"{value} is no setting.")\n'
    )
    found = problems("module.py", code)
    assert [problem.split(":")[1] for problem in found[:3]] == ["2", "1", "4"]
    assert "module.py: the name ring_bell (“bell” is on the word list)" in found


def test_python_code_without_prose_passes() -> None:
    assert problems("module.py", "label = 'x'\nbelle, broom = label, 1\n") == []


def test_typescript_comments_texts_and_names_are_checked() -> None:
    code = (
        "// Ask anew later.\n"
        'const message = "There is nothing just now.";\n'
        "export const tellBell = () => <p>The door is open</p>;\n"
    )
    found = problems("view.tsx", code)
    assert [problem.split(":")[1] for problem in found[:3]] == ["1", "2", "3"]
    assert found[3].startswith("view.tsx: the name tellBell")


def test_file_name_with_a_listed_word_is_found() -> None:
    [found] = problems("backend_main/core/bell.py", "x = 1\n")
    assert "the name bell" in found


def test_every_pattern_of_the_list_has_an_advice() -> None:
    assert all(word_list.WORDS.values())
    assert all(word_list.OPENERS.values())
