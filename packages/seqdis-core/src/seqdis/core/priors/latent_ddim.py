"""The latent DDIM: DiffSDA's prior over factors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn

from seqdis.core.config import Config, parse_config
from seqdis.core.diffusion.denoiser import DenoiseFunction, Denoiser
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.noise import linear_schedule
from seqdis.core.diffusion.preconditioning import VelocityPreconditioning
from seqdis.core.diffusion.samplers.ddim import DDIMSampler
from seqdis.core.diffusion.samplers.sampler_state import SamplerState
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.finite import check_finite, check_scale
from seqdis.core.priors.fitting import fit_by_epochs
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.priors.prior import FittedPrior
from seqdis.core.priors.prior_files import read_prior_files, write_prior_files
from seqdis.core.priors.skip_mlp import SkipMLP
from seqdis.core.random import GeneratorLike, GeneratorStack, randn, stack_generators
from seqdis.core.registry import get_sampler
from seqdis.core.training.ema import EMA

__all__ = ["LatentDDIM"]

_KIND = "latent_ddim"

LEAST_HIDDEN = 256
"""Smallest default width of the layers, however small the factors are."""

_DRAWN_AT_ONCE = 4096


class LatentDDIM(nn.Module, FittedPrior):
    """DDIM on the standardised vector ``(s, d^{1:V})`` (DiffSDA, App. B.3, Eq. 11, Tab. 8).

    The loss is on ε. The network's own output is ``v``, with ``ε_φ = √(1−ᾱ_t)·z_t + √ᾱ_t·v_φ``: the schedule
    ends at σ = 157, where an ε that is wrong by one part in a hundred would move a sample by 1.6 standard
    deviations, and this form has the larger part of ε by construction.

    *Dependent*: one model of the joint vector. *Independent*: one of ``s`` and one of ``d^{1:V}`` (App. G.1).

    Args:
        config: Settings of the network, its noise schedule and its training.
        static_shape: Shape of one static factor, ``S`` of ``static (B, *S)``.
        dynamic_shape: Shape of one sequence of dynamic factors, ``(V, *D)`` of ``dynamic (B, V, *D)``.
    """

    config_class: ClassVar[type[Config]] = LatentDDIMConfig
    adjustable: ClassVar[tuple[str, ...]] = ("sampler", "steps", "resamples")
    config: LatentDDIMConfig
    mean: Tensor
    std: Tensor

    def __init__(
        self, config: LatentDDIMConfig, *, static_shape: tuple[int, ...], dynamic_shape: tuple[int, ...]
    ) -> None:
        super().__init__()
        self.config = config
        self.static_shape, self.dynamic_shape = tuple(static_shape), tuple(dynamic_shape)
        first, second = torch.Size(self.static_shape).numel(), torch.Size(self.dynamic_shape).numel()
        self.width, self.static_width = first + second, first
        self.parts = (
            {"joint": slice(0, self.width)}
            if config.dependent
            else {"static": slice(0, first), "dynamic": slice(first, self.width)}
        )
        hidden = config.hidden or max(self.width, LEAST_HIDDEN)
        self.schedule = linear_schedule(config.timesteps)
        self.register_buffer("mean", torch.zeros(self.width))
        self.register_buffer("std", torch.ones(self.width))
        self.register_load_state_dict_post_hook(LatentDDIM._check_std)  # type: ignore[no-untyped-call]
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.denoisers = nn.ModuleDict({
                name: Denoiser(
                    SkipMLP(part.stop - part.start, hidden=hidden, layers=config.layers),
                    preconditioning=VelocityPreconditioning(self.schedule),
                )
                for name, part in self.parts.items()
            })  # fmt: skip

    @classmethod
    def for_factors(
        cls,
        config: Any,
        factors: Factors,
        *,
        codebook: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> Self:
        """Build an unfitted prior for factors of these shapes, on a device; it draws vectors, not codes."""
        shapes = {"static_shape": factors.static.shape[1:], "dynamic_shape": factors.dynamic.shape[1:]}
        return cls(config, **shapes).to(device)

    def _check_std(self, _: object) -> None:
        check_scale(self.std, "std")

    @property
    def device(self) -> torch.device:
        """The device of the prior's tensors."""
        return self.mean.device

    @torch.enable_grad()
    def fit(self, factors: Factors, *, progress: Callable[[int, int], None] | None = None) -> Tensor:
        """Minimise ``E‖ε_φ(z_t, t) − ε‖²`` (Eq. 11) over the factors of a training split, and average the weights.

        Args:
            factors: Encoded sequences, at least two.
            progress: Function called with the number of epochs done and that of all.

        Returns:
            The mean loss of each epoch, ``(epochs,)``.

        Raises:
            InputError: The shapes are not this prior's, a value is not finite, or there are extras, which
                this prior does not model.
        """
        z = self._vector(factors)
        if len(z) < 2:
            raise InputError(f"a prior needs the factors of at least 2 sequences; got {len(z)}")
        std, mean = torch.std_mean(z, dim=0, correction=0)
        self.mean.copy_(mean)
        self.std.copy_(torch.where(std > 1e-6, std, 1.0))  # a constant entry stays what it is
        z = (z - self.mean) / self.std
        c = self.config
        ema = EMA(self, decay=c.ema_decay)
        losses = fit_by_epochs(
            self,
            lambda chosen, rows: self._loss(z[chosen], rows),
            count=len(z),
            epochs=c.epochs,
            batch_size=c.batch_size,
            lr=c.lr,
            weight_decay=c.weight_decay,
            generator=torch.Generator(self.device).manual_seed(c.seed),
            after_step=ema.update,
            progress=progress,
        )
        ema.keep()
        return losses

    def _loss(self, z: Tensor, rows: GeneratorStack) -> Tensor:
        sigma = self.schedule.draw((len(z),), generator=rows, device=z.device)
        noise = randn(z.shape, generator=rows, device=z.device)
        total = z.new_zeros(())
        for name, part in self.parts.items():
            x = z[:, part]
            share = x.shape[1] / self.width
            none = z.new_zeros(len(z), 0)
            # ‖ε_φ − ε‖² = ‖v_φ − v‖²/(1 + σ²)
            total = total + share * denoising_loss(
                self._denoiser(name),
                x,
                none,
                sigma=sigma,
                noise=noise[:, part],
                weight=1 / (1 + sigma.square())[:, None],
            )
        return total

    def _denoiser(self, name: str) -> Denoiser:
        return cast("Denoiser", self.denoisers[name])

    @torch.no_grad()
    def sample(
        self,
        count: int,
        *,
        generator: GeneratorLike,
        steps: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        """``count`` new pairs from noise by a deterministic sampler.

        Raises:
            InputError: ``count`` is below one, or ``steps`` is not the length that it was fitted to.
        """
        if count < 1:
            raise InputError(f"a sample needs count ≥ 1; got {count}")
        self._check_steps(steps)
        rows = stack_generators(generator, count)
        sampler = get_sampler(self.config.sampler)(steps=self.config.steps).on(self.schedule)
        noise = sampler.sigma_max * randn((count, self.width), generator=rows, device=self.device)
        parts = noise.split(_DRAWN_AT_ONCE)
        drawn = []
        for index, part in enumerate(parts):

            def within(done: int, total: int, index: int = index) -> None:
                if progress is not None:
                    progress(index * total + done, len(parts) * total)

            drawn.append(sampler.sample(self._joint(len(part)), part, progress=within).x)
        return self._factors(torch.cat(drawn))

    def sample_static(
        self, given: Factors, *, generator: GeneratorLike, independent: bool = False
    ) -> Factors:
        """The dynamics of ``given`` with drawn static factors ``ŝ ~ p(s | d^{1:V})``.

        Args:
            given: Factors ``(B, …)`` whose dynamics are kept.
            generator: One generator for the batch, or one a sequence.
            independent: Whether a joint pair is drawn and its ``ŝ`` alone kept, as in the paper's
                unconditional swap (App. H.4): ``ŝ ~ p(s)``, whatever the dynamics.

        Raises:
            InputError: The factors cannot be used, as in :meth:`fit`.
        """
        return self._conditional(given, slice(self.static_width, self.width), generator, independent)

    def sample_dynamic(
        self,
        given: Factors,
        *,
        generator: GeneratorLike,
        independent: bool = False,
        steps: int | None = None,
    ) -> Factors:
        """The static factors of ``given`` with drawn dynamics ``d̂^{1:V} ~ p(d^{1:V} | s)``; see :meth:`sample_static`."""
        self._check_steps(steps)
        return self._conditional(given, slice(0, self.static_width), generator, independent)

    @torch.no_grad()
    def _conditional(
        self, given: Factors, kept: slice, generator: GeneratorLike, independent: bool
    ) -> Factors:
        vector = self._vector(given)
        rows = stack_generators(generator, len(vector))
        if independent or not self.config.dependent:
            drawn = self.sample(len(vector), generator=rows).flatten()
        else:
            drawn = self._factors(self._inpaint((vector - self.mean) / self.std, kept, rows)).flatten()
        drawn[:, kept] = vector[:, kept]  # exactly what was given
        return self._read(drawn)

    def _inpaint(self, known: Tensor, kept: slice, rows: GeneratorStack) -> Tensor:
        """RePaint (Lugmayr et al. 2022, Alg. 1): at each level, ancestral steps with the known entries
        replaced by noised copies of themselves, repeated from the same level until both agree."""
        sampler = DDIMSampler(steps=self.config.steps, eta=1).on(self.schedule)
        levels, denoise = sampler.sigmas, self._joint(len(known))

        def fresh() -> Tensor:
            return randn(known.shape, generator=rows, device=known.device, dtype=torch.float64)

        x = levels[0] * fresh()
        for i, (level, sigma_next) in enumerate(itertools.pairwise(levels)):
            for round_ in range(self.config.resamples):
                x[:, kept] = (known + level * fresh())[:, kept]
                state = sampler.step(
                    denoise, SamplerState(x, level, i, len(levels) - 1), sigma_next, rows=rows
                )
                x = state.x
                if round_ + 1 < self.config.resamples:
                    x = x + (level**2 - sigma_next**2) ** 0.5 * fresh()
        return x

    def _joint(self, count: int) -> DenoiseFunction:
        """The denoiser of ``count`` joint vectors, made of two denoisers where both parts are independent."""
        none = self.mean.new_zeros(count, 0)
        parts = [
            (part, self._denoiser(name).bind(none, max_frames_per_pass=count))
            for name, part in self.parts.items()
        ]
        return lambda x, level: torch.cat([denoise(x[:, part], level) for part, denoise in parts], dim=1)

    def _check_steps(self, steps: int | None) -> None:
        if steps not in (None, self.dynamic_shape[0]):
            raise InputError(
                f"steps {steps}: this prior draws sequences of {self.dynamic_shape[0]} steps only"
            )

    def _vector(self, factors: Factors) -> Tensor:
        shapes = (tuple(factors.static.shape[1:]), tuple(factors.dynamic.shape[1:]))
        if shapes != (self.static_shape, self.dynamic_shape):
            raise InputError(
                f"factors of shapes {shapes}; this prior's are {(self.static_shape, self.dynamic_shape)}"
            )
        if factors.extras:
            raise InputError(f"this prior does not model extras; got {', '.join(sorted(factors.extras))}")
        vector = factors.flatten().to(self.device, torch.float32)
        check_finite(vector, "factors")
        return vector

    def _factors(self, z: Tensor) -> Factors:
        return self._read((z * self.std + self.mean).float())

    def _read(self, vector: Tensor) -> Factors:
        static, dynamic = vector.split([self.static_width, self.width - self.static_width], dim=1)
        return Factors(static.unflatten(1, self.static_shape), dynamic.unflatten(1, self.dynamic_shape))

    def save(self, folder: str | Path, *, about: Mapping[str, Any] | None = None) -> None:
        """Write ``prior.json`` and ``prior.safetensors`` into a folder that appears whole or not at all.

        Args:
            folder: The folder to write; an earlier one is replaced.
            about: Origin of the prior, kept in ``prior.json`` beside the settings.
        """
        sizes = {"static_shape": self.static_shape, "dynamic_shape": self.dynamic_shape}
        write_prior_files(folder, self, kind=_KIND, config=self.config, sizes=sizes, about=about)

    @classmethod
    def load(cls, folder: str | Path, *, device: torch.device | str = "cpu") -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: A file is missing, damaged, of another format, or the two disagree.
        """
        return read_prior_files(folder, kind=_KIND, build=cls._unfitted).to(device)

    @classmethod
    def _unfitted(cls, values: Mapping[str, Any], where: str) -> Self:
        return cls(
            parse_config(LatentDDIMConfig, values["config"], where=where),
            static_shape=tuple(values["static_shape"]),
            dynamic_shape=tuple(values["dynamic_shape"]),
        )
