"""The frames of files coded once: the same bytes whoever does it, and never over something else."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from seqdis_toy import ToyModality

from seqdis.core.analysis import latent_job
from seqdis.core.analysis.encode_data import EncodedData, encode_data
from seqdis.core.analysis.latent_job import LatentJob
from seqdis.core.config import RunConfig, change_config
from seqdis.core.data.clip import Clip
from seqdis.core.data.latent_cache import open_latents
from seqdis.core.data.recording import Recording
from seqdis.core.errors import InputError
from seqdis.core.executors import get_executor
from seqdis.core.leftovers import machine
from seqdis.core.registry import get_preset


def encode(config: RunConfig, files: Path, out: Path, **options: object) -> EncodedData:
    encoded = encode_data(config, files, out, device="cpu", **{"batch_size": 3, **options})  # type: ignore[arg-type]
    assert encoded is not None
    return encoded


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.safetensors")}


def test_latents_are_what_the_codec_gives_as_float16(
    toy_files: Path, toy_latents: Path, toy_codec: Path
) -> None:
    cache = open_latents(toy_latents)
    weights = np.load(toy_codec / "weights.npy").astype(np.float64)
    every = []
    keys = sorted(path.relative_to(toy_files).as_posix() for path in toy_files.glob("*/*.npy"))
    assert [one.key for one in cache.recordings] == keys
    for one in cache.recordings:
        expected = np.load(toy_files / one.key).astype(np.float64) @ weights
        assert one.steps == len(expected)
        np.testing.assert_allclose(one.whole().frames.double(), expected, rtol=2**-10, atol=1e-5)
        every.append(one.whole().frames.double())
    torch.testing.assert_close(cache.mean, torch.cat(every).mean(0))
    torch.testing.assert_close(cache.std, torch.cat(every).std(0, correction=0))


def test_labels_come_along(toy_latents: Path, toy_files: Path) -> None:
    cache = open_latents(toy_latents)
    known = json.loads((toy_files / "labels.json").read_text())["clips"]
    assert cache.labels["what"].classes == ("act 0", "act 1", "act 2")
    assert (cache.labels["who"].factor, cache.labels["what"].factor) == ("static", "dynamic")
    assert {one.key: one.labels for one in cache.recordings} == known


def test_several_processes_leave_what_one_does(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    executor = get_executor("local", {"processes": 2})
    encode(latent_config, toy_files, tmp_path / "shared", executor=executor, workers=1)
    assert shards(tmp_path / "shared") == shards(toy_latents)
    made = [json.loads((folder / "index.json").read_text()) for folder in (tmp_path / "shared", toy_latents)]
    assert made[0] == made[1]


def test_what_was_stopped_goes_on_with_what_is_missing(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    out = tmp_path / "latents"
    shutil.copytree(toy_latents, out)
    names = sorted(shards(out))
    (out / names[2]).unlink()
    left = out / f".partial-{names[2]}-{machine()}-{2**22 + 1}-00000000"
    left.mkdir()
    (left / names[2]).write_bytes(b"what a killed process left")
    index = json.loads((out / "index.json").read_text())
    (out / "index.json").write_text(json.dumps(index | {"finished": False}, indent=2))
    with pytest.raises(InputError, match=r"13 of 14 shards are there; the same seqdis data encode goes on"):
        open_latents(out)
    (out / names[0]).touch()
    before = (out / names[0]).stat().st_mtime_ns
    reports: list[tuple[int, int]] = []
    encode(latent_config, toy_files, out, progress=lambda *report: reports.append(report))
    assert reports == [(1, 1)]
    assert (out / names[0]).stat().st_mtime_ns == before
    assert shards(out) == shards(toy_latents)
    assert not left.exists()


def test_latents_of_something_else_are_refused_or_made_anew(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    out, other = tmp_path / "latents", tmp_path / "codec"
    shutil.copytree(toy_latents, out)
    other.mkdir()
    np.save(other / "weights.npy", np.ones((8, 5), dtype=np.float32))
    changed = change_config(latent_config, {"codec.path": str(other)})
    with pytest.raises(InputError, match="holds shards made from other codec; --force starts over"):
        encode(changed, toy_files, out)
    with pytest.raises(InputError, match="holds shards made from other settings; --force starts over"):
        encode(latent_config, toy_files, out, batch_size=4)
    with pytest.raises(InputError, match="made from other settings and inputs"):
        encode(latent_config, toy_files / "a", out)
    encode(changed, toy_files, out, force=True)
    first = open_latents(out).recordings[0]
    expected = np.load(toy_files / first.key).sum(1, keepdims=True).repeat(5, 1)
    np.testing.assert_allclose(first.whole().frames, expected, rtol=2e-3, atol=2e-3)


def test_labels_may_change_without_coding_anew(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    files, out = tmp_path / "files", tmp_path / "latents"
    shutil.copytree(toy_files, files)
    encode(latent_config, files, out)
    (files / "labels.json").unlink()
    reports: list[object] = []
    encode(latent_config, files, out, progress=lambda *report: reports.append(report))
    assert reports == []
    assert open_latents(out).labels == {}


def test_files_that_cannot_be_used(latent_config: RunConfig, toy_files: Path, tmp_path: Path) -> None:
    files, out = tmp_path / "files", tmp_path / "latents"
    shutil.copytree(toy_files / "a", files)
    (files / "bad.npy").write_bytes(b"no array")
    with pytest.raises(
        InputError, match=r"bad.npy: cannot be read as npy.*--skip-bad leaves out .*7 of 8 sh"
    ):
        encode(latent_config, files, out)
    encoded = encode(change_config(latent_config, {"data.skip_bad": True}), files, out)
    assert len(encoded.cache.recordings) == 7
    left = encoded.cache.left_out[0]
    assert (left.path.name, left.reason) == ("bad.npy", "damaged")


@dataclass(frozen=True, kw_only=True)
class CutShort(Recording):
    """A recording whose damage shows at its fifth step."""

    key: str
    labels: Mapping[str, str] | None = None
    steps = 9
    frame_shape = (8,)

    def take(self, steps: torch.Tensor) -> Clip:
        if int(steps.max()) >= 4:
            raise InputError(f"{self.key}: damaged at 4 s")
        return Clip(torch.ones(len(steps), 8), self.key)


def test_damage_in_the_midst_of_a_file_leaves_nothing_of_it(
    latent_config: RunConfig, toy_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ToyModality.open
    monkeypatch.setattr(latent_job, "PASSES_READ_TOGETHER", 1)
    monkeypatch.setattr(
        ToyModality,
        "open",
        lambda self, path, data: [CutShort(key=path.name)] if path.stem == "02" else whole(self, path, data),
    )
    config = change_config(latent_config, {"data.skip_bad": True})
    cache = encode(config, toy_files / "a", tmp_path / "latents").cache
    keys = [one.key for one in cache.recordings]
    assert keys == [f"{i:02d}.npy" for i in range(0, 14, 2) if i != 2]
    assert [(left.path.name, left.detail) for left in cache.left_out] == [
        ("02.npy", "02.npy: damaged at 4 s")
    ]
    frames = np.load(toy_files / "a" / "04.npy")
    assert cache.recordings[1].steps == len(frames)


def test_latents_beyond_float16_are_refused(latent_config: RunConfig, tmp_path: Path) -> None:
    np.save(tmp_path / "large.npy", np.full((3, 8), 1e6, dtype=np.float32))
    with pytest.raises(InputError, match=r"large.npy: its latents do not fit into float16, up to 65504"):
        encode(latent_config, tmp_path, tmp_path / "latents")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["large.npy"]


def test_missing_entries_are_refused(latent_config: RunConfig, tmp_path: Path) -> None:
    job = LatentJob(
        folder=tmp_path, device="cpu", modality="toy", data="", codec="", root=tmp_path, batch_size=2
    )
    observed = torch.ones(5, 8, dtype=torch.bool)
    assert [part.steps for part in job._parts(Clip(torch.zeros(5, 8), "a", observed))] == [2, 2, 1]
    observed[3, 1] = False
    with pytest.raises(InputError, match="a: 1 entries of steps 2 and after it are missing"):
        list(job._parts(Clip(torch.zeros(5, 8), "a", observed)))


def test_what_has_nothing_to_code_is_refused(
    latent_config: RunConfig, toy_files: Path, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="preset 'toy-folder' has no frame codec"):
        encode(get_preset("toy-folder"), toy_files, tmp_path / "latents")
    named = change_config(latent_config, {"data.dataset": "ramps"})
    with pytest.raises(InputError, match="is of the dataset 'ramps'; allowed: a folder of files"):
        encode(named, toy_files, tmp_path / "latents")
    with pytest.raises(InputError, match=r"the toy codec needs frames \(8,\); got \(3,\)"):
        encode(change_config(latent_config, {"data.frame_shape": [3]}), toy_files, tmp_path / "latents")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("steps", [2**31, 0, -3, "5", True])
def test_an_index_tells_of_no_more_than_its_files_hold(
    steps: object, toy_latents: Path, tmp_path: Path
) -> None:
    shutil.copytree(toy_latents, tmp_path / "latents")
    path = tmp_path / "latents" / "index.json"
    index = json.loads(path.read_text())
    index["contents"][0]["recordings"][0]["steps"] = steps
    path.write_text(json.dumps(index))
    with pytest.raises(
        InputError,
        match=r"bytes; its index tells of \d+ steps|cannot be read as an index of latents: .* has .* steps",
    ):
        open_latents(tmp_path / "latents")


def test_a_file_of_latents_that_is_gone_is_named(toy_latents: Path, tmp_path: Path) -> None:
    shutil.copytree(toy_latents, tmp_path / "latents")
    first = sorted(shards(tmp_path / "latents"))[0]
    (tmp_path / "latents" / first).unlink()
    with pytest.raises(InputError, match=rf"{first}: cannot be read: No such file"):
        open_latents(tmp_path / "latents")
