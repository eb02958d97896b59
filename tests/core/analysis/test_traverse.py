from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.principal import PrincipalComponents, principal_components
from seqdis.core.analysis.traverse import traverse
from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.sequences import Sequences

AMOUNTS = torch.tensor([-1.0, 0.0, 1.0])


def toy(*changes: str) -> Disentangler:
    return build_model(apply_overrides(get_preset("toy"), changes)).eval()


def components(model: Disentangler, factor: str) -> PrincipalComponents:
    samples = model.encode(torch.randn(64, 6, 8)).detach()
    return principal_components(samples, factor)  # type: ignore[arg-type]


@pytest.mark.parametrize("factor", ["static", "dynamic"])
def test_zero_is_the_reconstruction_and_all_else_differs(factor: str) -> None:
    model, x = toy(), torch.randn(2, 6, 8)
    reports = []
    result = traverse(
        model,
        Sequences(x),
        components(model, factor),
        component=0,
        amounts=AMOUNTS,
        progress=lambda done, total: reports.append(done / total),
    )
    assert result.frames.shape == (2, 3, 6, 8)
    torch.testing.assert_close(result.frames[:, 1], model.reconstruct(x), atol=1e-4, rtol=1e-4)
    assert (result.frames[:, 0] - result.frames[:, 2]).abs().max() > 1e-3
    assert reports == sorted(reports)
    assert reports[-1] == 1
    kept = "dynamic" if factor == "static" else "static"
    other = getattr(model.encode(x), kept).repeat_interleave(3, 0)
    torch.testing.assert_close(getattr(result.factors, kept), other.detach())


def test_the_other_rows_of_a_batch_change_nothing() -> None:
    model, x = toy(), torch.randn(2, 6, 8)
    found = components(model, "static")

    def frames(batch: torch.Tensor) -> torch.Tensor:
        return traverse(model, Sequences(batch), found, component=1, amounts=AMOUNTS).frames

    torch.testing.assert_close(frames(x)[:1], frames(x[:1]), atol=1e-4, rtol=1e-4)


def test_all_places_are_decoded_from_the_same_draws() -> None:
    model, x = toy("sampler.kind=ddim", "sampler.eta=1.0"), torch.randn(1, 6, 8)
    found = components(model, "static")
    nowhere = torch.zeros(3)
    result = traverse(
        model,
        Sequences(x),
        found,
        component=0,
        amounts=nowhere,
        generator=torch.Generator().manual_seed(1),
    )
    torch.testing.assert_close(result.frames[:, 0], result.frames[:, 2], atol=1e-5, rtol=1e-5)
    again = traverse(
        model,
        Sequences(x),
        found,
        component=0,
        amounts=nowhere,
        generator=torch.Generator().manual_seed(2),
    )
    assert not torch.allclose(result.frames, again.frames, atol=1e-3)


def test_the_grid_has_a_row_a_place_below_the_source() -> None:
    model, x = toy(), torch.randn(2, 6, 8)
    result = traverse(model, Sequences(x), components(model, "static"), component=0, amounts=AMOUNTS)
    grid = result.grid()
    assert [row[0].title for row in grid] == ["source", "alpha -1.00", "alpha +0.00", "alpha +1.00"]
    assert torch.equal(grid[0][1].frames, x[1])
    assert torch.equal(grid[3][1].frames, result.frames[1, 2])


def test_factors_of_another_model_are_refused() -> None:
    model = toy()
    found = principal_components(Factors(torch.randn(9, 3), torch.randn(9, 6, 2)), "static")
    with pytest.raises(ValueError, match="static factors of 8 numbers; these components are of 3"):
        traverse(model, Sequences(torch.randn(1, 6, 8)), found, component=0, amounts=AMOUNTS)
