"""A judge of one's own in place of ours: TorchScript, or a judge that this package has kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from tests.eval.conftest import LABELS
from torch import Tensor, nn

from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
from seqdis.eval.judge.judge_file import open_judge
from seqdis.eval.judge.sequence_judge import SequenceJudge
from seqdis.eval.protocols.scoring import score_swaps


class OneOnly(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.mean(1)


class Named(nn.Module):
    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"colour": x.mean(1)}


def written(module: nn.Module, path: Path) -> Path:
    torch.jit.script(module).save(str(path))
    return path


def scripted(tmp_path: Path) -> Path:
    counts = [len(label.classes) for label in LABELS.values()]

    class Fits(nn.Module):
        """As many logits as each label has classes."""

        def __init__(self) -> None:
            super().__init__()
            self.heads = nn.ModuleList(nn.Linear(4, count) for count in counts)

        def forward(self, x: Tensor) -> list[Tensor]:
            return [head(x.mean(1)) for head in self.heads]

    torch.manual_seed(0)
    return written(Fits(), tmp_path / "fits.pt")


def test_a_script_judges_swaps(world: Any, channels: Any, tmp_path: Path) -> None:
    test = world(20, 1)
    judge = open_judge(scripted(tmp_path), test)
    assert list(judge.labels) == list(LABELS)
    predicted, p = judge.predict(test.fetch([0, 1]).x), judge.probabilities(test.fetch([0, 1]).x)
    for name, label in LABELS.items():
        assert p[name].shape == (2, len(label.classes))
        assert torch.allclose(p[name].sum(1), torch.ones(2, dtype=torch.float64))
        assert torch.equal(p[name].argmax(1), predicted[name])
    metrics = score_swaps(channels().eval(), world(40, 0), test, judge=judge)
    assert metrics["swap_joint_accuracy"].n == 20


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (OneOnly(), r"returned 1 tensors; the labels are level, tilt, path"),
        (Named(), r"returned \['colour'\]; the labels are level, tilt, path"),
    ],
)
def test_a_script_of_another_form_is_refused(
    world: Any, tmp_path: Path, module: nn.Module, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        open_judge(written(module, tmp_path / "odd.pt"), world(4, 0))


class Level(nn.Module):
    """The same logit for all classes of three labels of 3, 2 and 2."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: Tensor) -> list[Tensor]:
        if self.value == 0.5:
            raise ValueError("of its own")
        return [torch.full([len(x), classes], self.value) for classes in [3, 2, 2]]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "label 'level', probabilities: 3 of 3 values are NaN"),
        (float("inf"), "label 'level', probabilities: 3 of 3 values are NaN"),
        (0.5, r"cannot judge clips \(1, 5, 4\): .*of its own"),
    ],
)
def test_a_script_that_says_nothing_is_refused(
    world: Any, tmp_path: Path, value: float, message: str
) -> None:
    assert [len(label.classes) for label in LABELS.values()] == [3, 2, 2]
    with pytest.raises(InputError, match=rf"level\.pt: .*{message}") as told:
        open_judge(written(Level(value), tmp_path / "level.pt"), world(4, 0)).predict(
            world(4, 0).fetch(range(4)).x
        )
    assert "\n" not in str(told.value)


DAMAGE = {
    "nan": (torch.nan, "values are NaN or Inf"),
    "inf": (torch.inf, "values are NaN or Inf"),
    **{
        str(kind): (kind, "is of type .*; allowed: a floating type") for kind in (torch.int8, torch.complex64)
    },
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_judge_whose_weights_are_no_numbers_is_refused_by_the_tensor(
    world: Any, tmp_path: Path, kind: str
) -> None:
    path, (change, message) = tmp_path / "own.safetensors", DAMAGE[kind]
    judge = SequenceJudge(labels=LABELS, frame_shape=(4,))
    judge.save(path, accuracy=JudgeAccuracy(1.0, {}, 1), origin="x")
    with safe_open(str(path), framework="pt") as file:
        about = file.metadata()
    state, name = judge.state_dict(), "heads.0.0.weight"
    state[name] = state[name] * change if isinstance(change, float) else state[name].to(change)
    save_file(state, path, about)
    with pytest.raises(InputError, match=rf"^{path}: {name}.*{message}"):
        open_judge(path, world(4, 0))


def test_a_file_that_holds_no_judge_is_refused(world: Any, tmp_path: Path) -> None:
    (tmp_path / "text.pt").write_text("no script")
    with pytest.raises(InputError, match=r"text\.pt: cannot be read as TorchScript"):
        open_judge(tmp_path / "text.pt", world(4, 0))
    with pytest.raises(InputError, match=r"absent\.safetensors: cannot be read as a judge"):
        open_judge(tmp_path / "absent.safetensors", world(4, 0))


def test_our_own_format_must_have_the_labels_of_the_data(world: Any, tmp_path: Path) -> None:
    accuracy = JudgeAccuracy(1.0, {}, 1)
    own, other = tmp_path / "own.safetensors", tmp_path / "other.safetensors"
    judge = SequenceJudge(labels=LABELS, frame_shape=(4,)).eval()
    judge.save(own, accuracy=accuracy, origin="x")
    data = world(6, 0)
    x = data.fetch(range(6)).x
    opened = open_judge(own, data)
    assert all(torch.equal(v, judge.predict(x)[k]) for k, v in opened.predict(x).items())
    SequenceJudge(labels={"colour": Label(("a", "b"), "static")}, frame_shape=(4,)).save(
        other, accuracy=accuracy, origin="x"
    )
    with pytest.raises(InputError, match=r"judges colour \(2 classes\); the data have level"):
        open_judge(other, data)
    SequenceJudge(labels=LABELS, frame_shape=(5,)).save(other, accuracy=accuracy, origin="x")
    with pytest.raises(InputError, match=r"judges frames \(5,\); the data have \(4,\)"):
        open_judge(other, data)


@pytest.mark.parametrize(
    "about",
    [
        {"labels": []},
        {"labels": "x"},
        {"labels": {"a": 3}},
        {"frame_shape": 3},
        {"frame_shape": [2**70]},
        {"frame_shape": [3, 2**20, 2**20]},
        {"width": "x"},
        {"width": -1},
        {"width": 2**20},
        {"accuracy": None},
        None,
    ],
)
def test_a_damaged_description_of_a_judge_is_told_in_one_line(tmp_path: Path, about: Any) -> None:
    judge = SequenceJudge(labels={"a": Label(("x", "y"), "static")}, frame_shape=(3,))
    path = tmp_path / "judge.safetensors"
    judge.save(path, accuracy=JudgeAccuracy(1.0, {"a": 1.0}, 5), origin="here")
    assert SequenceJudge.load(path)[2] == "here"
    with safe_open(str(path), framework="pt") as file:
        described = json.loads(file.metadata()["seqdis.judge.1"])
    damaged = about if about is None else {**described, **about}
    save_file(judge.state_dict(), path, {"seqdis.judge.1": json.dumps(damaged)})
    with pytest.raises(InputError, match=r"judge\.safetensors: .+") as told:
        SequenceJudge.load(path)
    assert "\n" not in str(told.value)
