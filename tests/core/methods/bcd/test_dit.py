from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from pydantic import ValidationError
from torch import Tensor

from seqdis.core.diffusion.denoiser import Denoiser
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.errors import InputError
from seqdis.core.methods.bcd.dit import DiT, DiTBlock, sinusoids
from seqdis.core.methods.bcd.dit_config import DiTConfig, dit_config


def make(*, alive: bool = True, temporal: tuple[int, ...] = (0,), **options: bool) -> DiT:
    """With ``alive`` no weight is zero any more: as after some training."""
    torch.manual_seed(0)
    sizes = {"size": 8, "patch": 4, "width": 16, "depth": 2, "heads": 2, "motion": 5, "content": (3, 6)}
    net = DiT(3, temporal=temporal, **sizes, **options)  # type: ignore[arg-type]
    if alive:
        for p in net.parameters():
            torch.nn.init.normal_(p, std=0.2)
    return net


def inputs(count: int = 2, steps: int = 4) -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(1)
    x = torch.randn(count, steps, 3, 8, 8, generator=g)
    return x, torch.randn(count, generator=g), torch.randn(count, 18 + steps * 5, generator=g)


@pytest.mark.parametrize("steps", [1, 4, 9])
def test_any_number_of_frames(steps: int) -> None:
    x, noise, z = inputs(steps=steps)
    assert make()(x, noise, z).shape == x.shape


def test_it_starts_at_zero_and_its_blocks_as_the_identity() -> None:
    assert torch.equal(make(alive=False)(*inputs()), torch.zeros(2, 4, 3, 8, 8))
    h, c = torch.randn(2, 4, 7, 16), torch.randn(2, 4, 16)
    for temporal in (False, True):
        assert torch.equal(DiTBlock(16, heads=2, temporal=temporal)(h, c), h)


def test_tokens_are_the_patches_and_come_back() -> None:
    net, (x, _, _) = make(), inputs()
    tokens = net._to_tokens(x)
    assert torch.equal(tokens[1, 2, 1], x[1, 2, :, :4, 4:].flatten())  # row 0, column 1
    assert torch.equal(net._to_frames(tokens), x)


def test_without_temporal_blocks_frames_are_denoised_alone() -> None:
    x, noise, z = inputs()
    changed = x.clone()
    changed[:, 3] += 1
    for net, alone in [(make(temporal=()), True), (make(), False)]:
        same = torch.allclose(net(x, noise, z)[:, :3], net(changed, noise, z)[:, :3], atol=1e-6)
        assert same == alone
    off = make()
    off.use_temporal(False)
    assert torch.allclose(off(x, noise, z)[:, :3], off(changed, noise, z)[:, :3], atol=1e-6)


def test_new_temporal_blocks_change_nothing() -> None:
    """So that the second phase starts where the first ended."""
    net, args = make(), inputs()
    for block in net.temporal_blocks.values():
        torch.nn.init.zeros_(block.modulation.weight)
        torch.nn.init.zeros_(block.modulation.bias)
    with_blocks = net(*args)
    net.use_temporal(False)
    assert torch.equal(net(*args), with_blocks)


def test_temporal_blocks_know_the_order_of_frames() -> None:
    block = DiTBlock(16, heads=2, temporal=True)
    torch.nn.init.normal_(block.modulation.weight)
    h, c = torch.randn(1, 4, 2, 16), torch.randn(1, 1, 16).expand(1, 4, 16)
    assert not torch.allclose(block(h.flip(1), c).flip(1), block(h, c), atol=1e-3)


def test_spatial_attention_is_that_of_the_formula() -> None:
    torch.manual_seed(0)
    block = DiTBlock(8, heads=2)
    h = torch.randn(1, 1, 5, 8)
    q, k, v = block.qkv(h[0, 0]).view(5, 3, 2, 4).unbind(1)
    heads = [(q[:, i] @ k[:, i].T / 2).softmax(-1) @ v[:, i] for i in range(2)]
    expected = block.out(torch.cat(heads, dim=1))
    torch.testing.assert_close(block._attend(h, None)[0, 0], expected)


def test_motion_of_a_frame_reaches_that_frame_alone_without_time() -> None:
    net, (x, noise, z) = make(temporal=()), inputs()
    changed = z.clone()
    changed[:, 18 + 5 : 18 + 10] += 1  # of frame 1
    moved = (net(x, noise, changed) - net(x, noise, z)).abs().amax((2, 3, 4)) > 1e-5
    assert moved.tolist() == [[False, True, False, False]] * 2


def test_content_reaches_every_frame() -> None:
    net, (x, noise, z) = make(temporal=()), inputs()
    changed = z.clone()
    changed[:, 12:18] += 1  # the last content token
    assert ((net(x, noise, changed) - net(x, noise, z)).abs().amax((2, 3, 4)) > 1e-5).all()


