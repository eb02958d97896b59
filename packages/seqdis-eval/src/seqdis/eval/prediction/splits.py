"""The three splits that a protocol trains, stops and measures a head on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_modality
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun

__all__ = ["Splits", "check_unseen", "grouped", "sequence_lengths", "splits_in"]

_CHUNK = 256


@dataclass(frozen=True)
class Splits:
    """Sequences of one dataset.

    Attributes:
        train: A head learns from them.
        val: Say when it has learnt enough.
        test: Nobody has learnt from them.
        groups: A number ``(N,)`` that test sequences share which are not independent; each is alone when None.
    """

    train: SequenceDataset
    val: SequenceDataset
    test: SequenceDataset
    groups: Tensor | None = None


def grouped(dataset: SequenceDataset, group_key: Callable[[str], str] | None) -> Tensor | None:
    """The groups of :class:`Splits`, from what the keys of sequences say; see ``DatasetSpec.group_key``.

    Args:
        dataset: Dataset of the test split.
        group_key: Function from a key to its group; None gives None.
    """
    if group_key is None:
        return None
    names = [group_key(key) for key in _keys(dataset)]
    return torch.tensor([sorted(set(names)).index(name) for name in names])


def check_unseen(test_set: SequenceDataset, *learnt: SequenceDataset, name: str) -> None:
    """Refuse test sequences that the model was trained on, as its keys tell.

    Args:
        test_set: Test split that is measured.
        learnt: Sequences that the model was trained and chosen on.
        name: Name of the run, for the message.

    Raises:
        InputError: A key of the test split is one of theirs.
    """
    known = {key for dataset in learnt for key in _keys(dataset)}
    seen = sorted(set(_keys(test_set)) & known)
    if seen:
        raise InputError(
            f"{name}: was trained on {len(seen)} of the {len(test_set)} test sequences ({seen[0]}, …); "
            "allowed: a run of the split that --mode asks for"
        )


def _keys(dataset: SequenceDataset) -> list[str]:
    total = len(dataset)
    return [k for i in range(0, total, _CHUNK) for k in dataset.fetch(range(i, min(i + _CHUNK, total))).keys]


def sequence_lengths(dataset: SequenceDataset) -> Tensor:
    """Steps of every sequence up to its last existing one, ``(N,)``."""
    total, parts = len(dataset), []
    for start in range(0, total, _CHUNK):
        batch = dataset.fetch(range(start, min(start + _CHUNK, total)))
        steps = torch.arange(1, batch.x.shape[1] + 1)
        exists = torch.ones(batch.x.shape[:2], dtype=torch.bool) if batch.mask is None else batch.mask.bool()
        parts.append((steps * exists).amax(1))
    return torch.cat(parts)


def splits_in(run: OpenRun, mode: Mode) -> Splits:
    """Training, validation and test sequences as a protocol's mode asks for them, by the run's own seed.

    Args:
        run: Run that is measured.
        mode: Mode of the protocol.

    Raises:
        InputError: The run was trained on sequences of that test split.
    """
    config, wanted = run.config, run.data_in(mode)

    def split(name: str, of: DataConfig) -> SequenceDataset:
        return build_dataset(config.modality, of, name, root=run.data, seed=config.train.seed)

    spec = get_modality(config.modality).datasets().get(wanted.dataset)  # a folder of one's own has none
    group_key = None if spec is None else spec.group_key
    if wanted == config.data:
        return Splits(run.train_set, split("val", wanted), run.test_set, grouped(run.test_set, group_key))
    train, val, test = (split(name, wanted) for name in ("train", "val", "test"))
    splits = Splits(train, val, test, grouped(test, group_key))
    check_unseen(splits.test, run.train_set, split("val", config.data), name=str(run.folder))
    return splits
