"""``seqdis kernels``: compiled operators, which are faster and always optional."""

from __future__ import annotations

import re
import sys
import time
from typing import Annotated

import typer

from seqdis.core.cli.options import Json
from seqdis.core.cli.output import print_json, print_line
from seqdis.core.errors import InputError

__all__ = ["build", "kernels"]

kernels = typer.Typer(no_args_is_help=True, help="Compile the fused operators for this machine.")


@kernels.callback()
def _group() -> None:
    """Compile the fused operators for this machine."""


@kernels.command()
def build(
    cpu: Annotated[bool, typer.Option("--cpu", help="The kernel of the CPU.")] = False,
    cuda: Annotated[bool, typer.Option("--cuda", help="The kernel of NVIDIA GPUs.")] = False,
    arch: Annotated[
        str | None,
        typer.Option(
            "--arch",
            show_default=False,
            help="Compute capabilities for --cuda, e.g. 9.0 or 8.0+9.0; those of the GPUs here when omitted.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compile even what is built.")] = False,
    as_json: Json = False,
) -> None:
    """Compile into the cache that SEQDIS_KERNELS names (about a minute a kernel).

    Without --cpu or --cuda: for the CPU, and for the GPUs here if there are any. A kernel whose
    device is here is compared with the reference at once, and removed if it disagrees.
    """
    import torch

    from seqdis.core.ops._build import kernel_state
    from seqdis.core.ops._check import kernel_error
    from seqdis.core.ops._compile import KernelBuildError, build_kernel

    if arch is not None and not cuda:
        raise InputError(f"--arch {arch}: is for --cuda, which is not given")
    if arch is not None and not re.fullmatch(r"\d+\.\d+(\+\d+\.\d+)*", arch):
        raise InputError(f"--arch {arch}: allowed are compute capabilities, e.g. 9.0 or 8.0+9.0")
    chosen = [device for device, on in (("cpu", cpu), ("cuda", cuda)) if on]
    built = {}
    for device in chosen or ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]:
        began = time.perf_counter()
        try:
            path = build_kernel(device, architecture=arch if device == "cuda" else None, force=force)
        except KernelBuildError as error:
            sys.stderr.write(error.output)
            raise
        built[device] = str(path)
        missing = kernel_state(device)
        wrong = kernel_error(device) if missing is None else None
        if wrong is not None:
            path.unlink()  # nothing may use it; what this process has loaded goes with it
            raise InputError(f"the {device} kernel disagrees with the reference: {wrong}; it was removed")
        if not as_json:
            checked = "agrees with the reference" if missing is None else f"not checked: {missing}"
            print_line(f"{device}: {path} ({time.perf_counter() - began:.0f} s); {checked}")
    if as_json:
        print_json(built)
