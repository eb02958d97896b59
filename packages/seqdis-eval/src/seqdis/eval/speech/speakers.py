"""Who speaks in each utterance, and how well embeddings of utterances tell it."""

from __future__ import annotations

from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.eval.metrics.speaker_verification import SpeakerVerification, speaker_verification
from seqdis.eval.speech.utterances import SequenceEmbeddings, utterances_of

__all__ = ["speakers_of", "verify_speakers"]


def speakers_of(dataset: SequenceDataset, identity: str) -> Tensor:
    """Who speaks in each utterance, ``(U,)``.

    Args:
        dataset: A labelled dataset.
        identity: The label that says who.

    Raises:
        InputError: There is no such label, or it belongs to the dynamics.
    """
    if identity not in dataset.labels:
        known = ", ".join(sorted(dataset.labels)) or "none"
        raise InputError(f"speaker: the data have no label {identity!r} that says who; their labels: {known}")
    if dataset.labels[identity].factor != "static":
        raise InputError(f"speaker: label {identity!r} is of the dynamics; allowed: one that says who")
    return utterances_of(dataset).first(dataset.all_labels()[identity])


def verify_speakers(
    embeddings: SequenceEmbeddings,
    dataset: SequenceDataset,
    *,
    identity: str,
    seed: int = 0,
    resamples: int = 200,
) -> SpeakerVerification:
    """The equal error rates of utterance embeddings (DiffSDA, Sec. 4.4).

    An utterance's static embedding is the mean of its chunks' static factors; its dynamic embedding the mean over
    chunks, then over steps.

    Args:
        embeddings: Embeddings of the sequences of ``dataset``, in order.
        dataset: Dataset whose labels say who speaks.
        identity: Name of the label that tells identities apart.
        seed: Seed of the bootstrap.
        resamples: Number of draws of the bootstrap over speakers.

    Raises:
        InputError: See :func:`speakers_of` and :func:`~seqdis.eval.metrics.eer.speaker_eer`.
    """
    utterances = utterances_of(dataset)
    static = utterances.mean(embeddings.static)
    # Chunks are equally long: the mean over chunks of the mean over steps is the mean in either order.
    dynamic = utterances.mean(embeddings.dynamic)
    return speaker_verification(
        static, dynamic, speakers_of(dataset, identity), resamples=resamples, seed=seed
    )
