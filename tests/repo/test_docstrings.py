"""Every public class, function and method is documented, by itself or by what it overrides."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType

import pytest

PACKAGES = ["core", "video", "audio", "timeseries", "eval"]


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
