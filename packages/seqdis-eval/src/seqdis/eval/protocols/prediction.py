"""Prediction: an outcome, or a number for each window, from both factors."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field
from torch import Tensor

from seqdis.core.base_config import LONGEST, LONGEST_CLIP
from seqdis.core.data.prediction_tasks import Outcome, Quantity
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.metric import Metrics
from seqdis.core.modality import DatasetSpec
from seqdis.core.progress import Progress
from seqdis.core.registry import data_root, get_dataset
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.seeds import mean_over_seeds
from seqdis.eval.prediction.outcome import outcome_protocol
from seqdis.eval.prediction.quantity import WindowValues, quantity_protocol
from seqdis.eval.prediction.splits import splits_in
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import ModeOption, SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Block, Section
from seqdis.eval.report.prediction_blocks import numbers_over_windows, outcome_curve

__all__ = ["Prediction"]


class Prediction(Protocol):
    """Predict what a dataset offers from static and dynamic factors, beside plain models on raw features.

    AUPRC and AUROC of an outcome (any label of two classes), MAE of a number.
    """

    name = "prediction"
    requires = "a dataset that offers something to predict, or a label of two classes"

    class Options(SeedsOption, ModeOption):
        """The quantity that is predicted, over which window, and how often the measurement is repeated."""

        seeds: int = Field(
            3, ge=1, le=LONGEST, description="repetitions of each run's measurement, from --seed on"
        )
        target: str | None = Field(
            None, description="what to predict; the only one that the dataset offers when omitted"
        )
        window: int | None = Field(
            None, ge=1, le=LONGEST_CLIP, description="steps that an outcome's head reads at a time"
        )

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds; the predictions that are shown are those of the first run and seed."""
        self._blocks: list[Block] = []
        results = []
        for number, run in enumerate(context.runs):
            with context.bar(f"predicting from {run.folder.name}") as progress:
                results.append(self._measure_run(context, run, number == 0, progress))
        return mean_over_seeds(results)

    def sections(self, context: Context) -> list[Section]:
        """The curve of an outcome, or numbers over the windows of a few sequences."""
        return [Section("Predictions", self._blocks, "Of the test split, by the first run and seed.")]

    def _measure_run(
        self, context: Context, run: OpenRun, with_sections: bool, progress: Progress
    ) -> Metrics:
        options, config = context.options, run.config
        spec = None if config.data.dataset == "folder" else get_dataset(config.modality, config.data.dataset)
        name, task = _chosen(run, spec, options.target, options.window)
        splits, seeds = splits_in(run, options.mode), list(context.seeds)
        if not isinstance(task, Quantity):

            def curve(scores: Mapping[str, Tensor], truth: Tensor) -> None:
                self._blocks += outcome_curve(scores, truth)

            return outcome_protocol(
                run.model, splits, name, window=task.window, seeds=seeds, mode=options.mode,
                watch=curve if with_sections else None, progress=progress,
            )  # fmt: skip
        if options.window not in (None, task.window):
            raise InputError(f"--window {options.window}: {name!r} has one number each {task.window} steps")
        root = None if spec is None else data_root(spec, run.data)
        data, seed = run.data_in(options.mode), config.train.seed
        values = WindowValues(*(task.values(data, split, root, seed) for split in ("train", "val", "test")))

        def series(predicted: Mapping[str, Tensor], truth: Tensor, sequence: Tensor) -> None:
            unit = f"{name.replace('_', ' ')}, {task.unit}"
            self._blocks += numbers_over_windows(predicted, truth, sequence, unit=unit)

        return quantity_protocol(
            run.model, splits, values, window=task.window, seeds=seeds, mode=options.mode, unit=task.unit,
            watch=series if with_sections else None, progress=progress,
        )  # fmt: skip


def _chosen(
    run: OpenRun, spec: DatasetSpec | None, target: str | None, window: int | None
) -> tuple[str, Outcome | Quantity]:
    """Targets that can be predicted, by name: what the dataset offers, or any label of two classes that is named."""
    offered: dict[str, Outcome | Quantity] = {}
    if spec is not None:
        offered |= spec.quantities
        offered |= {k: Outcome(window or v.window) for k, v in spec.outcomes.items()}
    binary = {k: Outcome(window or 1) for k, v in run.test_set.labels.items() if len(v.classes) == 2}
    if target is None:
        if len(offered) == 1:
            return next(iter(offered.items()))
        known = ", ".join(sorted(offered | binary)) or "none, for they have no label of two classes either"
        raise InputError(f"--target: the data offer {len(offered)} targets of their own; allowed: {known}")
    if target not in (offered | binary):
        raise unknown_name("target of these data", target, offered | binary)
    return target, (binary | offered)[target]
