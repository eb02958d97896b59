"""``seqdis sample``: new sequences from the prior."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import (
    Device,
    Json,
    ModelSettings,
    RunFolder,
    SamplerName,
    SamplerSteps,
    Seed,
    Start,
)
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.errors import InputError

__all__ = ["sample"]


def sample(
    run: RunFolder,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            min=1,
            show_default=False,
            help="How many sequences; 16, or 4 of one content, when omitted.",
        ),
    ] = None,
    content: Annotated[
        Path | None,
        typer.Option(
            "--content", show_default=False, help="The file that lends who or what; drawn when omitted."
        ),
    ] = None,
    start: Start = 0,
    out: Annotated[
        Path | None, typer.Option("--out", show_default=False, help="A folder; RUN/sample when omitted.")
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            min=1, show_default=False, help="Steps of each; of the training sequences when omitted."
        ),
    ] = None,
    prior_settings: Annotated[
        list[str] | None,
        typer.Option(
            "--prior",
            metavar="KEY=VALUE",
            show_default=False,
            help="A setting of the prior for these draws, e.g. temperature=0.8; may be repeated.",
        ),
    ] = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sequences a pass.")] = 16,
    seed: Seed = 0,
    settings: ModelSettings = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Draw both factors from the prior, or the dynamics of a given content, and decode them.

    The prior is the one that was fitted by `seqdis prior fit RUN`, or the method's own. With
    --content, a file's steps from --start on, up to the length that the model was trained on, lend
    the static factor. Leaves one media file a sequence, pictures of up to 16 of them, their factors
    and a record of how they were made.
    """
    import torch

    from seqdis.core.analysis.generate import generate
    from seqdis.core.cli.inputs import read_first, single_input
    from seqdis.core.cli.media import draw_pictures, write_media
    from seqdis.core.cli.model import config_of, load_model, open_prior
    from seqdis.core.config import read_overrides
    from seqdis.core.files import replace_with_json
    from seqdis.core.modality import Panel
    from seqdis.core.registry import get_modality

    folder = out or run / "sample"
    if folder.is_file() or folder.suffix:
        raise InputError(f"--out {folder}: a folder is needed, for several files are written")
    model = load_model(run, device=device, steps=steps, sampler=sampler, settings=settings)
    changes = read_overrides(prior_settings or [])
    prior = open_prior(run, model, changes)
    config = config_of(model)
    modality = get_modality(config.modality)
    count, given = count or (16 if content is None else 4), None
    if content is not None:
        source = single_input(modality, content, "--content")
        batch = read_first(modality, source, config.data, start=start, shorter=True).to(model.device)
        with torch.no_grad():
            given = model.encode(batch)
    with progress_bar("sampling", show=not as_json) as progress:
        result = generate(
            model,
            prior,
            count,
            generator=torch.Generator().manual_seed(seed),
            given=given,
            steps=frames or config.data.length,
            batch_size=batch_size,
            progress=progress,
        )
    digits = len(str(count - 1))
    names = [f"sample-{i:0{digits}d}" for i in range(count)]
    files = []
    for name, sequence in zip(names, result.frames, strict=True):
        files.append(folder / f"{name}{modality.writes[0]}")
        write_media(modality, files[-1], sequence, config.data)
    shown = [Panel(str(i), sequence) for i, sequence in enumerate(result.frames[:16])]
    files += draw_pictures(modality, folder / "sample", shown, config.data, columns=(2, 4))
    replace(result.factors, keys=names).save(folder / "factors.safetensors")
    files.append(folder / "factors.safetensors")
    summary = {
        "run": str(run),
        "preset": config.preset,
        "count": count,
        **({} if content is None else {"content": str(content), "start": start}),
        "prior": changes,
        "frames": result.frames.shape[1],
        "seed": seed,
        "device": str(model.device),
        "files": [str(path) for path in files],
    }
    replace_with_json(folder / "sample.json", summary)
    if as_json:
        print_json(summary)
    else:
        print_line(f"{folder}: {count} sequences, {len(files) - count} further files")
