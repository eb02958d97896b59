"""Animated pictures: every one of their frames, for as long as it is shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.video.encoding import moving
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.video.animations import index_animation
from seqdis.video.options import VideoOptions
from seqdis.video.video_recording import open_recording
from seqdis.video.writing import write_frames

CASES = Path(__file__).parents[1] / "cases"


def _read(path: Path, size: int = 16, **options: object) -> Tensor:
    return open_recording(path, shape=(3, size, size), options=VideoOptions(**options)).whole().frames


def _save(path: Path, frames: np.ndarray, durations: list[int] | int) -> Path:
    pictures = [Image.fromarray(frame) for frame in frames]
    exact = {".webp": {"lossless": True}, ".avif": {"quality": 100}}.get(path.suffix, {})
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=durations, **exact)
    return path


def test_an_animated_webp_has_all_its_frames() -> None:
    path = CASES / "16-picture-formats" / "a.webp"
    frames = _read(path, 40)
    assert frames.shape == (10, 3, 40, 40)
    with Image.open(path) as image:
        for number in range(10):
            image.seek(number)
            assert np.array_equal(frames[number].permute(1, 2, 0).numpy(), np.asarray(image.convert("RGB")))
    index = index_animation(path)
    assert np.allclose(index.seconds, np.arange(10) / 10)
    assert index.duration == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "worst"), [("c.webp", 0), ("c.apng", 0), ("c.gif", 30), ("c.tif", 0), ("c.avif", 30)]
)
def test_any_steps_are_those_of_the_whole(tmp_path: Path, name: str, worst: int) -> None:
    frames = moving(12, height=16, width=16)
    path = _save(tmp_path / name, frames, 40)
    whole = _read(path)
    assert whole.shape == (12, 3, 16, 16)
    assert np.abs(whole.permute(0, 2, 3, 1).numpy().astype(int) - frames).mean() <= worst
    for steps in (torch.tensor([11]), torch.tensor([0, 5, 6]), torch.arange(4, 9)):
        recording = open_recording(path, shape=(3, 16, 16), options=VideoOptions(fit="stretch", stride=1))
        assert torch.equal(recording.take(steps).frames, whole[steps])


def test_pictures_that_are_held_count_for_their_time(tmp_path: Path) -> None:
    frames = moving(3, height=16, width=16)
    path = _save(tmp_path / "c.webp", frames, [100, 300, 100])
    assert torch.equal(_read(path), _read(path)[[0, 1, 1, 1, 4]])
    assert len(_read(path)) == 5
    assert index_animation(path).duration == pytest.approx(0.5)
    # At 5 a second, at 0, 0.2 and 0.4 s: the first, the second and the third picture.
    assert torch.equal(_read(path, fps=5), _read(path)[[0, 1, 4]])


def test_repeated_pictures_of_a_gif_are_counted(tmp_path: Path, clip: Tensor) -> None:
    # The writer merges equal neighbours into one longer picture.
    repeated = clip[[0, 0, 0, 4, 8, 8]]
    write_frames(tmp_path / "c.gif", repeated, fps=8)
    assert (_read(tmp_path / "c.gif") / 255 - repeated).abs().max() < 0.01


@pytest.mark.parametrize("name", ["c.gif", "c.webp", "c.apng"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.8])
def test_a_truncated_animation_is_refused(tmp_path: Path, name: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    path = _save(tmp_path / name, noise, 100)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=rf"{name}: (the gif is cut short|cannot be read as)") as error:
        _read(path)
    assert "\n" not in str(error.value)
