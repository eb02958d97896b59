from __future__ import annotations

from typing import Any

import pytest
import torch

from seqdis.core.analysis import principal_components
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.eval.protocols.traversal import traversal_amounts, traversal_directions, traversal_protocol


def test_a_perfect_model_moves_one_side_and_keeps_the_other(
    world: Any, channels: Any, reader: Any, prior_of_the_world: Any
) -> None:
    model, prior = channels().eval(), prior_of_the_world()
    directions = traversal_directions(prior, components=1, draws=400)
    metrics = traversal_protocol(model, directions, reader, world(40, 1), span=1.0, clips=20)
    assert metrics["static_keeps_dynamic"].value == metrics["dynamic_keeps_static"].value == 1
    assert metrics["static_changes"].value > 0.3
    assert metrics["dynamic_changes"].value > 0.2
    assert metrics["static_keeps_dynamic"].n == 20
    assert metrics["keeps@static 0"].value == 1
    assert 0 < metrics["explained@static 0"].value <= 1


def test_a_reversed_model_keeps_nothing(
    world: Any, channels: Any, reader: Any, prior_of_the_world: Any
) -> None:
    directions = traversal_directions(prior_of_the_world("reversed"), components=1, draws=400)
    metrics = traversal_protocol(channels("reversed").eval(), directions, reader, world(40, 1), clips=20)
    assert metrics["dynamic_keeps_static"].value < 0.7
    assert metrics["static_changes"].value == metrics["dynamic_changes"].value == 0


def test_a_constant_output_keeps_all_and_changes_nothing(
    world: Any, channels: Any, reader: Any, prior_of_the_world: Any
) -> None:
    directions = traversal_directions(prior_of_the_world(), components=2, draws=400)
    metrics = traversal_protocol(channels("constant").eval(), directions, reader, world(40, 1), clips=10)
    assert metrics["static_keeps_dynamic"].value == 1
    assert metrics["static_keeps_dynamic"].chance == 1  # another clip's labels are the same as well
    assert metrics["static_changes"].value == 0


def test_chance_is_that_two_clips_share_their_labels(
    world: Any, channels: Any, reader: Any, prior_of_the_world: Any
) -> None:
    test = world(12, 1)
    directions = traversal_directions(prior_of_the_world(), components=1, draws=50)
    found = traversal_protocol(channels().eval(), directions, reader, test, clips=12, batch_size=5)
    truth = test.all_labels()
    same = [
        bool(truth["level"][a] == truth["level"][b] and truth["tilt"][a] == truth["tilt"][b])
        for a in range(12) for b in range(12) if a != b
    ]  # fmt: skip
    assert found["dynamic_keeps_static"].chance == pytest.approx(sum(same) / len(same))
    assert found == traversal_protocol(channels().eval(), directions, reader, test, clips=12)


def test_published_components_are_of_samples_as_they_are() -> None:
    g = torch.Generator().manual_seed(0)
    # The first entry is large and alone; the others are small and move together.
    common = torch.randn(500, 1, generator=g)
    static = torch.cat(
        [50 * torch.randn(500, 1, generator=g), common + 0.1 * torch.randn(500, 3, generator=g)], 1
    )
    samples = Factors(static, torch.randn(500, 2, 2, generator=g))
    standard, raw = (principal_components(samples, "static", standardised=kind) for kind in (True, False))
    assert float(standard.directions[0, 0].abs()) < 0.1
    assert float(raw.directions[0, 0]) > 0.999
    covariance = static.double().T.cov(correction=0)
    assert float(raw.explained[0]) == pytest.approx(float(covariance[0, 0] / covariance.trace()), rel=1e-3)
    # Both move in standardised units: Eq. 6's step has the length √h·σ.
    moved = raw.move(samples[0], 0, torch.tensor([1.0]))
    assert float(moved.static[0, 0] - static[0, 0]) == pytest.approx(2 * float(raw.std[0]), rel=1e-3)


def test_the_mode_reaches_the_components(prior_of_the_world: Any) -> None:
    corrected, published = (
        traversal_directions(prior_of_the_world(), mode=mode, draws=200)
        for mode in ("corrected", "published")
    )
    samples = prior_of_the_world().sample(200, generator=torch.Generator().manual_seed(0))
    for found, standardised in ((corrected, True), (published, False)):
        expected = principal_components(samples, "static", keep=4, standardised=standardised)
        assert torch.equal(found["static"].directions, expected.directions)


def test_bad_settings_are_refused(world: Any, channels: Any, reader: Any, prior_of_the_world: Any) -> None:
    directions = traversal_directions(prior_of_the_world(), components=1, draws=50)
    with pytest.raises(InputError, match="points 4; allowed: odd numbers from 3"):
        traversal_protocol(channels().eval(), directions, reader, world(9, 1), points=4)
    assert traversal_amounts(0.7, 5)[2] == 0
