"""What the built files hold; ``nox -s build`` makes them and runs these tests."""

from __future__ import annotations

import email
import os
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

if "SEQDIS_DIST" not in os.environ:
    pytest.skip("no built files: `nox -s build` makes them and runs this", allow_module_level=True)

ROOT = Path(__file__).parents[2]
DIST = Path(os.environ["SEQDIS_DIST"])
VERSION = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
PACKAGES = ["core", "video", "audio", "timeseries", "eval"]


def wheel(package: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(DIST / f"seqdis_{package}-{VERSION}-py3-none-any.whl")


def sdist(package: str) -> tarfile.TarFile:
    return tarfile.open(DIST / f"seqdis_{package}-{VERSION}.tar.gz")


def sources(package: str) -> set[str]:
    """All files that the package's source folder holds, as paths of the wheel."""
    source = ROOT / "packages" / f"seqdis-{package}" / "src"
    files = (path for path in source.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(source).as_posix() for path in files}


def test_nothing_else_was_built() -> None:
    expected = {f"seqdis_{p}-{VERSION}{end}" for p in PACKAGES for end in (".tar.gz", "-py3-none-any.whl")}
    assert {path.name for path in DIST.iterdir() if not path.name.startswith(".")} == expected


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_holds_all_sources_and_nothing_else(package: str) -> None:
    info = f"seqdis_{package}-{VERSION}.dist-info/"
    names = wheel(package).namelist()
    assert {name for name in names if not name.startswith(info)} == sources(package)
    assert f"seqdis/{package}/py.typed" in names
    assert "seqdis/__init__.py" not in names
    assert f"{info}licenses/LICENSE" in names


@pytest.mark.parametrize("package", PACKAGES)
def test_the_sdist_holds_what_a_build_needs_and_no_tests(package: str) -> None:
    names = {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in sdist(package).getnames()}
    # hatchling always adds the .gitignore that it filtered the files by.
    needed = {"PKG-INFO", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore"}
    assert names == needed | {f"src/{name}" for name in sources(package)}


@pytest.mark.parametrize("package", PACKAGES)
def test_the_wheel_pins_its_siblings_to_its_own_version(package: str) -> None:
    with wheel(package) as file:
        metadata = email.message_from_bytes(file.read(f"seqdis_{package}-{VERSION}.dist-info/METADATA"))
    assert metadata["Version"] == VERSION
    assert metadata["License-Expression"] == "Apache-2.0"
    required = [Requirement(line) for line in metadata.get_all("Requires-Dist", [])]
    siblings = {str(r) for r in required if r.name.startswith("seqdis-")}
    assert siblings == (set() if package == "core" else {f"seqdis-core=={VERSION}"})