def test_motion_of_its_own_modulates_after_the_noise_level() -> None:
    block = DiTBlock(16, heads=2, own_motion=True)
    h, c, m = torch.randn(2, 4, 7, 16), torch.randn(2, 4, 16), torch.randn(2, 4, 16)
    assert torch.equal(block(h, c, motion=m), h)  # it starts as the identity
    for p in block.parameters():
        torch.nn.init.normal_(p, std=0.2)
    by_noise = block.modulation(F.silu(c)).chunk(6, dim=-1)
    by_motion = block.motion_modulation(F.silu(m)).chunk(4, dim=-1)

    def normed(x: Tensor, first: int, second: int) -> Tensor:
        inner = (1 + by_noise[first + 1][:, :, None]) * F.layer_norm(x, (16,)) + by_noise[first][:, :, None]
        return (1 + by_motion[second + 1][:, :, None]) * inner + by_motion[second][:, :, None]

    q, k, v = block.qkv(normed(h, 0, 0)).unflatten(-1, (3, 2, 8)).unbind(-3)
    weights = (torch.einsum("bvphd,bvqhd->bvhpq", q, k) / 8**0.5).softmax(-1)
    attended = block.out(torch.einsum("bvhpq,bvqhd->bvphd", weights, v).flatten(3))
    expected = h + by_noise[2][:, :, None] * attended
    expected = expected + by_noise[5][:, :, None] * block.mlp(normed(expected, 3, 2))
    torch.testing.assert_close(block(h, c, motion=m), expected, rtol=1e-4, atol=1e-4)


def test_with_motion_of_its_own_the_embedding_is_that_of_the_noise_level_alone() -> None:
    x, noise, z = inputs()
    net, seen = make(temporal=(), own_motion=True), []
    net.blocks[0].register_forward_pre_hook(
        lambda block, inputs, kept: seen.append((inputs[1], kept["motion"])), with_kwargs=True
    )
    still = z.clone()
    still[:, 18:] = 0
    assert not torch.equal(net(x, noise, z), net(x, noise, still))
    (c, moved), (same, rested) = seen
    assert torch.equal(c, same)
    assert not torch.equal(moved, rested)


def test_content_in_the_embedding_reaches_every_block() -> None:
    x, noise, z = inputs()
    net, seen = make(temporal=(), content_in_embedding=True), []
    net.blocks[1].register_forward_pre_hook(lambda block, inputs: seen.append(inputs[1]))
    net(x, noise, z)
    expected = net.noise(noise)[:, None] + net.from_motion(z[:, 18:].unflatten(1, (4, 5)))
    torch.testing.assert_close(seen[0], expected + net.from_all_content(z[:, :18])[:, None])


@pytest.mark.parametrize("options", [{}, {"own_motion": True, "content_in_embedding": True}])
def test_every_parameter_gets_a_gradient(options: dict[str, bool]) -> None:
    net = make(**options)
    net(*inputs()).square().sum().backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0] == []


def test_it_serves_the_denoiser_and_the_sampler() -> None:
    denoiser = Denoiser(make())
    x, _, z = inputs()
    sigma = torch.tensor([0.3, 2.0])
    loss = denoising_loss(denoiser, x, z, sigma=sigma, noise=torch.randn_like(x))
    assert torch.isfinite(loss)
    denoise = denoiser.bind(z, max_frames_per_pass=1)
    out = EDMSampler(steps=3).sample(denoise, 80 * torch.randn_like(x)).x
    assert out.shape == x.shape
    assert torch.isfinite(out).all()


def test_compiled_blocks_give_the_same() -> None:
    net, compiled, args = make(), make(), inputs()
    compiled.compile_blocks(backend="aot_eager")  # the same graphs, without a C++ compiler's minute
    torch.testing.assert_close(compiled(*args), net(*args), rtol=1e-4, atol=1e-4)
    assert compiled.state_dict().keys() == net.state_dict().keys()


def test_sinusoids_by_hand() -> None:
    got = sinusoids(torch.tensor([0, 3]), 4)
    three = torch.tensor([3.0, 0.03])
    torch.testing.assert_close(
        got, torch.stack([torch.tensor([0.0, 0, 1, 1]), torch.cat([three.sin(), three.cos()])])
    )


@pytest.mark.parametrize(("name", "millions"), [("S/8", 33), ("B/4", 130)])
def test_named_sizes_are_those_of_the_paper(name: str, millions: int) -> None:
    """Peebles & Xie, Tab. 1 and 4: S has 33M parameters and B 130M, with blocks over space alone."""
    config = dit_config(name, temporal=())
    with torch.device("meta"):
        net = DiT(4, size=32, motion=8, content=(1, 8), **config.model_dump())
    assert sum(p.numel() for p in net.parameters()) / 1e6 == pytest.approx(millions, rel=0.03)
    assert dit_config(name).temporal == (0, 2, 4, 6, 8, 10)


def test_bad_sizes_are_named() -> None:
    with pytest.raises(InputError, match="unknown DiT 'Q/2'"):
        dit_config("Q/2")
    with pytest.raises(ValidationError, match="allowed are blocks 0 to 3"):
        DiTConfig(patch=2, width=16, depth=4, heads=2, temporal=(4,))
    with pytest.raises(ValidationError, match="must be a multiple of 4 and of the 3 heads"):
        DiTConfig(patch=2, width=16, depth=4, heads=3)
    with pytest.raises(InputError, match="a patch that divides the size"):
        DiT(3, size=9, patch=4, width=16, depth=1, heads=2, motion=1, content=(1, 1))
    with pytest.raises(InputError, match=r"temporal blocks after \(2,\); allowed: 0 to 1"):
        make(temporal=(2,))
    x, noise, z = inputs()
    with pytest.raises(InputError, match="conditions of width 37; allowed: 18 \\+ 4 steps of 5"):
        make()(x, noise, z[:, 1:])
