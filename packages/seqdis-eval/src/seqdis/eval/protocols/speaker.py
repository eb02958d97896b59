"""Speaker verification by each factor, over all pairs of test utterances."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.progress import Progress
from seqdis.core.results import Metric
from seqdis.eval.engine.progress import stage
from seqdis.eval.engine.reconstruction_error import reconstruction_mse
from seqdis.eval.metrics.eer import speaker_eer
from seqdis.eval.speech.speakers import speakers_of, verify_speakers
from seqdis.eval.speech.utterances import embed_sequences, mean_over_steps, utterances_of

__all__ = ["speaker_protocol"]


def speaker_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    identity: str = "speaker",
    seed: int = 0,
    resamples: int = 200,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Static EER, dynamic EER, their gap (DiffSDA, Tab. 4), and the spectrogram's error.

    Which state of a training is measured is where the two modes differ: see
    :func:`~seqdis.eval.speech.stopping.stopping_state`.

    Args:
        model: Any method.
        train_set: For the baselines.
        test_set: All pairs of its utterances are compared.
        identity: The label that says who.
        seed: Of the method's draws and the bootstrap.
        resamples: Of the bootstrap over speakers.
        progress: Called as the work advances.

    Returns:
        ``eer_static``, ``eer_dynamic`` and ``eer_gap``; ``eer_frames``, the static EER of a trivial embedding, the
        mean and deviation over time of the frames themselves; ``mse``, the mean squared error of reconstructions in
        natural units, with the mean frame's as ``chance``.

    Raises:
        InputError: No label says who, or there are too few utterances to compare.
    """
    speakers = speakers_of(test_set, identity)
    embeddings = embed_sequences(model, test_set, seed=seed, progress=stage(progress, 0.0, 0.3))
    found = verify_speakers(embeddings, test_set, identity=identity, seed=seed, resamples=resamples)
    known, held_out = _statistics(train_set), _statistics(test_set)
    scale = known.std(0).clamp(min=torch.finfo(torch.float32).tiny)
    trivial = utterances_of(test_set).mean((held_out - known.mean(0)) / scale)
    drawn = torch.Generator().manual_seed(seed)
    return {
        "eer_static": found.static,
        "eer_dynamic": found.dynamic,
        "eer_gap": found.gap,
        "eer_frames": speaker_eer(trivial, speakers, resamples=resamples, generator=drawn),
        "mse": reconstruction_mse(model, train_set, test_set, seed=seed, progress=stage(progress, 0.3, 1.0)),
    }


def _statistics(dataset: SequenceDataset, *, batch_size: int = 256) -> Tensor:
    """Mean and deviation over time of each sequence's frames, ``(N, 2F)``."""
    rows = []
    for start in range(0, len(dataset), batch_size):
        batch = dataset.fetch(range(start, min(start + batch_size, len(dataset))))
        x = batch.x.flatten(2)
        mean = mean_over_steps(x, batch.mask)
        variance = mean_over_steps((x - mean[:, None]).square(), batch.mask)
        rows.append(torch.cat([mean, variance.sqrt()], dim=1))
    return torch.cat(rows)
