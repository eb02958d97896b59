"""DiViD as a user meets it: it learns, is saved and loaded, and says what it cannot take."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.core.methods.divid.tiny_divid import (
    SIDE,
    STEPS,
    clips,
    make,
    on_vectors,
    rows,
)

from seqdis.core.diffusion.samplers.ddim import DDIMConfig
from seqdis.core.diffusion.samplers.ddpm import DDPMConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.model_files import state_to_save
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.sequences import Sequences


def test_sample_0_does_not_depend_on_the_batch_nor_on_the_memory_bound() -> None:
    ancestral = DDPMConfig(levels="chain", steps=6)
    model, small = make(sampler=ancestral), make(sampler=ancestral, max_frames_per_pass=3)
    factors = model.encode(clips())
    together = model.decode(factors, generator=torch.Generator().manual_seed(7))
    alone = model.decode(factors[0], generator=torch.Generator().manual_seed(7))
    passes = small.decode(small.encode(clips()), generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(passes, together, rtol=1e-3, atol=1e-3)


def test_on_vectors_it_learns_saves_and_loads(tmp_path: Path) -> None:
    """Some seconds of nothing but the loss."""
    config = on_vectors(prediction="velocity", beta_schedule="cosine", timesteps=1000)
    torch.manual_seed(0)
    model, data = build_model(config), build_dataset("toy", config.data, "train")
    model.normalizer.fit(data)
    optimizer = torch.optim.Adam(model.train().parameters(), 6e-3)
    picks = torch.Generator().manual_seed(0)
    for step in range(200):
        batch = data.fetch(torch.randint(len(data), (24,), generator=picks).tolist())
        optimizer.zero_grad()
        model.loss(batch, generator=rows(24, step)).loss.backward()
        optimizer.step()
    model.eval().sampling.use(DDIMConfig(levels="chain", steps=12))  # type: ignore[union-attr]
    x = build_dataset("toy", config.data, "test").fetch(range(24)).x
    rebuilt = model.reconstruct(x, generator=torch.Generator().manual_seed(0))
    error = (rebuilt - x).square().mean()
    assert error < 0.25 * x.var()
    others = model.decode(model.encode(x.roll(1, 0)), generator=torch.Generator().manual_seed(0))
    assert error < 0.2 * (others - x).square().mean()  # from the factors, not from the average ramp

    model.save_pretrained(tmp_path / "model")
    loaded = Disentangler.from_pretrained(tmp_path / "model")
    for name, value in state_to_save(model).items():
        assert torch.equal(value, state_to_save(loaded)[name]), name
    assert torch.equal(loaded.encode(x).flatten(), model.encode(x).flatten())


def test_the_static_factor_is_that_of_the_first_frame_there() -> None:
    model, x = make(), clips()
    mask = torch.ones(4, STEPS, dtype=torch.bool)
    mask[2, 0], mask[3, 2] = False, False
    factors = model.encode(Sequences(x, mask=mask))
    later = model.encode(x[2:3, 1:])
    torch.testing.assert_close(factors.static[2:3], later.static, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(factors.dynamic[2:3, 1:], later.dynamic, rtol=1e-5, atol=1e-6)
    without = model.encode(x[3:4, [0, 1, *range(3, STEPS)]])
    torch.testing.assert_close(factors.dynamic[3:4][:, mask[3]], without.dynamic, rtol=1e-5, atol=1e-6)


def test_bad_input_is_named() -> None:
    model = make()
    with pytest.raises(InputError, match=r"factors of widths \(\(9,\), \(6,\)\); the model's are"):
        model.decode(Factors(torch.zeros(1, 9), torch.zeros(1, 5, 6)))
    with pytest.raises(InputError, match="noise: shape"):
        model.decode(model.encode(clips()), noise=torch.zeros(4, 4, 3, SIDE, SIDE))
    with pytest.raises(InputError, match="steps 101: allowed for this schedule: 1 to 100"):
        model.sampling.use(DDPMConfig(levels="chain", steps=101))
    assert model.sampling.config.steps == 4  # as it was
    with pytest.raises(InputError, match="guidance 2"):
        model.sampling.use(EDMConfig(guidance=2.0))
    with pytest.raises(InputError, match="an encoder of width 16 with 3 heads"):
        make(attention_heads=3)
    with pytest.raises(InputError, match="toy has no denoiser with cross-attention; allowed: one with AdaGN"):
        build_model(on_vectors(cross_attention=True))
    with pytest.raises(InputError, match="'chain': this model was not trained on one; allowed: 'karras'"):
        build_model(get_preset("toy")).sampling.use(EDMConfig(levels="chain"))  # type: ignore[union-attr]
