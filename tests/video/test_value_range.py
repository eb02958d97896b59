from __future__ import annotations

import numpy as np
import pytest

from seqdis.core.coercion import as_sequences
from seqdis.core.errors import InputError
from seqdis.core.training import fit
from seqdis.video.modality import VideoModality


def test_bytes_are_pictures_and_floats_of_bytes_are_refused() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (5, 8, 6, 3), dtype=np.uint8)
    clip[0, 0, 0], clip[0, 0, 1] = 0, 255
    options = {"frame_shape": (3, 8, 6), "value_range": VideoModality.value_range}
    assert as_sequences(clip, **options).x.max() == 1
    with pytest.raises(InputError, match="values from 0 to 255; allowed: 0 to 1"):
        as_sequences(clip.astype(np.float32), **options)
    with pytest.raises(InputError, match="data: values from 0 to 255; allowed: 0 to 1"):
        fit(clip.astype(np.float32), preset="diffsda-shapes")


def test_clips_with_their_channels_last_are_learnt_from() -> None:
    clips = np.random.default_rng(0).integers(0, 256, (3, 4, 32, 32, 3), dtype=np.uint8)
    model = fit(
        clips, preset="diffsda-sprites32", steps=1, batch_size=2, val=0, device="cpu", progress=False,
        frames_per_clip=2, hidden_dim=16,
    )  # fmt: skip
    assert model.frame_shape == (3, 32, 32)
