"""Shards of sounds and of videos: recordings, training and factors are those of the same files in a folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch
from typer.testing import CliRunner

from seqdis.core.cli.app import app
from seqdis.core.config import DataConfig
from seqdis.core.data.folder import folder_sequences
from seqdis.core.data.folder_content import folder_content
from seqdis.core.data.loader import BatchPlan, training_batches
from seqdis.core.data.unpacked_files import unpack
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.registry import get_modality

webdataset = pytest.importorskip("webdataset", reason="needs seqdis-core[shards]")


def sound(path: Path, number: int) -> None:
    soundfile.write(path, np.random.default_rng(number).normal(size=8000 + 400 * number) * 0.1, 8000)


def video(path: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        for _ in range(8 + number):
            frame = av.VideoFrame.from_ndarray(
                rng.integers(0, 255, (32, 32, 3), dtype=np.uint8), format="rgb24"
            )
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


KINDS: dict[str, tuple[Callable[[Path, int], None], str, DataConfig]] = {
    "audio": (sound, "wav", DataConfig(dataset="folder", length=20, frame_shape=())),
    "video": (video, "mp4", DataConfig(dataset="folder", length=6, frame_shape=(3, 16, 16))),
}


def both(tmp_path: Path, modality: str) -> tuple[Path, Path]:
    """The same twelve files in two shards and in a folder."""
    write, kind, _ = KINDS[modality]
    plain = tmp_path / "plain"
    plain.mkdir()
    for shard in range(2):
        with webdataset.TarWriter(str(tmp_path / f"part-{shard}.tar")) as out:
            for number in range(6 * shard, 6 * shard + 6):
                file = plain / f"part-{shard}.tar#{number:02d}.{kind}"
                write(file, number)
                out.write({"__key__": f"{number:02d}", kind: file.read_bytes()})
    return tmp_path / "part-{0..1}.tar", plain


@pytest.mark.parametrize("modality", KINDS)
def test_batches_are_those_of_a_folder_also_when_nothing_stays_unpacked(
    tmp_path: Path, modality: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    plugin, (shards, plain) = get_modality(modality), both(tmp_path, modality)
    settings = KINDS[modality][2]
    data = plugin.complete(settings, sorted(plain.iterdir()))
    packed, files = (folder_sequences(plugin, data, "train", root) for root in (shards, plain))
    shutil.rmtree(tmp_path / "cache" / "unpacked")
    plan = BatchPlan(len(files), 4)
    for workers in (0, 2):
        batches = [
            list(training_batches(one, plan, start=0, stop=5, workers=workers)) for one in (packed, files)
        ]
        for ours, theirs in zip(*batches, strict=True):
            assert torch.equal(ours.x, theirs.x)
            assert ours.keys == theirs.keys


def test_facts_and_damage_are_said_of_the_file_in_the_shard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    shards, _ = both(tmp_path, "audio")
    plugin = get_modality("audio")
    data = plugin.complete(KINDS["audio"][2], [unpack(Path(f"{tmp_path}/part-0.tar#00.wav"))])
    content = folder_content(plugin, data, shards)
    assert content.recordings[0].about()["samples a second"] == 8000
    file = unpack(Path(f"{tmp_path}/part-0.tar#00.wav"))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match=r"part-0.tar#00.wav: "):
        content.recordings[0].take(torch.tensor([0]))


def test_one_command_each_trains_encodes_and_swaps(tmp_path: Path) -> None:
    shards, plain = both(tmp_path, "audio")

    def seqdis(*words: object) -> str:
        result = CliRunner().invoke(app, [*map(str, words)])
        assert result.exit_code == 0, result.output
        return result.stdout

    run = tmp_path / "run"
    seqdis("train", "diffsda-audio", "--data", shards, "--out", run, "--device", "cpu",
           "train.steps=2", "batch_size=4", "eval_every=2", "workers=0")  # fmt: skip
    seqdis("train", "diffsda-audio", "--out", run, "--resume", "--device", "cpu",
           "train.steps=3", "batch_size=4", "eval_every=2", "workers=0")  # fmt: skip
    for source, out in ((shards, "packed"), (plain, "plain")):
        seqdis("encode", run, source, "--out", tmp_path / f"{out}.safetensors", "--device", "cpu")
    packed, files = (Factors.load(tmp_path / f"{name}.safetensors") for name in ("packed", "plain"))
    assert torch.equal(packed.static, files.static)
    assert list(packed.keys) == list(files.keys)
    pair = [Path(f"{tmp_path}/part-{shard}.tar#{6 * shard:02d}.wav") for shard in (0, 1)]
    seqdis("swap", run, "--static", pair[0], "--dynamic", pair[1], "--out", tmp_path / "s.wav",
           "--device", "cpu", "--steps", 3)  # fmt: skip
    assert (tmp_path / "s.wav").stat().st_size > 1000
