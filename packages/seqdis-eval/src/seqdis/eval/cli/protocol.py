"""What the commands of all protocols share: their options, the runs they open, and what they leave."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.errors import InputError
from seqdis.eval.cli.run import record_of, splits_of, with_training
from seqdis.eval.engine.mode import Mode

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric, ResultRecord
    from seqdis.eval.report.blocks import Section
    from seqdis.eval.report.media import Showroom

__all__ = [
    "Measurement",
    "ModeOption",
    "OpenRun",
    "Out",
    "Runs",
    "Seeds",
    "open_runs",
    "place_of",
    "publish",
    "seeds_from",
    "typed",
]

Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN",
        show_default=False,
        help="Folders of runs: one, or trainings of one preset with other seeds, whose figures are averaged.",
    ),
]
ModeOption = Annotated[
    Mode,
    typer.Option("--mode", help="Sound, or as the code behind the papers' figures does it."),
]
Seeds = Annotated[
    int, typer.Option("--seeds", min=1, help="Repetitions of each run's measurement, from --seed on.")
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        show_default=False,
        help="The JSON file, with a page of the same name; RUN/eval/PROTOCOL/metrics.json, report.html when omitted.",
    ),
]


@dataclass(frozen=True)
class OpenRun:
    """A run that is measured.

    Attributes:
        folder: Of the run.
        model: In evaluation mode.
        config: That it was trained from.
        train_set: Its training split.
        test_set: Its test split.
    """

    folder: Path
    model: Disentangler
    config: RunConfig
    train_set: SequenceDataset
    test_set: SequenceDataset


def open_runs(
    runs: Sequence[Path],
    *,
    data: Path | None = None,
    device: str | None = None,
    steps: int | None = None,
    sampler: str | None = None,
    settings: Sequence[str] | None = None,
) -> list[OpenRun]:
    """Load runs whose figures can be averaged.

    Raises:
        InputError: One is given twice, cannot be loaded, or is of another method, dataset or length.
    """
    from seqdis.core.cli.model import load_model
    from seqdis.core.pretrained import config_of

    if len({run.resolve() for run in runs}) < len(runs):
        raise InputError(f"a run was given twice: {', '.join(map(str, runs))}")
    found: list[OpenRun] = []
    for run in runs:
        model = load_model(run, device=device, steps=steps, sampler=sampler, settings=settings)
        config = config_of(model)
        first = found[0].config if found else config
        for name, came, allowed in (
            ("method", config.method, first.method),
            ("data", config.data, first.data),
        ):
            if came != allowed:
                raise InputError(
                    f"{run}: its {name} differ from those of {runs[0]}: {came}; allowed: {allowed}"
                )
        train_set, test_set = splits_of(config, data)
        found.append(OpenRun(run, model, config, train_set, test_set))
    return found


def seeds_from(seed: int, count: int) -> range:
    """``count`` seeds from ``seed`` on."""
    return range(seed, seed + count)


def place_of(protocol: str, runs: Sequence[Path], out: Path | None, mode: Mode) -> Path:
    """The JSON file of a measurement.

    Raises:
        InputError: ``--out`` is no JSON file, or is missing where there are several runs.
    """
    if out is None:
        if len(runs) > 1:
            raise InputError(f"{len(runs)} runs: give --out FILE.json")
        return runs[0] / "eval" / (protocol if mode == "corrected" else f"{protocol}-{mode}") / "metrics.json"
    if out.suffix.lower() != ".json":
        raise InputError(f"--out {out}: metrics are one .json file")
    return out


def typed(protocol: str, runs: Sequence[Path], **options: object) -> list[str]:
    """The command's words: an option that is None is left out, a list is repeated, True stands alone."""
    words = ["seqdis", "eval", protocol, *map(str, runs)]
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(option)
        elif isinstance(value, list | tuple):
            words += [word for item in value for word in (option, str(item))]
        elif value is not None and value is not False:
            words += [option, str(value)]
    return words


