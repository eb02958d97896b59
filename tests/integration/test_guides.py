"""Each page "how to add …" works literally: its files are written into a copy of the repository, and its code is run.

A fenced block whose first line names a file becomes that file; a ``diff`` block changes one that is there; every other
block of Python or shell is run, from top to bottom, as a person would. So is the code of the page on scikit-learn, which
adds nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.full

ROOT = Path(__file__).parents[2]
PAGES = sorted((ROOT / "docs").glob("adding-*.md"))
PIPELINES = ROOT / "docs" / "scikit-learn.md"
# What the page compares with, which wants older libraries than constraints.txt pins.
ELSEWHERE = "from aeon."
PAGE_IDS = [page.stem for page in PAGES]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\A(?:# file: (\S+)|<!-- file: (\S+) -->)\n(.*)", re.DOTALL)
RUN = {"python": [sys.executable, "-"], "bash": ["bash", "-e"]}


def apply_change(tree: Path, change: str) -> None:
    """Apply a ``diff`` block: ``--- FILE``, then hunks of context and changed lines, apart by ``@@``."""
    head, _, body = change.partition("\n")
    path = tree / head.removeprefix("--- ")
    text = path.read_text(encoding="utf-8")
    for hunk in body.split("@@\n"):
        lines = hunk.splitlines()
        old = "\n".join(line[1:] for line in lines if line[:1] != "+")
        new = "\n".join(line[1:] for line in lines if line[:1] != "-")
        assert text.count(old + "\n") == 1, f"{head}: these lines must stand there once:\n{old}"
        text = text.replace(old + "\n", new + "\n")
    path.write_text(text, encoding="utf-8")


def apply_page(tree: Path, page: Path) -> list[tuple[str, str]]:
    """Write the files of a page into the tree; gives the blocks that are to be run."""
    to_run = []
    for language, body in BLOCK.findall(page.read_text(encoding="utf-8")):
        named = NAMED.match(body)
        if language == "diff":
            apply_change(tree, body)
        elif named:
            path = tree / (named[1] or named[2])
            assert not path.exists(), f"{page.name}: {path.relative_to(tree)} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(named[3], encoding="utf-8")
        elif language in RUN:
            to_run.append((language, body))
    return to_run


def declare(site: Path, project_file: Path, metadata: str | None) -> None:
    """What an installer would leave of a distribution: its metadata and its entry points."""
    project = tomllib.loads(project_file.read_text(encoding="utf-8"))["project"]
    info = site / f"{project['name'].replace('-', '_')}-0.dist-info"
    info.mkdir(parents=True)
    plain = f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n"
    (info / "METADATA").write_text(metadata or plain, encoding="utf-8")
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    lines = [line for group, points in groups.items() for line in (f"[{group}]", *_assignments(points))]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _assignments(points: dict[str, str]) -> list[str]:
    return [f"{name} = {target}" for name, target in points.items()]


class Installed:
    """A copy of the repository with some pages applied, in front of what is installed.

    Args:
        tree: Where to copy to.
        pages: Pages to apply.
    """

    def __init__(self, tree: Path, pages: list[Path]) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
        )
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (tree / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, tree / name)
        self.tree = tree
        self.to_run = {page.stem: apply_page(tree, page) for page in pages}
        subprocess.run(["git", "init", "-q"], cwd=tree, check=True)
        subprocess.run(["git", "add", "-A", "-f"], cwd=tree, check=True)
        site = tree / ".site"
        paths = [site]
        for project in sorted(tree.glob("packages/*/pyproject.toml")):
            declare(site, project, distribution(project.parent.name).read_text("METADATA"))
            paths.append(project.parent / "src")
        for project in sorted(tree.glob("examples/*/pyproject.toml")):
            declare(site, project, None)
            paths.append(project.parent)
        binaries = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
        self.environment = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, paths)),
            "PATH": os.pathsep.join(binaries),
            "OMP_NUM_THREADS": "1",
        }

    def run(self, command: list[str], folder: Path, *, text: str | None = None) -> str:
        """Run a command in a folder, so that it sees this copy; gives its output."""
        done = subprocess.run(
            command, cwd=folder, env=self.environment, input=text, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A copy of the repository with all pages applied, one after another."""
    if not (ROOT / ".git").exists():
        pytest.skip("this tree is not a git checkout, so its tracked files are unknown")
    return Installed(tmp_path_factory.mktemp("guides") / "tree", PAGES)


@pytest.mark.parametrize("page", PAGE_IDS)
def test_the_code_of_the_page_runs(installed: Installed, page: str, tmp_path: Path) -> None:
    assert installed.to_run[page], "a page ends by using what it has added"
    for language, body in installed.to_run[page]:
        installed.run(RUN[language], tmp_path, text=body)


def test_the_code_of_the_page_on_scikit_learn_runs(installed: Installed, tmp_path: Path) -> None:
    blocks = [body for _, body in BLOCK.findall(PIPELINES.read_text(encoding="utf-8"))]
    ours = [body for body in blocks if ELSEWHERE not in body]
    assert len(ours) == len(blocks) - 1
    for body in ours:
        installed.run(RUN["python"], tmp_path, text=body)


def test_the_tests_that_the_pages_add_pass(installed: Installed) -> None:
    added = {
        named[1]
        for page in PAGES
        for _, body in BLOCK.findall(page.read_text(encoding="utf-8"))
        if (named := NAMED.match(body)) and Path(named[1] or "").name.startswith("test_")
    }
    assert len(added) >= len(PAGES)
    installed.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sorted(added)], installed.tree
    )


def test_the_rules_of_the_house_hold_with_what_the_pages_add(installed: Installed) -> None:
    installed.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/repo"], installed.tree
    )
