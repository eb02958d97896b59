"""DiT for clips: a transformer over patches, with blocks that attend over time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.methods.bcd.windows import HalfOverlap
from seqdis.core.nn.embedding import NoiseEmbedding
from seqdis.core.nn.norm import AdaLayerNorm

__all__ = ["DiT", "DiTBlock", "sinusoids", "with_padding"]


def sinusoids(positions: Tensor, features: int) -> Tensor:
    """``[sin(p·ω_k), cos(p·ω_k)]`` with ``ω_k = 10000^(−k/(features/2))`` (Vaswani et al. 2017, Sec. 3.5).

    Args:
        positions: The positions p, ``(P,)``.
        features: Width of the result, an even number.

    Returns:
        ``(P, features)``.
    """
    half = features // 2
    omega = 10000.0 ** (-torch.arange(half, device=positions.device) / half)
    angle = positions.float()[:, None] * omega
    return torch.cat([angle.sin(), angle.cos()], dim=1)


def with_padding(z: Tensor, mask: Tensor | None) -> Tensor:
    """Append one number a step to the conditions ``(B, Z)`` of :class:`DiT`: 1 in padding, else 0.

    Args:
        z: Content and motion, flattened, ``(B, Z)``.
        mask: True where a step exists, ``(B, V)``; ``z`` stays as it is when omitted.
    """
    return z if mask is None else torch.cat([z, (~mask.bool()).to(z)], dim=1)


def _patch_positions(side: int, width: int) -> Tensor:
    """Sinusoids of row and column, ``(side², width)``, half of the channels each."""
    row, column = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.cat([sinusoids(row.flatten(), width // 2), sinusoids(column.flatten(), width // 2)], dim=1)


class DiTBlock(nn.Module):
    """``h + g₁·Attn(AdaLN₁ h)``, then ``h + g₂·MLP(AdaLN₂ h)``, with ``AdaLN h = (1 + γ)·LN(h) + β``.

    ``γ, β, g`` are a linear layer of ``silu(c)`` that starts at zero, so that the block starts as the
    identity: adaLN-Zero (Peebles & Xie 2023, Sec. 3.2). The attention runs over the tokens of a frame, or
    over time for each token, whose positions in time are then added to what it sees.

    With ``own_motion`` the motion has a projection of its own beside the noise level's (BCD, App. A.1, Eq. 13):
    ``AdaLN h = (1 + γ_m)·((1 + γ)·LN(h) + β) + β_m``, with ``γ_m, β_m`` a linear layer of the motion that starts at zero.

    Args:
        width: Channels of a token, D.
        heads: Number of attention heads.
        feedforward: Width of the MLP as a multiple of D.
        temporal: Whether to attend over time instead of over a frame's tokens.
        own_motion: Whether the motion modulates by a projection of its own.
    """

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        feedforward: int = 4,
        temporal: bool = False,
        own_motion: bool = False,
    ) -> None:
        super().__init__()
        self.heads, self.temporal = heads, temporal
        self.norm1, self.norm2 = AdaLayerNorm(), AdaLayerNorm()
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, feedforward * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(feedforward * width, width),
        )
        self.modulation = nn.Linear(width, 6 * width)
        for layer in (self.qkv, self.out, self.mlp[0], self.mlp[2]):
            nn.init.xavier_uniform_(layer.weight)  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        self.motion_modulation = nn.Linear(width, 4 * width) if own_motion else None
        for layer in filter(None, (self.modulation, self.motion_modulation)):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def _attend(self, h: Tensor, exists: Tensor | None) -> Tensor:
        if self.temporal:
            steps = sinusoids(torch.arange(h.shape[1], device=h.device), h.shape[-1])
            h = (h + steps[:, None].to(h.dtype)).transpose(1, 2)
        q, k, v = self.qkv(h).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        keys = None if exists is None or not self.temporal else exists[:, None, None, None]
        merged = F.scaled_dot_product_attention(
            q.transpose(2, 3), k.transpose(2, 3), v.transpose(2, 3), attn_mask=keys
        )
        out: Tensor = self.out(merged.transpose(2, 3).flatten(3))
        return out.transpose(1, 2) if self.temporal else out

    def forward(
        self, h: Tensor, c: Tensor, exists: Tensor | None = None, motion: Tensor | None = None
    ) -> Tensor:
        """Tokens ``(B, V, P, D)`` under the modulation of their frame's embedding ``c (B, V, D)``.

        Attention over time sees the steps that ``exists (B, V)`` names, at least one a clip; all when omitted. A block of
        ``own_motion`` needs the motion's embedding ``motion (B, V, D)`` beside.
        """
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulation(F.silu(c)).chunk(6, dim=-1)
        if self.motion_modulation is not None and motion is not None:
            parts = self.motion_modulation(F.silu(motion)).chunk(4, dim=-1)
            shift1, scale1 = _composed(shift1, scale1, *parts[:2])
            shift2, scale2 = _composed(shift2, scale2, *parts[2:])
        h = h + gate1[:, :, None] * self._attend(self.norm1(h, shift1, scale1), exists)
        out: Tensor = h + gate2[:, :, None] * self.mlp(self.norm2(h, shift2, scale2))
        return out


def _composed(
    shift: Tensor, scale: Tensor, outer_shift: Tensor, outer_scale: Tensor
) -> tuple[Tensor, Tensor]:
    """Shift and scale of one modulation after another: ``(1 + γ_o)·((1 + γ)·h + β) + β_o``."""
    return outer_shift + (1 + outer_scale) * shift, scale + outer_scale + scale * outer_scale


class DiT(nn.Module):
    """``F(x^{1:V}, c_noise, z)`` for whole clips: DiT with temporal blocks, conditioned on motion and content.

    The motion of a frame is added to the embedding of the noise level, which modulates every block (BCD, Sec. 3.3), or
    modulates them by projections of its own (App. A.1, Eq. 13); the content tokens are concatenated to the noisy frame's
    patch tokens in every frame. Temporal blocks see patch tokens alone and are of the same design; all blocks start as the
    identity and the output at zero.

    Args:
        in_channels: Channels of a frame ``(C, size, size)``.
        size: Height and width of a frame, in pixels.
        patch: Side of a patch, in pixels; it divides the size.
        width: Channels of a token, D, a multiple of 4 and of the number of heads.
        depth: Number of spatial blocks.
        heads: Number of attention heads of every block.
        feedforward: Width of the MLPs as a multiple of D.
        temporal: Numbers of the spatial blocks, from 0, that a temporal block follows.
        motion: Width of a frame's motion.
        content: Number and width of the content tokens, ``(K, Dc)``.
        own_motion: Whether the motion modulates by projections of its own.
        content_in_embedding: Whether a linear layer of all content tokens is added to the embedding that modulates every
            block, beside the tokens; not in the paper.
        window: Number of frames that temporal blocks see; longer clips pass in windows that overlap by half,
            whose outputs are blended. All frames when omitted.

    Raises:
        InputError: The patch does not divide the size, or a temporal block follows none.
    """

    patch_positions: Tensor

    def __init__(
        self,
        in_channels: int,
        *,
        size: int,
        patch: int,
        width: int,
        depth: int,
        heads: int,
        feedforward: int = 4,
        temporal: Sequence[int] = (),
        motion: int,
        content: tuple[int, int],
        own_motion: bool = False,
        content_in_embedding: bool = False,
        window: int | None = None,
    ) -> None:
        super().__init__()
        if size % patch or width % 4 or width % heads:
            raise InputError(
                f"a DiT needs a patch that divides the size, and a width divisible by 4 and by its heads; "
                f"got {patch}, {size}, {width}, {heads}"
            )
        if any(not 0 <= index < depth for index in temporal):
            raise InputError(f"temporal blocks after {tuple(temporal)}; allowed: 0 to {depth - 1}")
        self.size, self.patch, self.content, self.motion = size, patch, content, motion
        self.window, self.temporal_on = window, True
        numbers = in_channels * patch**2
        self.register_buffer("patch_positions", _patch_positions(size // patch, width), persistent=False)
        self.embed = nn.Linear(numbers, width)
        self.noise = NoiseEmbedding(width)
        self.from_motion = nn.Linear(motion, width)
        self.own_motion = own_motion
        self.from_content = nn.Linear(content[1], width)
        self.from_all_content = nn.Linear(math.prod(content), width) if content_in_embedding else None
        self.content_places = nn.Parameter(torch.empty(content[0], width))
        nn.init.normal_(self.content_places, std=0.02)
        blocks: dict[str, Any] = {"heads": heads, "feedforward": feedforward, "own_motion": own_motion}
        self.blocks = nn.ModuleList(DiTBlock(width, **blocks) for _ in range(depth))
        self.temporal_blocks = nn.ModuleDict(
            {str(index): DiTBlock(width, temporal=True, **blocks) for index in sorted(set(temporal))}
        )
        self.norm = AdaLayerNorm()
        self.modulation = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, numbers)
        nn.init.xavier_uniform_(self.embed.weight)
        nn.init.zeros_(self.embed.bias)
        for layer in (self.modulation, self.out):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    @property
    def condition(self) -> tuple[int, int]:
        """Widths in ``z`` of the content of a clip and of the motion of each frame."""
        return math.prod(self.content), self.motion

    def use_temporal(self, on: bool) -> None:
        """Run the temporal blocks or leave them out: BCD's first training phase has none."""
        self.temporal_on = on

    def compile_blocks(self, *, backend: str = "inductor") -> None:
        """``torch.compile`` every block in place; the blocks of a kind share one graph."""
        for block in [*self.blocks, *self.temporal_blocks.values()]:
            block.compile(backend=backend, fullgraph=True)

    def _to_tokens(self, x: Tensor) -> Tensor:
        batch, steps, channels = x.shape[:3]
        side = self.size // self.patch
        cut = x.reshape(batch, steps, channels, side, self.patch, side, self.patch)
        return cut.permute(0, 1, 3, 5, 2, 4, 6).reshape(batch, steps, side**2, -1)

    def _to_frames(self, tokens: Tensor) -> Tensor:
        batch, steps = tokens.shape[:2]
        side = self.size // self.patch
        cut = tokens.reshape(batch, steps, side, side, -1, self.patch, self.patch)
        return cut.permute(0, 1, 4, 2, 5, 3, 6).reshape(batch, steps, -1, self.size, self.size)

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        """``x (B, V, C, size, size)``, one noise level a clip ``(B,)``, ``z (B, K·Dc + V·motion)``.

        Where clips are padded, :func:`with_padding` adds V numbers to ``z``, and temporal blocks see existing steps.

        Raises:
            InputError: ``z`` is of another width.
        """
        whole, each = self.condition
        steps = x.shape[1]
        padding = z.shape[1] - whole - steps * each
        if padding not in (0, steps):
            raise InputError(f"conditions of width {z.shape[1]}; allowed: {whole} + {steps} steps of {each}")
        content, motion, padded = z.split([whole, steps * each, padding], dim=1)
        motion, exists = motion.unflatten(1, (steps, each)), None if padding == 0 else padded == 0
        alone = not (self.temporal_on and self.temporal_blocks)  # each frame by itself
        if alone or self.window is None or x.shape[1] <= self.window:
            return self._forward(x, c_noise, content, motion, exists)
        windows = HalfOverlap(steps, self.window)
        noise, content = (part.repeat_interleave(windows.count, 0) for part in (c_noise, content))
        exists = None if exists is None else windows.cut(exists)
        return windows.blend(self._forward(windows.cut(x), noise, content, windows.cut(motion), exists))

    def _forward(
        self, x: Tensor, c_noise: Tensor, content: Tensor, motion: Tensor, exists: Tensor | None
    ) -> Tensor:
        if exists is not None:
            exists = exists | ~exists.any(1, keepdim=True)  # of padding alone nothing is kept
        c, moved = self.noise(c_noise)[:, None], self.from_motion(motion)
        if self.from_all_content is not None:
            c = c + self.from_all_content(content)[:, None]
        own = moved if self.own_motion else None
        c = c.expand_as(moved) if self.own_motion else c + moved
        known = self.from_content(content.unflatten(1, self.content)) + self.content_places
        patches = self.embed(self._to_tokens(x)) + self.patch_positions
        known = known[:, None].expand(-1, x.shape[1], -1, -1)
        for index, block in enumerate(self.blocks):
            h = block(torch.cat([known.to(patches.dtype), patches], dim=2), c, motion=own)
            known, patches = h.split([known.shape[2], patches.shape[2]], dim=2)
            if self.temporal_on and str(index) in self.temporal_blocks:
                patches = self.temporal_blocks[str(index)](patches, c, exists, own)
        shift, scale = self.modulation(F.silu(c)).chunk(2, dim=-1)
        return self._to_frames(self.out(self.norm(patches, shift, scale)))
