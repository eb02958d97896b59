"""A trained run, opened to be measured."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.eval.engine.mode import Mode

__all__ = ["OpenRun"]


@dataclass(frozen=True)
class OpenRun:
    """A run that is measured.

    Attributes:
        folder: Folder of the run.
        model: Trained model, in evaluation mode.
        config: Configuration that it was trained from.
        train_set: Training split of its dataset.
        test_set: Test split of its dataset.
        data: Folder that both were read from; None for a dataset that ``SEQDIS_DATA`` names or that is generated.
        opened: The reading of ``time.perf_counter()`` when it was opened, from which a measurement's time counts.
    """

    folder: Path
    model: Disentangler
    config: RunConfig
    train_set: SequenceDataset
    test_set: SequenceDataset
    data: Path | None = None
    opened: float = field(default_factory=time.perf_counter, compare=False)

    def data_in(self, mode: Mode) -> DataConfig:
        """The run's data, split as the mode says."""
        from seqdis.core.registry import get_modality

        return get_modality(self.config.modality).split_as(self.config.data, mode)