@dataclass(frozen=True)
class Measurement:
    """A protocol's command from its options to its files.

    Attributes:
        protocol: As after ``seqdis eval``.
        place: Of the JSON file.
        runs: That are measured.
        seeds: Of the repetitions.
        options: What was typed after the protocol's own options, by name.
        mode: Of the protocol; None where it has but one.
        data: What ``--data`` said.
        as_json: Print the record instead of a table.
        started: ``time.perf_counter()`` at the start.
    """

    protocol: str
    place: Path
    runs: Sequence[OpenRun]
    seeds: range
    options: Mapping[str, object]
    mode: Mode | None
    data: Path | None
    as_json: bool
    started: float

    @classmethod
    def begin(
        cls,
        protocol: str,
        runs: Sequence[Path],
        *,
        out: Path | None,
        seed: int,
        seeds: int,
        data: Path | None,
        device: str | None,
        as_json: bool,
        mode: Mode | None = None,
        steps: int | None = None,
        sampler: str | None = None,
        settings: Sequence[str] | None = None,
    ) -> Measurement:
        """Say where the figures go, and load the runs.

        Raises:
            InputError: See :func:`place_of` and :func:`open_runs`.
        """
        started = time.perf_counter()
        place = place_of(protocol, runs, out, mode or "corrected")
        opened = open_runs(runs, data=data, device=device, steps=steps, sampler=sampler, settings=settings)
        options = {"steps": steps, "sampler": sampler, "model": settings}
        return cls(protocol, place, opened, seeds_from(seed, seeds), options, mode, data, as_json, started)

    def repeat(
        self, measure: Callable[[int, int, Progress], Mapping[str, Metric]], *, what: str
    ) -> dict[str, Metric]:
        """``measure(number of the run, seed, progress)`` of all runs and seeds, as their means and deviations."""
        from seqdis.eval.engine.seeds import mean_over_seeds

        results = []
        for number, run in enumerate(self.runs):
            for seed in self.seeds:
                title = f"{what} {run.folder.name}, seed {seed}"
                with progress_bar(title, show=not self.as_json) as progress:
                    results.append(measure(number, seed, progress))
        return mean_over_seeds(results)

    def showroom(self) -> Showroom:
        """Where the first run's sequences become what people look at."""
        from seqdis.core.registry import get_modality
        from seqdis.eval.report.media import Showroom

        config = self.runs[0].config
        return Showroom(get_modality(config.modality), config.data)

    def publish(
        self,
        metrics: Mapping[str, Metric],
        *,
        sections: Sequence[Section] = (),
        drawn: bool = False,
        **own: object,
    ) -> None:
        """Write and show the figures: see :func:`publish`; ``own`` are the protocol's own options."""
        folders, first = [run.folder for run in self.runs], self.seeds[0]
        words = typed(
            self.protocol, folders, mode=self.mode, seeds=len(self.seeds), seed=first, **own, **self.options
        )
        publish(
            self.protocol, metrics, runs=self.runs, place=self.place, words=words,
            mode=self.mode or "corrected", seeds=self.seeds, started=self.started, data=self.data, sections=sections,
            drawn=drawn, as_json=self.as_json,
        )  # fmt: skip


def publish(
    protocol: str,
    metrics: Mapping[str, Metric],
    *,
    runs: Sequence[OpenRun],
    place: Path,
    words: Sequence[str],
    mode: Mode,
    seeds: Sequence[int],
    started: float,
    data: Path | None = None,
    sections: Sequence[Section] = (),
    drawn: bool = False,
    as_json: bool = False,
) -> ResultRecord:
    """Write the JSON file and the page beside it, and show the figures.

    Args:
        protocol: As after ``seqdis eval``.
        metrics: What was found.
        runs: That were measured.
        place: See :func:`place_of`; the page is ``report.html`` beside ``metrics.json``, else of the file's name.
        words: See :func:`typed`.
        mode: Of the protocol.
        seeds: Of the repetitions.
        started: ``time.perf_counter()`` at the start.
        data: What ``--data`` said.
        sections: What is to be looked at or listened to, after the metrics.
        drawn: Whether it draws from the runs' priors; see :func:`~seqdis.eval.cli.run.with_training`.
        as_json: Print the record instead of a table.
    """
    from seqdis.eval.judge.judge_accuracy import low_accuracy_note
    from seqdis.eval.report.blocks import Block, Facts, Report, Section
    from seqdis.eval.report.measured import case_tables, metric_table, published_tables
    from seqdis.eval.report.page import write_report

    config = runs[0].config
    record = record_of(
        place,
        config,
        metrics,
        words=words,
        data=data,
        seed=seeds[0],
        device=runs[0].model.device,
        started=started,
    )
    record = with_training(record, [run.folder for run in runs], drawn=drawn)
    record = record.model_copy(update={"protocol": protocol, "mode": mode})
    record.save(place)
    caption = "Value and 95% interval; the mark on a bar is what chance or the trivial baseline reaches."
    records = {config.preset or config.method: record}
    measured: list[Block] = [
        metric_table(caption, records),
        *case_tables(records),
        *published_tables([config.data.dataset]),
    ]
    made = {
        "device": record.device,
        "seeds": ", ".join(map(str, seeds)),
        "mode": mode,
        "made with": ", ".join(f"{name} {version}" for name, version in record.versions.items()),
        "command": shlex.join(words),
    }
    page = place.with_name("report.html") if place.name == "metrics.json" else place.with_suffix(".html")
    report = Report(
        title=f"{protocol.capitalize()}: {config.preset or config.method}",
        subtitle=f"{mode} mode",
        tags=[config.method, config.modality, config.data.dataset],
        sections=[
            Section("Metrics", measured, low_accuracy_note(metrics.get("judge_accuracy")) or ""),
            *sections,
        ],
        footer=Facts(made, wide=("made with",), code=("command",)),
    )
    write_report(report, page)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return record
    rows = [
        [
            name,
            f"{m.value:.4g}" + ("" if m.std is None else f" ± {m.std:.2g}"),
            "" if m.chance is None else f"{m.chance:.4g}",
        ]
        for name, m in metrics.items()
    ]
    print_table(
        f"{protocol} of {config.method} on {config.data.dataset} ({mode})",
        ["metric", "value", "chance"],
        rows,
    )
    print_line(f"written: {place}, {page}")
    return record
