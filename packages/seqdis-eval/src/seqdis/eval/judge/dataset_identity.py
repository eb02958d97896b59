"""An identity of a dataset that covers all its clips, without reading all of them where they lie in files."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from seqdis.core.data.sequence_dataset import SequenceDataset

__all__ = ["dataset_identity"]

_READ, _AT_A_TIME = 8, 256


def dataset_identity(dataset: SequenceDataset) -> Iterator[bytes]:
    """Bytes that differ where any clip, label or mask of a dataset does.

    Of recordings, these are their fingerprint (the values in memory; of files what tells that they were changed) and the
    place of every clip in them; the first clips are read as well, for how files are read may have changed. Of a dataset
    that does not know its recordings, every value.

    Args:
        dataset: The dataset, as it is read at epoch 0.
    """
    total = len(dataset)
    yield f"{total} {dataset.shape} {sorted(dataset.labels.items())}".encode()
    for name, value in sorted(dataset.all_labels().items()):
        yield name.encode() + value.numpy().tobytes()
    source = dataset.recordings()
    if source is not None:
        yield source.fingerprint().encode()
        for start in range(0, total, _AT_A_TIME):
            for view in source.views(range(start, min(start + _AT_A_TIME, total)), 0):
                yield torch.cat([torch.tensor([view.recording]), view.steps]).numpy().tobytes()
    for start in range(0, total if source is None else min(_READ, total), _AT_A_TIME):
        stop = min(start + _AT_A_TIME, total if source is None else _READ)
        batch = dataset.fetch(range(start, min(stop, total)))
        for part in (batch.x, batch.mask, batch.observed):
            yield b"none" if part is None else part.contiguous().numpy().tobytes()
