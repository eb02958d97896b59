"""Several methods on the same data, with the same budget, before the same judge."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from seqdis.core.analysis import fixed_pairs, row_sources
from seqdis.core.config import RunConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.files import replace_with_json
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.modality import Panel
from seqdis.core.reading import read_json, readable
from seqdis.core.training.budget import Budget, scaled_to, seconds_per_step

__all__ = [
    "Contestant",
    "check_same_clips",
    "comparable_presets",
    "comparison_grid",
    "comparison_metrics",
    "named_presets",
    "plan_training",
]


@dataclass(frozen=True)
class Contestant:
    """One trained method.

    Attributes:
        model: The trained model.
        metrics: Metrics of the protocol.
        steps: Optimiser steps of its training.
        seconds: Seconds of the training.
    """

    model: Disentangler
    metrics: Metrics
    steps: int
    seconds: float


_OWN = {"options", "identities", "identity_frames", "identity_sequences", "normalize"}


def comparable_presets(
    presets: Mapping[str, RunConfig], dataset: str, methods: Sequence[str] | None = None
) -> dict[str, RunConfig]:
    """One preset a method, all for the same data.

    Of the shapes in which ``dataset`` is used, that with the most methods counts, the smallest among equals.
    Of several presets of a method for that shape, the first by name. Normalisation, labels that tell identities
    apart, and the modality's options are a preset's own: :func:`check_same_clips` looks at what comes of them.

    Args:
        presets: All there are.
        dataset: A dataset's name.
        methods: Only these; all when omitted.

    Returns:
        Configurations by method, in alphabetical order.

    Raises:
        InputError: No preset uses the dataset, or a wanted method has none for the shape.
    """
    groups: dict[str, dict[str, RunConfig]] = {}
    sizes: dict[str, int] = {}
    for _, config in sorted(presets.items()):
        if config.data.dataset == dataset and config.codec.name == "identity":
            key = json.dumps([config.modality, _clips_of(config)], sort_keys=True)
            groups.setdefault(key, {}).setdefault(config.method, config)
            sizes[key] = config.data.length * torch.Size(config.data.frame_shape).numel()
    if not groups:
        raise unknown_name("dataset with presets", dataset, {c.data.dataset for c in presets.values()})
    wanted = set(methods or ())
    best = max(groups, key=lambda key: (len(wanted & set(groups[key])), len(groups[key]), -sizes[key]))
    chosen = dict(sorted(groups[best].items()))
    absent = sorted(wanted - set(chosen))
    if absent:
        raise unknown_name(f"method with a preset for {dataset}", absent[0], chosen)
    return {method: config for method, config in chosen.items() if not wanted or method in wanted}


def named_presets(
    presets: Mapping[str, RunConfig], dataset: str, names: Sequence[str]
) -> dict[str, RunConfig]:
    """Presets that were asked for by name, all for the same data.

    Args:
        presets: All there are.
        dataset: Name of the dataset.
        names: Names of the presets, one or more.

    Raises:
        InputError: There is no such preset of the dataset, or two of them use it in different shapes.
    """
    of_dataset = {name: config for name, config in presets.items() if config.data.dataset == dataset}
    chosen = {}
    for name in names:
        if name not in of_dataset:
            raise unknown_name(f"preset for {dataset}", name, of_dataset)
        chosen[name] = of_dataset[name]
    if not chosen:
        raise InputError("--presets: no name; allowed: names of presets with commas between")
    first = next(iter(chosen))
    for name, config in chosen.items():
        if _clips_of(config) != _clips_of(chosen[first]) or config.codec != chosen[first].codec:
            raise InputError(f"{name}: uses {dataset} in another shape than {first}; they cannot be compared")
    return chosen


def _clips_of(config: RunConfig) -> dict[str, Any]:
    """The part of a configuration that says which clips are compared."""
    data = config.data.model_dump(mode="json", exclude=_OWN)
    return dict(data)


def check_same_clips(name: str, expected: SequenceDataset, received: SequenceDataset) -> None:
    """Refuse a preset whose options give other test clips than the rest is measured on.

    Args:
        name: Name of the preset.
        expected: Test clips of the comparison.
        received: Test clips of the preset.

    Raises:
        InputError: The numbers, shapes or values of the clips differ; of the values the first and the last clip's count.
    """
    ends = [0, len(expected) - 1]
    if (len(expected), expected.shape) != (len(received), received.shape) or not torch.equal(
        expected.fetch(ends).x, received.fetch(ends).x
    ):
        raise InputError(f"{name}: its data.options give other test clips; choose other --methods")


def plan_training(
    presets: Mapping[str, RunConfig],
    budget: Budget,
    folder: Path,
    train_set: SequenceDataset,
    *,
    device: str | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> dict[str, RunConfig]:
    """The presets cut to the budget; a budget in time becomes steps by timing a few, once.

    What was found is kept in ``folder/plan.json``, so that an interrupted comparison goes on as it began
    and a finished one takes further methods.

    Args:
        presets: Configurations by method.
        budget: Budget of each training.
        folder: Folder of the comparison.
        train_set: Training split that they learn from.
        device: Device, as torch names it.
        report: Told what a step costs.

    Raises:
        InputError: The folder holds a comparison with another budget, or a damaged plan.
    """
    path, wanted = folder / "plan.json", {"steps": budget.steps, "seconds": budget.seconds}
    lengths: dict[str, int] = {}
    if path.is_file():
        plan = read_json(path, kind="a plan")
        with readable(path, "a plan"):
            before, lengths = plan["budget"], {name: int(n) for name, n in plan["steps"].items()}
        if before != wanted:
            raise InputError(f"{folder}: holds a comparison with the budget {before}; choose another folder")
    configs = {}
    for method, config in presets.items():
        each = max(1, len(train_set) // config.train.batch_size)
        if method not in lengths:
            steps = budget.steps
            if steps is None:
                cost = seconds_per_step(config, train_set, steps_per_epoch=each, device=device)
                steps = max(len(config.train.stages), 1, round((budget.seconds or 0) / cost))
                report(f"{config.preset}: {1000 * cost:.0f} ms a step, {steps} steps")
            lengths[method] = steps
            replace_with_json(path, {"budget": wanted, "steps": lengths})
        configs[method] = scaled_to(config, lengths[method], steps_per_epoch=each)
    return configs


def comparison_metrics(contestants: Mapping[str, Contestant]) -> Metrics:
    """All metrics that most methods have, and every error of reconstruction, a case a method, with its training."""
    common = Counter(name for entry in contestants.values() for name in entry.metrics)
    metrics = Metrics()
    for method, entry in contestants.items():
        shared = [
            m
            for name, m in entry.metrics.items()
            if 2 * common[name] > len(contestants) or m.role == "reconstruction"
        ]
        metrics |= Metrics(shared).select(without="judge").in_case(method)
        training = {
            "train_steps": Estimate(value=entry.steps, unit="steps"),
            "train_seconds": Estimate(value=round(entry.seconds, 1), unit="s", direction="lower"),
        }
        metrics |= Metrics.of(training, role="training", case=method)
    return metrics


@torch.no_grad()
def comparison_grid(
    contestants: Mapping[str, Contestant], test_set: SequenceDataset, *, count: int = 4, seed: int = 0
) -> list[list[Panel]]:
    """The same swaps by every method: a row a pair; both sources, then each method's swap."""
    pairs = fixed_pairs(len(test_set), seed=seed, count=count)
    static, dynamic = (test_set.fetch([pair[i] for pair in pairs]) for i in range(2))
    columns = [
        [Panel("static of", x) for x in static.x],
        [Panel("dynamics of", x) for x in dynamic.x],
    ]
    for method, entry in contestants.items():
        device = entry.model.device
        frames = entry.model.swap(
            static.to(device), dynamic.to(device),
            generator=row_sources(seed, range(len(pairs))),
        )  # fmt: skip
        columns.append([Panel(method, x) for x in frames.cpu()])
    return [list(row) for row in zip(*columns, strict=True)]
