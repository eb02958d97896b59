"""No training begins or goes on with tensors that are not numbers; the message names file and tensor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]

DAMAGE: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "nan": (lambda x: x * torch.nan, "values are NaN or Inf"),
    "inf": (lambda x: x + torch.inf, "values are NaN or Inf"),
    "int8": (lambda x: x.to(torch.int8), "is of type int8; allowed: a floating type"),
    "complex64": (lambda x: x.to(torch.complex64), "is of type complex64; allowed: a floating type"),
}


def damage(file: Path, tensor: str, kind: str) -> str:
    """Damage a tensor of a file and return what the message must say of it."""
    change, message = DAMAGE[kind]
    tensors = load_file(file)
    save_file(tensors | {tensor: change(tensors[tensor]).contiguous()}, file)
    return message


@pytest.fixture(scope="module")
def _kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept") / "run"


@pytest.fixture
def stopped(_kept: Path, tmp_path: Path, plain_config: Configure, run: Run) -> Path:
    """A run that goes on from step 2, in the middle of what a line of its log averages; trained once."""
    if not _kept.exists():
        run(plain_config(steps=4, save_every=2, eval_every=9, log_every=3), _kept)
        shutil.rmtree(_kept / "checkpoints" / "step-00000004")
    return Path(shutil.copytree(_kept, tmp_path / "run"))


@pytest.mark.parametrize("kind", DAMAGE)
@pytest.mark.parametrize(
    ("file", "tensor"),
    [
        ("model.safetensors", "output.weight"),
        ("trainer/weights.safetensors", "output.weight"),
        ("trainer/optimizer.safetensors", "output.weight.exp_avg"),
    ],
)
def test_no_run_goes_on_with_what_is_no_number(
    plain_config: Configure, run: Run, stopped: Path, file: str, tensor: str, kind: str
) -> None:
    newest = stopped / "checkpoints" / "step-00000002"
    message = damage(newest / file, tensor, kind)
    before = {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=rf"^{newest}\S*: {tensor}.*{message}"):
        run(plain_config(steps=7, eval_every=9), stopped, resume=True)
    assert {path: path.read_bytes() for path in stopped.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("kind", DAMAGE)
def test_no_run_begins_with_what_is_no_number(
    plain_config: Configure, run: Run, stopped: Path, tmp_path: Path, kind: str
) -> None:
    message = damage(stopped / "model.safetensors", "output.weight", kind)
    with pytest.raises(InputError, match=rf"^--init-from {stopped}: output.weight.*{message}"):
        run(plain_config(steps=2), tmp_path / "new", init_from=stopped)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("name", ["random", "meter"])
def test_states_beside_the_weights_are_held_to_what_a_training_writes(
    plain_config: Configure, run: Run, stopped: Path, name: str
) -> None:
    file = stopped / "checkpoints" / "step-00000002" / "trainer" / f"{name}.safetensors"
    save_file({key: value[..., None].clone() for key, value in load_file(file).items()}, file)
    with pytest.raises(InputError, match=rf"^{file}: .* is torch\.\w+ \([\d, ]+\); allowed: "):
        run(plain_config(steps=7, eval_every=9), stopped, resume=True)
