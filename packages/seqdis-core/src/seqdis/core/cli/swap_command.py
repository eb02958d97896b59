"""``seqdis swap``: who from one file, what happens from another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
)
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    import torch

    from seqdis.core.disentangler import Disentangler
    from seqdis.core.factors import Side
    from seqdis.core.modality import Modality
    from seqdis.core.sequences import Sequences

__all__ = ["swap"]


def swap(
    run: RunFolder,
    static: Annotated[
        Path | None,
        typer.Option(
            "--static", show_default=False, help="The file that lends who or what; drawn when omitted."
        ),
    ] = None,
    dynamic: Annotated[
        Path | None,
        typer.Option(
            "--dynamic", show_default=False, help="The file that lends what happens; drawn when omitted."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            show_default=False,
            help="The swap as a media file, a picture of all, or a folder for both; RUN/swap when omitted.",
        ),
    ] = None,
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture", show_default=False, help="Also draw sources, reconstructions and both swaps here."
        ),
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(
            "--count",
            "-n",
            min=1,
            show_default=False,
            help="With one file: how often to draw the other factor; 4 into a folder or picture when omitted.",
        ),
    ] = None,
    extra: Annotated[
        str | None,
        typer.Option(
            "--extra",
            metavar="NAME",
            show_default=False,
            help="With two files: take this further factor of the method alone from --dynamic, the rest from --static.",
        ),
    ] = None,
    independent: Annotated[
        bool,
        typer.Option(
            "--independent", help="With one file: draw the other factor whatever the file's own is."
        ),
    ] = False,
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
    import torch

    from seqdis.core.cli.inputs import read_first, single_input
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.files import replace_with_json
    from seqdis.core.registry import get_modality

    sides: dict[Side, Path | None] = {"static": static, "dynamic": dynamic}
    given = {side: path for side, path in sides.items() if path is not None}
    if not given:
        raise InputError("swap needs --static FILE, --dynamic FILE, or both")
    if extra is not None and len(given) < 2:
        raise InputError(f"--extra {extra}: needs both --static FILE and --dynamic FILE")
    model = load_model(run, device=device, steps=steps, sampler=sampler, settings=settings)
    config = config_of(model)
    modality = get_modality(config.modality)
    lends: dict[Side, Path] = {
        side: single_input(modality, path, f"--{side}") for side, path in given.items()
    }
    targets = _targets(modality, out or run / "swap", picture, [*lends.values()][-1])
    taken = config.data if frames is None else config.data.model_copy(update={"length": frames})
    batches = {side: read_first(modality, path, taken, start=start) for side, path in lends.items()}
    generator = torch.Generator().manual_seed(seed)
    if len(batches) == 2:
        files = _swap_two(model, modality, batches, targets, generator, extra=extra, quiet=as_json)
    else:
        files = _swap_drawn(
            run, model, modality, batches, targets, generator, count, independent=independent, quiet=as_json
        )
    summary = {
        "run": str(run),
        "preset": config.preset,
        **{str(side): str(path) for side, path in lends.items()},
        **({"extra": extra} if extra else {}),
        "start": start,
        "seed": seed,
        "device": str(model.device),
        "files": [str(path) for path in files],
    }
    if targets.record is not None:
        replace_with_json(targets.record, summary)
    if as_json:
        print_json(summary)
    else:
        print_line(f"written: {', '.join(map(str, files))}")


def _swap_two(
    model: Disentangler,
    modality: Modality,
    batches: Mapping[Side, Sequences],
    targets: _Targets,
    generator: torch.Generator,
    *,
    extra: str | None,
    quiet: bool,
) -> list[Path]:
    from seqdis.core.analysis.swap import swap_pairs
    from seqdis.core.cli.media import draw_picture, write_media
    from seqdis.core.cli.model import config_of

    data = config_of(model).data
    with progress_bar("swapping", show=not quiet) as progress:
        result = swap_pairs(
            model,
            batches["static"],
            batches["dynamic"],
            extra=extra,
            generator=generator,
            progress=progress,
        )
    if targets.media is not None:
        write_media(modality, targets.media, result.a_static_b_dynamic[0], data)
    for place in targets.pictures:
        draw_picture(modality, place, result.grid(), data)
    return [path for path in (targets.media, *targets.pictures) if path is not None]


def _swap_drawn(
    run: Path,
    model: Disentangler,
    modality: Modality,
    batches: Mapping[Side, Sequences],
    targets: _Targets,
    generator: torch.Generator,
    count: int | None,
    *,
    independent: bool,
    quiet: bool,
) -> list[Path]:
    from seqdis.core.analysis.generate import swap_drawn
    from seqdis.core.cli.media import draw_picture, write_media
    from seqdis.core.cli.model import config_of, open_prior

    data = config_of(model).data
    ((side, batch),) = batches.items()
    single = targets.media is not None and targets.record is None
    if single and count is not None and count > 1:
        raise InputError(f"--out {targets.media}: one file for {count} swaps; give a folder")
    count = count or (1 if single else 4)
    with progress_bar("swapping", show=not quiet) as progress:
        result = swap_drawn(
            model,
            open_prior(run, model),
            batch,
            keep=side,
            count=count,
            independent=independent,
            generator=generator,
            progress=progress,
        )
    files = []
    if targets.media is not None:
        names = [targets.media]
        if count > 1:
            names = [
                targets.media.with_stem(f"{targets.media.stem}-{i:0{len(str(count - 1))}d}")
                for i in range(count)
            ]
        for path, frames in zip(names, result.frames, strict=True):
            write_media(modality, path, frames, data)
            files.append(path)
    for place in targets.pictures:
        draw_picture(modality, place, result.grid(), data)
        files.append(place)
    return files


@dataclass(frozen=True)
class _Targets:
    """Where the swap, the pictures of all and the record go."""

    media: Path | None
    pictures: list[Path]
    record: Path | None


def _targets(modality: Modality, out: Path, picture: Path | None, like: Path) -> _Targets:
    """Read --out and --picture.

    Raises:
        InputError: A suffix is unknown; lists those that are known.
    """
    from seqdis.core.cli.media import media_suffix

    pictures = []
    if picture is not None:
        modality.check_suffix(picture, modality.pictures, "draw")
        pictures.append(picture)
    if out.is_dir() or not out.suffix:
        media = out / f"swap{media_suffix(modality, like)}"
        return _Targets(media, [out / f"swap{modality.pictures[0]}", *pictures], out / "swap.json")
    suffix = out.suffix.lower()
    # A suffix may be both (a gif, a png): the modality's first kind of picture is one, others are media.
    if suffix in modality.writes and suffix != modality.pictures[0]:
        return _Targets(out, pictures, None)
    if suffix in modality.pictures:
        return _Targets(None, [out, *pictures], None)
    raise InputError(
        f"{out}: {modality.name} cannot write {suffix!r}; allowed: {', '.join(modality.writes)} for the swap, "
        f"{', '.join(modality.pictures)} for a picture of all"
    )
