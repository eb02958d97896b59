"""The training hooks of DiViD."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from seqdis.core.curve import Curve
from seqdis.core.data.steps import entry_weights
from seqdis.core.diffusion.posterior import posterior_kl
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import TrainingHooks
from seqdis.core.training.separation import set_separation

__all__ = ["DiViDHooks"]

_CURVE_POINTS = 20


class DiViDHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.divid.method.DiViD`."""

    def compile_networks(self) -> None:
        """``torch.compile`` both backbones in place; parameter names stay as they are."""
        self.model.frame_encoder.compile()
        self.model.denoiser.network.compile()

    def set_scheduled(self, name: str, value: float) -> None:
        """Set the noise on a factor, which ends at the configuration's own, or the weight of what s tells of d."""
        model = self.model
        set_separation(
            name, value, channels=model.channels, predictability=model.predictability, method="divid"
        )

    def on_stage(self, name: str) -> None:
        """There is one stage, ``"training"``, which may move the noise and the weight."""
        if name != "training":
            raise InputError(f"train.stages: stage {name!r}; divid has: training")

    @torch.no_grad()
    def curves(self, sequences: Sequences, *, generator: GeneratorStack) -> Mapping[str, Curve]:
        """``posterior_kl``: the KL of the true and the model's reverse step over t, nats a frame.

        It measures what one reverse step must still learn about a frame, beyond the noisy frame and the tokens: tight
        at large t, loose at small t, the time-varying bottleneck (Sec. 3.2). It is plotted and not trained on.
        """
        model = self.model
        y = model.to_model_space(sequences)
        z = model.as_condition(model.tokens(model.factors(y, sequences.mask))).flatten(0, 1)
        noise = model.draw_noise(y.shape, generator, y.device).flatten(0, 1)
        weight = entry_weights(sequences, y)
        weight = y.new_ones(()) if weight is None else weight.expand(y.shape).flatten(0, 1)
        existing = len(noise) if sequences.mask is None else int(sequences.mask.sum())
        frames, sigmas = y.flatten(0, 1), model.schedule.sigmas.to(y.device)
        last = len(sigmas) - 1
        steps = torch.linspace(1, last, min(_CURVE_POINTS, last)).round().long()
        denoise = model.denoiser.bind(z, max_frames_per_pass=model.config.max_frames_per_pass)
        values = []
        for step in steps.tolist():
            guess = denoise(frames + sigmas[step].float() * noise, float(sigmas[step]))
            level, sigma_next = (sigmas[i].expand(len(frames)) for i in (step, step - 1))
            kl = posterior_kl(frames * weight, guess * weight, sigma=level, sigma_next=sigma_next)
            values.append(kl.sum().cpu() / existing)
        return {
            "posterior_kl": Curve(
                steps, torch.stack(values), "t, steps of the chain", "nats a frame", logarithmic=True
            )
        }
