"""``seqdis eval report``: one HTML page of a run, or of several beside each other."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.capabilities import learned_prior
from seqdis.core.cli.options import Data, Device, Json, SamplerName, SamplerSteps, Seed, argument, run_folders
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.errors import InputError
from seqdis.core.largest_sizes import LONGEST, WIDEST

if TYPE_CHECKING:
    from seqdis.core.analysis import PrincipalComponents
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.priors.prior import Prior
    from seqdis.core.results import ResultRecord
    from seqdis.core.run_record import RunRecord
    from seqdis.eval.report.trained_run import TrainedRun

__all__ = ["report"]


def report(
    runs: Annotated[
        list[Path],
        argument("RUN", "Folders of runs or checkpoints, or names of models.", callback=run_folders),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", show_default=False, help="RUN/report.html when omitted.")
    ] = None,
    results: Annotated[
        list[Path] | None,
        typer.Option("--results", show_default=False, help="Further metrics to show; may be repeated."),
    ] = None,
    clips: Annotated[int, typer.Option(min=2, max=12, help="Test clips that are swapped.")] = 5,
    reconstructions: Annotated[
        int, typer.Option(min=1, max=WIDEST, help="Test clips that are reconstructed.")
    ] = 6,
    samples: Annotated[
        int, typer.Option(min=0, max=WIDEST, help="Sequences drawn, where there is a prior.")
    ] = 12,
    probed: Annotated[
        int,
        typer.Option(
            min=0, max=LONGEST, help="Sequences of each split that probes see, at most; 0: no probes."
        ),
    ] = 1024,
    data: Data = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Show runs on one HTML page that opens without a network: metrics, swaps, probes, samples.

    The metrics are those of RUN/metrics.json and of every --results, with chance and the published figures beside.
    """
    from seqdis.core.device_choice import pick_device
    from seqdis.core.results import device_name, installed_versions
    from seqdis.core.run_lock import writing_to
    from seqdis.eval.report.compose import report_runs
    from seqdis.eval.report.page import write_report
    from seqdis.eval.report.trained_run import ReportSettings

    path = out or runs[0] / "report.html"
    if path.suffix.lower() != ".html":
        raise InputError(f"--out {path}: a report is one .html file")
    if out is None and len(runs) > 1:
        raise InputError("a report of several runs needs --out FILE.html")
    with writing_to(path):
        names = _names(runs)
        loaded = [
            _open(run, name, data, device, steps, sampler) for run, name in zip(runs, names, strict=True)
        ]
        records = {run.name: run.record for run in loaded if run.record is not None}
        for file in results or []:
            record = _read_record(file)
            records[record.name if record.name not in records else str(file)] = record
        amounts = {"clips": clips, "reconstructions": reconstructions, "samples": samples, "probed": probed}
        words = ["seqdis", "eval", "report", *map(str, runs)]
        words += [word for name, amount in amounts.items() for word in (f"--{name}", str(amount))]
        words += ["--seed", str(seed)]
        words += [word for file in results or [] for word in ("--results", str(file))]
        words += [] if steps is None else ["--steps", str(steps)]
        words += [] if sampler is None else ["--sampler", sampler]
        words += [] if data is None else ["--data", str(data)]
        versions = ", ".join(f"{name} {version}" for name, version in installed_versions().items())
        made = {
            "report made on": device_name(pick_device(device)),
            "seed of the report": str(seed),
            "made with": versions,
            "command": shlex.join([*words, "--out", str(path)]),
        }
        settings = ReportSettings(**amounts, seed=seed)
        with progress_bar("reporting") as progress:
            page = report_runs(
                loaded,
                records=records,
                settings=settings,
                made=made,
                stage=lambda _, done: progress(round(1000 * done), 1000),
            )
        write_report(page, path)
    summary = {
        "out": str(path),
        "bytes": path.stat().st_size,
        "sections": [section.title for section in page.sections],
    }
    if as_json:
        print_json(summary)
    else:
        print_line(f"written: {path} ({path.stat().st_size / 2**20:.1f} MiB)")


def _names(runs: list[Path]) -> list[str]:
    """The last part of each path, or the whole where two end alike.

    Raises:
        InputError: A run was given twice.
    """
    short = [run.resolve().name for run in runs]
    names = [str(run) if short.count(name) > 1 else name for run, name in zip(runs, short, strict=True)]
    if len(set(names)) < len(names):
        raise InputError(f"a run was given twice: {', '.join(names)}")
    return names


def _open(
    run: Path, name: str, data: Path | None, device: str | None, steps: int | None, sampler: str | None
) -> TrainedRun:
    from seqdis.core.cli.model import load_model
    from seqdis.core.pretrained import config_of
    from seqdis.core.registry import get_modality
    from seqdis.core.remembered_data import data_of_run
    from seqdis.eval.cli.runs import splits_of
    from seqdis.eval.report.trained_run import TrainedRun

    model = load_model(run, device=device, steps=steps, sampler=sampler)
    config = config_of(model)
    train_set, test_set = splits_of(config, data_of_run(run, config, data))
    metrics = run / "metrics.json"
    return TrainedRun(
        name=name,
        folder=run,
        model=model,
        config=config,
        modality=get_modality(config.modality),
        train_set=train_set,
        test_set=test_set,
        prior=_prior(run, model),
        components=_components(run),
        record=_read_record(metrics) if metrics.is_file() else None,
        about=_record_of(run),
    )


def _read_record(path: Path) -> ResultRecord:
    from seqdis.core.results import ResultRecord

    return ResultRecord.load(path)


def _record_of(run: Path) -> RunRecord:
    """The record ``run.json`` of the training; nothing where it is missing or damaged, for a page can do without."""
    from seqdis.core.run_record import RunRecord, read_run_record

    try:
        return read_run_record(run) or RunRecord()
    except InputError:
        return RunRecord()


def _prior(run: Path, model: Disentangler) -> Prior | None:
    """The run's prior, or None where none was fitted and the method learnt none."""
    from seqdis.core.priors.store import PRIOR_FOLDER, open_prior

    if not (run / PRIOR_FOLDER).is_dir() and learned_prior(model) is None:
        return None
    return open_prior(run, model)


def _components(run: Path) -> list[PrincipalComponents]:
    """Components that `seqdis traverse` kept beside the prior."""
    from seqdis.core.analysis import PrincipalComponents
    from seqdis.core.priors.store import PRIOR_FOLDER

    return [
        PrincipalComponents.load(path)
        for path in sorted((run / PRIOR_FOLDER).glob("components-*"), reverse=True)
    ]
