"""The five distributions agree with each other and with what was installed from them."""

from __future__ import annotations

import ast
import importlib
import tomllib
from importlib.metadata import distributions, requires, version
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
FOLDERS = sorted((ROOT / "packages").iterdir())
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
NAMES = [folder.name for folder in FOLDERS]


def pyproject(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


def third_party(folder: Path) -> list[Requirement]:
    """What the package needs, with what its extras need."""
    content = pyproject(folder)
    extras = content["project"].get("optional-dependencies", {})
    lines = content["tool"]["hatch"]["metadata"]["hooks"]["custom"]["third-party"]
    return [Requirement(line) for line in [*lines, *(line for extra in extras.values() for line in extra)]]


def pins() -> dict[str, str]:
    """The one version of each distribution that constraints.txt names."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    found = [Requirement(line) for line in lines if not line.startswith("#")]
    assert [str(r) for r in found if [s.operator for s in r.specifier] != ["=="]] == []
    assert len({r.name for r in found}) == len(found)
    return {r.name: next(iter(r.specifier)).version for r in found}


def test_there_are_five_distributions() -> None:
    assert NAMES == ["seqdis-audio", "seqdis-core", "seqdis-eval", "seqdis-timeseries", "seqdis-video"]


@pytest.mark.parametrize("name", ["hatch_build.py", "LICENSE"])
def test_copies_are_identical(name: str) -> None:
    copies = {(folder / name).read_bytes() for folder in FOLDERS}
    assert len(copies) == 1
    assert not any((folder / name).is_symlink() for folder in FOLDERS)


def test_the_licence_of_the_packages_is_that_of_the_repository() -> None:
    assert (FOLDERS[0] / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_seqdis_is_a_namespace(folder: Path) -> None:
    assert not (folder / "src" / "seqdis" / "__init__.py").exists()
    inner = folder.name.removeprefix("seqdis-")
    assert [path.name for path in (folder / "src" / "seqdis").iterdir()] == [inner]
    assert (folder / "src" / "seqdis" / inner / "py.typed").is_file()


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_every_module_has_a_docstring_and_every_package_a_public_list(folder: Path) -> None:
    for path in (folder / "src").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not text or ast.get_docstring(ast.parse(text)), path
    module = importlib.import_module(folder.name.replace("-", "."))
    assert module.__all__, f"{module.__name__} names nothing public"
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_version_is_the_one_of_the_root(folder: Path) -> None:
    content = pyproject(folder)
    assert "version" not in content["project"]
    assert {"version", "dependencies"} == set(content["project"]["dynamic"])
    assert version(folder.name) == VERSION


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_siblings_are_pinned_to_the_same_version(folder: Path) -> None:
    needed = [Requirement(line) for line in requires(folder.name) or []]
    siblings = {str(r) for r in needed if r.name.startswith("seqdis-")}
    assert siblings == (set() if folder.name == "seqdis-core" else {f"seqdis-core=={VERSION}"})


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_the_rest_of_pyproject_is_the_same_everywhere(folder: Path) -> None:
    ours, core = pyproject(folder), pyproject(ROOT / "packages" / "seqdis-core")
    same = [
        "requires-python",
        "license",
        "license-files",
        "authors",
        "keywords",
        "classifiers",
        "dynamic",
        "readme",
    ]
    assert {key: ours["project"][key] for key in same} == {key: core["project"][key] for key in same}
    assert ours["build-system"] == core["build-system"]
    for key in ("version", "build"):
        assert ours["tool"]["hatch"][key] == core["tool"]["hatch"][key]


def test_a_dependency_has_one_range_in_all_packages() -> None:
    ranges: dict[str, set[str]] = {}
    for folder in FOLDERS:
        for requirement in third_party(folder):
            ranges.setdefault(requirement.name, set()).add(str(requirement.specifier))
    assert {name: found for name, found in ranges.items() if len(found) > 1} == {}


@pytest.mark.parametrize("folder", FOLDERS, ids=NAMES)
def test_constraints_pin_every_dependency_within_its_range(folder: Path) -> None:
    known = pins()
    for requirement in third_party(folder):
        assert requirement.name in known, f"constraints.txt lacks {requirement.name}"
        assert requirement.specifier.contains(known[requirement.name]), (
            f"{requirement} is pinned out of its range"
        )


def test_one_opencv_is_pinned_and_at_most_one_is_installed() -> None:
    assert [name for name in pins() if name.startswith("opencv")] == ["opencv-python-headless"]
    lines = (ROOT / "overrides.txt").read_text(encoding="utf-8").splitlines()
    dropped = {Requirement(line) for line in lines if not line.startswith("#")}
    assert {r.name for r in dropped if r.marker and not r.marker.evaluate()} == {"opencv-python"}
    assert len({d.name for d in distributions() if d.name.lower().startswith("opencv")}) <= 1


def test_constraints_pin_the_tools_of_all_sessions() -> None:
    tools = {
        "hatch",
        "hatchling",
        "mypy",
        "packaging",
        "pytest",
        "pytest-xdist",
        "ruff",
        "torch",
        "torchaudio",
    }
    assert tools - pins().keys() == set()
