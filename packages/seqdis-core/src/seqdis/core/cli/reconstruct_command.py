"""``seqdis reconstruct``: files through the model and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqdis.core.cli.options import (
    BatchSize,
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
    optional,
)
from seqdis.core.cli.output import print_json, print_table

if TYPE_CHECKING:
    from torch import Tensor

    from seqdis.core.starting_noise import ReconstructionNoise

__all__ = ["reconstruct"]

_NOISE = "Decode from the noise that the input inverts to, or from a fresh draw."


def reconstruct(
    run: RunFolder,
    inputs: Inputs,
    out: Annotated[Path, optional("A media file for one input, or a folder for many.", "--out")],
    start: Start = 0,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    noise: Annotated[Literal["inverted", "fresh"], typer.Option("--noise", help=_NOISE)] = "inverted",
    batch_size: BatchSize = 16,
    seed: Seed = 0,
    frames: Frames = None,
    settings: ModelSettings = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Encode and decode files, the first sequence of each.

    Prints the mean squared error of each in the modality's natural units; where the method inverts, both that from the
    noise that the file inverts to and that from fresh noise, which shows the factors and nothing else.
    """
    from seqdis.core.capabilities import inverts
    from seqdis.core.cli.session import open_session
    from seqdis.core.data.dynamics_source import DynamicsSource
    from seqdis.core.data.inputs import expand
    from seqdis.core.data.steps import existing_steps
    from seqdis.core.media import write_media
    from seqdis.core.output_paths import one_output_each
    from seqdis.core.run_lock import writing_to
    from seqdis.core.sequences import Sequences

    with writing_to(out):
        session = open_session(
            run, device=device, steps=steps, sampler=sampler, settings=settings, seed=seed, quiet=as_json
        )
        paths, root = expand(session.modality, inputs)
        outputs = one_output_each(session.modality, out, paths, root)
        sources = [session.read(path, start=start, frames=frames) for path in paths]
        kinds: tuple[ReconstructionNoise, ...] = ("inverted", "fresh") if inverts(session.model) else (noise,)
        starts = {start: session.generator() for start in kinds}
        results: dict[str, list[Tensor]] = {start: [] for start in starts}
        with session.bar("reconstructing") as progress:
            for i in range(0, len(sources), batch_size):
                some = sources[i : i + batch_size]
                batch = Sequences.cat(some)
                for kind, generator in starts.items():
                    rebuilt = session.model.reconstruct(batch, noise=kind, generator=generator)
                    results[kind] += existing_steps(rebuilt.cpu(), batch.mask)
                progress(i + len(some), len(sources))
        rows = []
        for number, (path, output, source) in enumerate(zip(paths, outputs, sources, strict=True)):
            origin = DynamicsSource(path, start)
            write_media(session.modality, output, results[noise][number], session.config.data, source=origin)
            errors = {kind: _mse(frames[number], source.x[0]) for kind, frames in results.items()}
            named = {f"mse_{kind}": error for kind, error in errors.items() if len(errors) > 1}
            rows.append({"input": str(path), "out": str(output), "mse": errors[noise], **named})
        session.mark(outputs, inputs=paths)
    if as_json:
        print_json(rows)
    else:
        titles = (
            {"mse": "mse"} if len(starts) == 1 else {f"mse_{kind}": f"mse, {kind} noise" for kind in starts}
        )
        cells = [[row["input"], row["out"], *(f"{row[name]:.4g}" for name in titles)] for row in rows]
        print_table("reconstructions", ["input", "out", *titles.values()], cells)


def _mse(received: Tensor, expected: Tensor) -> float:
    return float((received.double() - expected.double()).square().mean())
