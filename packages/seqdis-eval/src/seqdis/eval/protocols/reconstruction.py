"""Reconstruction: how close decoded clips are to their sources, in pixels and in feature space."""

from __future__ import annotations

import torch

from seqdis.core.capabilities import inverts
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.core.sequences import check_whole
from seqdis.eval.engine.batches import both_reconstructions, chosen_clips, reconstructions
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.progress import stage
from seqdis.eval.engine.reconstruction_error import mean_frame, reconstruction_mse
from seqdis.eval.features.opened import NO_FEATURES, FeatureNetworks
from seqdis.eval.features.scores import FrechetScores, IdentityScores, MotionScores, who_of
from seqdis.eval.metrics.squared_error import clip_errors, mean_squared_error
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import (
    BatchOption,
    ClipsOption,
    FeaturesOption,
    ModeOption,
    SamplerOptions,
    SeedsOption,
)
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.protocols.run_features import features_section, open_run_features
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.clips import reconstruction_cards

__all__ = ["Reconstruction", "reconstruction_protocol"]


def reconstruction_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    mode: Mode = "corrected",
    clips: int | None = None,
    features: FeatureNetworks = NO_FEATURES,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Metrics:
    """Test clips encoded and decoded (DiffSDA, Tab. 3; VDSM, Tab. 3).

    The modes differ in feature space alone: ``"published"`` lets a failed detection add 0 to the sums of AED and
    AKD while counting it, and squares a person re-identification's distances.

    Args:
        model: A model of any method.
        train_set: Training split, whose mean frame is the baseline of the MSE.
        test_set: Clips that nobody has learnt from.
        seed: Seed of the choice of clips and of the method's draws.
        mode: Mode of the protocol, as described above.
        clips: Largest number of clips, chosen by the seed.
        features: AED, CSIM and AKD to the source, FID and FVD to the test clips, of those that are given.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.

    Returns:
        ``mse`` in natural units squared, of a method that inverts also ``decoding_mse``, from fresh noise; and what the
        feature networks give.

    Raises:
        InputError: No clip has a measured entry; or feature networks are given and clips have gaps.
    """
    chosen = chosen_clips(len(test_set), clips, seed=seed)
    identity, motion = IdentityScores(features.identity), MotionScores(features.keypoints)
    frechet, guess = FrechetScores(features), mean_frame(train_set)
    errors, baseline = [], []
    drawn = 0.5 if inverts(model) else 1.0
    for made in reconstructions(
        model, test_set, chosen, seed=seed, batch_size=batch_size, progress=stage(progress, 0.0, drawn)
    ):
        source = made.source
        if features.named():
            check_whole("a feature network", source)
        errors.append(clip_errors(source, made.frames))
        baseline.append(clip_errors(source, guess))
        identity.add(made.frames, source.x, who_of(source, test_set.labels))
        motion.add(made.frames, source.x)
        frechet.add("generated", made.frames)
        frechet.add("real", source.x)
    generator = torch.Generator().manual_seed(seed)
    estimates = {"mse": mean_squared_error(torch.cat(errors), torch.cat(baseline), generator=generator)}
    if inverts(model):
        estimates["decoding_mse"] = reconstruction_mse(
            model, train_set, test_set, noise="fresh", indices=chosen, seed=seed, batch_size=batch_size,
            progress=stage(progress, drawn, 1.0),
        )  # fmt: skip
    estimates |= identity.metrics(mode=mode, seed=seed)
    estimates |= motion.metrics(mode=mode, seed=seed)
    if len(chosen) < 2 and frechet.wanted:
        raise InputError("fid, fvd: at least 2 clips are needed; got 1")
    return Metrics.of(estimates | frechet.metrics(), role="reconstruction")


class Reconstruction(Protocol):
    """Encode and decode held-out clips: MSE, and with --features AED, CSIM, AKD, FID and FVD (DiffSDA, Tab. 3)."""

    name = "reconstruction"
    headline = ("mse", "aed", "akd")

    class Options(BatchOption, SamplerOptions, FeaturesOption, ClipsOption, SeedsOption, ModeOption):
        """The number of clips that are decoded, how, which feature networks compare them, and how often it is repeated."""

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options = context.options
        self._networks = open_run_features(options.features, context.first)

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            return reconstruction_protocol(
                run.model, run.train_set, run.test_set, seed=seed, mode=options.mode, clips=context.clips,
                features=self._networks, batch_size=options.batch_size, progress=progress,
            )  # fmt: skip

        return context.repeat(measure, what="reconstructing")

    def sections(self, context: Context) -> list[Section]:
        """A few clips beside what comes back, with their errors."""
        run, seed = context.first, context.seed
        rows = chosen_clips(len(run.test_set), 6, seed=seed)
        batch = run.test_set.fetch(rows)
        cards = reconstruction_cards(
            context.showroom, batch, both_reconstructions(run.model, batch, rows, seed=seed)
        )
        section = Section("Reconstructions", [cards], "Test clips that the seed alone chooses.")
        return [section, *features_section(self._networks, run)]
