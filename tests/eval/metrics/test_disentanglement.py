from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from sklearn.metrics import mutual_info_score

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate
from seqdis.eval.metrics.dci import dci
from seqdis.eval.metrics.mig import mutual_information_gap
from seqdis.eval.metrics.sap import separated_attribute_predictability

Labels = dict[str, torch.Tensor]


def labels(count: int, seed: int) -> Labels:
    g = torch.Generator().manual_seed(seed)
    return {"who": torch.randint(4, (count,), generator=g), "what": torch.randint(3, (count,), generator=g)}


def perfect(truth: Labels, seed: int) -> torch.Tensor:
    """Entry 0 is one label, entry 1 the other, entry 2 nothing."""
    noise = torch.randn(len(truth["who"]), generator=torch.Generator().manual_seed(seed))
    return torch.stack([truth["who"].double(), truth["what"].double(), noise.double()], dim=1)


def mixed(truth: Labels, seed: int) -> torch.Tensor:
    """Every entry holds both."""
    x = perfect(truth, seed)[:, :2]
    return torch.stack([x[:, 0] + 4 * x[:, 1], x[:, 0] + 4.1 * x[:, 1], x[:, 0] + 4.2 * x[:, 1]], dim=1)


def values(metrics: Mapping[str, Estimate]) -> dict[str, float]:
    return {name: metric.value for name, metric in metrics.items()}


def test_mig_is_that_of_its_definition() -> None:
    g = torch.Generator().manual_seed(0)
    truth = labels(500, 0)
    codes = torch.randn(500, 4, generator=g).double() + 0.7 * truth["who"][:, None]
    cut = []
    for column in codes.T:
        edges = torch.linspace(column.min(), column.max(), 21, dtype=torch.float64)[1:-1]
        cut.append(torch.bucketize(column.contiguous(), edges, right=True))
    expected = 0.0
    for value in truth.values():
        shared = sorted(mutual_info_score(value, column) for column in cut)
        expected += (shared[-1] - shared[-2]) / mutual_info_score(value, value) / 2
    metric = mutual_information_gap(codes, truth)
    assert metric.value == pytest.approx(expected, abs=1e-9)
    assert metric.ci95 is not None
    assert metric.ci95[0] < metric.value < metric.ci95[1]


def test_perfect_and_mixed_codes() -> None:
    train, test = labels(600, 1), labels(400, 2)
    good, bad = (
        values(
            {
                "mig": mutual_information_gap(code(test, 2), test),
                "sap": separated_attribute_predictability(code(train, 1), train, code(test, 2), test),
                **dci(code(train, 1), train, code(test, 2), test),
            }
        )
        for code in (perfect, mixed)
    )
    assert good["mig"] > 0.9
    assert good["sap"] > 0.4  # a line through one entry does not part four classes
    assert good["disentanglement"] > 0.95
    assert good["completeness"] > 0.95
    assert good["informativeness"] == 1
    assert bad["mig"] < 0.1
    assert bad["sap"] < 0.1
    assert bad["disentanglement"] < 0.6
    assert bad["informativeness"] > 0.9  # all is there, but not apart


def test_a_constant_code_says_nothing() -> None:
    train, test = labels(200, 1), labels(100, 2)
    nothing = torch.zeros(200, 3), torch.zeros(100, 3)
    assert mutual_information_gap(nothing[1], test).value == 0
    assert separated_attribute_predictability(nothing[0], train, nothing[1], test).value == 0
    found = values(dci(nothing[0], train, nothing[1], test))
    assert (found["disentanglement"], found["completeness"]) == (0, 0)
    chance = [float((truth == train[name].mode().values).double().mean()) for name, truth in test.items()]
    assert found["informativeness"] == pytest.approx(sum(chance) / 2, abs=0.1)


