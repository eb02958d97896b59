"""VDSM's inference of an action and of poses: a bi-LSTM, a bottleneck, an LSTM that unrolls it (Eq. 2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdis.core.methods.vdsm.gaussian_layer import GaussianLayer
from seqdis.core.methods.vdsm.state_space import Combiner
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.recurrent import reverse_valid
from seqdis.core.random import GeneratorStack

__all__ = ["InferredPoses", "MeanPosterior", "PoseInference"]


class MeanPosterior(nn.Module):
    """``q(s | x^{1:V}) = N(f_loc(ē), f_scale(ē))`` with ``ē`` the mean of the frames' embeddings (VDSM, Eq. 2).

    Args:
        features: Width of the frame encoder's features.
        embedding: Width of ``e``.
        dim: Width of ``s``.
    """

    def __init__(self, features: int, *, embedding: int, dim: int) -> None:
        super().__init__()
        self.embed = nn.Sequential(nn.Linear(features, embedding), nn.LeakyReLU(0.2))
        self.gaussian = GaussianLayer(embedding, dim)

    def forward(self, features: Tensor, mask: Tensor | None = None) -> DiagonalGaussian:
        """``(B, V, features)`` and which steps exist, ``(B, V)``, to a Gaussian over ``(B, dim)``."""
        e = self.embed(features)
        mean = e.mean(1) if mask is None else (e * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        out: DiagonalGaussian = self.gaussian(mean)
        return out


@dataclass(frozen=True)
class InferredPoses:
    """Poses, one after the other, and where they were drawn from.

    Attributes:
        value: ``z (B, V, D)``.
        posterior: ``q(z^τ | z^{τ−1}, …)`` at these values.
    """

    value: Tensor
    posterior: DiagonalGaussian


class PoseInference(nn.Module):
    """``q(d | x^{1:V})`` and ``q(z^{1:V} | x^{1:V}, d)`` from the frames' pose embeddings (VDSM, Eq. 2 and 5).

    The end states of a bi-LSTM give ``d``, which is both initial states of a second LSTM; its states ``h^τ``
    reach the poses through the combiner.

    Args:
        features: Width of a pose embedding.
        hidden: Width of the bi-LSTM in each direction.
        action: Width of ``d``, and so of ``h``.
        pose: Width of ``z``, D.
        evidence: Whether the second LSTM reads the pose embeddings; otherwise it has no input, and poses
            depend on the frames through ``d`` alone.
    """

    def __init__(self, features: int, *, hidden: int, action: int, pose: int, evidence: bool = False) -> None:
        super().__init__()
        self.evidence = evidence
        self.forward_lstm = nn.LSTM(features, hidden, batch_first=True)
        self.backward_lstm = nn.LSTM(features, hidden, batch_first=True)
        self.to_action = GaussianLayer(2 * hidden, action)
        self.unroll = nn.LSTM(features if evidence else 1, action, batch_first=True)
        self.combiner = Combiner(pose=pose, state=2 * action)
        # The pose before the first one: the paper has none, and deep Markov models learn it (Krishnan et al. 2017).
        self.before = nn.Parameter(torch.zeros(pose))

    def action(self, embeddings: Tensor, mask: Tensor | None = None) -> DiagonalGaussian:
        """``(B, V, features)`` and which steps exist, ``(B, V)``, to ``q(d)`` over ``(B, action)``."""
        batch, steps = embeddings.shape[:2]
        positions = torch.arange(1, steps + 1, device=embeddings.device)
        lengths = positions[-1:].expand(batch) if mask is None else (positions * mask).amax(1).clamp(min=1)
        ends = [
            lstm(e)[0][torch.arange(batch, device=e.device), lengths - 1]
            for lstm, e in (
                (self.forward_lstm, embeddings),
                (self.backward_lstm, reverse_valid(embeddings, lengths)),
            )
        ]
        out: DiagonalGaussian = self.to_action(torch.cat(ends, dim=1))
        return out

    def poses(
        self, embeddings: Tensor, action: Tensor, *, generator: GeneratorStack | None = None
    ) -> InferredPoses:
        """Infer poses from the first to the last, each given the one before.

        Args:
            embeddings: The frames' pose embeddings, ``(B, V, features)``.
            action: The action ``d``, ``(B, action)``.
            generator: Source of the draws, one stream a sequence; when omitted, a pose is its posterior's
                mean.
        """
        start = action[None].contiguous()
        given = embeddings if self.evidence else embeddings.new_zeros(*embeddings.shape[:2], 1)
        h = self.unroll(given, (start, start))[0].float()
        states = torch.cat([h, action[:, None].expand(-1, h.shape[1], -1)], dim=2)
        z = self.before.expand(len(action), -1)
        values, means, log_stds = [], [], []
        for state in states.unbind(1):
            q = self.combiner(z, state)
            z = q.mean if generator is None else q.draw(generator)
            values.append(z)
            means.append(q.mean)
            log_stds.append(q.log_std)
        posterior = DiagonalGaussian(torch.stack(means, 1), torch.stack(log_stds, 1))
        return InferredPoses(torch.stack(values, 1), posterior)
