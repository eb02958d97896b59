"""Training on latents that were coded once is training on the files, up to the rounding of float16."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from seqdis_toy import ToyCodec, ToyModality

from seqdis.core.analysis.encode_data import encode_data
from seqdis.core.analysis.swap import swap
from seqdis.core.config import RunConfig, change_config
from seqdis.core.data.discovery import find_inputs
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import build_dataset, get_modality
from seqdis.core.remembered_data import data_of_run
from seqdis.core.sequences import Sequences
from seqdis.core.training.plan import build_splits
from seqdis.core.training.run import train

ROUNDING = 2**-10
"""Half precision keeps 11 bits of a number."""


def rows(seed: int, count: int) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("pick", ["window", "spread"])
def test_batches_are_those_of_the_files(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, pick: str, split: str
) -> None:
    config = change_config(latent_config, {"data.pick": pick})
    on_files, on_latents = (getattr(build_splits(config, root), split) for root in (toy_files, toy_latents))
    assert (on_files.coded, on_latents.coded) == (False, True)
    assert (on_files.shape, on_latents.shape) == ((4, 8), (4, 5))
    assert len(on_files) == len(on_latents)
    assert on_files.labels == on_latents.labels
    codec = get_modality("toy").codec(config.codec)
    for epoch in (0, 3):
        a, b = (x.fetch(range(len(on_files)), epoch=epoch) for x in (on_files, on_latents))
        assert b.coded
        assert list(a.keys) == list(b.keys)
        assert torch.equal(a.mask, b.mask)
        for name, values in a.labels.items():
            assert torch.equal(values, b.labels[name])
        expected = codec.encode(a.x) * a.mask[..., None]
        torch.testing.assert_close(b.x, expected, rtol=ROUNDING, atol=1e-5)


def test_factors_and_losses_are_those_of_the_files(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path
) -> None:
    a, b = (build_splits(latent_config, root).train.fetch(range(8)) for root in (toy_files, toy_latents))
    torch.manual_seed(0)
    model = build_model(latent_config).eval()
    torch.testing.assert_close(model.encode(a).static, model.encode(b).static, rtol=1e-2, atol=1e-3)
    losses = [float(model.loss(batch, generator=rows(7, 8)).loss.detach()) for batch in (a, b)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    with pytest.raises(InputError, match=r"cat needs the same kind of frames \(natural or coded\)"):
        Sequences.cat([Sequences(torch.zeros(1, 4, 8)), Sequences(torch.zeros(1, 4, 8), coded=True)])
    with pytest.raises(InputError, match=r"input: latents of shape \(1, 4, 8\); allowed: \(B, V, 5\)"):
        model.encode(Sequences(torch.zeros(1, 4, 8), coded=True))


def test_a_training_leaves_the_same_model_and_codes_no_frame(
    latent_config: RunConfig,
    toy_files: Path,
    toy_latents: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[Any] = []
    draw = ToyModality.draw
    monkeypatch.setattr(ToyModality, "draw", lambda *a: (shown.append(a[2]), draw(*a)))
    config = change_config(latent_config, {"train.batch_size": 4})
    logs, coded = {}, {}
    for name, root in {"files": toy_files, "latents": toy_latents}.items():
        ToyCodec.frames_coded = 0
        train(config, tmp_path / name, data=root, device="cpu", show_progress=False)
        coded[name] = ToyCodec.frames_coded
        lines = (tmp_path / name / "log.jsonl").read_text().splitlines()
        logs[name] = [line for line in map(json.loads, lines) if "loss" in line or "val_loss" in line]
    assert coded["files"] > 0
    assert coded["latents"] == 0
    for one, other in zip(logs["files"], logs["latents"], strict=True):
        for value in {"loss", "val_loss"} & one.keys():
            assert one[value] == pytest.approx(other[value], rel=2e-3)
    configs = [(tmp_path / name / "config.json").read_text() for name in ("files", "latents")]
    assert configs[0] == configs[1]
    models = [Disentangler.from_pretrained(tmp_path / name) for name in ("files", "latents")]
    torch.testing.assert_close(models[0].normalizer.std, models[1].normalizer.std, rtol=1e-3, atol=0)
    assert models[1].reconstruct(torch.zeros(1, 4, 8)).shape == (1, 4, 8)  # real frames in, real frames out
    # Previews show frames, not latents: half of the pictures belong to either run.
    by_run = shown[: len(shown) // 2], shown[len(shown) // 2 :]
    for on_files, on_latents in zip(*by_run, strict=True):
        for row, other in zip(on_files, on_latents, strict=True):
            assert row[0].title == other[0].title
            projected = row[0].frames @ _projection(models[0])
            torch.testing.assert_close(other[0].frames, projected, rtol=1e-2, atol=2e-2)


def _projection(model: Disentangler) -> torch.Tensor:
    """What the codec leaves of a frame when it is decoded again."""
    return model.codec.decode(model.codec.encode(torch.eye(8)))


def test_a_result_shows_natural_frames(latent_config: RunConfig, toy_latents: Path) -> None:
    batch = build_splits(latent_config, toy_latents).train.fetch([0, 1])
    model = build_model(latent_config).eval()
    result = swap(model, batch[:1], batch[1:])
    assert result.a.shape == (1, 4, 8)
    torch.testing.assert_close(result.a, model.codec.decode(batch.x[:1]))


def test_what_needs_frames_reads_the_files_behind(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, tmp_path: Path
) -> None:
    config = build_splits(latent_config, toy_latents).config
    dataset = build_dataset("toy", config.data, "test", root=toy_latents)
    expected = build_dataset("toy", config.data, "test", root=toy_files)
    assert not dataset.coded
    assert torch.equal(dataset.fetch([0]).x, expected.fetch([0]).x)
    moved = tmp_path / "latents"
    shutil.copytree(toy_latents, moved)
    index = json.loads((moved / "index.json").read_text())
    (moved / "index.json").write_text(json.dumps(index | {"files": "/nowhere/clips"}, indent=2))
    with pytest.raises(
        InputError, match=r"holds latents of /nowhere/clips, which is not there any more; .* --data"
    ):
        build_dataset("toy", config.data, "test", root=moved)
    assert build_splits(latent_config, moved).train.coded  # a training needs the latents alone


def test_a_run_remembers_the_latents(latent_config: RunConfig, toy_latents: Path, tmp_path: Path) -> None:
    config = change_config(latent_config, {"train.steps": 1})
    train(config, tmp_path / "run", data=toy_latents, device="cpu", show_progress=False)
    assert data_of_run(tmp_path / "run", config) == toy_latents


def test_what_the_run_leaves_open_is_that_of_the_latents(
    latent_config: RunConfig, toy_latents: Path, toy_codec: Path, caplog: pytest.LogCaptureFixture
) -> None:
    open_ = change_config(latent_config, {"codec.path": None, "data.length": 30})
    with caplog.at_level(logging.WARNING):
        config = build_splits(open_, toy_latents).config
    assert config.codec.path == str(toy_codec)
    assert config.data.length == 9
    assert "the longest recording has 9 steps" in caplog.text


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"codec.name": "identity"}, "holds latents of codec 'linear'; the run's is 'identity'; allowed: codec.name=linear"),
        ({"data.frame_shape": [7]}, r"with data.frame_shape=\[8\]; the run says \[7\]; code the files anew"),
        ({"data.options": {"pace": 2}}, "with data.options.pace=nothing; the run says 2"),
        ({"data.dataset": "ramps"}, "holds latents of files, and the data of 'toy-folder' are 'ramps'"),
        ({"data.min_length": 10}, "no recording is left: 14 recordings too short"),
    ],
)  # fmt: skip
def test_latents_of_something_else_are_refused(
    latent_config: RunConfig, toy_latents: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as error:
        build_splits(change_config(latent_config, values), toy_latents)
    assert "\n" not in str(error.value)


def test_latents_of_other_weights_are_refused(
    latent_config: RunConfig, toy_latents: Path, tmp_path: Path
) -> None:
    np.save(tmp_path / "weights.npy", np.ones((8, 5), dtype=np.float32))
    other = change_config(latent_config, {"codec.path": str(tmp_path)})
    with pytest.raises(
        InputError, match=f"of other weights than those of codec.path={tmp_path}; code the files"
    ):
        build_splits(other, toy_latents)


def test_targets_that_are_computed_from_frames_are_refused(
    latent_config: RunConfig, toy_files: Path, toy_latents: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdis.core.latent_settings.required_targets", lambda method, config: ("flow",))
    with pytest.raises(InputError) as error:
        build_splits(latent_config, toy_latents)
    assert str(error.value) == (
        f"{toy_latents}: holds latents, and diffsda learns from flow, which is computed from the frames themselves; "
        f"allowed: --data {toy_files}"
    )


def test_files_that_have_changed_are_said(
    latent_config: RunConfig,
    toy_files: Path,
    toy_latents: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    build_splits(latent_config, toy_latents)
    assert "have changed" not in caplog.text
    files, latents = tmp_path / "files", tmp_path / "latents"
    shutil.copytree(toy_files, files)
    shutil.copytree(toy_latents, latents)
    index = json.loads((latents / "index.json").read_text())
    (latents / "index.json").write_text(json.dumps(index | {"files": str(files)}, indent=2))
    build_splits(latent_config, latents)
    assert f"the files in {files} have changed since they were coded" in caplog.text


def test_a_folder_of_latents_is_no_input(toy_files: Path, toy_latents: Path, tmp_path: Path) -> None:
    toy = get_modality("toy")
    shutil.copytree(toy_files, tmp_path / "files")
    shutil.copytree(toy_latents, tmp_path / "files" / "latents")
    found = find_inputs(toy, [tmp_path / "files"])
    assert len(found.paths) == 14
    assert [left.reason for left in found.left_out] == ["made"]
    with pytest.raises(InputError, match=r"holds latents of .*; give the files themselves"):
        find_inputs(toy, [toy_latents])


def test_shards_of_another_job_are_no_latents(latent_config: RunConfig, tmp_path: Path) -> None:
    head = {"format": "seqdis.shards.1", "job": "encode", "made_from": {}, "shards": 1, "finished": True}
    (tmp_path / "index.json").write_text(json.dumps(head, indent=2))
    with pytest.raises(
        InputError, match="holds what seqdis encode made; allowed: latents, made by seqdis data encode"
    ):
        build_splits(latent_config, tmp_path)


def test_folders_that_name_the_splits_do_so_for_latents(
    latent_config: RunConfig, toy_files: Path, tmp_path: Path
) -> None:
    def keys(root: Path) -> dict[str, Sequence[str] | None]:
        splits = build_splits(latent_config, root)
        every = {"train": splits.train, "val": splits.val}
        return {name: None if one is None else one.fetch(range(len(one))).keys for name, one in every.items()}

    files = tmp_path / "files"
    shutil.copytree(toy_files / "a", files / "train")
    encode_data(latent_config, files, tmp_path / "x", device="cpu")
    assert keys(files) == keys(tmp_path / "x")
    assert keys(files)["val"] is None
    shutil.copytree(toy_files / "b", files / "val")
    encode_data(latent_config, files, tmp_path / "y", device="cpu")
    assert keys(files) == keys(tmp_path / "y")
    assert keys(files)["val"] is not None
