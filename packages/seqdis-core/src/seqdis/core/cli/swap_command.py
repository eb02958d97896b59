"""``seqdis swap``: the static factor of one file with the dynamics of another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from seqdis.core.cli.options import (
    Device,
    Frames,
    Json,
    ModelSettings,
    RunFolder,
    SamplerName,
    SamplerSteps,
    Seed,
    Start,
    optional,
)
from seqdis.core.cli.output import print_result
from seqdis.core.errors import InputError
from seqdis.core.largest_sizes import LONGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.factors import Side

__all__ = ["swap"]

_STATIC = "The file whose static factor is kept (who or what); drawn when omitted."
_DYNAMIC = "The file whose dynamics are taken (what happens); drawn when omitted."
_OUT = "The swap as a media file, a picture of all, or a folder for both; RUN/swap when omitted."
_PICTURE = "Also draw sources, reconstructions and both swaps here."
_COUNT = "With one file: how often to draw the other factor; 4 into a folder or picture when omitted."
_EXTRA = (
    "With two files: take this further factor of the method alone from --dynamic, the rest from --static."
)
_NOISE = "With two files: decode from the noise that --dynamic or --static inverts to, or from a fresh draw."
_INDEPENDENT = "With one file: draw the other factor independently of the file's own."


def swap(
    run: RunFolder,
    static: Annotated[Path | None, optional(_STATIC, "--static")] = None,
    dynamic: Annotated[Path | None, optional(_DYNAMIC, "--dynamic")] = None,
    out: Annotated[Path | None, optional(_OUT, "--out")] = None,
    picture: Annotated[Path | None, optional(_PICTURE, "--picture")] = None,
    count: Annotated[int | None, optional(_COUNT, "--count", "-n", min=1, max=LONGEST)] = None,
    extra: Annotated[str | None, optional(_EXTRA, "--extra", metavar="NAME")] = None,
    noise: Annotated[Literal["dynamic", "static", "fresh"], typer.Option("--noise", help=_NOISE)] = "dynamic",
    independent: Annotated[bool, typer.Option("--independent", help=_INDEPENDENT)] = False,
    start: Start = 0,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    seed: Seed = 0,
    frames: Frames = None,
    settings: ModelSettings = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Give the static factor of one file the dynamics of another, or drawn ones.

    The suffix of --out decides: .png gives a picture of sources, reconstructions and both swaps;
    a media suffix gives the swap alone (with --picture for a picture beside it); without a
    suffix, --out is a folder for swap, picture and a record of how they were made. With one
    file alone the other factor comes from the prior (`seqdis prior fit RUN`), given the file's.
    """
    from seqdis.core.analysis.generate import swap_drawn
    from seqdis.core.analysis.swap import swap_pairs
    from seqdis.core.capabilities import inverts
    from seqdis.core.cli.session import open_session
    from seqdis.core.data.dynamics_source import DynamicsSource
    from seqdis.core.files import replace_with_json
    from seqdis.core.media import draw_picture, write_media
    from seqdis.core.output_paths import swap_outputs
    from seqdis.core.priors.store import open_prior
    from seqdis.core.run_lock import writing_to

    given: dict[Side, Path] = {}
    if static is not None:
        given["static"] = static
    if dynamic is not None:
        given["dynamic"] = dynamic
    if not given:
        raise InputError("swap needs --static FILE, --dynamic FILE, or both")
    if extra is not None and len(given) < 2:
        raise InputError(f"--extra {extra}: needs both --static FILE and --dynamic FILE")
    if noise != "dynamic" and len(given) < 2:
        raise InputError(f"--noise {noise}: needs both --static FILE and --dynamic FILE")
    for option, value in (("--count", count), ("--independent", independent)):
        if value and len(given) == 2:
            raise InputError(
                f"{option}: for one file, whose other factor is drawn; got --static and --dynamic"
            )
    with writing_to(*filter(None, (out or run / "swap", picture))):
        session = open_session(
            run, device=device, steps=steps, sampler=sampler, settings=settings, seed=seed, quiet=as_json
        )
        model, modality, data = session.model, session.modality, session.config.data
        inputs: dict[Side, Path] = {side: session.input(f"--{side}", path) for side, path in given.items()}
        outputs = swap_outputs(modality, out or run / "swap", picture, [*inputs.values()][-1])
        if outputs.single and len(inputs) == 1 and (count or 1) > 1:
            raise InputError(f"--out {outputs.media}: one file for {count} swaps; give a folder")
        sequences = {side: session.read(path, start=start, frames=frames) for side, path in inputs.items()}
        with session.bar("swapping") as progress:
            if len(sequences) == 2:
                pair = swap_pairs(
                    model,
                    sequences["static"],
                    sequences["dynamic"],
                    noise=noise,
                    extra=extra,
                    generator=session.generator(),
                    progress=progress,
                )
                swapped, grid = pair.named()["swap_a_b"], pair.grid()
            else:
                ((kept, own),) = sequences.items()
                drawn = swap_drawn(
                    model,
                    open_prior(run, model),
                    own,
                    keep=kept,
                    count=count or (1 if outputs.single else 4),
                    independent=independent,
                    generator=session.generator(),
                    progress=progress,
                )
                swapped, grid = list(drawn.frames), drawn.grid()
        media = outputs.media_files(len(swapped))
        source = DynamicsSource(inputs["dynamic"], start) if "dynamic" in inputs else None
        for path, sequence in zip(media, swapped if media else [], strict=True):
            write_media(modality, path, sequence, data, source=source)
        for path in outputs.pictures:
            draw_picture(modality, path, grid, data)
        files = [*media, *outputs.pictures]
        named = {str(side): str(path) for side, path in inputs.items()}
        # A drawn factor has no noise of its own: that of the file is used where its dynamics are kept.
        used = noise if len(inputs) == 2 else ("dynamic" if "dynamic" in inputs else "fresh")
        recorded = used if inverts(model) else None
        session.mark(files, inputs=[*inputs.values()])
        summary = session.summary(files, **named, noise=recorded, extra=extra, start=start)
        if outputs.record is not None:
            replace_with_json(outputs.record, summary)
    started = "" if recorded is None else f", from {_noise_in_words(recorded, inputs)}"
    print_result(summary, f"written: {', '.join(map(str, files))}{started}", as_json=as_json)


def _noise_in_words(noise: str, inputs: Mapping[Side, Path]) -> str:
    if noise == "fresh":
        return "fresh noise: what is seen is the factors' alone"
    (path,) = (path for side, path in inputs.items() if side == noise)
    return f"the noise that {path} inverts to, which carries what its factors lack (--noise fresh: none)"
