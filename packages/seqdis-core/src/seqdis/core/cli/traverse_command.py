"""``seqdis traverse``: one sequence moved along the principal components of a factor."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import typer

from seqdis.core.cli.options import (
    Data,
    Device,
    Json,
    RunFolder,
    SamplerName,
    SamplerSteps,
    Seed,
    Start,
    argument,
    optional,
)
from seqdis.core.cli.output import print_json, print_line, print_table
from seqdis.core.errors import InputError
from seqdis.core.largest_sizes import WIDEST

__all__ = ["traverse"]

LISTED = 8
"""Number of components in the printed table."""

_COMPONENT = "Number of a component from 0; may be repeated; 0 when omitted."


def traverse(
    run: RunFolder,
    source: Annotated[Path, argument("INPUT", "The file to start from.")],
    factor: Annotated[
        Literal["static", "dynamic"], typer.Option("--factor", help="Which factor moves.")
    ] = "static",
    component: Annotated[list[int] | None, optional(_COMPONENT, "--component", min=0, max=WIDEST)] = None,
    span: Annotated[float, typer.Option("--span", help="α goes from -span to span (DiffSDA, Eq. 6).")] = 1.0,
    points: Annotated[int, typer.Option("--points", min=2, max=WIDEST, help="Number of values of α.")] = 7,
    out: Annotated[Path | None, optional("A folder; RUN/traverse when omitted.", "--out")] = None,
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

    from seqdis.core.analysis import prior_components as prior
    from seqdis.core.analysis.traverse import traverse as run_traverse
    from seqdis.core.cli.session import check_folder, open_session
    from seqdis.core.files import replace_with_json
    from seqdis.core.media import draw_pictures, write_media
    from seqdis.core.run_lock import writing_to

    folder = check_folder(out or run / "traverse")
    if not 0 < span < float("inf"):
        raise InputError(f"--span {span}: must be above 0")
    with writing_to(folder):
        session = open_session(run, device=device, steps=steps, sampler=sampler, seed=seed, quiet=as_json)
        model, modality, settings = session.model, session.modality, session.config.data
        sequence = session.read(session.input("INPUT", source), start=start)
        with session.bar("drawing") as progress:
            components = prior.prior_components(run, model, factor, progress=progress)
        numbers = list(dict.fromkeys(component or [0]))
        for number in numbers:
            if number >= len(components):
                raise InputError(
                    f"--component {number}: the {factor} factor has {len(components)}; allowed: 0 to {len(components) - 1}"
                )
        labels, reason = prior.held_out_association(run, model, components, data)
        files: list[Path] = []
        amounts = span * torch.linspace(-1, 1, points, dtype=torch.float64).round(decimals=9)  # 0 is 0
        for number in numbers:
            with session.bar(f"{factor} {number}") as progress:
                result = run_traverse(
                    model,
                    sequence,
                    components,
                    component=number,
                    amounts=amounts,
                    generator=session.generator(),
                    progress=progress,
                )
            panels = [panel for row in result.grid() for panel in row]
            stem = folder / f"{factor}-{number}"
            files += draw_pictures(modality, stem, panels, settings, columns=(1, len(panels)))
            if ".gif" in modality.pictures:
                continue
            for amount, frames in zip(amounts.tolist(), result.frames[0], strict=True):
                files.append(stem.with_name(f"{stem.name}_{amount:+.2f}{modality.writes[0]}"))
                write_media(modality, files[-1], frames, settings)
        listed = sorted({*range(min(LISTED, len(components))), *numbers})
        rows = prior.component_rows(components, labels, listed)
        session.mark(files, inputs=[source])
        summary = session.summary(
            files, input=str(source), start=start, factor=factor, amounts=amounts.tolist(), components=rows
        )
        replace_with_json(folder / f"{factor}.json", summary)
    if as_json:
        print_json(summary)
        return
    print_table(
        f"principal components of {prior.DRAWS} drawn {factor} factors",
        ["component", "variance", "in all", "moves with (share of its variance, chance)"],
        [
            [r["component"], f"{r['explained']:.3f}", f"{r['cumulative']:.3f}", _strongest(r["labels"])]
            for r in rows
        ],
    )
    if reason:
        print_line(f"labels: {reason}")
    print_line("written: " + ", ".join(map(str, files)))


def _strongest(labels: Mapping[str, Mapping[str, float]]) -> str:
    """The three labels most associated with a component, of those above 0.1 and above twice their chance."""
    ordered = sorted(labels.items(), key=lambda item: -item[1]["value"])
    clear = [(name, share) for name, share in ordered if share["value"] > max(0.1, 2 * share["chance"])]
    return (
        ", ".join(f"{name} {share['value']:.2f} ({share['chance']:.2f})" for name, share in clear[:3]) or "–"
    )
