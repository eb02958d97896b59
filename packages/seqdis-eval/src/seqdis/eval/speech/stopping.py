"""The state of a training that is measured: chosen on validation data, or, as published code does, on the test data."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.eval.engine.mode import Mode
from seqdis.eval.speech.speakers import speakers_of, verify_speakers
from seqdis.eval.speech.utterances import embed_sequences

__all__ = ["stopping_state"]


def stopping_state(
    states: Mapping[str, Callable[[], Disentangler]],
    val_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    identity: str,
    mode: Mode,
    seed: int = 0,
) -> str:
    """The name of the kept state with the largest gap ``dynamic EER − static EER``; the last of equals.

    ``published`` mode looks at the test utterances that are then reported, as the published code's early stopping
    does; ``corrected`` looks at the validation utterances, and takes the last state where they cannot be compared
    (no speaker has two, or there is one speaker).

    Args:
        states: Functions that load one state each, by name, in the order of training.
        val_set: The validation split.
        test_set: The test split.
        identity: The label that says who.
        mode: Mode of the protocol, as described above.
        seed: Seed of a posterior that is sampled.

    Raises:
        InputError: There is no state, or in ``published`` mode the test utterances cannot be compared.
    """
    if not states:
        raise InputError("speaker: the run has kept no state")
    last = list(states)[-1]
    seen = test_set if mode == "published" else val_set
    speakers = speakers_of(seen, identity)
    comparable = 1 < len(speakers.unique()) < len(speakers)
    if len(states) == 1 or (mode == "corrected" and not comparable):
        return last
    gaps = {}
    for name, load in states.items():
        embeddings = embed_sequences(load(), seen, seed=seed)
        gaps[name] = verify_speakers(embeddings, seen, identity=identity, seed=seed, resamples=20).gap.value
    return max(reversed(list(gaps)), key=lambda name: gaps[name])
