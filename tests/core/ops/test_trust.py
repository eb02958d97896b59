"""A library that somebody else can have put there is never executed; none of these is a real one, nor is any loaded."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.ops import KernelNotBuiltError, _build, _trust, ada_group_norm
from seqdis.core.ops._build import kernel_state, library_path
from seqdis.core.ops._compile import build_kernel

AS_ROOT = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can give files away")
STRANGER = 54321


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The libraries that were loaded, none of which really is."""
    found: list[str] = []
    monkeypatch.setattr(torch.ops, "load_library", lambda path: found.append(str(path)))
    return found


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A library that was built into a cache of its own, two folders below the test's."""
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done; echo made > "$2"\n')
    compiler.chmod(0o755)
    monkeypatch.setenv("CXX", str(compiler))
    monkeypatch.setenv("SEQDIS_KERNELS", str(tmp_path / "cache" / "kernels"))
    monkeypatch.setattr(_build, "_known", {})
    return build_kernel("cpu")


def refused(loaded: list[str], caplog: pytest.LogCaptureFixture) -> str:
    """Call the operator: the reference runs, one line says why, which is returned, and nothing is loaded."""
    caplog.clear()
    _build.forget_kernels()
    with caplog.at_level(logging.INFO, "seqdis"):
        for _ in range(2):
            assert ada_group_norm(torch.randn(2, 4), 2).isfinite().all()
    (record,) = caplog.records
    assert loaded == []
    with pytest.raises(KernelNotBuiltError):
        ada_group_norm(torch.randn(2, 4), 2, impl="cpu")
    message = record.getMessage()
    assert "\n" not in message
    return message


def test_what_was_built_is_loaded(library: Path, loaded: list[str]) -> None:
    assert kernel_state("cpu") is None
    assert loaded == [str(library.resolve())]
    known = json.loads((library.parent / "manifest.json").read_text())
    assert list(known["libraries"]) == [library.name]


def test_also_under_a_umask_that_lets_a_group_write(
    library: Path, loaded: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEQDIS_KERNELS", str(tmp_path / "other" / "kernels"))
    before = os.umask(0o002)
    try:
        build_kernel("cpu")
    finally:
        os.umask(before)
    assert kernel_state("cpu") is None


Change = Callable[[Path], object]


@pytest.mark.parametrize(
    ("change", "said"),
    {
        "another file of its name": (lambda so: so.write_bytes(b"theirs"), "is not the file that was built"),
        "no manifest": (lambda so: (so.parent / "manifest.json").unlink(), "manifest.json is missing"),
        "a damaged manifest": (lambda so: (so.parent / "manifest.json").write_text("{"), "cannot be read"),
        "a manifest of others": (
            lambda so: (so.parent / "manifest.json").write_text('{"format": 1, "libraries": {}}'),
            "does not know ada_group_norm-cpu",
        ),
        "a file that all can write": (lambda so: so.chmod(0o777), ".so (mode 777)"),
        "a file that a group can write": (lambda so: so.chmod(0o775), ".so (mode 775)"),
        "a manifest that all can write": (
            lambda so: (so.parent / "manifest.json").chmod(0o666),
            "manifest.json (mode 666)",
        ),
        "a folder that all can write": (lambda so: so.parent.chmod(0o777), "kernels (mode 777)"),
        "a folder like /tmp": (lambda so: so.parent.chmod(0o1777), "kernels (mode 1777)"),
        "a folder above that all can write": (lambda so: so.parents[1].chmod(0o777), "cache (mode 777)"),
    }.values(),
)
def test_what_others_can_change_is_refused(
    library: Path, loaded: list[str], caplog: pytest.LogCaptureFixture, change: Change, said: str
) -> None:
    change(library)
    assert said in refused(loaded, caplog)


@AS_ROOT
@pytest.mark.parametrize("place", ["library", "manifest", "folder", "folder above"])
def test_what_belongs_to_somebody_else_is_refused(
    library: Path, loaded: list[str], caplog: pytest.LogCaptureFixture, place: str
) -> None:
    folder = library.parent
    places = {
        "library": library,
        "manifest": folder / "manifest.json",
        "folder": folder,
        "folder above": folder.parent,
    }
    os.chown(places[place], STRANGER, -1)
    assert f"{places[place].resolve()} belongs to the user {STRANGER}; " in refused(loaded, caplog)


@AS_ROOT
def test_what_belongs_to_root_is_loaded_for_every_user(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    assert _trust.why_not_trusted(library.resolve()) is None


def test_links_are_followed_before_anything_is_looked_at(
    library: Path,
    loaded: list[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "link").symlink_to(library.parent)
    monkeypatch.setenv("SEQDIS_KERNELS", str(tmp_path / "link"))
    assert kernel_state("cpu") is None
    loaded.clear()
    monkeypatch.setattr(_build, "_known", {})
    elsewhere = tmp_path / "shared" / library.name
    elsewhere.parent.mkdir(mode=0o700)
    library.rename(elsewhere)
    library.symlink_to(elsewhere)
    assert "shared/manifest.json is missing" in refused(loaded, caplog)


def test_a_folder_like_tmp_may_lie_above(library: Path, loaded: list[str]) -> None:
    library.parents[1].chmod(0o1777)
    assert kernel_state("cpu") is None


def test_nothing_is_built_where_others_can_write(library: Path) -> None:
    library.parent.chmod(0o777)
    with pytest.raises(
        InputError, match=r"no kernel is built there: others can write .* SEQDIS_KERNELS names another"
    ):
        build_kernel("cpu", force=True)


def test_what_is_not_as_it_was_built_is_built_again(library: Path, loaded: list[str]) -> None:
    library.write_bytes(b"theirs")
    assert kernel_state("cpu") is not None
    build_kernel("cpu")
    assert library == library_path("cpu", str(_build.default_architecture("cpu")))
    assert library.read_text() == "made\n"
    assert kernel_state("cpu") is None
