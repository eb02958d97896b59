"""What a package imports is what it declares, and the packages depend on each other one way only."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PACKAGES = ["core", "video", "audio", "timeseries", "eval"]
# Needed at run time by a library that imports it by itself: who asks for it.
INDIRECT = {
    "core": {"tensorboard": "torch.utils.tensorboard"},
    "eval": {"librosa": "speechmos", "onnxruntime": "speechmos", "requests": "speechmos"},
}
# Modules of extras whose distribution has another name: an extra need not be installed where this runs.
OTHERWISE_CALLED = {"cv2": "opencv-python-headless"}
# Libraries that know a kind of file: the modalities' business.
OF_MODALITIES = {"PIL", "av", "cv2", "imageio", "librosa", "pandas", "pyarrow", "soundfile"}
OF_MODALITIES |= {"torchaudio", "torchvision"}


def imports(package: str) -> Iterator[tuple[str, Path]]:
    """Every absolute import in the package's sources, and the file it stands in."""
    for path in (ROOT / "packages" / f"seqdis-{package}" / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name, path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path}: a relative import"
                assert node.module is not None
                # Both `import seqdis.core` and `from seqdis import core` name seqdis.core.
                names = [node.module] if node.module != "seqdis" else [f"seqdis.{a.name}" for a in node.names]
                yield from ((name, path) for name in names)


def imported_distributions(package: str) -> set[str]:
    """The third-party distributions behind the package's imports."""
    providers = packages_distributions()
    tops = {name.partition(".")[0] for name, _ in imports(package)} - {"seqdis"} - sys.stdlib_module_names
    # The module of an extra need not be installed here; then its name stands for its distribution.
    return {
        canonicalize_name(providers[top][0] if top in providers else OTHERWISE_CALLED.get(top, top))
        for top in tops
    }


def declared(package: str) -> tuple[set[str], set[str]]:
    """The third-party distributions that pyproject.toml names: needed always, and by an extra."""
    path = ROOT / "packages" / f"seqdis-{package}" / "pyproject.toml"
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    always = content["tool"]["hatch"]["metadata"]["hooks"]["custom"]["third-party"]
    assert always == sorted(always), f"{path}: third-party is not sorted"
    extras = content["project"].get("optional-dependencies", {}).values()
    return distributions(always), distributions([line for lines in extras for line in lines])


def distributions(requirements: list[str]) -> set[str]:
    """The names in a list of requirements."""
    return {canonicalize_name(Requirement(line).name) for line in requirements}


@pytest.mark.parametrize("package", PACKAGES)
def test_every_import_is_declared(package: str) -> None:
    always, extras = declared(package)
    assert imported_distributions(package) - always - extras == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_declared_dependency_is_imported(package: str) -> None:
    always, extras = declared(package)
    indirect = INDIRECT.get(package, {})
    assert (always | extras) - imported_distributions(package) == indirect.keys()
    modules = {name for name, _ in imports(package)}
    for by in indirect.values():
        assert any(name == by or by.startswith(f"{name}.") for name in modules), f"{by} is imported no more"


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_import_core_alone(package: str) -> None:
    others = {f"seqdis.{other}" for other in PACKAGES} - {f"seqdis.{package}", "seqdis.core"}
    bad = [(n, p.name) for n, p in imports(package) if any(n == o or n.startswith(f"{o}.") for o in others)]
    assert bad == []


def test_core_imports_no_image_audio_or_table_library() -> None:
    assert [(n, p.name) for n, p in imports("core") if n.partition(".")[0] in OF_MODALITIES] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_package_imports_its_command_line_from_below(package: str) -> None:
    below = [(n, p) for n, p in imports(package) if n.startswith("seqdis.core.cli") and "cli" not in p.parts]
    assert [(n, p.name) for n, p in below] == []
