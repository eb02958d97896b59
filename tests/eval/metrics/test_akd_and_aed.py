from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.aed import average_euclidean_distance
from seqdis.eval.metrics.akd import average_keypoint_distance


def seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_they_are_what_a_loop_finds() -> None:
    g = torch.Generator().manual_seed(1)
    k1, k2 = torch.randn(2, 3, 4, 5, 2, generator=g).double()
    total = 0.0
    for n in range(3):
        for v in range(4):
            total += sum(float(abs(k1[n, v, k, c] - k2[n, v, k, c])) for k in range(5) for c in range(2)) / 5
    found = average_keypoint_distance(k1, k2, generator=seed())
    assert found["akd"].value == pytest.approx(total / 12)
    assert found["akd_detected"].value == 1
    e1, e2 = torch.randn(2, 3, 4, 6, generator=g).double()
    expected = (
        sum(float((e1[n, v] - e2[n, v]).square().sum().sqrt()) for n in range(3) for v in range(4)) / 12
    )
    assert average_euclidean_distance(e1, e2, generator=seed())["aed"].value == pytest.approx(expected)


def test_a_failed_detection_is_left_out_and_told() -> None:
    found, expected = torch.zeros(2, 2, 3), torch.zeros(2, 2, 3)
    found[0, 0, 0] = 4.0
    found[0, 1] = found[1] = float("nan")
    corrected = average_euclidean_distance(found, expected, generator=seed())
    assert corrected["aed"].value == 4  # the one frame that was seen
    assert corrected["aed"].n == 1
    assert corrected["aed_detected"].value == 0.25
    published = average_euclidean_distance(found, expected, generator=seed(), published=True)
    assert published["aed"].value == 1  # 4 and three zeros
    assert published["aed"].n == 2


def test_a_face_without_keypoints_is_left_out_or_in_published_mode_counts_as_none_off() -> None:
    found, expected = torch.zeros(2, 2, 3, 2), torch.zeros(2, 2, 3, 2)
    found[0, 0] = 3.0  # 6 pixels off in every keypoint
    found[0, 1] = float("nan")
    expected[1] = float("nan")
    corrected = average_keypoint_distance(found, expected, generator=seed())
    assert (corrected["akd"].value, corrected["akd"].n) == (6, 1)
    assert corrected["akd_detected"].value == 0.25
    published = average_keypoint_distance(found, expected, generator=seed(), published=True)
    assert (published["akd"].value, published["akd"].n) == (1.5, 2)


def test_what_is_the_same_is_at_no_distance_and_a_lost_identity_far() -> None:
    e = torch.nn.functional.normalize(torch.randn(20, 3, 8, generator=seed()), dim=2)
    same = average_euclidean_distance(e, e, generator=seed())["aed"]
    assert (same.value, same.ci95) == (0, (0, 0))
    constant = average_euclidean_distance(e[:1].expand_as(e), e, generator=seed())["aed"]  # one face for all
    assert constant.ci95 is not None
    assert constant.ci95[0] > 0.5
    k = torch.rand(20, 3, 5, 2, generator=seed())
    assert average_keypoint_distance(k, k, generator=seed())["akd"].value == 0


def test_the_share_of_detections_has_an_interval_over_clips() -> None:
    found = torch.zeros(40, 2, 3)
    found[:10] = float("nan")
    detected = average_euclidean_distance(found, torch.zeros(40, 2, 3), generator=seed())["aed_detected"]
    assert (detected.value, detected.n) == (0.75, 40)
    assert detected.ci95 is not None
    assert 0.5 < detected.ci95[0] < 0.75 < detected.ci95[1] < 0.95


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(1, 2, 3, 3\) .*allowed: \(N, V, K, 2\)"):
        average_keypoint_distance(torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3), generator=seed())
    with pytest.raises(InputError, match=r"allowed: \(N, V, F\)"):
        average_euclidean_distance(torch.zeros(1, 2, 3), torch.zeros(1, 2, 4), generator=seed())
    none = torch.full((1, 2, 3), float("nan"))
    with pytest.raises(InputError, match="no detection succeeded in 2 frames"):
        average_euclidean_distance(none, none, generator=seed())


def test_a_person_s_distance_is_squared_where_that_is_asked_for() -> None:
    found, expected = torch.zeros(1, 1, 2), torch.tensor([[[3.0, 4.0]]])
    for squared, value in ((False, 5.0), (True, 25.0)):
        metrics = average_euclidean_distance(found, expected, generator=seed(), squared=squared)
        assert metrics["aed"].value == value
