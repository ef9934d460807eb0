"""`deploy/Containerfile`: rules for the image, checked on the instructions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .files import DEPLOY, ROOT

Line = tuple[str, str]


def stages(text: str) -> list[list[Line]]:
    """Return the instructions of each stage as pairs of instruction and arguments."""
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


def arguments(stage: list[Line], instruction: str) -> list[str]:
    return [rest for word, rest in stage if word == instruction]


def test_base_images_are_slim_and_have_versions(image: list[list[Line]]) -> None:
    bases = [arguments(stage, "FROM")[0].split()[0] for stage in image]
    for base in bases:
        assert re.search(r":\d+\.\d+-slim", base), base
    assert len(bases) == 2


def test_last_stage_has_only_the_build_result_and_no_build_tools(image: list[list[Line]]) -> None:
    last = image[-1]
    assert arguments(last, "COPY") == ["--from=build /opt/scanrill /opt/scanrill"]
    for command in arguments(last, "RUN"):
        assert not re.search(r"\b(apt|apt-get|pip|uv|curl|wget|gcc|npm)\b", command), command


def test_image_runs_without_root_and_its_user_owns_the_data_directory(image: list[list[Line]]) -> None:
    last = image[-1]
    [user] = arguments(last, "USER")
    assert user.split(":")[0].isdigit(), "Kubernetes needs a numeric user id for runAsNonRoot"
    assert int(user.split(":")[0]) >= 10_000
    [made] = arguments(last, "RUN")
    assert f"--uid {user.split(':')[0]}" in made
    assert "-m 0700 /var/lib/scanrill" in made


def test_build_installs_only_locked_packages(image: list[list[Line]]) -> None:
    everything = [line for stage in image for line in stage]
    assert not [rest for word, rest in everything if word == "ADD"]
    assert any("uv.lock" in rest for word, rest in everything if word == "COPY")
    for _, command in [line for line in everything if line[0] == "RUN" and "uv sync" in line[1]]:
        assert "--frozen" in command
        assert "--no-default-groups" in command
    for _, command in [line for line in everything if "pip install" in line[1]]:
        assert re.search(r"==\d", command), command
        assert "--no-cache-dir" in command


def test_copied_files_exist_and_are_not_in_the_ignore_file(image: list[list[Line]]) -> None:
    not_ignored = re.findall(r"(?m)^!(\S+)", (DEPLOY / "Containerfile.dockerignore").read_text())
    for copied in arguments(image[0], "COPY"):
        for source in copied.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(Path(source).is_relative_to(allowed) for allowed in not_ignored), source


def test_image_starts_the_server_and_has_no_secrets(image: list[list[Line]]) -> None:
    last = image[-1]
    assert arguments(last, "ENTRYPOINT") == ['["scanrill"]']
    assert arguments(last, "CMD") == ['["serve", "--host", "0.0.0.0", "--port", "8000"]']
    assert arguments(last, "STOPSIGNAL") == ["SIGTERM"]
    for stage in image:
        for line in stage:
            assert not re.search(r"SECRET|PASSWORD|TOKEN", line[1]), line
