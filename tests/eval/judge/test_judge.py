from __future__ import annotations

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
from seqdis.eval.judge.judge_training import JudgeBudget, measure_judge, predict_all, train_judge
from seqdis.eval.judge.sequence_judge import SequenceJudge

LABELS = {"colour": Label(("red", "green"), "static"), "way": Label(("in", "out", "none"), "dynamic")}
BRIEF = JudgeBudget(steps=120, batch_size=16, check_every=20)


def moving_dots(count: int, seed: int) -> ArraySequences:
    g = torch.Generator().manual_seed(seed)
    colour, way = torch.randint(2, (count,), generator=g), torch.randint(3, (count,), generator=g)
    x = torch.zeros(count, 4, 3, 8, 8)
    for i in range(count):
        for v in range(4):
            column = {0: 1 + v, 1: 6 - v, 2: 3}[int(way[i])]
            x[i, v, colour[i], 2:6, column : column + 2] = 1
    x += 0.05 * torch.randn(x.shape, generator=g)
    return ArraySequences(x, labels=LABELS, label_values={"colour": colour, "way": way})


def test_a_judge_of_images_learns_labels_of_both_sides() -> None:
    judge = train_judge(moving_dots(200, 0), budget=BRIEF, width=8)
    accuracy = measure_judge(judge, moving_dots(80, 1))
    assert accuracy.joint >= 0.95
    assert accuracy.n == 80
    assert accuracy.joint <= min(accuracy.labels.values())


def test_a_judge_of_vectors_learns_labels_of_both_sides(world) -> None:
    judge = train_judge(world(200, 0), budget=BRIEF)
    assert measure_judge(judge, world(80, 1)).joint >= 0.95


def test_training_is_a_function_of_its_seed_and_leaves_the_global_one_alone(world) -> None:
    budget = JudgeBudget(steps=6, batch_size=8, check_every=3)
    before = torch.random.get_rng_state()
    first, again, other = (train_judge(world(40, 0), seed=s, budget=budget).state_dict() for s in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_the_published_judge_at_64_pixels() -> None:
    judge = SequenceJudge(labels=LABELS, frame_shape=(3, 64, 64))
    convolutions = [m for m in judge.trunk if isinstance(m, torch.nn.Conv2d)]
    assert [c.out_channels for c in convolutions] == [64, 128, 256, 512, 128]
    assert [(c.kernel_size, c.stride, c.padding) for c in convolutions[:4]] == [((4, 4), (2, 2), (1, 1))] * 4
    assert convolutions[4].kernel_size == (4, 4)
    assert (judge.lstm.hidden_size, judge.lstm.bidirectional) == (256, True)
    assert [(head[0].in_features, head[0].out_features, head[2].out_features) for head in judge.heads] == [
        (512, 256, 2),
        (512, 256, 3),
    ]


@pytest.mark.parametrize("frame_shape", [(3, 16, 16), (1, 32, 32), (3, 48, 36), (1, 5, 7), (6,)])
def test_any_frame_size_gives_logits_of_every_label(frame_shape: tuple[int, ...]) -> None:
    judge = SequenceJudge(labels=LABELS, frame_shape=frame_shape).eval()
    logits = judge(torch.randn(2, 3, *frame_shape))
    assert {name: tuple(value.shape) for name, value in logits.items()} == {"colour": (2, 2), "way": (2, 3)}


def test_padding_has_no_influence() -> None:
    judge = SequenceJudge(labels=LABELS, frame_shape=(6,)).eval()
    x = torch.randn(3, 5, 6)
    mask = torch.arange(5) < torch.tensor([[2], [5], [4]])
    padded = judge(torch.where(mask[..., None], x, 1e6), mask)
    for i, length in enumerate((2, 5, 4)):
        alone = judge(x[i : i + 1, :length])
        for name in LABELS:
            torch.testing.assert_close(padded[name][i : i + 1], alone[name], atol=1e-5, rtol=1e-4)


def test_predictions_do_not_depend_on_the_batch(world) -> None:
    judge = SequenceJudge(labels=world(1, 0).labels, frame_shape=(4,)).eval()
    test = world(10, 1)
    whole, single = predict_all(judge, test), predict_all(judge, test, batch_size=1)
    assert all(torch.equal(whole[name], single[name]) for name in whole)


def test_save_then_load_is_bit_equal(tmp_path) -> None:
    judge = SequenceJudge(labels=LABELS, frame_shape=(6,), width=8).eval()
    accuracy = JudgeAccuracy(joint=0.5, labels={"colour": 0.75, "way": 0.5}, n=4)
    judge.save(tmp_path / "judge.safetensors", accuracy=accuracy, origin="here")
    loaded, its_accuracy, origin = SequenceJudge.load(tmp_path / "judge.safetensors")
    assert (loaded.labels, loaded.frame_shape, its_accuracy, origin) == (LABELS, (6,), accuracy, "here")
    for attempt in range(4):
        judge.save(tmp_path / f"{attempt}.safetensors", accuracy=accuracy, origin="here")
        assert (tmp_path / f"{attempt}.safetensors").read_bytes() == (
            tmp_path / "judge.safetensors"
        ).read_bytes()
    x = torch.randn(2, 3, 6)
    assert all(torch.equal(loaded(x)[name], judge(x)[name]) for name in LABELS)


def test_weights_that_are_not_finite_numbers_are_refused_by_the_tensor(tmp_path) -> None:
    path = tmp_path / "judge.safetensors"
    judge = SequenceJudge(labels=LABELS, frame_shape=(6,), width=8).eval()
    accuracy = JudgeAccuracy(joint=0.5, labels={"colour": 0.75, "way": 0.5}, n=4)
    judge.save(path, accuracy=accuracy, origin="here")
    with safe_open(str(path), framework="pt") as file:
        about, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    name = "heads.0.0.bias"
    for bad, message in (
        (tensors[name] * torch.nan, "values are NaN or Inf"),
        (tensors[name].to(torch.int8), "is of type int8; allowed: a floating type"),
    ):
        save_file(tensors | {name: bad}, path, about)
        with pytest.raises(InputError, match=rf"judge\.safetensors: {name}.*{message}"):
            SequenceJudge.load(path)
    judge.heads[0][0].bias.data.fill_(torch.nan)
    with pytest.raises(InputError, match=f"{name}: .*values are NaN or Inf"):
        judge.save(path, accuracy=accuracy, origin="here")


def test_what_is_not_a_judge_is_refused(tmp_path) -> None:
    damaged = tmp_path / "judge.safetensors"
    damaged.write_bytes(b"no judge")
    with pytest.raises(InputError, match=r"judge\.safetensors: cannot be read as a judge"):
        SequenceJudge.load(damaged)
    with pytest.raises(InputError, match="at least one label"):
        SequenceJudge(labels={}, frame_shape=(6,))
    with pytest.raises(InputError, match=r"frames \(C, H, W\) or \(F,\); got \(4, 4\)"):
        SequenceJudge(labels=LABELS, frame_shape=(4, 4))
    with pytest.raises(InputError, match="at least 20 training clips; got 19"):
        train_judge(moving_dots(19, 0))
