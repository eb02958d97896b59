"""Compiles a kernel into the cache: only when asked to, and never half."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from filelock import FileLock

from seqdis.core.errors import InputError
from seqdis.core.ops._build import (
    SOURCES,
    cache_folder,
    default_architecture,
    forget_kernels,
    library_path,
)
from seqdis.core.ops._trust import note_library, why_not_trusted, why_others_can_write

__all__ = ["KernelBuildError", "build_kernel", "cpu_compiler", "cuda_compiler"]

_TORCH = Path(torch.__file__).parent
_VECTORS = {
    "avx2": ["-DCPU_CAPABILITY=AVX2", "-DCPU_CAPABILITY_AVX2", "-mavx2", "-mfma", "-mf16c"],
    "avx512": [
        *("-DCPU_CAPABILITY=AVX512", "-DCPU_CAPABILITY_AVX512", "-mavx512f", "-mavx512dq", "-mavx512vl"),
        *("-mavx512bw", "-mfma", "-mf16c"),
    ],
}


class KernelBuildError(InputError):
    """Compiling a kernel failed; ``output`` holds the compiler's messages."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def cpu_compiler() -> str | None:
    """The C++ compiler: that of ``CXX``, else the first of c++, g++ and clang++ on the path."""
    named = os.environ.get("CXX")
    return (
        shutil.which(named)
        if named
        else next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    )


def cuda_compiler() -> str | None:
    """nvcc: that of ``CUDA_HOME``, else the one on the path."""
    home = os.environ.get("CUDA_HOME")
    return shutil.which("nvcc", path=str(Path(home, "bin"))) if home else shutil.which("nvcc")


def _command(device: str, architecture: str, source: Path, target: Path) -> list[str]:
    """The one command that makes the library.

    Raises:
        KernelBuildError: There is no compiler, or torch was built without CUDA.
    """
    include = [_TORCH / "include", _TORCH / "include" / "torch" / "csrc" / "api" / "include"]
    link = [f"-L{_TORCH / 'lib'}", "-lc10", "-ltorch_cpu"]
    shared = ["-std=c++20", "-O3", "-shared", *(f"-I{folder}" for folder in include)]
    if device == "cpu":
        if (compiler := cpu_compiler()) is None:
            raise KernelBuildError("no C++ compiler was found: install g++ or clang++, or name one by CXX")
        flags = ["-fPIC", "-fopenmp", *_VECTORS.get(architecture, ["-DCPU_CAPABILITY=DEFAULT"])]
        return [compiler, *shared, *flags, str(source), "-o", str(target), *link]
    if torch.version.cuda is None:
        raise KernelBuildError(f"torch {torch.__version__} is a build without CUDA")
    if (compiler := cuda_compiler()) is None:
        raise KernelBuildError(
            f"nvcc was not found: install CUDA {torch.version.cuda}, and name its folder by CUDA_HOME"
        )
    numbers = [name.replace(".", "") for name in architecture.split("+")]
    flags = [f"-gencode=arch=compute_{number},code=sm_{number}" for number in numbers]
    flags += ["-Xcompiler", "-fPIC", "--expt-relaxed-constexpr", "--expt-extended-lambda"]
    # Headers of CUDA's libraries that a small toolkit lacks come with torch.
    bundled = _TORCH.parent / "nvidia" / f"cu{torch.version.cuda.partition('.')[0]}" / "include"
    flags += ["-Xcompiler", f"-idirafter,{bundled}"] if bundled.is_dir() else []
    return [compiler, *shared, *flags, str(source), "-o", str(target), *link, "-lc10_cuda", "-ltorch_cuda"]


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Allow one build at a time; the system gives the lock back when its holder ends, however it ends."""
    with FileLock(folder / ".lock"):
        for left in folder.glob(".build-*"):  # by a build that was killed: nobody else holds the lock
            shutil.rmtree(left, ignore_errors=True)
        yield


def _own_folder() -> Path:
    """The cache, made where it is not there, which nobody else may be able to write to: what lies in it is executed.

    Raises:
        InputError: The folder cannot be made, or others can write to it.
    """
    folder = cache_folder()
    try:
        for path in reversed([folder, *folder.parents]):
            if not path.exists():
                path.mkdir(mode=0o755)
    except OSError as error:
        raise InputError(f"{folder}: cannot be made: {error.strerror or error}") from error
    if (why := why_others_can_write(folder.resolve())) is not None:
        raise InputError(f"{folder}: no kernel is built there: {why}; SEQDIS_KERNELS names another folder")
    return folder


def build_kernel(
    device: str,
    *,
    architecture: str | None = None,
    force: bool = False,
    sources: Sequence[Path] | None = None,
) -> Path:
    """Compile one kernel into the cache, unless it lies there; the file appears whole or not at all.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        architecture: ``"avx2"``, ``"avx512"`` or ``"default"``; ``"9.0"``, or ``"8.0+9.0"`` for GPUs of
            both kinds. What is here when omitted.
        force: Whether to compile even where the library is there.
        sources: The file to compile, then those that it includes; the package's own when omitted.

    Raises:
        KernelBuildError: There is no compiler, or it refused.
        InputError: There is no such device here and no architecture was given, or others can write to the cache.
    """
    chosen = architecture or default_architecture(device)
    if chosen is None:
        raise InputError("no GPU is here to build for: name its compute capability, as in --arch 9.0")
    files = list(sources or SOURCES[device])
    target = library_path(device, chosen, files)
    folder = _own_folder()
    with _alone(folder):
        # Perhaps made by the build that this one waited for.
        if target.is_file() and not force and why_not_trusted(target.resolve()) is None:
            return target
        with tempfile.TemporaryDirectory(prefix=".build-", dir=folder) as scratch:
            made = Path(scratch, target.name)
            command = _command(device, chosen, files[0], made)
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
            if done.returncode:
                raise KernelBuildError(
                    f"{Path(command[0]).name} ended with {done.returncode}: {files[0].name} was not built",
                    done.stdout,
                )
            made.chmod(0o755)
            made.replace(target)
            note_library(target)
    forget_kernels()
    return target
