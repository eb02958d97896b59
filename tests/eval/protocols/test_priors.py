from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis import encode_dataset
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.eval.judge.sequence_judge import SequenceJudge
from seqdis.eval.protocols.priors import KINDS, compare_priors


@pytest.mark.full
def test_where_the_factors_go_together_only_the_dependent_prior_is_close(world, channels) -> None:
    train = world(400, 0)
    model = channels().eval()
    known = encode_dataset(model, train)
    # One cause for both: the ramp's slope is the level.
    slope = known.static.unflatten(1, (-1, 2))[:, :1, 0]
    dynamic = known.dynamic.clone()
    dynamic[..., 0] = torch.linspace(-1, 1, known.steps) * slope
    dynamic[..., 1] = -dynamic[..., 0]
    known = type(known)(known.static, dynamic)
    torch.manual_seed(0)
    judge = SequenceJudge(labels=train.labels, frame_shape=(4,)).eval()
    with torch.no_grad():
        real = judge.features(model.decode(known))
    config = LatentDDIMConfig(hidden=64, layers=4, epochs=60, lr=2e-3)
    reports = []
    found = compare_priors(
        model, judge, known, real, config, seeds=[0, 1], count=200, progress=lambda *now: reports.append(now)
    )
    assert reports[-1] == (800, 800)
    assert [len(values) for values in found.values()] == [2, 2]
    dependent, independent = ([metric.value for metric in found[kind]] for kind in KINDS)
    assert max(dependent) < 0.7 * min(independent)
