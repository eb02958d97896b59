"""``seqdis eval speaker``: who speaks, by each factor, and how what the model says sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.core.cli.output import print_line
from seqdis.eval.cli.protocol import Measurement, ModeOption, OpenRun, Out, Runs, Seeds

if TYPE_CHECKING:
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric
    from seqdis.eval.engine.mode import Mode
    from seqdis.eval.report.blocks import Section

__all__ = ["speaker"]

_SHOWN = 4


def speaker(
    runs: Runs,
    identity: Annotated[
        str, typer.Option("--identity", help="The label that says who speaks, or who is seen.")
    ] = "speaker",
    listen: Annotated[
        int,
        typer.Option("--listen", min=0, help="Test utterances that are made audible and scored; 0 for none."),
    ] = 24,
    voices: Annotated[
        Path | None,
        typer.Option(
            "--voices",
            show_default=False,
            help="For CSIM: wavlm (or a folder with its files), or TorchScript from samples (1, N) at 16 kHz to a "
            "speaker embedding (1, F); a judge trained on the training split when omitted.",
        ),
    ] = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 1,
    seed: Seed = 0,
    out: Out = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Equal error rates of speaker verification from each factor, over all pairs of test utterances.

    Where the frames have a sound, also DNSMOS and the similarity of voices, and a page to listen to. Of the states
    that a run has kept, the one with the largest gap on the validation split is measured (--mode published: on the
    test split).
    """
    work = Measurement.begin(
        "speaker", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    options: dict[str, object] = {"device": device, "steps": steps, "sampler": sampler, "settings": settings}
    models = [
        _stopped(
            run,
            data,
            lambda folder: _load(folder, options),
            identity=identity,
            mode=mode,
            seed=seed,
            quiet=as_json,
        )
        for run in work.runs
    ]
    pages: list[list[Section]] = []
    pairs = [_pairs(run, identity, seed) for run in work.runs]

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        metrics, page = _measure(
            work.runs[number], models[number], pairs[number], identity=identity, listen=listen, voices=voices,
            seed=seed, progress=progress,
        )  # fmt: skip
        pages.append(page)
        return metrics

    metrics = work.repeat(measure, what="listening to")
    work.publish(
        metrics,
        sections=pages[0],  # what is listened to is that of the first run and seed
        identity=None if identity == "speaker" else identity,
        listen=None if listen == 24 else listen,
        voices=voices,
    )


def _load(folder: Path, options: dict[str, object]) -> Disentangler:
    from seqdis.core.cli.model import load_model

    return load_model(folder, **options)  # type: ignore[arg-type]


def _stopped(
    run: OpenRun,
    data: Path | None,
    load: Callable[[Path], Disentangler],
    *,
    identity: str,
    mode: Mode,
    seed: int,
    quiet: bool,
) -> Disentangler:
    """The run's model in the state that the mode measures."""
    from functools import partial

    from seqdis.core.registry import build_dataset
    from seqdis.eval.speech.speakers import speakers_of
    from seqdis.eval.speech.stopping import stopping_state

    speakers_of(run.test_set, identity)
    kept = sorted((run.folder / "checkpoints").glob("step-*/model.safetensors"))
    folders = {path.parent.name: path.parent for path in kept}
    if len(folders) < 2:
        return run.model
    val_set = build_dataset(
        run.config.modality, run.config.data, "val", root=data, seed=run.config.train.seed
    )
    name = stopping_state(
        {name: partial(load, folder) for name, folder in folders.items()},
        val_set,
        run.test_set,
        identity=identity,
        mode=mode,
        seed=seed,
    )
    if not quiet:
        print_line(f"{run.folder}: {name} of {', '.join(folders)} is measured")
    return load(folders[name])


def _pairs(run: OpenRun, identity: str, seed: int) -> list[tuple[int, int]]:
    """The pairs kept in ``RUN/eval/speaker/pairs.json``, for both modes and all seeds."""
    from seqdis.eval.engine.pairs import kept_pairs
    from seqdis.eval.speech.speakers import speakers_of

    path = run.folder / "eval" / "speaker" / "pairs.json"
    count = len(speakers_of(run.test_set, identity))
    return kept_pairs(path, dataset=run.config.data.dataset, clips=count, seed=seed)


def _measure(
    run: OpenRun,
    model: Disentangler,
    pairs: list[tuple[int, int]],
    *,
    identity: str,
    listen: int,
    voices: Path | None,
    seed: int,
    progress: Progress,
) -> tuple[dict[str, Metric], list[Section]]:
    """The figures of one run and seed, and what there is to listen to."""
    from seqdis.core.registry import get_modality
    from seqdis.eval.engine.progress import stage
    from seqdis.eval.metrics.dnsmos import DNSMOS
    from seqdis.eval.protocols.speaker import speaker_protocol
    from seqdis.eval.report.blocks import Section
    from seqdis.eval.report.media import Showroom
    from seqdis.eval.report.sounds import resynthesis_cards
    from seqdis.eval.speech.resynthesis import different_voices, resynthesize
    from seqdis.eval.speech.speakers import speakers_of
    from seqdis.eval.speech.speech_quality import speech_quality, voice_quality
    from seqdis.eval.speech.voices import judged_voice, open_voice

    modality, config = get_modality(run.config.modality), run.config.data
    sounds = modality.to_sound(run.test_set.fetch([0]).x[0], config) is not None and listen > 0
    # What is missing is said before hours of work, not after.
    score = DNSMOS() if sounds else None
    embed = open_voice(voices) if sounds and voices is not None else None
    metrics = speaker_protocol(
        model, run.train_set, run.test_set, identity=identity, seed=seed,
        progress=stage(progress, 0.0, 0.5 if sounds else 1.0),
    )  # fmt: skip
    if score is None:
        return metrics, []
    who = speakers_of(run.test_set, identity)
    made = resynthesize(
        model, run.test_set, different_voices(who, pairs, count=listen), modality=modality, data=config,
        seed=seed, progress=stage(progress, 0.5, 0.8),
    )  # fmt: skip
    metrics |= speech_quality(made, score, seed=seed)
    network = embed or judged_voice(
        run.train_set, run.test_set, identity=identity, path=run.folder / f"voice-{identity}.safetensors",
        device=model.device, progress=stage(progress, 0.9, 1.0),
    )  # fmt: skip
    metrics |= voice_quality(made, who, network, seed=seed)
    note = (
        "Test utterances, chosen by the seed alone: the words of one in the voice of another. Frames are made audible "
        "by the modality's vocoder; what it makes of the recorded frames is the best that a model can reach. CSIM is "
        f"by {network.name}."
    )
    return metrics, [
        Section("To listen to", [resynthesis_cards(Showroom(modality, config), made[:_SHOWN])], note)
    ]