def test_sap_is_that_of_its_definition() -> None:
    from sklearn.svm import LinearSVC

    train, test = labels(300, 3), labels(200, 4)
    known, seen = (mixed(t, s) + 2 * torch.randn(len(t["who"]), 3) for t, s in ((train, 3), (test, 4)))
    gaps = []
    for name, truth in train.items():
        rates = []
        for entry in range(3):
            column, other = known[:, entry].numpy(), seen[:, entry].numpy()
            machine = LinearSVC(C=0.01, class_weight="balanced")
            machine.fit(((column - column.mean()) / column.std())[:, None], truth.numpy())
            answers = machine.predict(((other - column.mean()) / column.std())[:, None])
            rates.append(sum(a == b for a, b in zip(answers, test[name].tolist(), strict=True)) / len(other))
        gaps.append(sorted(rates)[-1] - sorted(rates)[-2])
    found = separated_attribute_predictability(known, train, seen, test)
    assert found.value == pytest.approx(sum(gaps) / len(gaps))


def test_dci_is_that_of_its_definition() -> None:
    from math import log

    from sklearn.ensemble import RandomForestClassifier

    train, test = labels(300, 3), labels(200, 4)
    known, seen = (mixed(t, s) + torch.randn(len(t["who"]), 3) for t, s in ((train, 3), (test, 4)))
    r, right = [], []
    for name in sorted(train):
        forest = RandomForestClassifier(20, max_features=None, random_state=0).fit(
            known.numpy(), train[name].numpy()
        )
        r.append([float(v) for v in forest.feature_importances_])
        right.append(forest.score(seen.numpy(), test[name].numpy()))
    total, expected = sum(map(sum, r)), 0.0
    for entry in range(3):
        column = [row[entry] for row in r]
        shares = [v / sum(column) for v in column]
        expected += sum(column) / total * (1 + sum(p * log(p) for p in shares if p > 0) / log(2))
    complete = [1 + sum(p / sum(row) * log(p / sum(row)) for p in row if p > 0) / log(3) for row in r]
    found = values(dci(known, train, seen, test, trees=20, resamples=0))
    assert found["disentanglement"] == pytest.approx(expected, abs=1e-6)
    assert found["completeness"] == pytest.approx(sum(complete) / 2, abs=1e-6)
    assert found["informativeness"] == pytest.approx(sum(right) / 2)


def test_a_label_that_never_varies_is_left_out() -> None:
    truth = labels(300, 0)
    codes = perfect(truth, 0)
    still = {**truth, "where": torch.zeros(300, dtype=torch.long)}
    assert mutual_information_gap(codes, still) == mutual_information_gap(codes, truth)
    with pytest.raises(InputError, match=r"no label varies among \['where'\]"):
        mutual_information_gap(codes, {"where": still["where"]})


def test_intervals_narrow_with_more_sequences_and_hold_the_figure() -> None:
    widths = []
    for count in (100, 1600):
        truth, other = labels(count, 0), labels(count, 1)
        codes, learnt = ((perfect(t, 2) + 1.5 * torch.randn(count, 3)) for t in (truth, other))
        found = {
            "mig": mutual_information_gap(codes, truth, bins=5),
            "sap": separated_attribute_predictability(learnt, other, codes, truth),
            "informativeness": dci(learnt, other, codes, truth, trees=20)["informativeness"],
        }
        for metric in found.values():
            assert metric.ci95 is not None
            assert metric.ci95[0] <= metric.value <= metric.ci95[1]
            assert metric.n == count
        widths.append([metric.ci95[1] - metric.ci95[0] for metric in found.values() if metric.ci95])
    assert all(few > 2 * many for few, many in zip(*widths, strict=True))


def test_intervals_of_dci_come_from_its_trees() -> None:
    train, test = labels(300, 1), labels(100, 2)
    few, many = (
        dci(mixed(train, 1), train, mixed(test, 2), test, trees=trees)["completeness"] for trees in (10, 160)
    )
    assert few.ci95 is not None
    assert many.ci95 is not None
    assert few.ci95[1] - few.ci95[0] > 2 * (many.ci95[1] - many.ci95[0]) > 0


def test_bad_input_is_refused() -> None:
    truth = labels(10, 0)
    with pytest.raises(InputError, match="F ≥ 2"):
        mutual_information_gap(torch.zeros(10, 1), truth)
    one = {"who": truth["who"]}
    with pytest.raises(InputError, match="at least 2 that vary"):
        dci(torch.randn(10, 3), one, torch.randn(10, 3), one)
    with pytest.raises(InputError, match="they must agree"):
        separated_attribute_predictability(torch.randn(10, 3), truth, torch.randn(10, 4), truth)
