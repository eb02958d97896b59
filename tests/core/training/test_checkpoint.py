from __future__ import annotations

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

from seqdis.core import files
from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.leftovers import temporary_path
from seqdis.core.training import trainer
from seqdis.core.training.checkpoint import (
    list_checkpoints,
    prune_checkpoints,
    read_state,
)

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]


def _folders(root: Path, *names: str) -> None:
    for name in names:
        (root / name).mkdir(parents=True)
        (root / name / "file").write_text(name)


def test_what_a_kill_left_is_no_checkpoint(tmp_path: Path) -> None:
    _folders(tmp_path, "step-00000005")
    for step, kind in ((10, "partial"), (5, "replaced"), (1, "removed")):
        temporary_path(tmp_path / f"step-{step:08d}", kind).mkdir()  # type: ignore[arg-type]
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-00000005"]


def test_pruning_keeps_the_newest_and_the_best(tmp_path: Path) -> None:
    _folders(tmp_path, *(f"step-{i:08d}" for i in (3, 20, 100, 7)))
    prune_checkpoints(tmp_path, keep=1, best_step=7)
    assert [p.name for p in list_checkpoints(tmp_path)] == ["step-00000007", "step-00000100"]


def test_no_space_is_one_line_and_older_checkpoints_stay(
    tmp_path: Path, plain_config: Configure, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, out = files.save_file, tmp_path / "run"

    def full(tensors: Any, path: str, **options: Any) -> None:
        if "step-00000010" in path and "optimizer" in path:
            raise OSError(errno.ENOSPC, "No space left on device")
        original(tensors, path, **options)

    config = plain_config(steps=12, save_every=5, eval_every=100)
    with monkeypatch.context() as patch:
        patch.setattr(files, "save_file", full)
        with pytest.raises(
            InputError, match=r"^[^\n]*step-00000010[^\n]*cannot be written: [^\n]*No space left"
        ):
            run(config, out)
    assert [p.name for p in (out / "checkpoints").iterdir()] == ["step-00000005"]
    run(config, out, resume=True)
    run(config, tmp_path / "whole")
    assert (out / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()


def test_what_was_to_be_pruned_goes_with_the_next_start(
    tmp_path: Path, plain_config: Configure, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, out = plain_config(steps=12, save_every=3, eval_every=100, keep=1), tmp_path / "run"
    with monkeypatch.context() as patch:  # as if every save had been followed by a kill
        patch.setattr(trainer, "prune_checkpoints", lambda *_, **__: None)
        run(config, out)
    assert len(list_checkpoints(out / "checkpoints")) == 4
    run(config, out, resume=True)  # also where nothing is left to do
    assert [p.name for p in (out / "checkpoints").iterdir()] == ["step-00000012"]


@pytest.fixture
def stopped(tmp_path: Path, plain_config: Configure, run: Run) -> tuple[RunConfig, Path]:
    """A run with a checkpoint at step 4 that has not come to its end."""
    config = plain_config(steps=4, save_every=4)
    run(config, tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").unlink()
    return config, tmp_path / "run"


def _edit(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_damage_is_named(stopped: tuple[RunConfig, Path], run: Run) -> None:
    config, out = stopped
    newest = list_checkpoints(out / "checkpoints")[-1]
    state, moments = newest / "trainer" / "state.json", newest / "trainer" / "optimizer.safetensors"
    whole, whole_moments = state.read_text(), moments.read_bytes()

    _edit(state, format=2)
    with pytest.raises(InputError, match=r"state\.json: format 2; this version reads format 1$"):
        run(config, out, resume=True)
    state.write_text(whole)
    _edit(state, format="a" * 5000)
    with pytest.raises(InputError, match=r"state\.json: format 'a{79}; this version reads format 1$"):
        run(config, out, resume=True)
    state.write_text(whole)
    _edit(state, step=-1)
    with pytest.raises(InputError, match=r"state\.json: key 'step' is -1"):
        run(config, out, resume=True)
    state.write_text(whole[:20])
    with pytest.raises(InputError, match=r"state\.json: cannot be read as JSON"):
        run(config, out, resume=True)
    state.write_text(whole)

    moments.write_bytes(whole_moments[:100])
    with pytest.raises(InputError, match=r"optimizer\.safetensors: cannot be read"):
        run(config, out, resume=True)
    moments.unlink()
    with pytest.raises(InputError, match=r"optimizer\.safetensors: cannot be read"):
        run(config, out, resume=True)
    from torch import zeros

    save_file({"nothing.exp_avg": zeros(3)}, moments)
    with pytest.raises(InputError, match=r"nothing\.exp_avg of shape \(3,\) fits no parameter of the model$"):
        run(config, out, resume=True)
    moments.write_bytes(whole_moments)

    run(config, out, resume=True)  # nothing of the above was lasting
    assert read_state(newest).step == 4


def test_another_version_of_the_configuration_is_refused(stopped: tuple[RunConfig, Path], run: Run) -> None:
    config, out = stopped
    _edit(list_checkpoints(out / "checkpoints")[-1] / "config.json", format=7)
    with pytest.raises(InputError, match=r"config\.json: format 7; this version reads format 2$"):
        run(config, out, resume=True)
