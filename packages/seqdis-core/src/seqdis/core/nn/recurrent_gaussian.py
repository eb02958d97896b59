"""Recurrent Gaussians: the posterior of both factors given frames, and the prior of the dynamic one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.static_frames import static_of_frames
from seqdis.core.random import GeneratorStack

__all__ = ["FactorPosterior", "PosteriorLSTM", "PriorLSTM"]


@dataclass(frozen=True)
class FactorPosterior:
    """``q(s, d^{1:V} | x) = q(s | x^{1:V}) Π_τ q(d^τ | x^{≤τ})`` (S3VAE, Eq. 4).

    Attributes:
        static: ``q(s | x^{1:V})``, ``(B, S)``.
        dynamic: ``q(d^τ | x^{≤τ})`` of every step, ``(B, V, D)``.
    """

    static: DiagonalGaussian
    dynamic: DiagonalGaussian


class PosteriorLSTM(nn.Module):
    """``h = LSTM₁(f)``, ``q(s)`` from ``h^V``, ``q(d^τ)`` from ``LSTM₂(h)^τ`` (S3VAE, App. D).

    Args:
        features: Width of the frame features ``f``.
        hidden: Width of both LSTMs' states.
        static: Width of the static factor, S.
        dynamic: Width of the dynamic factor, D.
        layer_norm: Whether layer norms stand between the LSTMs and before the linear layers, whose means then
            begin at unit scale; the paper does not mention them.
        static_frames: Frames that ``q(s)`` is read from. ``"all"``: ``h^V``, as in the paper. ``"random"``: ``f^k`` of a frame k
            drawn anew for each sequence, by two layers; where nothing is drawn, ``μ`` and ``ln σ²`` are the means over all frames.
    """

    def __init__(
        self,
        features: int,
        hidden: int,
        *,
        static: int,
        dynamic: int,
        layer_norm: bool = False,
        static_frames: Literal["all", "random"] = "all",
    ) -> None:
        super().__init__()
        self.static_frames = static_frames
        self.of_frame: nn.Module = nn.Identity()
        if static_frames == "random":
            self.of_frame = nn.Sequential(nn.Linear(features, hidden), nn.ReLU(), nn.LayerNorm(hidden))
        self.static_lstm = nn.LSTM(features, hidden, batch_first=True)
        self.dynamic_lstm = nn.LSTM(hidden, hidden, batch_first=True)
        self.to_static = nn.Linear(hidden, 2 * static)
        self.to_dynamic = nn.Linear(hidden, 2 * dynamic)
        self.norm_static: nn.Module = nn.LayerNorm(hidden) if layer_norm else nn.Identity()
        self.norm_dynamic: nn.Module = nn.LayerNorm(hidden) if layer_norm else nn.Identity()
        if layer_norm:
            # A fresh LSTM's states are small, those of one on top of another smaller still: the means
            # would drown in noise of σ = 1, and the first thousands of steps would learn nothing from them.
            for head in (self.to_static, self.to_dynamic):
                means, log_variances = head.weight.data.chunk(2)
                nn.init.normal_(means, std=1 / math.sqrt(hidden))
                nn.init.zeros_(log_variances)

    def forward(
        self, features: Tensor, mask: Tensor | None = None, rows: GeneratorStack | None = None
    ) -> FactorPosterior:
        """Features ``(B, V, C)`` to the posterior; a divergence needs float32 whatever the network ran in.

        Args:
            features: Features of all frames.
            mask: True where a step exists, among which a frame is drawn; all do when omitted.
            rows: Source of the frames that ``q(s)`` is read from, where they are random; without it nothing is drawn.
        """
        h = self.norm_static(self.static_lstm(features)[0])
        dynamic = self.to_dynamic(self.norm_dynamic(self.dynamic_lstm(h)[0]))
        if self.static_frames == "all":
            static = self.to_static(h[:, -1])
        else:
            static = static_of_frames(self._static_of_frame, features, mask, rows)
        return FactorPosterior(
            DiagonalGaussian.from_parameters(static.float()),
            DiagonalGaussian.from_parameters(dynamic.float()),
        )

    def _static_of_frame(self, features: Tensor) -> Tensor:
        out: Tensor = self.to_static(self.of_frame(features))
        return out


class PriorLSTM(nn.Module):
    """``p(d^τ | d^{<τ}) = N(μ_τ, diag σ_τ²)``, ``(μ_τ, ln σ_τ²) = W·LSTM(d^{<τ})^τ`` (S3VAE, Eq. 1), ``d^0 = 0``.

    Args:
        size: Width of the dynamic factor, D.
        hidden: Width of the LSTM's state.
    """

    def __init__(self, size: int, hidden: int) -> None:
        super().__init__()
        self.size = size
        self.lstm = nn.LSTM(size, hidden, batch_first=True)
        self.to_parameters = nn.Linear(hidden, 2 * size)

    def forward(self, dynamic: Tensor) -> DiagonalGaussian:
        """``p(d^τ | d^{<τ})`` of every step of ``d (B, V, D)``; the last step conditions nothing."""
        before = torch.cat([torch.zeros_like(dynamic[:, :1]), dynamic[:, :-1]], dim=1)
        return DiagonalGaussian.from_parameters(self.to_parameters(self.lstm(before)[0]).float())

    def draw(self, steps: int, *, generator: GeneratorStack) -> Tensor:
        """Draw ``steps`` steps, one after another, of one sequence for each generator: ``(B, V, D)``."""
        weight = self.to_parameters.weight
        last, state, drawn = weight.new_zeros(len(generator), 1, self.size), None, []
        for _ in range(steps):
            h, state = self.lstm(last, state)
            last = DiagonalGaussian.from_parameters(self.to_parameters(h).float()).draw(generator)
            drawn.append(last)
        return torch.cat(drawn, dim=1)
