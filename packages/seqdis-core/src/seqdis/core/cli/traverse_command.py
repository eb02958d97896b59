"""``seqdis traverse``: one sequence moved along the principal components of a factor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from seqdis.core.cli.options import Data, Device, Json, RunFolder, SamplerName, SamplerSteps, Seed, Start
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.analysis.principal import PrincipalComponents
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.factors import Side
    from seqdis.core.results import Metric

__all__ = ["traverse"]

DRAWS = 2**15
"""Samples of the prior that the components are of (DiffSDA, Sec. 4.3)."""

LABELLED = 1024
"""Held-out sequences that labels are compared on, at most."""

LISTED = 8
"""Components in the table."""


def traverse(
    run: RunFolder,
    source: Annotated[
        Path, typer.Argument(metavar="INPUT", show_default=False, help="The file to start from.")
    ],
    factor: Annotated[
        Literal["static", "dynamic"], typer.Option("--factor", help="Which factor moves.")
    ] = "static",
    component: Annotated[
        list[int] | None,
        typer.Option(
            "--component", min=0, show_default=False, help="Number from 0; may be repeated; 0 when omitted."
        ),
    ] = None,
    span: Annotated[float, typer.Option("--span", help="α goes from -span to span (Eq. 6).")] = 1.0,
    points: Annotated[int, typer.Option("--points", min=2, help="Places along the way.")] = 7,
    out: Annotated[
        Path | None, typer.Option("--out", show_default=False, help="A folder; RUN/traverse when omitted.")
    ] = None,
    data: Data = None,
    start: Start = 0,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Move one factor of a file along principal components of the prior's samples.

    Leaves pictures, media files where no picture moves, and a record with the variance that each
    component explains and, where the run's data carry labels, which label moves with it. Needs
    `seqdis prior fit RUN` once.
    """
    import torch

    from seqdis.core.analysis.traverse import traverse as run_traverse
    from seqdis.core.cli.inputs import read_first, single_input
    from seqdis.core.cli.media import draw_pictures, write_media
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.files import replace_with_json
    from seqdis.core.registry import get_modality

    folder = out or run / "traverse"
    if folder.is_file() or folder.suffix:
        raise InputError(f"--out {folder}: a folder is needed, for several files are written")
    if not 0 < span < float("inf"):
        raise InputError(f"--span {span}: must be above 0")
    model = load_model(run, device=device, steps=steps, sampler=sampler)
    config = config_of(model)
    modality = get_modality(config.modality)
    batch = read_first(modality, single_input(modality, source, "INPUT"), config.data, start=start)
    components = _components(run, model, factor, quiet=as_json)
    wanted = list(dict.fromkeys(component or [0]))
    for number in wanted:
        if number >= len(components):
            raise InputError(
                f"--component {number}: the {factor} factor has {len(components)}; allowed: 0 to {len(components) - 1}"
            )
    labels, why = _labels(model, components, data)
    files: list[Path] = []
    amounts = span * torch.linspace(-1, 1, points, dtype=torch.float64).round(decimals=9)  # 0 is 0
    for number in wanted:
        with progress_bar(f"{factor} {number}", show=not as_json) as progress:
            result = run_traverse(
                model,
                batch,
                components,
                component=number,
                amounts=amounts,
                generator=torch.Generator().manual_seed(seed),
                progress=progress,
            )
        panels = [panel for row in result.grid() for panel in row]
        place = folder / f"{factor}-{number}"
        files += draw_pictures(modality, place, panels, config.data, columns=(1, len(panels)))
        if ".gif" in modality.pictures:
            continue
        for amount, frames in zip(amounts.tolist(), result.frames[0], strict=True):
            files.append(place.with_name(f"{place.name}_{amount:+.2f}{modality.writes[0]}"))
            write_media(modality, files[-1], frames, config.data)
    rows = _rows(components, labels, wanted)
    summary = {
        "run": str(run),
        "preset": config.preset,
        "input": str(source),
        "start": start,
        "factor": factor,
        "amounts": amounts.tolist(),
        "seed": seed,
        "device": str(model.device),
        "components": rows,
        "files": [str(path) for path in files],
    }
    replace_with_json(folder / f"{factor}.json", summary)
    if as_json:
        print_json(summary)
        return
    print_table(
        f"principal components of {DRAWS} drawn {factor} factors",
        ["component", "variance", "in all", "moves with (share of its variance, chance)"],
        [
            [r["component"], f"{r['explained']:.3f}", f"{r['cumulative']:.3f}", _words(r["labels"])]
            for r in rows
        ],
    )
    if why:
        print_line(f"labels: {why}")
    print_line("written: " + ", ".join(map(str, files)))


def _components(run: Path, model: Disentangler, factor: Side, *, quiet: bool) -> PrincipalComponents:
    """Those of the run's prior, kept beside a fitted one: a newly fitted prior takes the place of both."""
    import torch

    from seqdis.core.analysis.principal import PrincipalComponents, principal_components
    from seqdis.core.cli.model import open_prior
    from seqdis.core.priors.store import PRIOR_FOLDER

    prior, folder = open_prior(run, model), run / PRIOR_FOLDER
    kept = folder / f"components-{factor}.safetensors"
    if kept.is_file():
        return PrincipalComponents.load(kept)
    with progress_bar("drawing", show=not quiet) as progress:
        drawn = prior.sample(DRAWS, generator=torch.Generator().manual_seed(0), progress=progress)
    found: dict[Side, PrincipalComponents] = {
        "static": principal_components(drawn, "static"),
        "dynamic": principal_components(drawn, "dynamic"),
    }
    if folder.is_dir():  # there is none where the prior is the method's own
        for name, components in found.items():
            components.save(folder / f"components-{name}.safetensors")
    return found[factor]


def _labels(
    model: Disentangler, components: PrincipalComponents, root: Path | None
) -> tuple[Mapping[str, Sequence[Metric]], str]:
    """Association of held-out labels with every component, or why there is none."""
    import torch

    from seqdis.core.analysis.encode import encode_dataset
    from seqdis.core.analysis.principal import label_association
    from seqdis.core.cli.model import config_of
    from seqdis.core.data.subset import Subset
    from seqdis.core.registry import build_dataset

    config = config_of(model)
    try:
        dataset = build_dataset(config.modality, config.data, "test", root=root, seed=config.train.seed)
    except InputError as error:
        return {}, f"not compared: {error}"
    if not dataset.labels:
        return {}, "the data carry none"
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:LABELLED].tolist()
    chosen = Subset(dataset, sorted(order))
    return label_association(components, encode_dataset(model, chosen), chosen.all_labels()), ""


def _rows(
    components: PrincipalComponents, labels: Mapping[str, Sequence[Metric]], wanted: Sequence[int]
) -> list[dict[str, Any]]:
    explained = components.explained.tolist()
    return [
        {
            "component": number,
            "explained": explained[number],
            "cumulative": sum(explained[: number + 1]),
            "labels": {
                name: {"value": found[number].value, "chance": found[number].chance}
                for name, found in labels.items()
            },
        }
        for number in sorted({*range(min(LISTED, len(components))), *wanted})
    ]


def _words(labels: Mapping[str, Mapping[str, float]]) -> str:
    """The labels that move most with a component, above a tenth and twice their chance."""
    told = sorted(labels.items(), key=lambda item: -item[1]["value"])
    clear = [(name, found) for name, found in told if found["value"] > max(0.1, 2 * found["chance"])]
    return (
        ", ".join(f"{name} {found['value']:.2f} ({found['chance']:.2f})" for name, found in clear[:3]) or "–"
    )
