"""Tests of `docs.check`: each check finds an example of its problem, and none in the documentation."""

from __future__ import annotations

from typing import Annotated

import msgspec
import pytest
import typer

from backend_main.cli import main as cli
from backend_main.core import conf, errors
from backend_main.core.protocol import messages, parsing
from docs import check, generate
from docs.generate import descriptions, rest_examples


def problems(text: str) -> list[str]:
    pages = {"page.md": text}
    return [*check.wrong_commands(pages), *check.unknown_settings(pages)]


def shell(*lines: str) -> str:
    return "\n".join(["```sh", *lines, "```"])


def test_check_finds_nothing_in_the_documentation() -> None:
    check.main()


# ── commands and settings on pages ──


@pytest.mark.parametrize(
    "text",
    [
        shell("scanrill serve --port 8000"),
        shell("export TOKEN=$(.venv/bin/scanrill token ada --ttl 1h)"),
        shell("SCANRILL_READERS=2 scanrill serve --host=0.0.0.0 &"),
        shell('for file in *.png; do scanrill read "$file" > "$file.md"; done'),
        shell("sudo -u scans scanrill user add ada \\", "  --data-dir /srv"),
        "`scanrill --version`, `scanrill user add NAME`, `make run`, `scanrill …`",
        "Set `SCANRILL_PAGE_SECONDS`; for tokens see `SCANRILL_JWT_…`.",
        "```text\nscanrill is running at http://127.0.0.1:8000/\n```",
    ],
)
def test_existing_commands_and_settings_pass(text: str) -> None:
    assert problems(text) == []


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (shell("scanrill dance"), "scanrill dance"),
        (shell("scanrill serve --prot 8000"), "scanrill serve --prot"),
        (shell("scanrill user remove ada"), "scanrill user remove"),
        (shell("cat a | .venv/bin/scanrill read --fast -"), "scanrill read --fast"),
        (shell("scanrill user add ada \\", "  --datadir /srv"), "scanrill user add --datadir"),
        ("```ini\nExecStart=/opt/bin/scanrill start\n```", "scanrill start"),
        ("as `scanrill user ad ada` does", "scanrill user ad"),
        (shell("make tea"), "make tea"),
        ("Set `SCANRILL_PAGE_SECOND`.", "SCANRILL_PAGE_SECOND "),
        (shell("SCANRILL_READER=2 scanrill serve"), "SCANRILL_READER "),
        ("those of `SCANRILL_LDAP_…`", "SCANRILL_LDAP_ "),
    ],
)
def test_unknown_commands_and_settings_are_reported_with_their_page(text: str, named: str) -> None:
    [problem] = problems(text)
    assert problem.startswith("page.md: ")
    assert named in problem


# ── the reference is complete ──


def lacking() -> str:
    return "\n".join(check.missing(generate.pages()))


def test_missing_reports_a_line_removed_from_each_page() -> None:
    """One line of each kind is removed, as if the generator had left it out."""
    pages = generate.pages()
    for page, line in {
        "reference/settings.md": "### SCANRILL_READERS ",
        "reference/command-line.md": "## scanrill read\n",
        "reference/websocket.md": "### retrieve ",
        "reference/errors.md": "| `slow_consumer`{",
        "reference/rest.md": "### GET /api/uploads/{id}/file ",
        "reference/library.md": "### read_markdown ",
    }.items():
        pages[page] = pages[page].replace(line, "")
    found = list(check.missing(pages))
    assert [problem.split()[1] for problem in found] == [
        "reference/settings.md",
        "reference/command-line.md",
        "reference/websocket.md",
        "reference/errors.md",
        "reference/rest.md",
        "reference/library.md",
    ]


def test_new_setting_is_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithTea(conf.Conf, frozen=True, kw_only=True):
        tea_cups: Annotated[int, msgspec.Meta(description="How many cups.", ge=1)] = 2

    monkeypatch.setattr(conf, "Conf", WithTea)
    page = generate.pages()["reference/settings.md"]
    assert "### SCANRILL_TEA_CUPS { #scanrill_tea_cups }\n\nHow many cups.\n\n" in page
    assert "*Whole number; at least 1; default `2`.*" in page
    assert lacking() == ""


