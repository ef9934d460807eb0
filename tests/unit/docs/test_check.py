"""`docs.check`: what it finds, and that it finds nothing in the documentation as it is."""

from __future__ import annotations

import msgspec
import pytest
import typer

from backend_main.cli import main as cli
from backend_main.core import conf, errors
from backend_main.core.protocol import messages, parsing
from docs import check, generate


def problems(text: str) -> list[str]:
    pages = {"page.md": text}
    return [*check.wrong_commands(pages), *check.unknown_settings(pages)]


def shell(*lines: str) -> str:
    return "\n".join(["```sh", *lines, "```"])


def test_the_documentation_says_what_the_program_does() -> None:
    check.main()


# ── what pages show ──


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
        "```text\nscanrill serves at http://127.0.0.1:8000/\n```",
    ],
)
def test_what_is_there_may_be_shown(text: str) -> None:
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
def test_what_is_not_there_is_told_with_its_page(text: str, named: str) -> None:
    [problem] = problems(text)
    assert problem.startswith("page.md: ")
    assert named in problem


# ── what the reference has ──


def lacking() -> str:
    return "\n".join(check.missing(generate.pages()))


def test_a_page_that_loses_a_line_is_told() -> None:
    """Of each kind of thing one is taken out of the pages, as if the generator had forgotten it."""
    pages = generate.pages()
    for page, line in {
        "reference/settings.md": "### SCANRILL_READERS ",
        "reference/command-line.md": "## scanrill read\n",
        "reference/websocket.md": "### retrieve ",
        "reference/errors.md": "| `TooSlow` |",
        "reference/rest.md": "`/api/uploads/{id}/file`",
    }.items():
        pages[page] = pages[page].replace(line, "")
    told = list(check.missing(pages))
    assert [problem.split()[1] for problem in told] == [
        "reference/settings.md",
        "reference/command-line.md",
        "reference/websocket.md",
        "reference/errors.md",
        "reference/rest.md",
    ]


def test_a_new_setting_is_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    class WithTea(conf.Conf, frozen=True, kw_only=True):
        tea_cups: conf.Annotated[int, msgspec.Meta(description="How many cups.", ge=1)] = 2

    monkeypatch.setattr(conf, "Conf", WithTea)
    page = generate.pages()["reference/settings.md"]
    assert "### SCANRILL_TEA_CUPS { #scanrill_tea_cups }\n\nHow many cups.\n\n" in page
    assert "*Whole number; at least 1; default `2`.*" in page
    assert lacking() == ""


def test_a_new_command_is_in_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    app = typer.Typer()

    @app.command()
    def brew(cups: int = typer.Option(2, help="How many cups.")) -> None:
        """Make tea."""

    app.add_typer(cli.user, name="user")
    monkeypatch.setattr("docs.generate.commands.app", app)
    page = generate.pages()["reference/command-line.md"]
    assert "## scanrill brew\n\nMake tea.\n" in page
    assert "| `--cups` | How many cups. | `2` |" in page


def test_a_request_and_a_message_without_a_word_about_them_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Brew(messages.Request, frozen=True, kw_only=True):
        cups: int

    class Brewed(messages.Message, frozen=True, kw_only=True):
        type: str = "brewed"

    Brewed.__module__ = messages.__name__
    monkeypatch.setitem(messages.REQUESTS, "brew", Brew)
    monkeypatch.setattr(messages, "Brewed", Brewed, raising=False)
    monkeypatch.setitem(parsing.FIELD_HELP, "cups", "A whole number of cups is expected.")
    page = generate.pages()["reference/websocket.md"]
    assert "| `cups` | beside `type` | yes | A whole number of cups is expected. |" in page
    assert "### Brewed { #brewed }" in page
    told = lacking()
    assert "the request brew" in told
    assert "the message Brewed" in told


def test_an_error_without_a_word_about_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert errors.__doc__ is not None
    tree = [line for line in errors.__doc__.splitlines() if "TooSlow" not in line]
    monkeypatch.setattr(errors, "__doc__", "\n".join(tree))
    assert lacking() == "docs: nothing is said about the error TooSlow: see docs/generate/words.py"
