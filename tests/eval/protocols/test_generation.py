"""The generation protocol on a world with known answers."""

from __future__ import annotations

import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.eval.features.opened import FeatureNetworks
from seqdis.eval.protocols import generation
from seqdis.eval.protocols.generation import generation_protocol


def measured(world: Any, model: Any, prior: Any, judge: Any, *, count: int = 60, **settings: Any) -> Any:
    return generation_protocol(model.eval(), prior, judge, world(40, 0), world(count, 1), **settings)


def test_a_perfect_model_keeps_what_is_kept_and_draws_as_the_data_are(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    metrics = measured(world, channels(), prior_of_the_world(), sure_reader, count=300)
    for name in ("accuracy", "fixed_static_accuracy", "fixed_dynamic_accuracy", "fixed_tilt_accuracy"):
        assert metrics[name].value == 1
    assert metrics["kl"].value == 0
    for label, classes in {"level": 3, "path": 2}.items():
        drawn, real = (metrics[f"h_y@{case} {label}"].value for case in ("drawn", "real"))
        assert drawn == pytest.approx(real, abs=0.02)
        # 90% on one class: a mixture of all of them stays below the uniform one's entropy by nothing.
        assert drawn == pytest.approx(math.log(classes), abs=0.03)
        sure = -0.9 * math.log(0.9) - 0.1 * math.log(0.1 / (classes - 1))
        assert metrics[f"h_y_given_x@drawn {label}"].value == pytest.approx(sure)
        assert metrics[f"is@drawn {label}"].value == pytest.approx(math.exp(drawn - sure))


def test_a_reversed_model_keeps_what_it_should_draw(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    metrics = measured(world, channels("reversed"), prior_of_the_world("reversed"), sure_reader, count=300)
    for name, chance in (("fixed_path_accuracy", 1 / 2), ("fixed_level_accuracy", 1 / 3)):
        assert metrics[name].value == pytest.approx(chance, abs=0.1)


def test_a_constant_output_has_no_diversity(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    metrics = measured(world, channels("constant"), prior_of_the_world(), sure_reader)
    for label in ("level", "tilt", "path"):
        assert metrics[f"is@drawn {label}"].value == pytest.approx(1)
        assert metrics[f"fixed_{label}_accuracy"].value <= metrics[f"fixed_{label}_accuracy"].chance
    assert metrics["kl"].value > 0.3


def test_the_accuracy_is_the_mean_of_both_sides_means(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    m = measured(world, channels("constant"), prior_of_the_world(), sure_reader)
    static = (m["fixed_level_accuracy"].value + m["fixed_tilt_accuracy"].value) / 2
    assert m["accuracy"].value == pytest.approx((static + m["fixed_path_accuracy"].value) / 2)


def test_neither_batches_nor_the_other_clips_matter(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    first, second = (
        measured(world, channels(), prior_of_the_world(), sure_reader, clips=20, batch_size=size)
        for size in (3, 64)
    )
    assert first == second
    assert first["accuracy"].n == 20
    other = measured(world, channels(), prior_of_the_world(), sure_reader, clips=20, seed=1)
    assert other["h_y@drawn level"] != first["h_y@drawn level"]


def test_published_mode_balances_drops_and_repeats(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "PUBLISHED_BATCH", 16)
    monkeypatch.setattr(generation, "PUBLISHED_REPEATS", 3)
    seen: list[torch.Tensor] = []

    class Watched(channels):
        def _encode(self, sequences: Sequences, **rest: Any) -> Any:
            seen.append(sequences.x)
            return super()._encode(sequences, **rest)

    test = world(70, 1)
    path = test.all_labels()["path"]
    rare = int(path.bincount().min())
    assert rare not in (32, 35, 40)  # both quirks take clips away
    metrics = generation_protocol(
        Watched().eval(), prior_of_the_world(), sure_reader, world(40, 0), test, mode="published"
    )
    balanced = sorted(torch.cat([(path == c).nonzero()[:rare, 0] for c in (0, 1)]).tolist())
    whole = balanced[: len(balanced) // 16 * 16]
    assert len(whole) < len(balanced) < 70
    assert torch.equal(torch.cat(seen), test.fetch(whole).x.repeat(6, 1, 1))  # both factors, three times
    assert (metrics["accuracy"].n, metrics["accuracy"].seeds) == (len(whole), 3)
    assert metrics["h_y_given_x"].seeds is None  # of clips whose action is kept: no draw matters to it
    assert not [name for name in metrics if "@" in name]


def test_published_entropies_are_of_the_kept_action_and_say_nothing_of_diversity(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "PUBLISHED_BATCH", 16)
    model, prior = channels().eval(), prior_of_the_world()
    frozen = prior.sample(1, generator=torch.Generator().manual_seed(0))
    sample = type(prior).sample_dynamic

    def always_the_same(given: Any, **rest: Any) -> Any:
        drawn = sample(prior, given, **rest)
        return type(drawn)(drawn.static, frozen.dynamic.expand_as(drawn.dynamic))

    prior.sample_dynamic = always_the_same
    sets = world(40, 0), world(64, 1)
    published = generation_protocol(model, prior, sure_reader, *sets, mode="published")
    corrected = generation_protocol(model, prior, sure_reader, *sets)
    assert published["h_y"].value == pytest.approx(math.log(2), abs=0.01)  # as if it drew both motions
    assert corrected["is@drawn path"].value == pytest.approx(1)  # it draws one


def test_fewer_clips_in_published_mode_stay_balanced(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generation, "PUBLISHED_BATCH", 10)
    monkeypatch.setattr(generation, "PUBLISHED_REPEATS", 1)
    metrics = measured(
        world, channels(), prior_of_the_world(), sure_reader, count=200, mode="published", clips=20
    )
    assert metrics["accuracy"].n == 20
    assert metrics["fixed_path_accuracy"].chance == 0.5


def test_published_mode_refuses_less_than_a_batch(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    with pytest.raises(InputError, match=r"generation: \d+ clips of balanced classes; allowed: 128 or more"):
        measured(world, channels(), prior_of_the_world(), sure_reader, mode="published")


def test_without_a_judge_and_without_networks_there_is_nothing_to_measure(
    world: Any, channels: Any, sure_reader: Any, prior_of_the_world: Any
) -> None:
    with pytest.raises(InputError, match="without labels there is no judge"):
        measured(world, channels(), prior_of_the_world(), None)
    with pytest.raises(InputError, match="at least 2 clips are needed; got 1"):
        measured(world, channels(), prior_of_the_world(), sure_reader, clips=1)


def test_feature_networks_look_at_what_they_should(planes: Any, tmp_path: Path, scripts: ModuleType) -> None:
    from seqdis.core.priors.factorised import FactorisedPrior
    from seqdis.core.random import rand
    from seqdis.eval.features.torchscript import I3D, ScriptedIdentity, ScriptedKeypoints

    model = planes().eval()
    g = torch.Generator().manual_seed(0)
    data = [ArraySequences(torch.rand(12, 10, 3, 8, 8, generator=g)) for _ in range(2)]
    prior = FactorisedPrior(
        lambda rows, steps: model.encode(rand((len(rows), steps, 3, 8, 8), generator=rows)), steps=10
    )
    networks = FeatureNetworks(
        clips=I3D(scripts.written(scripts.ClipNetwork(), tmp_path / "a.pt")),
        keypoints=ScriptedKeypoints(scripts.written(scripts.Peaks(), tmp_path / "b.pt")),
        identity=ScriptedIdentity(scripts.written(scripts.FirstPlane(), tmp_path / "c.pt")),
    )
    found = generation_protocol(model, prior, None, *data, features=networks)
    assert found["aed"].value == pytest.approx(0, abs=1e-6)  # the first plane is what is kept
    assert found["csim"].value == pytest.approx(1)
    # Two of three planes are kept; the drawn one's peaks are anywhere: E|a − b| = (n² − 1)/3n on both axes.
    assert found["akd"].value == pytest.approx(2 * (63 / 24) / 3, abs=0.3)
    assert {"fvd", "fvd_real"} <= found.keys()
    assert found["fvd"].value < 0.05
    # Balancing and the dropped batch are the judge's: without one, published mode takes the clips that there are.
    published = generation_protocol(model, prior, None, *data, features=networks, mode="published")
    assert (found["fvd"].n, published["fvd"].n, published["fvd"].seeds) == (12, 12, 5)


def test_published_mode_compares_as_many_clips_as_there_are_in_feature_space(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(generation, "PUBLISHED_BATCH", 4)
    labels = {"what": Label(("a", "b"), "dynamic")}
    what = torch.tensor([0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0])  # four of each can be balanced, eleven compared
    test = ArraySequences(torch.rand(11, 3, 3, 8, 8), labels=labels, label_values={"what": what})
    chosen = {
        judged: generation._chosen(test, "published", None, 0, with_judge=judged) for judged in (True, False)
    }
    assert {judged: len(rows) for judged, rows in chosen.items()} == {True: 8, False: 11}
