"""A trained run and what stands beside it, as reports take it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seqdis.core.analysis import PrincipalComponents
from seqdis.core.config import RunConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.modality import Modality
from seqdis.core.priors.prior import Prior
from seqdis.core.results import ResultRecord
from seqdis.core.run_record import RunRecord

__all__ = ["ReportSettings", "Stage", "TrainedRun"]

Stage = Callable[[str, float], None]
"""Told what is being done, and the share of the work that is behind."""


@dataclass(frozen=True)
class ReportSettings:
    """Amounts of what a report shows.

    Attributes:
        clips: Test clips in the swap matrix.
        reconstructions: Test clips that are reconstructed.
        samples: Sequences drawn from the prior.
        components: Principal components along which a clip moves.
        probed: Sequences of each split that probes see, at most; 0 for no probes.
        seed: Seed of the choice of clips and of every draw.
    """

    clips: int = 5
    reconstructions: int = 6
    samples: int = 12
    components: int = 2
    probed: int = 1024
    seed: int = 0


@dataclass(frozen=True)
class TrainedRun:
    """A run and all that stands beside it.

    Attributes:
        name: Name of the run on the page.
        folder: Folder of the run.
        model: The model in evaluation mode.
        config: Configuration that the model was built from.
        modality: Modality that shows its sequences.
        train_set: Training split, for probes and the mean frame.
        test_set: Test split that is shown.
        prior: Draws samples; None where there is none.
        components: Directions of traversals.
        record: Metrics that were measured before, or None.
        about: Record ``run.json`` of its training.
    """

    name: str
    folder: Path
    model: Disentangler
    config: RunConfig
    modality: Modality
    train_set: SequenceDataset
    test_set: SequenceDataset
    prior: Prior | None = None
    components: Sequence[PrincipalComponents] = ()
    record: ResultRecord | None = None
    about: RunRecord = field(default_factory=RunRecord)

    @property
    def parameters(self) -> int:
        """Trainable numbers of the model."""
        return sum(p.numel() for p in self.model.parameters() if p.requires_grad)
