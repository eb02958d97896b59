"""``seqdis sample``: new sequences from the prior."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

from seqdis.core.cli.options import (
    BatchSize,
    Device,
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
from seqdis.core.largest_sizes import LONGEST, LONGEST_CLIP

__all__ = ["sample"]

SHOWN = 16
"""Largest number of sequences in the pictures."""

_COUNT = "How many sequences; 16, or 4 of one content, when omitted."
_CONTENT = "The file whose static factor all sequences get; drawn when omitted."
_FRAMES = "Steps of each sequence; as many as in training when omitted."
_PRIOR = "A setting of the prior for these draws, e.g. temperature=0.8; may be repeated."


def sample(
    run: RunFolder,
    count: Annotated[int | None, optional(_COUNT, "--count", "-n", min=1, max=LONGEST)] = None,
    content: Annotated[Path | None, optional(_CONTENT, "--content")] = None,
    start: Start = 0,
    out: Annotated[Path | None, optional("A folder; RUN/sample when omitted.", "--out")] = None,
    frames: Annotated[int | None, optional(_FRAMES, min=1, max=LONGEST_CLIP)] = None,
    prior_settings: Annotated[list[str] | None, optional(_PRIOR, "--prior", metavar="KEY=VALUE")] = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    batch_size: BatchSize = 16,
    seed: Seed = 0,
    settings: ModelSettings = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Draw both factors from the prior, or the dynamics of a given content, and decode them.

    The prior is the one that was fitted by `seqdis prior fit RUN`, or the method's own. With
    --content, the static factor is that of a file's steps from --start on, up to the length that the
    model was trained on. Leaves one media file a sequence, pictures of up to 16 of them, their factors
    and a record of how they were made.
    """
    from seqdis.core.analysis.generate import generate
    from seqdis.core.cli.session import check_folder, open_session
    from seqdis.core.config import read_overrides
    from seqdis.core.files import replace_with_json
    from seqdis.core.media import draw_pictures, write_media
    from seqdis.core.modality import Panel
    from seqdis.core.output_paths import numbered
    from seqdis.core.priors.store import open_prior
    from seqdis.core.run_lock import writing_to

    folder = check_folder(out or run / "sample")
    with writing_to(folder):
        session = open_session(
            run, device=device, steps=steps, sampler=sampler, settings=settings, seed=seed, quiet=as_json
        )
        modality, data = session.modality, session.config.data
        changes = read_overrides(prior_settings or [])
        prior = open_prior(run, session.model, changes)
        count, given = count or (16 if content is None else 4), None
        if content is not None:
            given = session.encode(session.input("--content", content), start=start)
        with session.bar("sampling") as progress:
            result = generate(
                session.model,
                prior,
                count,
                generator=session.generator(),
                given=given,
                steps=frames or data.length,
                batch_size=batch_size,
                progress=progress,
            )
        files = numbered(folder / f"sample{modality.writes[0]}", count)
        for path, sequence in zip(files, result.frames, strict=True):
            write_media(modality, path, sequence, data)
        factors = replace(result.factors, keys=tuple(path.stem for path in files))
        factors.save(folder / "factors.safetensors")
        panels = [Panel(str(i), sequence) for i, sequence in enumerate(result.frames[:SHOWN])]
        files += draw_pictures(modality, folder / "sample", panels, data, columns=(2, 4))
        files.append(folder / "factors.safetensors")
        session.mark(files, inputs=[] if content is None else [content])
        summary = session.summary(
            files,
            count=count,
            content=None if content is None else str(content),
            start=None if content is None else start,
            prior=changes,
            frames=result.frames.shape[1],
        )
        replace_with_json(folder / "sample.json", summary)
        text = f"{folder}: {count} sequences, {len(files) - count} further files"
        print_result(summary, text, as_json=as_json)
