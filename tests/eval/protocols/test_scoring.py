from __future__ import annotations

import itertools

import pytest
import torch

from seqdis.core.analysis import fixed_pairs
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.eval.metrics.swap_accuracy import agreement, majority_chance, swap_metrics
from seqdis.eval.protocols.scoring import score_swaps


def test_a_perfect_model_gets_everything(world, reader, channels) -> None:
    metrics = score_swaps(channels(), world(40, 0), world(60, 1), judge=reader)
    assert list(metrics) == [
        "judge_accuracy",
        *("judge_level_accuracy", "judge_tilt_accuracy", "judge_path_accuracy"),
        *("swap_static_accuracy", "swap_dynamic_accuracy", "swap_joint_accuracy"),
        *("swap_level_accuracy", "swap_tilt_accuracy", "swap_path_accuracy"),
        "reconstruction_mse",
    ]
    assert metrics["reconstruction_mse"].value == 0
    shares = metrics.select(without="reconstruction").values()
    assert {(metric.value, metric.unit, metric.n) for metric in shares} == {(1.0, "share", 60)}


def test_a_model_with_exchanged_roles_gets_what_the_wrong_lender_happens_to_share(
    world, reader, channels
) -> None:
    test = world(60, 1)
    metrics = score_swaps(channels("reversed"), world(40, 0), test, judge=reader, seed=5)
    truth = test.all_labels()
    pairs = fixed_pairs(60, seed=5)
    same = {name: [bool(value[a] == value[b]) for a, b in pairs] for name, value in truth.items()}
    for name, hits in same.items():
        assert metrics[f"swap_{name}_accuracy"].value == pytest.approx(sum(hits) / 60)
    static = [a and b for a, b in zip(same["level"], same["tilt"], strict=True)]
    assert metrics["swap_static_accuracy"].value == pytest.approx(sum(static) / 60)
    joint = [a and b for a, b in zip(static, same["path"], strict=True)]
    assert metrics["swap_joint_accuracy"].value == pytest.approx(sum(joint) / 60)
    assert metrics["reconstruction_mse"].value == 0  # what a reconstruction does not tell


def test_a_constant_output_gets_its_own_classes_share(world, reader, channels) -> None:
    test = world(60, 1)
    metrics = score_swaps(channels("constant"), world(40, 0), test, judge=reader)
    truth = test.all_labels()  # all ones: high, right; not falling: rise
    high, right, rise = (
        (truth[name] == value).double().mean().item()
        for name, value in {"level": 2, "tilt": 1, "path": 0}.items()
    )
    assert metrics["swap_level_accuracy"].value == pytest.approx(high)
    assert metrics["swap_tilt_accuracy"].value == pytest.approx(right)
    assert metrics["swap_path_accuracy"].value == pytest.approx(rise)
    for name in truth:
        metric = metrics[f"swap_{name}_accuracy"]
        assert metric.value <= metric.chance


def test_chance_is_the_best_constant_answer() -> None:
    labels = [torch.tensor([0, 0, 0, 1]), torch.tensor([2, 1, 2, 2]), torch.tensor([5, 5, 0, 0])]
    assert majority_chance(labels) == pytest.approx(0.75 * 0.75 * 0.5)
    single = torch.tensor([3, 1, 1, 2, 1])
    assert majority_chance([single]) == max((single == c).double().mean().item() for c in range(4))


def test_agreement_counts_clips_with_all_labels_right() -> None:
    g = torch.Generator().manual_seed(0)
    truth = {name: torch.randint(3, (50,), generator=g) for name in "ab"}
    guess = {name: torch.randint(3, (50,), generator=g) for name in "abc"}
    right = sum(all(truth[n][i] == guess[n][i] for n in "ab") for i in range(50))
    metric = agreement(guess, truth)
    assert metric.value == right / 50
    assert metric.n == 50
    assert metric.ci95 is not None
    assert metric.ci95[0] < metric.value < metric.ci95[1]


