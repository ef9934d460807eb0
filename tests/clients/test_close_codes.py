"""Close codes: both clients and the documentation treat as final what the server's errors mark as final."""

from __future__ import annotations

import re
from pathlib import Path

from scanrill_client import connection

from docs.generate.errors import close_codes

ROOT = Path(__file__).parents[2]
SOCKET = ROOT / "clients/typescript/src/socket.ts"
RECONNECT = ROOT / "docs/pages/how-to/reconnect.md"


def final_codes_of_the_server() -> set[int]:
    codes = {each.code for each in close_codes() if each.final == "yes"}
    assert codes
    return codes


def test_final_close_codes_of_the_python_client_are_those_of_the_server() -> None:
    assert set(connection.FINAL_CLOSE_CODES) == final_codes_of_the_server()


def test_final_close_codes_of_the_typescript_client_are_those_of_the_server() -> None:
    source = SOCKET.read_text()
    [codes] = re.findall(r"const CLOSE_CODES = \{(.*?)\}", source, re.DOTALL)
    [final] = re.findall(r"const FINAL_CLOSE_CODES[^=]*= \[(.*?)\]", source, re.DOTALL)
    by_name = dict(re.findall(r"(\w+): (\d+)", codes))
    names = re.findall(r"CLOSE_CODES\.(\w+)", final)
    assert {int(by_name[name]) for name in names} == final_codes_of_the_server()
    assert len(names) == len(final.strip(" ,\n").split(","))


def test_final_close_codes_of_the_how_to_page_are_those_of_the_server() -> None:
    page = RECONNECT.read_text()
    [sentence] = re.findall(r"\*\*([^*]*) are final\.\*\*", page)
    [example] = re.findall(r"^FINAL = \{(.*)\}$", page, re.MULTILINE)
    for text in (sentence, example):
        assert {int(code) for code in re.findall(r"\d+", text)} == final_codes_of_the_server()
