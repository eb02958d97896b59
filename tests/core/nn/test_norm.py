"""The layers against torch's own norms, and against themselves without a kernel."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.methods.bcd.dit import DiT, DiTBlock
from seqdis.core.nn.norm import AdaGroupNorm, AdaLayerNorm, GroupNormSiLU
from seqdis.core.nn.unet import UNetDenoiser, UNetEncoder


@pytest.mark.parametrize("shape", [(2, 3, 5, 16), (4, 7, 16), (2, 1, 1, 16)])
def test_adaptive_layer_norm_is_torchs_modulated(shape: tuple[int, ...]) -> None:
    h, grad = torch.randn(shape, requires_grad=True), torch.randn(shape)
    # Halves of one layer's output, as in the block: neither is contiguous.
    both = torch.randn(*shape[:-2], 32, requires_grad=True)
    shift, scale = both.chunk(2, dim=-1)
    plain = F.layer_norm(h, (16,), eps=1e-6)
    expected = (1 + scale[..., None, :]) * plain + shift[..., None, :]
    found = AdaLayerNorm()(h, shift, scale)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(
        torch.autograd.grad(found, [h, both], grad), torch.autograd.grad(expected, [h, both], grad)
    )


def test_group_norm_with_silu_is_torchs_two_layers() -> None:
    layer = GroupNormSiLU(12)
    torch.nn.init.normal_(layer.weight)
    torch.nn.init.normal_(layer.bias)
    twin = nn.GroupNorm(layer.groups, 12)
    twin.load_state_dict(layer.state_dict())
    h = torch.randn(2, 12, 5, 3)
    torch.testing.assert_close(layer(h), F.silu(twin(h)))


def norms_of(network: nn.Module) -> list[nn.Module]:
    return [m for m in network.modules() if isinstance(m, AdaGroupNorm | AdaLayerNorm | GroupNormSiLU)]


def test_every_norm_of_the_networks_is_one_of_these(monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides that of the attention over positions, which has no activation to fuse."""
    called: list[Tensor] = []
    from seqdis.core.nn import norm

    plain = norm.ada_group_norm
    monkeypatch.setattr(norm, "ada_group_norm", lambda h, *a, **k: called.append(h) or plain(h, *a, **k))
    sizes = {"size": 8, "channels": 8, "multipliers": (1, 2), "blocks": 1}
    unet = UNetDenoiser(3, condition=4, **sizes)  # type: ignore[arg-type]
    encoder = UNetEncoder(3, features=5, **sizes)  # type: ignore[arg-type]
    dit = DiT(3, size=8, patch=4, width=16, depth=1, heads=2, temporal=(0,), motion=5, content=(3, 6))
    x = torch.randn(2, 3, 8, 8)
    for network, call in (
        (unet, lambda: unet(x, torch.randn(2), torch.randn(2, 4))),
        (encoder, lambda: encoder(x)),
        (dit, lambda: dit(x[:, None], torch.randn(2), torch.randn(2, 23))),
    ):
        called.clear()
        call()
        assert len(called) == len(norms_of(network)) > 0
        assert not [m for m in network.modules() if isinstance(m, nn.GroupNorm | nn.LayerNorm)]


def test_a_block_of_the_dit_compiles_whole() -> None:
    block = DiTBlock(16, heads=2)
    torch.nn.init.normal_(block.modulation.weight)
    h, c = torch.randn(2, 3, 5, 16), torch.randn(2, 3, 16)
    compiled = torch.compile(block, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(h, c), block(h, c))
