"""How a kernel is compiled, kept and found; the compiler is a script here, so this takes no time."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.errors import InputError
from seqdis.core.ops import KernelNotBuiltError, _build, _check, ada_group_norm
from seqdis.core.ops._build import library_path
from seqdis.core.ops._check import kernel_error
from seqdis.core.ops._compile import KernelBuildError, build_kernel

GOOD = 'while [ "$1" != -o ]; do shift; done; echo made > "$2"'
SLOW = f"{GOOD}; sleep 5"
BAD = "echo 'kernel.cpp:1: error: no such thing' >&2; exit 3"


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty cache, and a process that has not looked for kernels yet."""
    folder = tmp_path / "kernels"
    monkeypatch.setenv("SEQDIS_KERNELS", str(folder))
    monkeypatch.setattr(_build, "_known", {})
    return folder


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> object:
    """``compiler("script")`` makes that shell script the C++ compiler."""

    def use(script: str) -> None:
        path = tmp_path / "compiler"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("CXX", str(path))

    return use


def left_over(cache: Path) -> list[str]:
    kept = (".lock", "manifest.json")
    return [path.name for path in cache.iterdir() if path.suffix != ".so" and path.name not in kept]


def test_a_build_is_kept_and_made_once(cache: Path, compiler: object) -> None:
    compiler(GOOD)  # type: ignore[operator]
    path = build_kernel("cpu", architecture="avx2")
    assert path == library_path("cpu", "avx2")
    assert path.read_text(encoding="utf-8") == "made\n"
    assert left_over(cache) == []
    compiler(BAD)  # type: ignore[operator]
    assert build_kernel("cpu", architecture="avx2") == path
    with pytest.raises(KernelBuildError):
        build_kernel("cpu", architecture="avx2", force=True)
    assert path.read_text(encoding="utf-8") == "made\n"


def test_the_name_changes_with_source_torch_cuda_and_architecture(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "kernel.cpp"
    source.write_text("int a;", encoding="utf-8")
    found = [library_path("cpu", "avx2", [source]), library_path("cpu", "avx512", [source])]
    source.write_text("int b;", encoding="utf-8")
    found.append(library_path("cpu", "avx2", [source]))
    monkeypatch.setattr(torch.version, "cuda", "99.0")
    found.append(library_path("cpu", "avx2", [source]))
    monkeypatch.setattr(torch, "__version__", "9.9")
    found.append(library_path("cpu", "avx2", [source]))
    assert len(set(found)) == 5
    assert library_path("cpu", "avx2", [source]) == found[-1]


def test_a_refusal_shows_what_the_compiler_wrote(cache: Path, compiler: object) -> None:
    compiler(BAD)  # type: ignore[operator]
    with pytest.raises(
        KernelBuildError, match=r"compiler ended with 3: ada_group_norm\.cpp was not"
    ) as caught:
        build_kernel("cpu")
    assert caught.value.output == "kernel.cpp:1: error: no such thing\n"
    assert left_over(cache) == []
    result = CliRunner().invoke(app, ["kernels", "build", "--cpu"])
    assert result.exit_code == 2
    lines = result.stderr.splitlines()
    assert lines == ["kernel.cpp:1: error: no such thing", f"error: {caught.value}"]


def start_build() -> subprocess.Popen[bytes]:
    """Build in a process of its own, which does not share this one's open files."""
    code = "from seqdis.core.ops._compile import build_kernel; build_kernel('cpu')"
    return subprocess.Popen([sys.executable, "-c", code])


def test_a_killed_build_does_not_block_the_next(cache: Path, compiler: object) -> None:
    compiler(SLOW)  # type: ignore[operator]
    process = start_build()
    deadline = time.monotonic() + 180
    while not list(cache.glob(".build-*/*.so")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert len(left_over(cache)) == 1
    compiler(GOOD)  # type: ignore[operator]
    assert build_kernel("cpu").is_file()
    assert left_over(cache) == []


def test_a_build_waits_for_the_one_under_way(cache: Path, compiler: object) -> None:
    compiler(GOOD)  # type: ignore[operator]
    cache.mkdir()
    with FileLock(cache / ".lock"):
        process = start_build()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(6)
        assert not list(cache.glob(".build-*"))
    assert process.wait(180) == 0
    assert library_path("cpu", str(_build.default_architecture("cpu"))).is_file()


def test_without_a_compiler_it_says_what_to_install(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "there-is-no-such-compiler")
    with pytest.raises(KernelBuildError, match="install g\\+\\+ or clang\\+\\+, or name one by CXX"):
        build_kernel("cpu")
    monkeypatch.setenv("CUDA_HOME", str(cache))
    with pytest.raises(KernelBuildError, match=r"nvcc was not found: .*CUDA_HOME|without CUDA"):
        build_kernel("cuda", architecture="9.0")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_without_a_gpu_an_architecture_must_be_named(cache: Path) -> None:
    with pytest.raises(InputError, match=r"no GPU is here to build for: name its .* --arch 9\.0"):
        build_kernel("cuda")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--cpu", "--arch", "9.0"], "--arch 9.0: is for --cuda"),
        (["--cuda", "--arch", "hopper"], "--arch hopper: allowed are compute capabilities"),
    ],
)
def test_an_architecture_that_cannot_be(cache: Path, words: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["kernels", "build", *words])
    assert result.exit_code == 2
    assert message in result.stderr


