from __future__ import annotations

from typing import Any

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.random import GeneratorLike, randn, stack_generators
from seqdis.core.sequences import Sequences
from seqdis.eval.protocols.leakage import leakage_protocol


def test_a_perfect_model_leaks_nothing(world: Any, channels: Any) -> None:
    metrics = leakage_protocol(channels().eval(), world(400, 0), world(400, 1), score_clips=200)
    assert metrics["probe_level_from_static"].value == metrics["probe_path_from_dynamic"].value == 1
    assert metrics["leakage"].value == pytest.approx(metrics["leakage"].chance, abs=0.12)
    assert metrics["leakage_above_chance"].value < 0.12
    assert metrics["informativeness@static"].value > 0.99
    assert "mig@dynamic" in metrics
    assert "disentanglement@dynamic" not in metrics  # it compares labels, and motion has one here


def test_a_reversed_model_leaks_all(world: Any, channels: Any) -> None:
    metrics = leakage_protocol(channels("reversed").eval(), world(400, 0), world(400, 1), score_clips=0)
    assert metrics["leakage"].value == pytest.approx(1, abs=0.02)
    assert metrics["leakage_above_chance"].value == pytest.approx(1, abs=0.03)
    assert not [name for name in metrics if "@" in name]
    sides = (metrics["leakage_from_static"].value + metrics["leakage_from_dynamic"].value) / 2
    assert metrics["leakage"].value == pytest.approx(sides)


def test_further_factors_are_probed_and_codes_are_not(world: Any, channels: Any) -> None:
    class Three(channels):
        """A further factor of the dynamic side that knows the level, and codes."""

        def _encode(self, sequences: Sequences, **rest: Any) -> Factors:
            clean = super()._encode(sequences, **rest)
            codes = torch.zeros(len(sequences), 2, dtype=torch.long)
            extras = {"gait": Extra(sequences.x[:, 0, :1], "dynamic"), "codes": Extra(codes, "dynamic")}
            return Factors(clean.static, clean.dynamic, extras)

    metrics = leakage_protocol(Three().eval(), world(400, 0), world(400, 1), score_clips=0)
    assert metrics["probe_level_from_gait"].value == 1
    wrong = (metrics["probe_level_from_gait"].value + metrics["probe_tilt_from_gait"].value) / 2
    assert metrics["leakage_from_gait"].value == pytest.approx(wrong)
    assert metrics["leakage_from_dynamic"].value < 0.65
    assert not [name for name in metrics if "codes" in name]
    printed = leakage_protocol(Three().eval(), world(400, 0), world(400, 1), mode="published")
    assert not [name for name in printed if "gait" in name]


def test_a_trace_below_the_noise_is_read_from_a_mean_and_not_from_a_draw(world: Any, channels: Any) -> None:
    class Noisy(channels):
        """The dynamic factor's mean knows the level by a thousandth of its deviation."""

        def _encode(self, sequences: Sequences, **rest: Any) -> Factors:
            clean = super()._encode(sequences, **rest)
            return Factors(clean.static, torch.cat([clean.dynamic, 1e-3 * sequences.x[..., :1]], dim=2))

        def draw_factors(self, sequences: Any, *, generator: GeneratorLike) -> Factors:
            mean = self.encode(sequences)
            noise = randn(mean.dynamic.shape, generator=stack_generators(generator, len(mean)))
            noise[..., :-1] = 0
            return Factors(mean.static, mean.dynamic + noise)

    metrics = leakage_protocol(Noisy().eval(), world(400, 0), world(400, 1), score_clips=0)
    assert metrics["probe_level_from_dynamic"].value == 1
    assert metrics["probe_level_from_dynamic@draw"].value < 0.45  # a third by chance
    assert metrics["probe_path_from_dynamic@draw"].value == 1
    assert metrics["leakage_from_dynamic@draw"].value < metrics["leakage_from_dynamic"].value - 0.2
    again = leakage_protocol(Noisy().eval(), world(400, 0), world(400, 1), score_clips=0)
    assert again["probe_level_from_dynamic@draw"] == metrics["probe_level_from_dynamic@draw"]


def test_a_leaked_identity_is_seen_in_its_cell_alone(world: Any, channels: Any) -> None:
    class Leaks(channels):
        def _encode(self, sequences: Sequences, **rest: Any) -> Factors:
            clean = super()._encode(sequences, **rest)
            return Factors(clean.static, torch.cat([clean.dynamic, sequences.x[..., :1]], dim=2))

    metrics = leakage_protocol(Leaks().eval(), world(400, 0), world(400, 1), score_clips=0)
    assert metrics["probe_level_from_dynamic"].value == 1
    assert metrics["probe_tilt_from_dynamic"].value < 0.65
    assert metrics["probe_path_from_static"].value < 0.65
    # Level known, tilt and motion not: half of the dynamic side's part, a quarter of the whole.
    assert metrics["leakage_above_chance"].value == pytest.approx(0.25, abs=0.1)


def test_published_mode_does_not_know_chance_and_names_the_matrix_as_vdsm_does(
    world: Any, channels: Any
) -> None:
    metrics = leakage_protocol(channels().eval(), world(400, 0), world(400, 1), mode="published")
    assert list(metrics) == [
        "leakage",
        *("level_from_static", "level_from_dynamic", "tilt_from_static", "tilt_from_dynamic"),
        *("path_from_static", "path_from_dynamic"),
    ]
    mean = (metrics["level_from_dynamic"].value + metrics["tilt_from_dynamic"].value) / 2
    assert metrics["leakage"].value == pytest.approx((metrics["path_from_static"].value + mean) / 2)
    assert metrics["leakage"].value > 0.35  # and yet nothing leaks


def test_one_entry_for_one_label_has_a_gap_and_a_copy_of_it_none(world: Any, channels: Any) -> None:
    class Compact(channels):
        """One entry a label, repeated where ``kind`` says so."""

        def _encode(self, sequences: Sequences, **rest: Any) -> Factors:
            static = sequences.x[:, 0, :2]
            copies = 2 if self.kind == "reversed" else 1
            return Factors(static.repeat(1, copies), sequences.x[..., 2:3])

    single, double = (
        leakage_protocol(Compact(kind).eval(), world(300, 0), world(300, 1))
        for kind in ("perfect", "reversed")
    )
    assert single["mig@static"].value > 0.9
    assert single["disentanglement@static"].value > 0.9
    assert single["completeness@static"].value > 0.9
    assert double["mig@static"].value == pytest.approx(0, abs=0.02)
    assert double["sap@static"].value == pytest.approx(0, abs=0.02)


def test_a_class_that_the_training_split_lacks_is_counted_as_wrong(world: Any, channels: Any) -> None:
    train, test = world(300, 0), world(300, 1)
    keep = (train.all_labels()["level"] != 2).nonzero()[:, 0].tolist()
    from seqdis.core.data.subset import Subset

    metrics = leakage_protocol(channels().eval(), Subset(train, keep), test, score_clips=0)
    absent = float((test.all_labels()["level"] == 2).double().mean())
    assert metrics["probe_level_from_static"].value == pytest.approx(1 - absent)


def test_clips_without_labels_are_refused(channels: Any) -> None:
    plain = ArraySequences(torch.randn(30, 5, 4))
    with pytest.raises(InputError, match="carry no labels"):
        leakage_protocol(channels().eval(), plain, plain)
