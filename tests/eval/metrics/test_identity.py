from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.csim import cosine_similarity
from seqdis.eval.metrics.eer import equal_error_rate
from seqdis.eval.metrics.verification import verification_accuracy, verification_threshold


def seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_they_are_what_a_loop_finds() -> None:
    a, b = torch.randn(2, 3, 4, 5, generator=seed()).double()
    cosines = [
        [float(a[n, v] @ b[n, v] / (a[n, v].norm() * b[n, v].norm())) for v in range(4)] for n in range(3)
    ]
    assert cosine_similarity(a, b, generator=seed())["csim"].value == pytest.approx(np.mean(cosines))
    same = np.mean([[1 - c <= 0.8 for c in row] for row in cosines])
    found = verification_accuracy(a, b, threshold=0.8, generator=seed())["verification_accuracy"]
    assert found.value == pytest.approx(same)
    assert found.ci95 is not None
    assert found.ci95[0] <= found.value <= found.ci95[1]


def test_a_face_that_is_lost_is_left_out_or_in_published_mode_another_one() -> None:
    a = torch.ones(2, 2, 3)
    b = a.clone()
    a[0, 0] = a[1] = float("nan")
    assert cosine_similarity(a, b, generator=seed())["csim"].value == pytest.approx(1)
    corrected, published = (
        verification_accuracy(a, b, threshold=0.1, generator=seed(), published=mode)["verification_accuracy"]
        for mode in (False, True)
    )
    assert (corrected.value, corrected.n) == (1, 1)
    assert (published.value, published.n) == (0.25, 2)


def test_the_threshold_is_that_of_the_equal_error_rate() -> None:
    g = seed()
    who = torch.arange(8).repeat_interleave(6)
    e = torch.randn(8, 5, generator=g)[who] + 0.9 * torch.randn(48, 5, generator=g)
    threshold = verification_threshold(e, who)
    unit = torch.nn.functional.normalize(e.double(), dim=1)
    first, second = torch.triu_indices(48, 48, 1)
    distance, same = 1 - (unit @ unit.T)[first, second], who[first] == who[second]
    misses = float((distance[same] > threshold).double().mean())
    alarms = float((distance[~same] <= threshold).double().mean())
    eer = equal_error_rate((-distance[same]).float().numpy(), (-distance[~same]).float().numpy())
    assert misses == pytest.approx(eer, abs=0.02)
    assert alarms == pytest.approx(eer, abs=0.02)


def test_a_perfect_network_separates_and_a_lost_face_is_left_out() -> None:
    e = torch.tensor([[1.0, 0], [1, 0.1], [0, 1], [0.1, 1], [float("nan"), 0]])
    threshold = verification_threshold(e, torch.tensor([0, 0, 1, 1, 0]))
    assert 1 - 1 / (1.01**0.5) <= threshold + 1e-9 < 0.8


def test_the_same_a_lost_and_a_constant_identity() -> None:
    faces = torch.nn.functional.normalize(torch.randn(30, 1, 16, generator=seed()), dim=2).repeat(1, 4, 1)
    for made, alike, verified in (
        (faces, 1.0, 1.0),
        (faces.roll(1, 0), 0.0, 0.0),
        (faces[:1].repeat(30, 1, 1), 0, 0),
    ):
        similarity = cosine_similarity(made, faces, generator=seed())["csim"]
        share = verification_accuracy(made, faces, threshold=0.3, generator=seed())["verification_accuracy"]
        assert similarity.value == pytest.approx(alike, abs=0.15)
        assert share.value == pytest.approx(verified, abs=0.05)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"allowed: \(N, V, F\) twice"):
        cosine_similarity(torch.zeros(1, 2, 3), torch.zeros(1, 2, 4), generator=seed())
    none = torch.full((1, 2, 3), float("nan"))
    with pytest.raises(InputError, match="no detection succeeded in 2 frames"):
        cosine_similarity(none, none, generator=seed())
    with pytest.raises(InputError, match=r"allowed: \(N, F\) and \(N,\)"):
        verification_threshold(torch.zeros(3, 2), torch.zeros(2))
    with pytest.raises(InputError, match="got one kind alone"):
        verification_threshold(torch.ones(3, 2), torch.zeros(3))
