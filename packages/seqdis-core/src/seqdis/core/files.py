"""Files and directories that appear whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.finite_numbers import check_finite_numbers

__all__ = ["replace_directory", "replace_file", "replace_with_json", "replace_with_tensors", "sync_tree"]


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_tree(root: Path) -> None:
    """Force a directory and everything below it onto the disk."""
    for folder, _, names in os.walk(root):
        for name in names:
            _sync(Path(folder, name))
        _sync(Path(folder))


@contextlib.contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on a clean exit it is synced and takes its place.

    The suffix is kept, so that writers that choose their format by suffix see the right one.

    Raises:
        InputError: The disk is full or the path cannot be written; nothing is left behind.
    """
    partial = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
        os.close(handle)
        partial = Path(name)
        yield partial
        # mkstemp makes private files; what a user asked for follows the process's umask instead.
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        _sync(partial)
        partial.replace(path)
        _sync(path.parent)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        if partial is not None:
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def replace_directory(path: Path) -> Iterator[Path]:
    """Yield a temporary directory beside ``path``; on a clean exit it is synced and renamed.

    A directory that already stands at ``path`` is replaced: it is moved aside first, so that at
    every instant either the old or the new one is complete under one of the two names.

    Raises:
        InputError: The disk is full or the path cannot be written; the old directory stays.
    """
    partial = path.parent / f".partial-{path.name}"
    aside = path.parent / f".replaced-{path.name}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        yield partial
        sync_tree(partial)
        if path.exists():
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)
        partial.rename(path)
        _sync(path.parent)
        shutil.rmtree(aside, ignore_errors=True)
    except OSError as error:
        if aside.exists() and not path.exists():
            aside.rename(path)
        raise InputError(f"{path}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace_with_tensors(
    path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str], *, finite: bool = True
) -> None:
    """Write a safetensors file by :func:`replace_file`; tensors that share memory are written apart.

    Args:
        path: Path of the file.
        tensors: Tensors by name.
        metadata: Texts of the file's header.
        finite: Refuse NaN and Inf. Sums of a training may hold them, and time stamps that are not known.

    Raises:
        InputError: A value is not finite, the disk is full, or the path cannot be written.
    """
    for name, value in tensors.items() if finite else ():
        if value.is_floating_point():
            check_finite(value, f"{path}: {name}")
    plain = {name: value.detach().contiguous().cpu() for name, value in tensors.items()}
    homes = Counter(value.untyped_storage().data_ptr() for value in plain.values())
    plain = {n: v.clone() if homes[v.untyped_storage().data_ptr()] > 1 else v for n, v in plain.items()}
    with replace_file(path) as partial:
        try:
            save_file(plain, str(partial), metadata=dict(metadata))
        except Exception as error:  # safetensors reports a full disk as its own exception type
            raise OSError(str(error)) from error


def replace_with_json(path: Path, value: Any) -> None:
    """Write indented JSON by :func:`replace_file`.

    Raises:
        InputError: A number is NaN or Inf, for JSON has neither; or the file cannot be written.
    """
    check_finite_numbers(value, str(path))
    with replace_file(path) as partial:
        partial.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")
