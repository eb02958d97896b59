"""A file of latents: what is written comes back, a few rows at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.latent_recording import LatentRecording
from seqdis.core.data.latent_shard import LatentShard, open_shard, write_shard
from seqdis.core.errors import InputError


def clips() -> list[Clip]:
    g = torch.Generator().manual_seed(0)
    days = np.datetime64("2026-01-30", "D") + np.arange(5)
    moods = {"mood": np.array(["calm", "wild", "calm", "odd", "wild"])}
    return [
        Clip(torch.randn(5, 2, 3, generator=g).half(), "a", stamps=days, steps_labelled=moods),
        Clip(torch.randn(3, 2, 3, generator=g).half() * 9, "b", stamps=np.arange(3.0) / 7),
    ]


def recordings(path: Path) -> list[LatentRecording]:
    found, first = [], 0
    for held in LatentShard(path).recordings:
        found.append(
            LatentRecording(
                key=held.key,
                path=path,
                first=first,
                count=held.steps,
                latent_shape=(2, 3),
                names=tuple(held.step_labels),
                stamps=held.stamps,
            )
        )
        first += held.steps
    return found


def test_any_steps_of_a_recording_come_back_as_they_were(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.safetensors", clips())
    for given, held in zip(clips(), recordings(tmp_path / "0.safetensors"), strict=True):
        assert (held.steps, held.frame_shape, held.coded, held.dated) == (given.steps, (2, 3), True, True)
        assert held.step_labels == tuple(given.step_labels)
        for steps in ([*range(given.steps)], [0, 2], [1], [given.steps - 1], []):
            index = torch.tensor(steps, dtype=torch.long)
            got, expected = held.take(index), given.take(index)
            assert torch.equal(got.frames, expected.frames)
            assert got.frames.dtype == torch.float16
            assert np.array_equal(got.stamps, expected.stamps)
            assert got.stamps.dtype == expected.stamps.dtype
            for name, texts in expected.steps_labelled.items():
                assert got.steps_labelled[name].tolist() == texts.tolist()


def test_the_moments_are_those_of_all_entries_of_a_channel(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.safetensors", clips())
    moments = LatentShard(tmp_path / "0.safetensors").moments
    every = torch.cat([clip.frames for clip in clips()]).double()
    torch.testing.assert_close(moments.count.flatten(), torch.full((2,), 24.0, dtype=torch.float64))
    torch.testing.assert_close(moments.mean.flatten(), every.mean((0, 2)))
    torch.testing.assert_close(moments.std.flatten(), every.std((0, 2), correction=0))


def test_the_same_recordings_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("x.safetensors", "y.safetensors"):
        write_shard(tmp_path / name, clips(), left_out=[("z.mp4", "damaged", "cut short")])
    assert (tmp_path / "x.safetensors").read_bytes() == (tmp_path / "y.safetensors").read_bytes()
    assert LatentShard(tmp_path / "x.safetensors").left_out == [["z.mp4", "damaged", "cut short"]]


def test_a_file_without_recordings_says_what_was_left_out(tmp_path: Path) -> None:
    write_shard(tmp_path / "0.safetensors", [], left_out=[("z.mp4", "damaged", "cut short")])
    shard = LatentShard(tmp_path / "0.safetensors")
    assert (shard.recordings, shard.latent_shape) == ([], None)
    assert shard.left_out == [["z.mp4", "damaged", "cut short"]]


def test_a_file_that_is_missing_or_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "0.safetensors"
    with pytest.raises(InputError, match=r"0\.safetensors: a file of latents is missing"):
        open_shard(path)
    write_shard(path, clips())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(InputError, match=r"0\.safetensors: cannot be read as a file of latents"):
        open_shard(path)


def test_a_file_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "0.safetensors"
    write_shard(path, clips())
    open_shard(path)
    write_shard(path, clips()[1:])
    assert [held.key for held in open_shard(path).recordings] == ["b"]
