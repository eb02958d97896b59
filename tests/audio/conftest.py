"""Small recordings for audio's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from seqdis.audio.options import AudioOptions
from seqdis.core.config import DataConfig


@pytest.fixture
def speech_data() -> Callable[..., DataConfig]:
    """``speech_data("timit", length=8, split="round")`` with 80 bins and the default analysis."""

    def make(dataset: str, *, length: int = 68, **options: object) -> DataConfig:
        values = AudioOptions(**options).model_dump()  # type: ignore[arg-type]
        return DataConfig(dataset=dataset, length=length, frame_shape=(80,), options=values)

    return make


@pytest.fixture
def write_sound() -> Callable[..., Path]:
    """``write_sound(path, seconds=0.7, hertz=440)`` leaves a sine with a little noise."""

    def write(
        path: Path, *, seconds: float = 0.7, hertz: float = 440.0, rate: int = 16000, **kwargs: object
    ) -> Path:
        time = np.arange(round(seconds * rate)) / rate
        noise = np.random.default_rng(round(hertz)).standard_normal(len(time))
        path.parent.mkdir(parents=True, exist_ok=True)
        wave = 0.3 * np.sin(2 * np.pi * hertz * time) + 0.01 * noise
        soundfile.write(path, wave.astype(np.float32), rate, **kwargs)
        return path

    return write
