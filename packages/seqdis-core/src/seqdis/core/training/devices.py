"""The set-up of accelerate: device, processes, precision and memory layout."""

from __future__ import annotations

from typing import TypeVar

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState, PartialState
from accelerate.utils import DistributedDataParallelKwargs
from torch import nn

from seqdis.core.config import TrainConfig
from seqdis.core.errors import InputError
from seqdis.core.processes import check_launch

__all__ = ["fast_layout", "make_accelerator", "picks_channels_last", "resolve_precision"]

ModelT = TypeVar("ModelT", bound=nn.Module)

_PRECISIONS = {"fp32": "no", "bf16": "bf16", "fp16": "fp16"}


def make_accelerator(config: TrainConfig, device: str | None) -> Accelerator:
    """Set up the devices, processes and precision of one run.

    Args:
        config: The training's settings, which name the precision.
        device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``; the best there is when omitted.

    Raises:
        InputError: The device is absent, or has no such precision; or a launcher has started one process where
            several were asked for.
    """
    check_launch()
    kind = _check_device(device)
    # accelerate remembers its first settings for the life of the process; a second run may have
    # others. The process group, where there is one, stays.
    AcceleratorState._reset_state()
    GradientState._reset_state()
    if not torch.distributed.is_initialized():
        PartialState._reset_state()
    try:
        accelerator = Accelerator(
            cpu=kind == "cpu",
            mixed_precision=_PRECISIONS[resolve_precision(config.precision, kind)],
            # The normaliser's buffers never change: sending them with every step would be waste.
            kwargs_handlers=[
                DistributedDataParallelKwargs(
                    broadcast_buffers=False,
                    gradient_as_bucket_view=True,
                    # A stage may leave parts of the model out, and another bring them in.
                    find_unused_parameters=bool(config.stages),
                )
            ],
        )
    except ValueError as error:
        raise InputError(f"train.precision {config.precision}: {str(error).splitlines()[0]}") from error
    if config.precision == "fp16" and accelerator.device.type == "cpu":
        raise InputError("train.precision 'fp16' needs a GPU; allowed on a CPU: fp32, bf16")
    return accelerator


def resolve_precision(precision: str, kind: str | None) -> str:
    """``"auto"`` is bf16 where the device computes in it (``kind`` None: the best device), else fp32.

    A CPU without AVX-512 or AMX bf16 emulates it, several times slower than fp32.
    """
    if precision != "auto":
        return precision
    if kind == "cuda" or (kind is None and torch.cuda.is_available()):
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        able = torch.cpu.get_capabilities()
        native = kind != "mps" and bool(able.get("avx512_bf16") or able.get("amx_bf16"))
    return "bf16" if native else "fp32"


def picks_channels_last(model: nn.Module) -> bool:
    """Whether a model's weights should be in channels-last order: it convolves images on a GPU.

    On a CPU the usual layout is the faster one for our U-Nets (``benchmarks/memory_layout.py``).
    """
    convolutions = [p for p in model.parameters() if p.ndim == 4]
    return bool(convolutions) and convolutions[0].device.type == "cuda"


def fast_layout(model: ModelT) -> ModelT:
    """The model, its weights in the layout that :func:`picks_channels_last` says."""
    if picks_channels_last(model):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model


def _check_device(device: str | None) -> str | None:
    if device is None:
        return None
    try:
        wanted = torch.device(device)
    except RuntimeError as error:
        raise InputError(f"device {device!r} is unknown; allowed: cpu, cuda, cuda:N, mps") from error
    present = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if (wanted.index or 0) >= present.get(wanted.type, 0):
        here = [name for name, count in present.items() if count]
        raise InputError(f"device {device!r} is not present; allowed here: {', '.join(here)}")
    if wanted.type == "cuda" and wanted.index is not None:
        torch.cuda.set_device(wanted.index)
    return wanted.type
