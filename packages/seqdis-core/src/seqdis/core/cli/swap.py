"""``seqdis swap``: who from one file, what happens from another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Device, Json, RunFolder, SamplerSteps, Seed, Start
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["swap"]


def swap(
    run: RunFolder,
    static: Annotated[
        Path, typer.Option("--static", show_default=False, help="The file that lends who or what.")
    ],
    dynamic: Annotated[
        Path, typer.Option("--dynamic", show_default=False, help="The file that lends what happens.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            show_default=False,
            help="The swap as a media file, a picture of all, or a folder for both.",
        ),
    ],
    picture: Annotated[
        Path | None,
        typer.Option(
            "--picture", show_default=False, help="Also draw sources, reconstructions and both swaps here."
        ),
    ] = None,
    start: Start = 0,
    steps: SamplerSteps = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Give the static factor of one file the dynamics of another.

    The suffix of --out decides: .png gives a picture of sources, reconstructions and both swaps;
    a media suffix gives the swap alone (with --picture for a picture beside it); without a
    suffix, --out is a folder for swap, picture and a record of how they were made.
    """
    import torch

    from seqdis.core.analysis.swap import swap_pairs
    from seqdis.core.cli.inputs import read_first, single_input
    from seqdis.core.cli.media import draw_picture, write_media
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.files import replace_with_json
    from seqdis.core.registry import get_modality

    model = load_model(run, device=device, steps=steps)
    config = config_of(model)
    modality = get_modality(config.modality)
    lends = {
        "static": single_input(modality, static, "--static"),
        "dynamic": single_input(modality, dynamic, "--dynamic"),
    }
    media, pictures, record = _targets(modality, out, picture, lends["dynamic"])
    a, b = (read_first(modality, path, config.data, start=start) for path in lends.values())
    generator = torch.Generator().manual_seed(seed)
    with progress_bar("swapping", show=not as_json) as progress:
        result = swap_pairs(model, a, b, generator=generator, progress=progress)
    if media is not None:
        write_media(modality, media, result.a_static_b_dynamic[0], config.data)
    for place in pictures:
        draw_picture(modality, place, result.grid(), config.data)
    files = [str(path) for path in (media, *pictures) if path is not None]
    summary = {
        "run": str(run),
        "preset": config.preset,
        **{name: str(path) for name, path in lends.items()},
        "start": start,
        "seed": seed,
        "device": str(model.device),
        "files": files,
    }
    if record is not None:
        replace_with_json(record, summary)
    if as_json:
        print_json(summary)
    else:
        print_line(f"written: {', '.join(files)}")


def _targets(
    modality: Modality, out: Path, picture: Path | None, like: Path
) -> tuple[Path | None, list[Path], Path | None]:
    """Where the swap, the pictures of all and the record go.

    Raises:
        InputError: A suffix is unknown; lists those that are known.
    """
    from seqdis.core.cli.media import media_suffix

    pictures = []
    if picture is not None:
        modality.check_suffix(picture, modality.pictures, "draw")
        pictures.append(picture)
    if out.is_dir() or not out.suffix:
        return (
            out / f"swap{media_suffix(modality, like)}",
            [out / f"swap{modality.pictures[0]}", *pictures],
            out / "swap.json",
        )
    suffix = out.suffix.lower()
    # A suffix may be both (a gif, a png): the modality's first kind of picture is one, others are media.
    if suffix in modality.writes and suffix != modality.pictures[0]:
        return out, pictures, None
    if suffix in modality.pictures:
        return None, [out, *pictures], None
    raise InputError(
        f"{out}: {modality.name} cannot write {suffix!r}; allowed: {', '.join(modality.writes)} for the swap, "
        f"{', '.join(modality.pictures)} for a picture of all"
    )
