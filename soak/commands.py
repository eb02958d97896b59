"""A ``seqdis`` command line run in this process, and the modules that all of them need imported beforehand."""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Sequence

__all__ = ["import_everything", "import_named", "seqdis"]

_FURTHER = (
    "accelerate",
    "matplotlib.pyplot",
    "pandas",
    "pyarrow.parquet",
    "safetensors.torch",
    "sklearn.linear_model",
    "torch.utils.tensorboard",
)


def import_everything() -> None:
    """Import every module of the installed seqdis packages and what they import only when a command asks."""
    import seqdis

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = pkgutil.walk_packages(seqdis.__path__, "seqdis.")
        import_named([*(module.name for module in found if "__main__" not in module.name), *_FURTHER])


def import_named(names: Sequence[str]) -> None:
    """Import modules by name; those that need what is not installed are left out."""
    for name in names:
        try:
            importlib.import_module(name)
        except Exception:  # a module of an extra that is not installed
            sys.modules.pop(name, None)


def seqdis(words: Sequence[object]) -> int:
    """Run a command as ``seqdis WORDS`` would be, and return its exit code; its cache lies in the working folder.

    A judge learns for a moment only: an evaluation of seconds can be killed a hundred times.
    """
    from seqdis.core.cli.app import app
    from seqdis.eval.judge import judge_cache
    from seqdis.eval.judge.judge_training import JudgeBudget
    from seqdis.eval.protocols import scoring

    os.environ["SEQDIS_CACHE"] = os.path.abspath("cache")
    hasty = functools.partial(judge_cache.judge_for, budget=JudgeBudget(steps=6, check_every=3))
    scoring.judge_for = hasty  # type: ignore[assignment]
    judge_cache.judge_for = hasty  # type: ignore[assignment]
    try:
        app([str(word) for word in words])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0
