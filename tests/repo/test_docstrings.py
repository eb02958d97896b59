"""Every public class, function and method is documented, by itself or by what it overrides, in plain sentences."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PACKAGES = ["core", "video", "audio", "timeseries", "eval"]
SOURCES = Path(__file__).parents[2] / "packages"

# A text that begins so does not say by itself what it is about.
FRAGMENT = re.compile(r"(Of|Its?|They|Those|Theirs?|What|Whose|How|Which|Where|When|For)\b")
# Of an argument, these leave out the thing itself, too.
ENTRY_FRAGMENT = re.compile(r"(As|At|By|From|In|On|That|The same|To|With)\b")
SECTIONS = ("Args:", "Attributes:", "Returns:", "Raises:")
ENTRY = re.compile(r"( {4})(\*{0,2}[A-Za-z_]\w*): (.*)")

PAGE_MODULE = re.compile(
    r"^```python\n# file: ((?:packages|examples)/\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL
)


def modules(package: str) -> Iterator[ModuleType]:
    root = importlib.import_module(f"seqdis.{package}")
    yield root
    for found in pkgutil.walk_packages(root.__path__, f"{root.__name__}."):
        yield importlib.import_module(found.name)


def public(owner: object, names: list[str]) -> Iterator[tuple[str, object]]:
    return ((name, inspect.getattr_static(owner, name)) for name in names if not name.startswith("_"))


def undocumented(module: ModuleType) -> Iterator[str]:
    for name, value in public(module, list(vars(module))):
        own = getattr(value, "__module__", None) == module.__name__
        if own and (inspect.isclass(value) or inspect.isfunction(value)) and not value.__doc__:
            yield f"{module.__name__}.{name}"
        if own and inspect.isclass(value):
            for method, found in public(value, list(vars(value))):
                callable_ = isinstance(found, property | staticmethod | classmethod) or inspect.isfunction(
                    found
                )
                # getdoc looks at the method that is overridden, too.
                if callable_ and not inspect.getdoc(getattr(value, method)):
                    yield f"{module.__name__}.{name}.{method}"


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_public_is_documented(package: str) -> None:
    assert [name for module in modules(package) for name in undocumented(module)] == []


@pytest.mark.parametrize("package", PACKAGES)
def test_what_a_module_exports_is_there(package: str) -> None:
    missing = [
        f"{module.__name__}.{name}"
        for module in modules(package)
        for name in getattr(module, "__all__", [])
        if not hasattr(module, name)
    ]
    assert missing == []


def documented(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (
            text := ast.get_docstring(node)
        ):
            yield text


def entries(docstring: str) -> Iterator[str]:
    """The text of each entry of a docstring's sections, its lines joined."""
    section, parts = "", list[str]()
    for line in [*docstring.splitlines(), "Args:"]:
        entry = ENTRY.fullmatch(line) if section != "Returns:" else None
        if entry or not line.startswith("    "):
            if parts:
                yield " ".join(parts)
            parts = []
        if not line.startswith("    "):
            section = line if line in SECTIONS else section if not line else ""
        elif section:
            parts.append(entry[3] if entry else line.strip())


def is_fragment(text: str, *, entry: bool) -> bool:
    """Whether a text begins in the middle of a sentence, or has fewer than three words and no formula."""
    begins = FRAGMENT.match(text) or (entry and ENTRY_FRAGMENT.match(text))
    return bool(begins) or (len(text.split()) < 3 and "``" not in text)


def fragments(docstring: str) -> list[str]:
    first = docstring.split("\n\n")[0].replace("\n", " ")
    found = [text for text in entries(docstring) if is_fragment(text, entry=True)]
    return [first, *found] if is_fragment(first, entry=False) else found


def test_what_counts_as_a_fragment() -> None:
    riddle = """Of both LSTMs.

    It is not looked at.

    Args:
        hidden: Of both LSTMs,
            each way.
        static: S.
        mask: True where a step exists, ``(B, V)``.

    Returns:
        ``(B, V)``: What is left.

    Raises:
        InputError: It is missing.
    """
    plain = """Widths of two networks.

    Args:
        hidden: Width of both LSTMs' states.
        x: ``(B, V)``
    """
    assert fragments(inspect.cleandoc(riddle)) == [
        "Of both LSTMs.",
        "Of both LSTMs, each way.",
        "S.",
        "It is missing.",
    ]
    assert fragments(inspect.cleandoc(plain)) == []


def sources() -> Iterator[tuple[str, str]]:
    """Name and text of every module, those that the pages of docs/ would add included."""
    for path in sorted(SOURCES.glob("*/src/seqdis/**/*.py")):
        yield path.relative_to(SOURCES.parent).as_posix(), path.read_text("utf-8")
    for page in sorted((SOURCES.parent / "docs").glob("*.md")):
        for name, body in PAGE_MODULE.findall(page.read_text("utf-8")):
            yield f"{page.name}: {name}", body


def test_docstrings_hold_no_fragments() -> None:
    left = [
        f"{name}: {text}"
        for name, source in sources()
        for doc in documented(ast.parse(source))
        for text in fragments(doc)
    ]
    assert left == [], "say in a plain sentence what it is"


ROLE = re.compile(r":(?:class|meth|func|attr|data|mod):`~?([\w.]+)`")


def texts(tree: ast.AST, owners: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every docstring of a module, those of attributes included, with the names of the classes around it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            if isinstance(node.value.value, str):
                yield owners, node.value.value
        else:
            yield from texts(node, (*owners, node.name) if isinstance(node, ast.ClassDef) else owners)


def has_path(owner: object, path: list[str]) -> bool:
    for position, name in enumerate(path):
        # Fields without a default are no attributes of their class.
        if inspect.isclass(owner) and any(name in vars(c).get("__annotations__", {}) for c in owner.__mro__):
            return position == len(path) - 1
        if not hasattr(owner, name):
            return False
        owner = getattr(owner, name)
    return True


def resolves(reference: str, module: ModuleType, owners: tuple[str, ...]) -> bool:
    """Whether a reference is seen from its class or module, or is the full path of something."""
    path = reference.split(".")
    if any(has_path(module, [*owners[:depth], *path]) for depth in range(len(owners) + 1)):
        return True
    for length in range(len(path), 0, -1):
        try:
            return has_path(importlib.import_module(".".join(path[:length])), path[length:])
        except ImportError:
            continue
    return False


def test_what_a_reference_resolves_to() -> None:
    module = importlib.import_module("seqdis.core.factors")
    assert resolves("save", module, ("Factors",))
    assert resolves("Factors.static", module, ())
    assert resolves("seqdis.core.sequences.Sequences.mask", module, ())
    assert not resolves("Factors.codebook", module, ())
    assert not resolves("seqdis.core.sequences.SequenceBatch", module, ())


@pytest.mark.parametrize("package", PACKAGES)
def test_references_lead_to_what_exists(package: str) -> None:
    broken = [
        f"{module.__name__}: {reference}"
        for module in modules(package)
        for owners, text in texts(ast.parse(Path(str(module.__file__)).read_text("utf-8")))
        for reference in ROLE.findall(text)
        if not resolves(reference, module, owners)
    ]
    assert broken == []
