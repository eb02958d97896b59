"""``seqdis reconstruct``: files through the model and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import (
    Device,
    Frames,
    Inputs,
    Json,
    ModelSettings,
    RunFolder,
    SamplerName,
    SamplerSteps,
    Seed,
    Start,
)
from seqdis.core.cli.output import print_json, print_table, progress_bar
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["reconstruct"]


def reconstruct(
    run: RunFolder,
    inputs: Inputs,
    out: Annotated[
        Path, typer.Option("--out", show_default=False, help="A file by suffix, or a folder for many.")
    ],
    start: Start = 0,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sequences a pass.")] = 16,
    seed: Seed = 0,
    frames: Frames = None,
    settings: ModelSettings = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Encode and decode files, the first sequence of each.

    Prints the mean squared error of each in the modality's natural units.
    """
    import torch

    from seqdis.core.cli.inputs import expand, read_first
    from seqdis.core.cli.media import write_media
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.registry import get_modality
    from seqdis.core.sequences import Sequences

    model = load_model(run, device=device, steps=steps, sampler=sampler, settings=settings)
    data, modality = config_of(model).data, get_modality(config_of(model).modality)
    taken = data if frames is None else data.model_copy(update={"length": frames})
    paths, root = expand(modality, inputs)
    targets = _targets(modality, out, paths, root)
    sources = [read_first(modality, path, taken, start=start) for path in paths]
    generator = torch.Generator().manual_seed(seed)
    results: list[torch.Tensor] = []
    with progress_bar("reconstructing", show=not as_json) as progress:
        for i in range(0, len(sources), batch_size):
            some = sources[i : i + batch_size]
            results += model.reconstruct(Sequences.cat(some), generator=generator).cpu()
            progress(i + len(some), len(sources))
    rows = []
    for path, target, source, result in zip(paths, targets, sources, results, strict=True):
        write_media(modality, target, result, data)
        rows.append(
            {"input": str(path), "out": str(target), "mse": float((result - source.x[0]).square().mean())}
        )
    if as_json:
        print_json(rows)
    else:
        print_table(
            "reconstructions",
            ["input", "out", "mse"],
            [[r["input"], r["out"], f"{r['mse']:.4g}"] for r in rows],
        )


def _targets(modality: Modality, out: Path, paths: list[Path], root: Path) -> list[Path]:
    """Where each result goes.

    Raises:
        InputError: One file was named for several inputs, its suffix is unknown, or two results
            would go to the same place.
    """
    from seqdis.core.cli.media import media_suffix

    if out.suffix and not out.is_dir():
        modality.check_suffix(out, modality.writes, "write")
        if len(paths) > 1:
            raise InputError(f"--out {out}: one file for {len(paths)} inputs; give a folder")
        return [out]
    targets = [out / path.relative_to(root).with_suffix(media_suffix(modality, path)) for path in paths]
    for index, target in enumerate(targets):
        if target in targets[:index]:
            raise InputError(f"--out {out}: two inputs would both be written to {target}")
    return targets
