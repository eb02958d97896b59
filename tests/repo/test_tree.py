"""Rules of the house that can be read off the tracked files."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
LONGEST, MEDIAN_OF_PACKAGES = 400, 100
# Assembled from pieces, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(
    r"(?:^|[^\w.~:/-])/(?:" + "|".join(["work", "farm", "root", "home", "Users"]) + r")/"
)
REGISTRIES = re.compile(
    "|".join(
        [r"pypi\." + "org", "pythonhosted" + r"\.", r"download\.pytorch\." + "org", "--extra-" + "index"]
    )
)
SESSIONS = [
    "demo",
    "tests",
    "full",
    "lint",
    "typecheck",
    "docs",
    "examples",
    "build",
    "bench",
    "kernels",
    "release",
    "duplicates",
    "soak",
]


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """All files of the repository that git keeps and that stand in the tree."""
    if not (ROOT / ".git").exists():
        pytest.skip("this tree is not a git checkout, so its tracked files are unknown")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).is_file()]


def texts(paths: list[Path]) -> dict[str, str]:
    """The text files among them, by path below the root."""
    found = {}
    for path in paths:
        content = path.read_bytes()
        if b"\0" not in content:
            found[path.relative_to(ROOT).as_posix()] = content.decode("utf-8")
    return found


def lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()[:100]}"
        for name, text in texts(paths).items()
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_path_of_one_machine(tracked: list[Path]) -> None:
    assert lines_with(MACHINE_PATH, tracked) == []


def test_no_address_of_a_package_registry(tracked: list[Path]) -> None:
    assert lines_with(REGISTRIES, tracked) == []


def test_no_lock_file_and_nothing_generated(tracked: list[Path]) -> None:
    unwanted = {"uv.lock", "poetry.lock", "Pipfile.lock"}
    generated = {".pyc", ".so", ".safetensors", ".pkl", ".pt"}
    recorded, given_away = ROOT / "tests" / "golden" / "data", ROOT / "models"
    assert [
        p
        for p in tracked
        if p.name in unwanted
        or (
            p.suffix in generated
            and not (p.suffix == ".safetensors" and (p.parent == recorded or p.parents[1] == given_away))
        )
    ] == []


def test_constraints_hold_versions_alone() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert [line for line in pins if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[0-9][0-9a-z.]*", line)] == []
    assert pins == sorted(pins)
    assert {"torch==2.11.0", "torchvision==0.26.0", "torchaudio==2.11.0"} <= set(pins)


def test_no_file_of_code_is_longer_than_the_ceiling(tracked: list[Path]) -> None:
    code = [path for path in tracked if path.suffix in {".py", ".cu", ".cpp"}]
    lengths = {
        path.relative_to(ROOT).as_posix(): len(path.read_text(encoding="utf-8").splitlines()) for path in code
    }
    assert {name: count for name, count in lengths.items() if count > LONGEST} == {}
    shipped = [count for name, count in lengths.items() if name.startswith("packages/")]
    assert median(shipped) <= MEDIAN_OF_PACKAGES


def imports_of(path: Path) -> set[str]:
    """Modules that a file imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {
        name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module
        for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
    }


def test_a_block_that_one_method_alone_uses_stands_in_its_folder(tracked: list[Path]) -> None:
    imported = {path: imports_of(path) for path in python_sources(tracked, "packages")}
    blocks = [path for path in imported if path.parent.name == "nn" and path.name != "__init__.py"]
    assert blocks

    def users(block: Path) -> set[str]:
        """Folders of those who import the block, directly or by another block."""
        module, found = f"seqdis.core.nn.{block.stem}", set()
        for path, names in imported.items():
            if module in names and path.name != "__init__.py":
                found |= users(path) if path.parent == block.parent else {str(path.parent)}
        return found

    alone = {block.stem: users(block) for block in blocks if len(users(block)) < 2}
    assert {name: at for name, at in alone.items() if not at or "/methods/" in next(iter(at))} == {}