def test_new_command_is_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()

    @app.command()
    def brew(cups: int = typer.Option(2, help="How many cups.")) -> None:
        """Make tea."""

    app.add_typer(cli.user, name="user")
    monkeypatch.setattr("docs.generate.commands.app", app)
    page = generate.pages()["reference/command-line.md"]
    assert "## scanrill brew\n\nMake tea.\n" in page
    assert "| `--cups` | How many cups. | `2` |" in page


def test_request_and_message_without_description_or_example_are_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Brew(messages.Request, frozen=True, kw_only=True):
        cups: int

    class Brewed(messages.Message, frozen=True, kw_only=True):
        type: str = "brewed"
        cups: int = 0

    Brewed.__module__ = messages.__name__
    monkeypatch.setitem(messages.REQUESTS, "brew", Brew)
    monkeypatch.setattr(messages, "Brewed", Brewed, raising=False)
    monkeypatch.setitem(parsing.FIELD_HELP, "cups", "A whole number of cups is expected.")
    page = generate.pages()["reference/websocket.md"]
    assert "| `cups` | beside `type` | yes |  | A whole number of cups is expected. |" in page
    assert "### Brewed { #brewed }" in page
    found = lacking()
    for thing in ("the request brew", "the message Brewed", "the field Brew.cups", "the field Brewed.cups"):
        assert f"docs: {thing} has no description" in found
    for thing in ("the request brew", "the reply to brew", "the message Brewed"):
        assert f"docs: {thing} has no example" in found


def test_route_without_description_or_example_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(descriptions.ROUTES, "GET /api/me/")
    monkeypatch.delitem(rest_examples.EXAMPLES, "GET /healthz")
    assert lacking().splitlines() == [
        "docs: the route GET /api/me/ has no description: see docs/generate/descriptions.py",
        "docs: the route GET /healthz has no example: see tests/vectors and docs/generate/rest_examples.py",
    ]


def test_field_of_a_route_without_description_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(descriptions.REST_FIELDS, "version")
    assert lacking().startswith("docs: the field version of GET /api/me/ has no description")


def test_error_without_description_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors.__doc__ is not None
    [name] = [line.split()[1] for line in errors.__doc__.splitlines() if " 4499 " in line]
    tree = [line for line in errors.__doc__.splitlines() if name not in line]
    monkeypatch.setattr(errors, "__doc__", "\n".join(tree))
    assert lacking() == f"docs: the error {name} has no description: see docs/generate/descriptions.py"


def test_stale_reports_descriptions_of_things_that_do_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(descriptions.FIELDS, "cups", "Number of cups.")
    monkeypatch.setitem(descriptions.ROUTES, "GET /api/tea/", "Returns tea.")
    found = list(check.stale())
    assert len(found) == 2
    assert "FIELDS of docs/generate/descriptions.py describes cups" in found[0]
    assert "describes GET /api/tea/" in found[1]


# ── hand-written lists and paths ──


def test_unknown_path_is_reported_with_its_page() -> None:
    assert (
        list(check.wrong_paths({"page.md": "See `core/consumers.py` and `tests/`, or `/api/uploads/`."}))
        == []
    )
    [found] = check.wrong_paths({"page.md": "See `core/tea.py`."})
    assert found == "page.md: `core/tea.py` does not exist"


def test_glossary_out_of_order_is_reported() -> None:
    assert list(check.wrong_glossary("- **attempt**: number.\n- **block**: lines.\n")) == []
    [found] = check.wrong_glossary("- **block**: lines.\n- **attempt**: number.\n")
    assert "“attempt” must not follow “block”" in found


def test_threat_without_row_or_with_an_unknown_file_is_reported() -> None:
    page = (check.ROOT / "docs" / "pages" / "security" / "threats.md").read_text()
    for threat in ("S05", "C1"):
        without = "\n".join(line for line in page.splitlines() if not line.startswith(f"| {threat} "))
        assert [f"{threat} is missing" in found for found in check.wrong_threats(without)] == [True]
    unknown = page.replace("`security/test_s04_*`", "`security/test_s44_*`")
    assert ["S04 names tests/" in found for found in check.wrong_threats(unknown)] == [True]
