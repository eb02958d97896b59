"""A small dataset, a small model trained on it, and its swaps and scores: what ``seqdis demo`` runs."""

from __future__ import annotations

import shlex
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

from seqdis.core import registry
from seqdis.core.analysis.pairs import differing_pairs
from seqdis.core.analysis.probe import probe_splits
from seqdis.core.config import apply_overrides
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.folder_lock import holds_nothing, only_writer
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.core.results import ResultRecord
from seqdis.core.swap_files import write_swaps
from seqdis.core.training import train
from seqdis.core.training_record import read_training

__all__ = ["run_demo", "score_swaps_and_factors"]

PAIRS = 4
"""Number of swaps in the pictures."""

SCORED = 128
"""Largest number of swaps that the judge scores."""

HEADLINE = ("swap_joint_accuracy", "swap_static_accuracy", "swap_dynamic_accuracy")
"""Metrics that a person looks at first."""

LEFT_BY_A_DEMO = (
    "config.json",
    "model.safetensors",
    "log.jsonl",
    "tensorboard",
    "previews",
    "checkpoints",
    "metrics.json",
)


def run_demo(
    modality: str,
    out: Path,
    *,
    overrides: Sequence[str] = (),
    seed: int = 0,
    device: str | None = None,
    force: bool = False,
    show_progress: bool = True,
    bar: Callable[[str], AbstractContextManager[Progress | None]] = lambda text: nullcontext(),
) -> tuple[ResultRecord, list[Path]]:
    """Make a dataset, train a small model on it, then reconstruct, swap and score.

    Args:
        modality: The name of an installed modality that has a demo.
        out: The folder that gets the run, pictures or media files of swaps, and ``metrics.json``.
        overrides: Changes to the preset, texts ``key=value``.
        seed: Seed of the data, the training and every draw.
        device: The device, as torch names it; the best one available when omitted.
        force: Whether an earlier demo in ``out`` is replaced.
        show_progress: Whether the training shows a bar.
        bar: A function that opens a progress bar with a title, for swaps and scores.

    Returns:
        The result, and the files that show it.

    Raises:
        InputError: The modality has no demo, an override cannot be used, or ``out`` is not free.
    """
    started = time.perf_counter()
    plugin = registry.get_modality(modality)
    preset = plugin.demo()
    if preset is None:
        raise InputError(f"modality {modality!r} has no demo; `seqdis list modalities` says which have")
    config = apply_overrides(registry.get_preset(preset), [*overrides, f"train.seed={seed}"])
    words = ["seqdis", "demo", "--modality", modality, "--seed", str(seed)]
    command = shlex.join(words + [word for change in overrides for word in ("--set", change)])
    train_set, val_set, test_set = (
        registry.build_dataset(modality, config.data, split, seed=seed) for split in ("train", "val", "test")
    )
    with only_writer(out):
        _clear_earlier_demo(out, force=force)
        model = train(
            config,
            out,
            train_set=train_set,
            val_set=val_set,
            device=device,
            command=command,
            show_progress=show_progress,
        )
        with bar("swapping") as progress:
            pairs = differing_pairs(test_set, PAIRS, generator=torch.Generator().manual_seed(seed))
            files = write_swaps(
                model, test_set, pairs, out,
                media=0 if ".gif" in plugin.pictures else 1,
                generator=torch.Generator().manual_seed(seed), progress=progress,
            )  # fmt: skip
        with bar("scoring") as progress:
            metrics = score_swaps_and_factors(model, train_set, test_set, seed=seed, progress=progress)
        training = read_training(out)
        record = ResultRecord.of_run(
            config,
            metrics,
            name=f"demo-{modality}",
            command=command,
            seed=seed,
            device=model.device,
            seconds=time.perf_counter() - started,
            trainings=() if training is None else (training,),
            headline=HEADLINE,
        )
        record.save(out / "metrics.json")
        return record, [*files, out / "metrics.json"]


def _clear_earlier_demo(out: Path, *, force: bool) -> None:
    """Remove what an earlier demo left, by name; other files in the folder stay.

    Raises:
        InputError: Something is there and ``force`` is off.
    """
    if holds_nothing(out):
        return
    if not force:
        raise InputError(
            f"--out {out}: is not empty; name another folder, or add --force to replace an earlier demo"
        )
    for name in LEFT_BY_A_DEMO:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def score_swaps_and_factors(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int,
    progress: Progress | None = None,
) -> Metrics:
    """Linear probes of both factors and, where seqdis-eval is installed, its judge's accuracies on swaps."""
    metrics = Metrics()
    if "swap" in registry.list_plugins("scorers"):
        metrics |= registry.get_plugin("scorers", "swap")(
            model, train_set, test_set, seed=seed, pairs=min(SCORED, len(test_set)), progress=progress
        )
    return metrics | probe_splits(model, train_set, test_set)
