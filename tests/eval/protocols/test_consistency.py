from __future__ import annotations

from typing import Any

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.protocols import consistency
from seqdis.eval.protocols.consistency import consistency_protocol


def test_a_perfect_model_is_consistent(world: Any, channels: Any, reader: Any) -> None:
    for mode in ("corrected", "published"):
        metrics = consistency_protocol(channels().eval(), reader, world(60, 1), mode=mode)
        assert {name: m.value for name, m in metrics.items() if "consistency" in name} == {
            "consistency": 1, "level_consistency": 1, "tilt_consistency": 1, "path_consistency": 1
        }  # fmt: skip
        assert ("generated_accuracy" in metrics) == (mode == "corrected")


def test_a_constant_output_agrees_as_often_as_its_class_occurs(
    world: Any, channels: Any, reader: Any
) -> None:
    test = world(60, 1)
    metrics = consistency_protocol(channels("constant").eval(), reader, test)
    high = (test.all_labels()["level"] == 2).double().mean().item()
    assert metrics["level_consistency"].value == pytest.approx(high)
    assert metrics["generated_level_accuracy"].value == pytest.approx(high)
    assert metrics["level_consistency"].value <= metrics["level_consistency"].chance


def test_published_mode_judges_what_stays_frame_by_frame(world: Any, channels: Any, reader: Any) -> None:
    class Flickers(channels):
        """Every other frame shows the other tilt; their mean is as it was."""

        def _decode(self, factors: Any, **rest: Any) -> torch.Tensor:
            x = super()._decode(factors, **rest).clone()
            x[:, 1::2, 1] *= -1
            return x

    corrected, published = (
        consistency_protocol(Flickers().eval(), reader, world(60, 1), mode=mode)
        for mode in ("corrected", "published")
    )
    assert corrected["tilt_consistency"].value == 1  # 3 of 5 frames carry it
    assert published["tilt_consistency"].value == pytest.approx(3 / 5)
    assert published["path_consistency"].value == 1  # of the whole sequence in both


def test_published_mode_looks_at_so_many_clips(
    world: Any, channels: Any, reader: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consistency, "PUBLISHED_CLIPS", 10)
    for mode, clips, n in (("corrected", None, 30), ("published", None, 10), ("published", 4, 4)):
        metrics = consistency_protocol(channels().eval(), reader, world(30, 1), mode=mode, clips=clips)
        assert metrics["consistency"].n == n


def test_clips_without_labels_are_refused(channels: Any, reader: Any) -> None:
    with pytest.raises(InputError, match="carry no labels"):
        consistency_protocol(channels().eval(), reader, ArraySequences(torch.randn(6, 5, 4)))
