"""Scores in feature space, gathered batch by batch: FID and FVD, AED, CSIM and verification, AKD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.core.sequences import Sequences, check_whole
from seqdis.eval.engine.mode import Mode
from seqdis.eval.features.networks import ClipFeatures, FrameFeatures, Identity, Keypoints
from seqdis.eval.features.opened import FeatureNetworks, as_pictures
from seqdis.eval.metrics.aed import average_euclidean_distance
from seqdis.eval.metrics.akd import average_keypoint_distance
from seqdis.eval.metrics.csim import cosine_similarity
from seqdis.eval.metrics.frechet import frechet_score
from seqdis.eval.metrics.verification import verification_accuracy, verification_threshold

__all__ = ["FrechetScores", "IdentityScores", "MotionScores", "who_of"]


def _by_frame(network: Identity | Keypoints, clips: Tensor) -> Tensor:
    pictures = as_pictures(clips)
    return network(pictures.flatten(0, 1)).unflatten(0, pictures.shape[:2])


def who_of(batch: Sequences, labels: Mapping[str, Label]) -> list[Tensor]:
    """The static labels of a batch, each ``(B,)``: together they say who or what is shown."""
    return [batch.labels[name] for name, label in labels.items() if label.factor == "static"]


class IdentityScores:
    """AED, CSIM and verification accuracy of generated clips, against the clips whose identity they should show.

    A network's own threshold was found on large, sharp faces. Where it is known who the sources show, ``"corrected"``
    takes the distance that tells these clips apart equally well both ways instead; ``"published"`` takes the network's.

    Args:
        network: Network whose embeddings are compared; None gathers nothing.
    """

    def __init__(self, network: Identity | None) -> None:
        self._network = network
        self._generated: list[Tensor] = []
        self._expected: list[Tensor] = []
        self._who: list[Tensor] = []

    def add(self, generated: Tensor, source: Tensor, who: Sequence[Tensor] = ()) -> None:
        """Both ``(N, V, C, H, W)`` in [0, 1]; ``who`` are static labels of the sources, each ``(N,)``."""
        if self._network is not None:
            self._generated.append(_by_frame(self._network, generated))
            self._expected.append(_by_frame(self._network, source))
            if who:
                self._who.append(torch.stack([label.cpu() for label in who], dim=1))

    def metrics(self, *, mode: Mode, seed: int = 0) -> dict[str, Estimate]:
        """Figures of all clips that were added; none without a network.

        Raises:
            InputError: Nobody was found in any of them.
        """
        if self._network is None:
            return {}
        generated, expected = torch.cat(self._generated), torch.cat(self._expected)
        published, generator = mode == "published", torch.Generator().manual_seed(seed)
        metrics = average_euclidean_distance(
            generated, expected, generator=generator, published=published,
            squared=published and self._network.squared,
        )  # fmt: skip
        metrics |= cosine_similarity(generated, expected, generator=generator)
        threshold = self._network.threshold if published else self._calibrated(expected)
        if threshold is not None:
            metrics |= verification_accuracy(
                generated, expected, threshold=threshold, generator=generator, published=published
            )
        return metrics

    def _calibrated(self, expected: Tensor) -> float | None:
        """The threshold of these clips, one frame each; the network's own where that cannot be found."""
        first = expected[:, 0]
        if not self._who:
            return self._network.threshold if self._network is not None else None
        who = torch.cat(self._who).unique(dim=0, return_inverse=True)[1]
        of_seen = who[~first.isnan().any(1)].unique(return_counts=True)[1]
        if len(of_seen) < 2 or int(of_seen.max()) < 2:
            return self._network.threshold if self._network is not None else None
        return verification_threshold(first, who)


class MotionScores:
    """AKD of generated clips, against the clips whose motion they should show.

    Args:
        network: Network whose keypoints are compared; None gathers nothing.
    """

    def __init__(self, network: Keypoints | None) -> None:
        self._network = network
        self._generated: list[Tensor] = []
        self._expected: list[Tensor] = []

    def add(self, generated: Tensor, source: Tensor) -> None:
        """Both ``(N, V, C, H, W)`` in [0, 1]."""
        if self._network is not None:
            self._generated.append(_by_frame(self._network, generated))
            self._expected.append(_by_frame(self._network, source))

    def metrics(self, *, mode: Mode, seed: int = 0) -> dict[str, Estimate]:
        """Figures of all clips that were added; none without a network.

        Raises:
            InputError: Nothing was detected in any of them.
        """
        if self._network is None:
            return {}
        return average_keypoint_distance(
            torch.cat(self._generated), torch.cat(self._expected),
            generator=torch.Generator().manual_seed(seed), published=mode == "published",
        )  # fmt: skip


class FrechetScores:
    """FID over frames and FVD over clips, between generated and real ones, as many of each.

    Small sets raise both, so that what real clips reach among themselves, as many from the training split,
    stands beside. The intervals draw whole clips.

    Args:
        networks: Feature networks, of which ``fid`` and ``fvd`` count.
    """

    def __init__(self, networks: FeatureNetworks) -> None:
        self._frames: FrameFeatures | None = networks.frames
        self._clips: ClipFeatures | None = networks.clips
        self._kept: dict[tuple[str, str], list[Tensor]] = {}
        self._frames_each = 1

    @property
    def wanted(self) -> bool:
        """Whether either was asked for."""
        return self._frames is not None or self._clips is not None

    def add(self, which: str, clips: Tensor) -> None:
        """Clips ``(N, V, C, H, W)`` in [0, 1]; ``which`` is ``"generated"``, ``"real"`` or ``"train"``.

        Raises:
            InputError: The frames are no pictures, or the clips are too short.
        """
        if not self.wanted:
            return
        pictures = as_pictures(clips)
        self._frames_each = pictures.shape[1]
        if self._frames is not None:
            for part in pictures.flatten(0, 1).split(64):
                self._kept.setdefault(("fid", which), []).append(self._frames(part))
        if self._clips is not None:
            if pictures.shape[1] < self._clips.shortest:
                raise InputError(
                    f"fvd: {self._clips.name} takes clips of {self._clips.shortest} frames or more; "
                    f"got {pictures.shape[1]}"
                )
            for part in pictures.split(8):
                self._kept.setdefault(("fvd", which), []).append(self._clips(part))

    def add_training_clips(
        self, train_set: SequenceDataset, count: int, *, seed: int, batch_size: int = 64
    ) -> None:
        """So many training clips, chosen by the seed; all of them where there are fewer.

        Raises:
            InputError: The frames are no pictures, or the clips are too short or have gaps.
        """
        order = torch.randperm(len(train_set), generator=torch.Generator().manual_seed(seed))
        for rows in order[:count].split(batch_size) if self.wanted else ():
            batch = train_set.fetch(rows.tolist())
            check_whole("a feature network", batch)
            self.add("train", batch.x)

    def metrics(self) -> dict[str, Estimate]:
        """``fid``, ``fvd``, and ``fid_real``, ``fvd_real`` between training and held-out clips."""
        features = {key: torch.cat(parts) for key, parts in self._kept.items()}
        metrics = {}
        for name in ("fid", "fvd"):
            for suffix, which in (("", "generated"), ("_real", "train")):
                if (name, which) in features:
                    metrics[name + suffix] = frechet_score(
                        features[name, which],
                        features[name, "real"],
                        rows=self._frames_each if name == "fid" else 1,
                    )
        return metrics