def test_no_file_name_occurs_twice_within_a_package(tracked: list[Path]) -> None:
    several = {"methods", "datasets", "presets"}
    files = [
        path.relative_to(ROOT / "packages").parts
        for path in python_sources(tracked, "packages")
        if path.name != "__init__.py" and "src" in path.parts
    ]
    names = Counter((parts[0], parts[-1]) for parts in files if not several & set(parts[1:-1]))
    assert names
    assert [name for name, count in names.items() if count > 1] == []


def python_sources(tracked: list[Path], *below: str) -> list[Path]:
    return [path for path in tracked if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in below]


def test_nothing_is_unpickled(tracked: list[Path]) -> None:
    found = []
    for path in python_sources(tracked, "packages", "examples", "benchmarks"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            imported = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            call = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            allows = (
                isinstance(node, ast.keyword)
                and node.arg == "allow_pickle"
                and ast.unparse(node.value) != "False"
            )
            unsafe = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"} & set(imported)
            # Weights that others publish as .pth come through one function, which builds tensors alone.
            tensors = path.as_posix().endswith(
                "eval/features/weights.py"
            ) and "weights_only=True" in ast.unparse(node)
            if unsafe or (call == "torch.load" and not tensors) or allows:
                found.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', '?')}")
    assert found == []


def test_library_code_asserts_nothing(tracked: list[Path]) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_sources(tracked, "packages")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []


def test_torch_draws_nothing_without_a_generator(tracked: list[Path]) -> None:
    drawing = re.compile(
        r"torch\.(randn|rand|randint|randperm|normal|bernoulli|multinomial|randn_like|rand_like)$"
    )
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_sources(tracked, "packages")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and drawing.match(ast.unparse(node.func))
        and "generator" not in {keyword.arg for keyword in node.keywords}
    ]
    # The one place that turns "no generator was given" into a seed.
    assert [place for place in found if "core/random.py" not in place] == []


def imported_modules(tree: ast.AST) -> Iterator[str]:
    """The modules that run when a file does or when its functions do: imports for types alone are left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            yield from imported_modules(node)


def test_no_folder_of_core_imports_one_that_imports_it() -> None:
    """Folders at any depth; each file beside the folders stands for itself."""
    core = ROOT / "packages" / "seqdis-core" / "src" / "seqdis" / "core"

    def node(module: str) -> str:
        parts = module.split(".")[2:]
        while parts and not core.joinpath(*parts).is_dir():
            if len(parts) == 1:
                return parts[0]
            parts.pop()
        return "/".join(parts)

    graph: dict[str, set[str]] = {}
    for path in core.rglob("*.py"):
        if path.name == "__init__.py":
            continue  # these name what a folder offers, and import it when it is asked for
        inner = path.relative_to(core)
        me = inner.parent.as_posix() if len(inner.parts) > 1 else inner.stem
        modules = imported_modules(ast.parse(path.read_text(encoding="utf-8")))
        inside = {node(module) for module in modules if module.startswith("seqdis.core.")}
        graph.setdefault(me, set()).update(inside - {me})
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))
    assert {"methods/diffsda", "nn", "training", "config"} <= set(order)


def test_the_task_runner_has_every_session() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    sessions = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
        and any("nox.session" in ast.unparse(d) for d in node.decorator_list)
    }
    assert sessions == set(SESSIONS)


def test_ci_calls_the_command_of_the_readme() -> None:
    command = 'python3 -m pip install "nox[uv]" && python3 -m nox -s '
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{command}demo" in readme
    assert f"{command}tests" in readme
    assert f"{command}tests" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert command in (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")


def test_no_workflow_does_by_hand_what_nox_does() -> None:
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"run:.*\b(pytest|ruff|mypy|hatch)\b", text), path


def test_the_changelog_begins_with_what_is_to_come_or_this_version() -> None:
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] in {"Unreleased", version}
    assert version in headings


def test_the_scripts_of_the_examples_are_short(tracked: list[Path]) -> None:
    scripts = [p for p in python_sources(tracked, "examples") if p.name in ("train.py", "evaluate.py")]
    lengths = {
        p.relative_to(ROOT).as_posix(): len(p.read_text(encoding="utf-8").splitlines()) for p in scripts
    }
    assert len(lengths) == 8
    assert {name: count for name, count in lengths.items() if count > 40} == {}
