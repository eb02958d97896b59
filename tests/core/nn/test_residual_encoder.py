from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.random import GeneratorStack


def features(count: int = 3, steps: int = 5) -> Tensor:
    return torch.randn(count, steps, 10, generator=torch.Generator().manual_seed(0))


def make(**changes: object) -> ResidualEncoder:
    torch.manual_seed(0)
    return ResidualEncoder(10, 7, 4, **({"hidden": 16, "width": 12, "heads": 3} | changes)).eval()  # type: ignore[arg-type]


def test_the_whole_of_it_against_torchs_bidirectional_lstm() -> None:
    encoder, f = make(), features()
    both = torch.nn.LSTM(10, 6, batch_first=True, bidirectional=True)
    states = dict(encoder.forward_lstm.named_parameters())
    states |= {f"{name}_reverse": p for name, p in encoder.backward_lstm.named_parameters()}
    both.load_state_dict(states)
    normed = torch.nn.functional.layer_norm(f, (10,))
    h = both(normed - normed[:, :1])[0]
    d = encoder.to_dynamic(encoder.norm(h + encoder.attention(h, h, h)[0]))
    static, dynamic = encoder(f)
    torch.testing.assert_close(dynamic, d, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(static, encoder.to_static(normed[:, 0]))


def test_padding_is_as_if_it_were_not_there() -> None:
    encoder, f = make(), features()
    mask = torch.arange(5) < torch.tensor([5, 2, 1])[:, None]
    static, dynamic = encoder(f, mask)
    for i, length in enumerate((5, 2, 1)):
        alone = encoder(f[i : i + 1, :length])
        torch.testing.assert_close(static[i], alone[0][0], rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(dynamic[i, :length], alone[1][0], rtol=1e-4, atol=1e-5)


def test_the_static_factor_of_a_random_frame_and_the_mean_of_all() -> None:
    encoder, f = make(static_frames="random"), features(200)
    mask = torch.arange(5) < torch.arange(1, 6).repeat(40)[:, None]
    each = encoder.to_static(encoder.norm_features(f))
    static, dynamic = encoder(f, mask, GeneratorStack.shard(0, 200, slice(0, 200)))
    differences = (each - static[:, None]).abs().amax(2)
    chosen = differences.argmin(1)
    assert differences.amin(1).max() < 1e-5
    assert bool(mask[torch.arange(200), chosen].all())
    assert len(chosen[4::5].unique()) == 5  # of sequences with five steps, each is drawn
    mean = torch.stack([row[kept].mean(0) for row, kept in zip(each, mask, strict=True)])
    still, same = encoder(f, mask)
    torch.testing.assert_close(still, mean, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(same, dynamic)


def test_both_factors_start_at_unit_scale() -> None:
    torch.manual_seed(0)
    encoder = ResidualEncoder(64, 32, 16, hidden=128, width=64, heads=4).eval()
    f = torch.randn(200, 6, 64)
    static, dynamic = encoder(f)
    assert 0.4 < static.std(0).mean() < 1.5
    assert 0.4 < dynamic.std((0, 1)).mean() < 1.5


@pytest.mark.parametrize(("width", "heads"), [(12, 5), (9, 3)])
def test_sizes_that_do_not_fit(width: int, heads: int) -> None:
    with pytest.raises(InputError, match=f"an encoder of width {width} with {heads} heads"):
        make(width=width, heads=heads)
