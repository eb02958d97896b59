"""Results that were written before trainings and headlines were recorded, completed from their commands.

``python -m seqdis.eval.report.complete_results results/*.json`` adds what is missing to files of the present schema, in
place: the protocol that measured, the trainings behind the figures, and the metrics to look at first. Give all files
together: a measurement of a run whose training stands in another file takes it from there.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqdis.core.config import RunConfig, apply_overrides
from seqdis.core.errors import InputError
from seqdis.core.plugins import plugin_points
from seqdis.core.registry import build_dataset, get_preset, list_presets
from seqdis.core.results import RESULT_SCHEMA, ResultRecord, read_schema
from seqdis.core.training.schedule import total_steps
from seqdis.core.training_record import TrainingRecord, training_record
from seqdis.eval.protocols.comparison import comparable_presets
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.protocols.swap import Swap

__all__ = ["completed", "main", "recorded_trainings"]

_EXAMPLES = {
    "arabic_speech_commands": "diffsda-arabic",
    "cmu": "mocap",
    "ett": "diffsda-etth1",
    "sprites": "diffsda-sprites",
}
"""Presets of the examples' ``train.py`` where the command names none, by dataset."""
_PROBED = {
    "arabic_speech_commands": ("probe_speaker_from_static", "probe_word_from_dynamic", "reconstruction_mse"),
    "cmu": ("probe_subject_from_static", "probe_theme_from_dynamic", "reconstruction_mse"),
    "ett": ("probe_season_from_static", "probe_weekday_from_dynamic", "reconstruction_mse"),
}
"""Metrics to look at first in the results of examples without a judge, by dataset."""


@dataclass(frozen=True)
class _Training:
    """One training command: the run's folder, the preset and the changes to it."""

    run: str
    preset: str
    overrides: tuple[str, ...]
    data: Path | None


def _commands(record: ResultRecord) -> list[list[str]]:
    return [shlex.split(part) for part in record.command.split(" && ")]


def _option(words: Sequence[str], flag: str) -> str | None:
    return words[words.index(flag) + 1] if flag in words else None


def _trainings(record: ResultRecord) -> Iterator[_Training]:
    for words in _commands(record):
        example = words[:2] == ["python", "train.py"]
        if words[:2] != ["seqdis", "train"] and not example:
            continue
        preset = (_option(words, "--preset") or _EXAMPLES.get(record.dataset)) if example else words[2]
        run, data = _option(words, "--out"), _option(words, "--data")
        if preset is not None and run is not None:
            overrides = tuple(word for word in words[2:] if "=" in word and not word.startswith("-"))
            yield _Training(run, preset, overrides, Path(data) if data else None)


def _build(training: _Training, data: Path | None) -> TrainingRecord | None:
    """The record of a training; None where its preset is not installed."""
    if training.preset not in list_presets():
        return None
    config = apply_overrides(get_preset(training.preset), training.overrides)
    return training_record(config, training.run, steps=_steps(config, training.data or data))


def _steps(config: RunConfig, data: Path | None) -> int:
    t = config.train
    counted = t.steps is not None or (bool(t.stages) and all(stage.steps is not None for stage in t.stages))
    if counted:
        return total_steps(t, 1)
    # Epochs become steps by the size of the training split.
    train_set = build_dataset(config.modality, config.data, "train", root=data, seed=t.seed)
    return total_steps(t, -(-len(train_set) // t.batch_size))


def recorded_trainings(
    records: Sequence[ResultRecord], *, data: Path | None = None
) -> dict[str, TrainingRecord]:
    """All trainings that the records' commands hold, by the folder of their run.

    Args:
        records: Results of the present schema.
        data: Folder of the dataset, where epochs are turned into steps and the command names none.
    """
    built_records: dict[str, TrainingRecord] = {}
    for record in records:
        for training in _trainings(record):
            if training.run not in built_records and (built := _build(training, data)) is not None:
                built_records[training.run] = built
    return built_records


def completed(record: ResultRecord, trainings: Mapping[str, TrainingRecord]) -> ResultRecord:
    """A record with its protocol, trainings and headline, as its command and metrics tell them.

    Args:
        record: A result of the present schema; what it already holds stays.
        trainings: Trainings by the folder of their run, as :func:`recorded_trainings` finds them.
    """
    last = _commands(record)[-1]
    measured = last[2] if last[:2] == ["seqdis", "eval"] else None
    protocol = record.protocol or measured
    point = plugin_points("protocols").get(protocol or "")
    if last[:2] == ["seqdis", "benchmark"]:
        own_trainings, headline = _compared(record, last), Swap().first_metrics(record.metrics)
    else:
        runs = dict.fromkeys(word for word in last[2:] if word in trainings)
        own = runs or dict.fromkeys(t.run for t in _trainings(record) if t.run in trainings)
        cases = record.metrics.by_case()
        own_trainings = tuple(
            trainings[run].model_copy(update={"case": Path(run).name if Path(run).name in cases else ""})
            for run in own
        )
        headline = _headline(record, None if point is None else point.load())
    noise = record.noise
    if not record.headline and point is not None:
        # A record with a headline was written with its noise, or without swaps.
        noise = noise or point.load().noise
    about = {
        "noise": noise,
        "protocol": protocol,
        "trainings": record.trainings or own_trainings,
        "headline": record.headline or headline,
    }
    return record.model_copy(update=about)


def _headline(record: ResultRecord, protocol: type[Protocol] | None) -> tuple[str, ...]:
    if protocol is not None:
        return protocol().first_metrics(record.metrics)
    probed = _PROBED.get(record.dataset, ())
    return tuple(n for n in probed if n in record.metrics) or Swap().first_metrics(record.metrics)


def _compared(record: ResultRecord, words: Sequence[str]) -> tuple[TrainingRecord, ...]:
    """The trainings of ``seqdis benchmark``, whose steps and seconds are metrics, a case a method."""
    cases = record.metrics.by_case()
    presets = {name: build() for name, build in list_presets().items()}
    folder = _option(words, "--runs") or f"runs/benchmark-{record.dataset}"
    return tuple(
        training_record(
            config, f"{folder}/{config.preset}", steps=int(cases[method]["train_steps"].value),
            seconds=cases[method]["train_seconds"].value, case=method,
        )
        for method, config in comparable_presets(presets, record.dataset, list(cases)).items()
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Complete the files; the exit code is 0, or 2 for a file that cannot be read or completed."""
    parser = argparse.ArgumentParser(
        prog="python -m seqdis.eval.report.complete_results",
        description="Add protocol, trainings and headline to results that lack them.",
    )
    parser.add_argument("files", nargs="+", type=Path, help="JSON files of the present schema, all together")
    parser.add_argument("--data", type=Path, help="the dataset's folder, where a training is given in epochs")
    options = parser.parse_args(arguments)
    try:
        records = {p: ResultRecord.load(p) for p in options.files if read_schema(p) == RESULT_SCHEMA}
        trainings = recorded_trainings(list(records.values()), data=options.data)
        for path, record in records.items():
            new = completed(record, trainings)
            if new != record:
                new.save(path)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
