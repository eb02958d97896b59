"""The runs that a command measures, opened and checked against each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqdis.core.cli.model import load_model
from seqdis.core.config import RunConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.pretrained import config_of
from seqdis.core.registry import build_dataset
from seqdis.core.remembered_data import data_of_run
from seqdis.eval.engine.open_run import OpenRun

__all__ = ["open_run", "open_runs", "splits_of"]


def splits_of(config: RunConfig, root: Path | None) -> tuple[SequenceDataset, SequenceDataset]:
    """The training and the test split of a run, from the folder of its data."""
    train_set, test_set = (
        build_dataset(config.modality, config.data, split, root=root, seed=config.train.seed)
        for split in ("train", "test")
    )
    return train_set, test_set


def open_run(
    folder: Path, *, data: Path | None = None, device: str | None = None, modality: str | None = None
) -> OpenRun:
    """Load a run, with its training and its test split.

    Args:
        folder: The run's folder.
        data: The folder of its dataset; when omitted, the one that it was trained on, else ``$SEQDIS_DATA/DATASET``.
        device: The device, as torch names it; the fastest here when omitted.
        modality: The modality that the run must have; any when omitted.

    Raises:
        InputError: The run, its data or the device cannot be used, or the run is of another modality.
    """
    run = open_runs([folder], data=data, device=device)[0]
    if modality not in (None, run.config.modality):
        raise InputError(f"{folder}: a model of {run.config.modality}; allowed here: {modality}")
    return run


def open_runs(
    folders: Sequence[Path],
    *,
    data: Path | None = None,
    device: str | None = None,
    steps: int | None = None,
    sampler: str | None = None,
    settings: Sequence[str] = (),
    one_method: bool = True,
) -> list[OpenRun]:
    """Load runs that are measured together.

    Args:
        folders: Folders of the runs.
        data: Folder of the dataset; when omitted, the one that each was trained on, else ``$SEQDIS_DATA/DATASET``.
        device: Device that the models are loaded to.
        steps: Number of steps of the models' samplers; the models' own when omitted.
        sampler: Kind of the models' samplers; the models' own when omitted.
        settings: Further settings of the models, ``key=value`` each.
        one_method: Whether all runs must be of one method, as figures that are averaged need it.

    Raises:
        InputError: One is given twice, cannot be loaded, or is of another method or dataset than the first.
    """
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise InputError(f"a run was given twice: {', '.join(map(str, folders))}")
    runs: list[OpenRun] = []
    for folder in folders:
        model = load_model(
            folder, device=device, steps=steps, sampler=sampler, settings=list(settings) or None
        )
        config = config_of(model)
        first = runs[0].config if runs else config
        compared: list[tuple[str, object, object]] = [("data", config.data, first.data)]
        if one_method:
            compared.insert(0, ("method", config.method, first.method))
        for name, received, allowed in compared:
            if received != allowed:
                raise InputError(
                    f"{folder}: its {name} differ from those of {folders[0]}: {received}; allowed: {allowed}"
                )
        root = data_of_run(folder, config, data)
        runs.append(OpenRun(folder, model, config, *splits_of(config, root), data=root))
    return runs