def test_auto_falls_back_and_says_so_once(cache: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "seqdis"):
        for _ in range(3):
            ada_group_norm(torch.randn(2, 4), 2)
    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "`seqdis kernels build --cpu`" in record.getMessage()


def test_a_kernel_asked_for_by_name_must_be_built(cache: Path) -> None:
    with pytest.raises(KernelNotBuiltError, match=r"not built for torch .* `seqdis kernels build --cpu`"):
        ada_group_norm(torch.randn(2, 4), 2, impl="cpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")
def test_cuda_asked_for_where_there_is_none_is_a_named_error(cache: Path) -> None:
    with pytest.raises(
        KernelNotBuiltError, match="impl 'cuda' needs a built kernel, but no cuda device is here"
    ):
        ada_group_norm(torch.randn(2, 4), 2, impl="cuda")


def test_kernels_can_be_switched_off(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_build, "_known", {"cpu": None})  # as if one were loaded
    with _build.kernels_off():
        assert _build.kernel_state("cpu") == "kernels are switched off"
    assert _build.kernel_state("cpu") is None


def test_what_is_no_library_is_not_fatal(cache: Path, compiler: object) -> None:
    compiler(GOOD)  # type: ignore[operator]
    build_kernel("cpu")
    ada_group_norm(torch.randn(2, 4), 2)
    with pytest.raises(KernelNotBuiltError, match="cannot be loaded"):
        ada_group_norm(torch.randn(2, 4), 2, impl="cpu")


def test_importing_compiles_nothing(cache: Path) -> None:
    code = (
        "import seqdis.core.ops, seqdis.core.nn.norm, sys; print('torch.utils.cpp_extension' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    assert not cache.exists()


def test_a_kernel_that_disagrees_is_removed(
    cache: Path, compiler: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler(GOOD)  # type: ignore[operator]
    monkeypatch.setattr("seqdis.core.ops._build.kernel_state", lambda device: None)
    monkeypatch.setattr("seqdis.core.ops._check.kernel_error", lambda device: "values at (2, 8)")
    result = CliRunner().invoke(app, ["kernels", "build", "--cpu"])
    assert result.exit_code == 2
    assert result.stderr == (
        "error: the cpu kernel disagrees with the reference: values at (2, 8); it was removed\n"
    )
    assert left_over(cache) == []
    assert not list(cache.glob("*.so"))


def test_the_check_finds_a_wrong_value_and_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    assert kernel_error("cpu") is None  # whichever implementation the operator has here
    forward, backward = _check.forward_formula, _check.backward_formula
    monkeypatch.setattr(
        _check, "forward_formula", lambda *a: tuple(v + (i == 0) for i, v in enumerate(forward(*a)))
    )
    assert (kernel_error("cpu") or "").startswith("values at (2, 8, 9, 7) float32")
    monkeypatch.setattr(_check, "forward_formula", forward)
    monkeypatch.setattr(
        _check,
        "backward_formula",
        lambda *a: tuple(v * (1.1 if i == 4 else 1) for i, v in enumerate(backward(*a))),
    )
    assert (kernel_error("cpu") or "").startswith("the gradient of shift at")