def test_labels_of_one_side_alone_have_no_joint_accuracy(world) -> None:
    labels = {name: label for name, label in world(20, 0).labels.items() if label.factor == "static"}
    truth = {name: torch.zeros(4, dtype=torch.long) for name in labels}
    metrics = swap_metrics(labels, truth, truth)
    assert list(metrics) == ["swap_static_accuracy", "swap_level_accuracy", "swap_tilt_accuracy"]


def test_the_batch_size_does_not_matter_and_pairs_bounds_the_work(world, reader, channels) -> None:
    train, test = world(40, 0), world(30, 1)
    several, one = (
        score_swaps(channels("constant"), train, test, judge=reader, pairs=7, batch_size=size)
        for size in (3, 64)
    )
    assert several == one
    assert one["swap_joint_accuracy"].n == one["reconstruction_mse"].n == 7
    assert one["judge_accuracy"].n == 30


def test_progress_only_grows_and_ends_at_the_end(world, reader, channels) -> None:
    reports: list[tuple[int, int]] = []
    score_swaps(
        channels(),
        world(40, 0),
        world(30, 1),
        judge=reader,
        batch_size=8,
        progress=lambda *r: reports.append(r),
    )
    assert all(a <= b for a, b in itertools.pairwise(reports))
    assert reports[-1] == (1000, 1000)


def test_without_labels_only_the_reconstruction_is_measured(channels) -> None:
    plain = ArraySequences(torch.randn(6, 5, 4))
    assert list(score_swaps(channels(), plain, plain)) == ["reconstruction_mse"]


def test_masks_reach_the_model_and_the_judge(world, reader, channels) -> None:
    full = world(8, 0)
    mask = torch.arange(5).expand(8, 5) < torch.arange(8)[:, None] % 3 + 3
    padded = ArraySequences(
        full.fetch(range(8)).x, labels=full.labels, label_values=full.all_labels(), mask=mask
    )
    seen = []

    class Spy(channels):
        def swap(self, static, dynamic, **rest):
            seen.append((static.mask, dynamic.mask))
            return super().swap(static, dynamic, **rest)

    judged = []
    reader_predict = reader.predict
    reader.predict = lambda x, m=None: judged.append(m) or reader_predict(x)
    score_swaps(Spy(), padded, padded, judge=reader)
    static, dynamic = zip(*fixed_pairs(8), strict=True)
    assert torch.equal(seen[0][0], mask[list(static)])
    assert torch.equal(seen[0][1], mask[list(dynamic)])
    assert torch.equal(judged[-1], mask[list(dynamic)])


def test_splits_that_do_not_fit_together_are_refused(world, channels) -> None:
    with pytest.raises(
        InputError, match=r"scoring: train has \(5, 4\) with labels \['level', 'path', 'tilt'\], test"
    ):
        score_swaps(channels(), world(40, 0), ArraySequences(torch.randn(6, 5, 4)))


def test_the_scorer_trains_and_keeps_a_judge(world, channels, tmp_path) -> None:
    path = tmp_path / "judge" / "judge.safetensors"
    train, test = world(300, 0), world(60, 1)
    first = score_swaps(channels(), train, test, pairs=8, judge_path=path)
    assert first["judge_accuracy"].value >= 0.95
    kept = path.read_bytes()
    assert score_swaps(channels(), train, test, pairs=8, judge_path=path) == first
    assert path.read_bytes() == kept


def test_a_clip_is_never_paired_with_a_model_in_training_mode(world, reader, channels) -> None:
    model = channels().train()  # its encode refuses training mode
    score_swaps(model, world(40, 0), world(30, 1), judge=reader)
    assert model.training


def test_swap_of_a_perfect_model_mixes_the_named_sides(world, channels) -> None:
    batch: Sequences = world(2, 0).fetch([0, 1])
    swapped = channels().eval().swap(batch.x[:1], batch.x[1:])
    assert torch.equal(swapped[..., :2], batch.x[:1, :, :2])
    assert torch.equal(swapped[..., 2:], batch.x[1:, :, 2:])
