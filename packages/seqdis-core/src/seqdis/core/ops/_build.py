"""Finds and loads built kernels; :mod:`seqdis.core.ops._compile` compiles them.

A kernel is one shared library a device. Its file name holds a hash of the sources, the versions of torch and
CUDA, the architecture and the flags, so that an upgrade never loads an older library.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from seqdis.core.cache import cache_root
from seqdis.core.errors import InputError
from seqdis.core.ops._trust import why_not_trusted

__all__ = [
    "KERNEL_DTYPES",
    "PART_DTYPES",
    "SOURCES",
    "KernelNotBuiltError",
    "cache_folder",
    "default_architecture",
    "forget_kernels",
    "kernel_is_loaded",
    "kernel_state",
    "kernels_off",
    "library_path",
    "require_kernel",
]

KERNEL_DTYPES = {
    "cpu": (torch.float32, torch.bfloat16),
    "cuda": (torch.float32, torch.float16, torch.bfloat16),
}
PART_DTYPES = (torch.float32, torch.float16, torch.bfloat16)
"""Types of ``x`` that each kernel takes, and of weight, bias, scale, shift and gain."""

_CSRC = Path(__file__).with_name("csrc")
_SHARED = ("common.h", "operator.h")
_CPU = ("ada_group_norm.cpp", "vector.h", "cpu_contiguous.h", "cpu_channels_last.h", "cpu_rows.h")
_CUDA = (
    *("ada_group_norm.cu", "dispatch.cuh", "device.cuh"),
    *("contiguous.cuh", "channels_last.cuh", "rows.cuh"),
)
SOURCES = {
    "cpu": tuple(_CSRC / name for name in (*_CPU, *_SHARED)),
    "cuda": tuple(_CSRC / name for name in (*_CUDA, *_SHARED)),
}
"""The translation unit of each kernel, and what it includes."""

_BUILD = 1  # to be raised when a change of flags must not load older libraries
_logger = logging.getLogger(__name__)
# What is known of each device's kernel in this process: loaded, or why not.
_known: dict[str, str | None] = {}


class KernelNotBuiltError(InputError):
    """A kernel was asked for by name, and there is none for this torch, device and source."""


def cache_folder() -> Path:
    """``SEQDIS_KERNELS``, or ``kernels`` in :func:`~seqdis.core.cache.cache_root`."""
    if named := os.environ.get("SEQDIS_KERNELS"):
        return Path(named).expanduser()
    return cache_root() / "kernels"


def default_architecture(device: str) -> str | None:
    """The vector extension of this CPU (``avx2``), or the capabilities of all GPUs here (``8.0+9.0``).

    None where there is no such device.
    """
    if device == "cpu":
        return torch.backends.cpu.get_cpu_capability().lower()
    capabilities = {torch.cuda.get_device_capability(i) for i in range(torch.cuda.device_count())}
    return "+".join(f"{major}.{minor}" for major, minor in sorted(capabilities)) or None


def library_path(device: str, architecture: str, sources: Sequence[Path] | None = None) -> Path:
    """The file that holds, or would hold, the kernel.

    Args:
        device: ``"cpu"`` or ``"cuda"``.
        architecture: The architecture, as :func:`default_architecture` names it.
        sources: The source files; the package's own when omitted.
    """
    key = hashlib.sha256()
    for source in sources or SOURCES[device]:
        key.update(hashlib.sha256(source.read_bytes()).digest())
    key.update(repr((_BUILD, device, architecture, torch.__version__, torch.version.cuda)).encode())
    return cache_folder() / f"ada_group_norm-{device}-{architecture}-{key.hexdigest()[:16]}.so"


def _missing(device: str) -> str | None:
    """Load the kernel; None on success, else the reason why there is none."""
    architecture = default_architecture(device)
    if architecture is None:
        return f"no {device} device is here"
    path = library_path(device, architecture).resolve()
    if not path.is_file():
        return f"it is not built for torch {torch.__version__} and {architecture}"
    if (why := why_not_trusted(path)) is not None:
        return why
    try:
        torch.ops.load_library(path)
    except OSError as error:
        return f"{path} cannot be loaded: {error}"
    return None


def forget_kernels() -> None:
    """Look for unbuilt kernels again at the next call; a kernel that is loaded stays."""
    for device in [name for name, why in _known.items() if why is not None]:
        del _known[device]


@contextlib.contextmanager
def kernels_off() -> Iterator[None]:
    """Treat no kernel as loaded inside a ``with`` block, so that the reference runs."""
    before = dict(_known)
    _known.update(dict.fromkeys(KERNEL_DTYPES, "kernels are switched off"))
    try:
        yield
    finally:
        _known.clear()
        _known.update(before)


def kernel_state(device: str) -> str | None:
    """None where the device's kernel is loaded (now, if need be), else the reason why not."""
    if device not in _known:
        _known[device] = _missing(device)
    return _known[device]


# A constant to torch.compile: whether a kernel exists is settled before anything is traced.
@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def kernel_is_loaded(device: str) -> bool:
    """Whether the device's kernel can be called; says so once where it cannot."""
    first = device not in _known
    why = kernel_state(device)
    if why is not None and first:
        _logger.info(
            "ada_group_norm: the reference is used on %s: %s; `seqdis kernels build --%s`",
            device,
            why,
            device,
        )
    return why is None


@torch.compiler.assume_constant_result  # type: ignore[untyped-decorator]
def require_kernel(device: str) -> None:
    """Load the kernel or say what is missing.

    Raises:
        KernelNotBuiltError: There is no kernel for the device.
    """
    if (why := kernel_state(device)) is not None:
        raise KernelNotBuiltError(
            f"ada_group_norm: impl {device!r} needs a built kernel, but {why}; `seqdis kernels build --{device}`"
        )
