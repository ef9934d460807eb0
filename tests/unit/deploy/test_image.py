"""`deploy/Containerfile`: what an image must not have or do, read from its lines."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .files import DEPLOY, ROOT

Line = tuple[str, str]


def stages(text: str) -> list[list[Line]]:
    """Instructions and what follows them, a list for each stage."""
    joined = re.sub(r"\\\n\s*", "", re.sub(r"(?m)^#.*\n", "", text))
    found: list[list[Line]] = []
    for line in filter(str.strip, joined.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest.strip()))
    return found


@pytest.fixture(scope="module")
def image() -> list[list[Line]]:
    return stages((DEPLOY / "Containerfile").read_text())


def words(stage: list[Line], instruction: str) -> list[str]:
    return [rest for word, rest in stage if word == instruction]


def test_bases_have_versions_and_the_last_one_is_small(image: list[list[Line]]) -> None:
    bases = [words(stage, "FROM")[0].split()[0] for stage in image]
    for base in bases:
        assert re.search(r":\d+\.\d+-slim", base), base
    assert len(bases) == 2


def test_the_last_stage_has_what_was_built_and_no_means_to_build(image: list[list[Line]]) -> None:
    last = image[-1]
    assert words(last, "COPY") == ["--from=build /opt/scanrill /opt/scanrill"]
    for command in words(last, "RUN"):
        assert not re.search(r"\b(apt|apt-get|pip|uv|curl|wget|gcc|npm)\b", command), command


def test_it_does_not_run_as_root_and_the_data_directory_is_its_user_s(image: list[list[Line]]) -> None:
    last = image[-1]
    [user] = words(last, "USER")
    assert user.split(":")[0].isdigit(), "Kubernetes cannot tell that a name is not root"
    assert int(user.split(":")[0]) >= 10_000
    [made] = words(last, "RUN")
    assert f"--uid {user.split(':')[0]}" in made
    assert "-m 0700 /var/lib/scanrill" in made


def test_nothing_is_fetched_but_what_the_lock_names(image: list[list[Line]]) -> None:
    everything = [line for stage in image for line in stage]
    assert not [rest for word, rest in everything if word == "ADD"]
    assert any("uv.lock" in rest for word, rest in everything if word == "COPY")
    for _, command in [line for line in everything if line[0] == "RUN" and "uv sync" in line[1]]:
        assert "--frozen" in command
        assert "--no-default-groups" in command
    for _, command in [line for line in everything if "pip install" in line[1]]:
        assert re.search(r"==\d", command), command
        assert "--no-cache-dir" in command


def test_what_is_copied_is_there_and_reaches_the_engine_that_builds(image: list[list[Line]]) -> None:
    let_through = re.findall(r"(?m)^!(\S+)", (DEPLOY / "Containerfile.dockerignore").read_text())
    for copied in words(image[0], "COPY"):
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(Path(source).is_relative_to(allowed) for allowed in let_through), source


def test_it_starts_what_the_others_start_and_no_secret_is_in_it(image: list[list[Line]]) -> None:
    last = image[-1]
    assert words(last, "ENTRYPOINT") == ['["scanrill"]']
    assert words(last, "CMD") == ['["serve", "--host", "0.0.0.0", "--port", "8000"]']
    assert words(last, "STOPSIGNAL") == ["SIGTERM"]
    for stage in image:
        for line in stage:
            assert not re.search(r"SECRET|PASSWORD|TOKEN", line[1]), line
