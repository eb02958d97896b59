"""The splits that a protocol's mode asks for, of a run that has not learnt from the test split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.eval.engine.mode import Mode

if TYPE_CHECKING:
    from seqdis.core.config import DataConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.eval.cli.protocol import OpenRun
    from seqdis.eval.prediction.splits import Splits

__all__ = ["data_of", "splits_in"]


def data_of(run: OpenRun, mode: Mode) -> DataConfig:
    """The run's data, split as the mode says."""
    from seqdis.core.registry import get_modality

    return get_modality(run.config.modality).split_as(run.config.data, mode)


def splits_in(run: OpenRun, mode: Mode, data: Path | None) -> Splits:
    """Training, validation and test sequences, by the run's own seed.

    Raises:
        InputError: The run was trained on sequences of that test split.
    """
    from seqdis.core.registry import build_dataset, get_modality
    from seqdis.eval.prediction.splits import Splits, check_unseen, grouped

    config, wanted = run.config, data_of(run, mode)

    def split(name: str, of: DataConfig) -> SequenceDataset:
        return build_dataset(config.modality, of, name, root=data, seed=config.train.seed)

    spec = get_modality(config.modality).datasets().get(wanted.dataset)  # a folder of one's own has none
    group_key = None if spec is None else spec.group_key
    if wanted == config.data:
        return Splits(run.train_set, split("val", wanted), run.test_set, grouped(run.test_set, group_key))
    train, val, test = (split(name, wanted) for name in ("train", "val", "test"))
    splits = Splits(train, val, test, grouped(test, group_key))
    check_unseen(splits.test, run.train_set, split("val", config.data), name=str(run.folder))
    return splits
