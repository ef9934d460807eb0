"""Files of `wild.py`: the list of test files of public projects, and how to get them.

`wild_files.json` has the address and the SHA-256 hash of each file. The files themselves are not in this
repository, because they have many owners and licenses.
"""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx

LIST = Path(__file__).with_name("wild_files.json")
ADDRESS = "https://raw.githubusercontent.com/{repository}/{commit}/{path}"
EXTENSIONS = (
    *("pdf", "png", "jpg", "jpeg", "jfif", "tif", "tiff", "gif", "webp", "bmp", "heic", "heif"),
    *("avif", "jp2", "jxl", "psd", "pbm", "pgm", "ppm", "pnm"),
)
MIN_BYTES = 200
"""Smaller files are mostly pointers of Git LFS, or empty."""
MAX_BYTES = 4 << 20
PDF_EXTENSION = "pdf"
DOWNLOAD_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True)
class Project:
    """A public repository at one commit, and the hashes of its listed files by path."""

    repository: str
    commit: str
    license: str
    files: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WildFile:
    """A listed file, and its place on this machine."""

    project: Project
    path: str
    sha256: str
    local: Path

    @property
    def name(self) -> str:
        return f"{self.project.repository}/{self.path}"

    @property
    def address(self) -> str:
        project = self.project
        return ADDRESS.format(repository=project.repository, commit=project.commit, path=quote(self.path))


def listed_projects(path: Path = LIST) -> list[Project]:
    return [Project(**entry) for entry in json.loads(path.read_text())]


def write_list(projects: Iterable[Project], path: Path = LIST) -> None:
    entries = [asdict(project) for project in projects]
    path.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")


def listed_files(folder: Path, path: Path = LIST) -> Iterator[WildFile]:
    for project in listed_projects(path):
        for name, sha256 in project.files.items():
            yield WildFile(project, name, sha256, folder / "files" / project.repository / name)


# ── fetch ──


def fetch(files: Iterable[WildFile], mirrors: Path | None) -> list[str]:
    """Write the files that are missing. Return a message for each file that could not be had."""
    problems = []
    with httpx.Client(timeout=DOWNLOAD_TIMEOUT_SECONDS, follow_redirects=True) as client:
        for file in files:
            if file.local.exists():
                continue
            try:
                content = _from_mirror(file, mirrors) if mirrors else _download(client, file)
            except (httpx.HTTPError, subprocess.CalledProcessError) as error:
                problems.append(f"{file.name}: {error}")
                continue
            if hashlib.sha256(content).hexdigest() != file.sha256:
                problems.append(f"{file.name}: the hash differs. The project may have replaced the file.")
                continue
            file.local.parent.mkdir(parents=True, exist_ok=True)
            file.local.write_bytes(content)
    return problems


def _download(client: httpx.Client, file: WildFile) -> bytes:
    return client.get(file.address).raise_for_status().content


def _from_mirror(file: WildFile, mirrors: Path) -> bytes:
    return _git(_mirror(mirrors, file.project.repository), "show", f"{file.project.commit}:{file.path}")


def _mirror(mirrors: Path, repository: str) -> Path:
    """Return the git directory of a repository: `MIRRORS/owner+name/repo`."""
    return mirrors / repository.replace("/", "+") / "repo"


def _git(git_dir: Path, *arguments: str) -> bytes:
    command = ["git", f"--git-dir={git_dir}", *arguments]
    return subprocess.run(command, check=True, capture_output=True).stdout


# ── list ──


def sampled_project(
    mirrors: Path, repository: str, license: str, *, pdfs: int, images: int, known: set[str]
) -> Project:
    """Return a sample of the files of a mirrored repository, chosen by their hashes, without `known` ones."""
    git_dir = _mirror(mirrors, repository)
    commit = _git(git_dir, "rev-parse", "HEAD").decode().strip()
    left = {True: pdfs, False: images}
    files = {}
    for blob, path in sorted(_candidates(git_dir)):
        if blob in known:
            continue
        is_pdf = _extension(path) == PDF_EXTENSION
        if left[is_pdf]:
            left[is_pdf] -= 1
            known.add(blob)
            files[path] = hashlib.sha256(_git(git_dir, "show", f"HEAD:{path}")).hexdigest()
    return Project(repository, commit, license, dict(sorted(files.items())))


def _candidates(git_dir: Path) -> Iterator[tuple[str, str]]:
    """Yield the git hash and the path of each file of a fitting type and size; a copy once."""
    seen = set()
    for line in _git(git_dir, "ls-tree", "-r", "-l", "-z", "HEAD").decode().split("\0"):
        head, _, path = line.partition("\t")
        if not path or _extension(path) not in EXTENSIONS:
            continue
        _, _, blob, size = head.split()
        if size.isdigit() and MIN_BYTES <= int(size) <= MAX_BYTES and blob not in seen:
            seen.add(blob)
            yield blob, path


def _extension(path: str) -> str:
    return path.rpartition(".")[2].lower()
