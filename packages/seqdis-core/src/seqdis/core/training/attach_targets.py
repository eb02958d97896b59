"""The targets that a run's method asks for, beside its data."""

from __future__ import annotations

import functools

from accelerate import Accelerator
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from seqdis.core.capabilities import required_targets
from seqdis.core.config import RunConfig
from seqdis.core.data.identities import WithIdentities
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.targets import WithTargets, target_table
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.registry import get_method, get_modality

__all__ = ["with_targets"]


def with_targets(
    config: RunConfig, dataset: SequenceDataset, *, accelerator: Accelerator, show_progress: bool
) -> SequenceDataset:
    """Add the targets that the configured method reads to a dataset's batches; a method may read none.

    Where the data name identities, batches carry frames of them too.

    The first process computes what the cache lacks, the others wait and read.

    Raises:
        InputError: The modality has no such target, or it cannot be computed, or the data are latents.
    """
    if config.data.identities:
        data = config.data
        dataset = WithIdentities(
            dataset, data.identities, frames=data.identity_frames, sequences=data.identity_sequences
        )
    names = required_targets(get_method(config.method), config.model)
    if not names:
        return dataset
    if dataset.coded:
        raise InputError(
            f"targets {', '.join(names)} are computed from frames, and these data are latents; give the frames"
        )
    modality = get_modality(config.modality)
    known = modality.targets()
    for name in names:
        if name not in known:
            raise unknown_name(f"{config.modality} target", name, known)
    make = functools.partial(target_table, dataset, modality=config.modality, data=config.data)
    visible = show_progress and accelerator.is_main_process
    with accelerator.main_process_first(), _bar(visible) as bar:
        tables = {}
        for name in names:
            task = bar.add_task(name, total=None)
            tables[name] = make(
                name,
                known[name],
                progress=lambda done, total, task=task: bar.update(task, completed=done, total=total),  # type: ignore[misc]
            )
            bar.remove_task(task)
    return WithTargets(dataset, tables)


def _bar(show: bool) -> Progress:
    return Progress(
        TextColumn("target {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not show,
        transient=True,
    )
