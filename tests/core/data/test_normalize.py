from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.normalize import Normalizer
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences


def data(seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(23, 5, 3, generator=g) * torch.tensor([1.0, 20.0, 0.1]) + torch.tensor(
        [0.0, -7.0, 1e3]
    )


def test_the_fit_is_the_mean_and_deviation_of_all_entries_at_any_batch_size() -> None:
    x = data()
    for size in (1, 7, 100):
        n = Normalizer((3,)).fit(ArraySequences(x), batch_size=size)
        assert n.mean.item() == pytest.approx(x.double().mean().item(), rel=1e-6)
        assert n.std.item() == pytest.approx(x.double().std(correction=0).item(), rel=1e-6)


def test_channels_are_fitted_alone() -> None:
    x = data()
    n = Normalizer((3,), scope="channel").fit(ArraySequences(x), batch_size=4)
    torch.testing.assert_close(n.mean, x.double().mean((0, 1)).float())
    torch.testing.assert_close(n.std, x.double().std((0, 1), correction=0).float())
    y = n(x)
    torch.testing.assert_close(y.mean((0, 1)), torch.zeros(3), atol=1e-3, rtol=0)
    torch.testing.assert_close(y.std((0, 1), correction=0), torch.full((3,), 0.5), atol=1e-3, rtol=0)


def test_channels_of_images_are_their_first_dimension() -> None:
    x = torch.rand(6, 2, 3, 4, 4) * torch.tensor([1.0, 2.0, 3.0]).view(3, 1, 1)
    n = Normalizer((3, 4, 4), scope="channel").fit(ArraySequences(x))
    assert n.mean.shape == (3, 1, 1)
    torch.testing.assert_close(n.mean.flatten(), x.mean((0, 1, 3, 4)))


def test_only_measured_entries_of_existing_steps_count() -> None:
    x = data()
    g = torch.Generator().manual_seed(1)
    observed = torch.rand(x.shape, generator=g) < 0.6
    mask = torch.arange(5) < torch.randint(1, 6, (23, 1), generator=g)
    seen = observed & mask[..., None]
    spoiled = torch.where(seen, x, 1e6)
    n = Normalizer((3,), scope="channel").fit(
        ArraySequences(spoiled, mask=mask, observed=observed), batch_size=5
    )
    for c in range(3):
        entries = x[..., c][seen[..., c]].double()
        assert n.mean[c].item() == pytest.approx(entries.mean().item(), rel=1e-5, abs=1e-5)
        assert n.std[c].item() == pytest.approx(entries.std(correction=0).item(), rel=1e-5)


def test_the_inverse_undoes_it_and_a_fresh_one_is_the_identity() -> None:
    x = data()
    fitted = Normalizer((3,), scope="channel").fit(ArraySequences(x))
    torch.testing.assert_close(fitted.inverse(fitted(x)), x)
    assert torch.equal(Normalizer((3,))(x), x)


def test_a_large_offset_costs_no_precision() -> None:
    x = 1e4 + torch.randn(400, 5, 1, generator=torch.Generator().manual_seed(0))
    n = Normalizer((1,)).fit(ArraySequences(x), batch_size=16)
    assert n.std.item() == pytest.approx(x.double().std(correction=0).item(), rel=1e-6)


def test_the_transform_stands_in_front() -> None:
    x = data()
    n = Normalizer((3,)).fit(ArraySequences(x), transform=lambda frames: 2 * frames)
    assert n.mean.item() == pytest.approx(2 * x.double().mean().item(), rel=1e-6)


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6 / 3])
def test_constant_or_unobserved_channels_are_refused(value: float) -> None:
    x = data()
    x[..., 1] = value
    with pytest.raises(InputError, match=r"constant or unobserved in channel\(s\) \[1\]"):
        Normalizer((3,), scope="channel").fit(ArraySequences(x), batch_size=3)
    observed = torch.ones_like(x, dtype=torch.bool)
    observed[..., 2] = False
    with pytest.raises(InputError, match=r"channel\(s\) \[1, 2\]"):
        Normalizer((3,), scope="channel").fit(ArraySequences(x, observed=observed), batch_size=3)


class Decoded(ArraySequences):
    """Sequences that count how often they are read, as if each were decoded from a file."""

    in_memory = False
    read = 0

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        self.read += len(indices)
        return super().fetch(indices, epoch=epoch)


@pytest.mark.parametrize("count", [100, 1024, 5000])
def test_of_decoded_sequences_at_most_1024_are_read_spread_over_all(count: int) -> None:
    dataset = Decoded(torch.linspace(0, 1, count).view(-1, 1, 1).expand(-1, 2, 3).contiguous())
    n = Normalizer((3,)).fit(dataset)
    assert min(count, 512) <= dataset.read <= 1024
    assert n.mean.item() == pytest.approx(0.5, abs=0.01)
    assert n.std.item() == pytest.approx(12**-0.5, rel=0.02)


@pytest.mark.parametrize("size", [1e-40, 3e38])
@pytest.mark.parametrize("scope", ["global", "channel"])
def test_values_that_float32_cannot_scale_are_refused_by_a_key_and_their_range(
    size: float, scope: Literal["global", "channel"]
) -> None:
    x = torch.rand(23, 5, 3, generator=torch.Generator().manual_seed(0))
    x = (x - 0.5) * size
    x[7, 3, 1] = -size
    keys = [f"{i}.csv" for i in range(23)]
    said = rf"^7\.csv: the training data of channel\(s\) \[0.*\] go from -{re.escape(f'{size:.3g}')} to "
    with pytest.raises(InputError, match=said):
        Normalizer((3,), scope=scope).fit(ArraySequences(x, keys=keys), batch_size=4)


def test_one_channel_of_denormal_numbers_is_named_alone() -> None:
    x = data()
    x[..., 1] *= 1e-41
    with pytest.raises(
        InputError, match=r"channel\(s\) \[1\] go from -\S+e-\d\d to .* give them in another unit$"
    ):
        Normalizer((3,), scope="channel").fit(ArraySequences(x))


@pytest.mark.parametrize("size", [1e-36, 1e-30, 1e30, 1e34])
def test_values_of_any_other_size_are_scaled(size: float) -> None:
    x = data() * size
    n = Normalizer((3,), scope="channel").fit(ArraySequences(x))
    torch.testing.assert_close(n(x).std((0, 1), correction=0), torch.full((3,), 0.5), atol=1e-3, rtol=0)
    assert bool(torch.isfinite(n.inverse(n(x))).all())
