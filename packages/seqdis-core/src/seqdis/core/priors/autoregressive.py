"""The autoregressive prior: BCD's GPT-2 over motion codes, with the content as its prompt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.config import Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.finite import check_finite
from seqdis.core.priors.autoregressive_config import AutoregressiveConfig
from seqdis.core.priors.code_sequences import draw_codes, log_likelihood, log_probabilities
from seqdis.core.priors.code_transformer import CodeTransformer
from seqdis.core.priors.fitting import fit_by_epochs
from seqdis.core.priors.prior import FittedPrior
from seqdis.core.priors.prior_files import read_prior_files, write_prior_files
from seqdis.core.quantize.codebook_use import check_codes
from seqdis.core.random import GeneratorLike, GeneratorStack, gumbel, rand, stack_generators

__all__ = ["AutoregressivePrior"]

_KIND = "autoregressive"
_AT_ONCE = 256


class AutoregressivePrior(nn.Module, FittedPrior):
    """``p(c^{1:V} | s) = Π_τ Π_i p(c_i^τ | s, c^{<τ})`` by GPT-2 with G heads (BCD, App. A.2, Tab. A9).

    The factors that it draws are the codebook's vectors of the drawn codes, with ``codes`` as an extra. The codebook
    comes from the model (:meth:`~seqdis.core.capabilities.HasCodes.codebook`) rather than from the factors, so that
    codes which no training clip holds can be drawn, too.

    ``s`` has no model in the paper, where the content of some clip is always given. ``p(s)`` is here the
    empirical distribution of the training split: content drawn without a given one is that of a training
    sequence, and ``p(s | c^{1:V})`` follows by Bayes' rule over those that are kept.

    GPT-2's positions are learnt, so no context is longer than the training sequences: the content, always at
    position 0, and at most V − 1 steps. When it is full, the latest ⌊V/2⌋ steps are kept and take the positions
    of the first. Draws and likelihoods cut long sequences in the same way.

    Args:
        config: Settings of the network, its training and the draws.
        static_shape: Shape of one content, ``S`` of ``static (B, *S)``.
        codebook_shape: Shape of the codebook, ``(G, J, dim)``.
        steps: Number of steps of the training sequences, V.
        contents: Number of training sequences whose content is kept.
    """

    config_class: ClassVar[type[Config]] = AutoregressiveConfig
    adjustable: ClassVar[tuple[str, ...]] = ("temperature", "top_k", "top_p", "kv_cache")
    config: AutoregressiveConfig
    contents: Tensor

    def __init__(
        self,
        config: AutoregressiveConfig,
        *,
        static_shape: tuple[int, ...],
        codebook_shape: tuple[int, int, int],
        steps: int,
        contents: int,
    ) -> None:
        super().__init__()
        self.config, self.static_shape, self.steps = config, tuple(static_shape), steps
        self.register_buffer("contents", torch.zeros(contents, *self.static_shape))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(config.seed)
            self.network = CodeTransformer(
                static_shape=self.static_shape,
                codebook_shape=codebook_shape,
                positions=steps,
                width=config.width,
                depth=config.depth,
                heads=config.heads,
                dropout=config.dropout,
            )

    @classmethod
    def for_factors(
        cls,
        config: Any,
        factors: Factors,
        *,
        codebook: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> Self:
        """Build an unfitted prior for factors of these shapes, on a device.

        Raises:
            InputError: There is no codebook: the model has no codes to draw.
        """
        if codebook is None:
            raise InputError("the autoregressive prior draws codes, and this model's factors have none")
        prior = cls(
            config,
            static_shape=tuple(factors.static.shape[1:]),
            codebook_shape=(len(codebook), codebook.shape[1], codebook.shape[2]),
            steps=factors.steps,
            contents=min(len(factors), config.contents),
        )
        prior.network.codebook.copy_(codebook)
        return prior.to(device)

    @property
    def device(self) -> torch.device:
        """The device of the prior's tensors."""
        return self.contents.device

    @torch.enable_grad()
    def fit(self, factors: Factors, *, progress: Callable[[int, int], None] | None = None) -> Tensor:
        """Minimise the cross-entropy of each step's codes, its mean over groups, steps and sequences.

        With probability ``subsampling`` a sequence is thinned to every second of its steps, from its first
        or second one (App. A.2: "downsampling videos temporally by a factor of 2"). What is thinned are codes:
        the video is not encoded again.

        Args:
            factors: Encoded sequences of V steps, with codes.
            progress: Function called with the number of epochs done and that of all.

        Returns:
            The mean loss of each epoch, ``(epochs,)``, in nats a code.

        Raises:
            InputError: The shapes are not this prior's, a value is not finite, the codes are not integers
                of this codebook or stand for other vectors, or there are further extras beside the codes.
        """
        static, codes = self._static(factors), self._codes(factors)
        if factors.steps != self.steps:
            raise InputError(f"factors of {factors.steps} steps; this prior's have {self.steps}")
        self._check_vectors(codes, factors.dynamic)
        c, count = self.config, len(static)
        draws = torch.Generator(self.device).manual_seed(c.seed)
        kept = torch.randperm(count, generator=draws, device=self.device)[: c.contents].sort().values
        self.contents = static[kept].clone()
        self.network.standardise(static, codes)
        # Dropout takes no generator: it draws from a stream of its own, begun from the seed.
        with torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []):
            torch.manual_seed(c.seed)
            return fit_by_epochs(
                self,
                lambda chosen, rows: self.loss(static[chosen], codes[chosen], generator=rows),
                count=count,
                epochs=c.epochs,
                batch_size=c.batch_size,
                lr=c.lr,
                weight_decay=c.weight_decay,
                generator=draws,
                progress=progress,
            )

    def _check_vectors(self, codes: Tensor, dynamic: Tensor) -> None:
        for some, vectors in zip(codes.split(_AT_ONCE), dynamic.split(_AT_ONCE), strict=True):
            known = self.network.vectors(some)
            if known.shape != vectors.shape or not torch.allclose(known, vectors.to(known), 1e-3, 1e-4):
                raise InputError("codes and dynamic factors disagree: the codebook is that of another model")

    def loss(self, static: Tensor, codes: Tensor, *, generator: GeneratorStack) -> Tensor:
        """The training loss of ``static (B, *S)`` and ``codes (B, V, G)``, V at most that of the prior."""
        codes, present = self._thin(codes, generator)
        each = -log_probabilities(self.network, static, codes).mean(2)
        return ((each * present).sum(1) / present.sum(1)).mean()

    def _thin(self, codes: Tensor, rows: GeneratorStack) -> tuple[Tensor, Tensor]:
        """Keep every second step of some sequences; gives the padded codes and a mask that is False in padding."""
        total = codes.shape[1]
        draw = rand((len(codes), 2), generator=rows, device=codes.device)
        thin = (draw[:, 0] < self.config.subsampling) & (total > 1)
        first = (draw[:, 1] < 0.5).long() * thin
        step = torch.arange(total, device=codes.device)
        index = torch.where(thin, first, 0)[:, None] + step * torch.where(thin, 2, 1)[:, None]
        present = index < total
        index = index.clamp(max=total - 1)[..., None].expand(-1, -1, codes.shape[2])
        return codes.gather(1, index), present

    @torch.no_grad()
    def log_likelihood(self, factors: Factors) -> Tensor:
        """``log p(c^{1:V} | s)`` of each sequence, of any length, ``(B,)``, in nats.

        Raises:
            InputError: The factors cannot be used, as in :meth:`fit`; any number of steps can.
        """
        return self._log_likelihood(self._static(factors), self._codes(factors))

    def _log_likelihood(self, static: Tensor, codes: Tensor) -> Tensor:
        parts = zip(static.split(_AT_ONCE), codes.split(_AT_ONCE), strict=True)
        return torch.cat([log_likelihood(self.network, s, c, length=self.steps) for s, c in parts])

    @torch.no_grad()
    def sample(
        self,
        count: int,
        *,
        generator: GeneratorLike,
        steps: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        """``count`` contents of the training split, drawn with replacement, and motion for each.

        Raises:
            InputError: ``count`` or ``steps`` is below one.
        """
        if count < 1:
            raise InputError(f"a sample needs count ≥ 1; got {count}")
        rows = stack_generators(generator, count)
        return self._generate(self._some_contents(count, rows), steps, rows, progress)

    @torch.no_grad()
    def sample_dynamic(
        self,
        given: Factors,
        *,
        generator: GeneratorLike,
        independent: bool = False,
        steps: int | None = None,
    ) -> Factors:
        """The static side of ``given`` with drawn motion ``ĉ^{1:V} ~ p(c^{1:V} | s)``; its own motion is not used.

        Args:
            given: Factors ``(B, …)`` whose content is kept.
            generator: One generator for the batch, or one a sequence.
            independent: Whether the motion is drawn for the content of some training sequence instead.
            steps: Number of steps to draw, any; that of ``given`` when omitted.

        Raises:
            InputError: The content is of another shape or not finite, or ``steps`` is below one.
        """
        static = self._static(given)
        rows = stack_generators(generator, len(static))
        prompt = self._some_contents(len(static), rows) if independent else static
        drawn = self._generate(prompt, given.steps if steps is None else steps, rows)
        return given.to(self.device).mix(drawn)

    @torch.no_grad()
    def sample_static(
        self, given: Factors, *, generator: GeneratorLike, independent: bool = False
    ) -> Factors:
        """The dynamic side of ``given`` with drawn contents ``ŝ ~ p(s | c^{1:V})``, by Bayes' rule.

        ``p(s_n | c) ∝ p(c | s_n)`` over the N training contents that are kept: each takes a pass of the
        network over the sequence.

        Args:
            given: Factors whose codes ``(B, V, G)`` are kept.
            generator: One generator for the batch, or one a sequence.
            independent: Whether the content is drawn from ``p(s)``, whatever the codes.

        Raises:
            InputError: ``given`` has no codes of this codebook.
        """
        codes = self._codes(given)
        rows = stack_generators(generator, len(codes))
        if independent:
            static = self._some_contents(len(codes), rows)
        else:
            known, which = torch.unique(codes, dim=0, return_inverse=True)
            count = len(self.contents)
            scores = torch.stack(
                [self._log_likelihood(self.contents, one.expand(count, -1, -1)) for one in known]
            )[which]
            noise = gumbel(scores.shape, generator=rows, device=self.device)
            static = self.contents[(scores + noise).argmax(1)]
        lent = given.to(self.device)
        return Factors(static, lent.dynamic).mix(lent)

    def _some_contents(self, count: int, rows: GeneratorStack) -> Tensor:
        known = len(self.contents)
        index = (rand((count,), generator=rows, device=self.device) * known).long()
        return self.contents[index.clamp(max=known - 1)]

    def _generate(
        self,
        static: Tensor,
        steps: int | None,
        rows: GeneratorStack,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        steps = self.steps if steps is None else steps
        if steps < 1:
            raise InputError(f"steps {steps}: allowed are numbers from 1")
        parts = static.split(_AT_ONCE)
        drawn = []
        for index, part in enumerate(parts):

            def within(done: int, total: int, index: int = index) -> None:
                if progress is not None:
                    progress(index * total + done, len(parts) * total)

            mine = slice(index * _AT_ONCE, index * _AT_ONCE + len(part))
            drawn.append(
                draw_codes(
                    self.network,
                    part,
                    steps,
                    length=self.steps,
                    generator=rows if len(parts) == 1 else rows.part(mine),
                    **self.config.model_dump(include=set(self.adjustable)),
                    progress=within,
                )
            )
        codes = torch.cat(drawn)
        return Factors(static, self.network.vectors(codes), {"codes": Extra(codes, "dynamic")})

    def _static(self, factors: Factors) -> Tensor:
        if tuple(factors.static.shape[1:]) != self.static_shape:
            raise InputError(
                f"static factors of shape {tuple(factors.static.shape[1:])}; this prior's are {self.static_shape}"
            )
        static = factors.static.to(self.device, torch.float32)
        check_finite(static, "static factors")
        return static

    def _codes(self, factors: Factors) -> Tensor:
        groups, entries, _ = self.network.codebook.shape
        others = sorted(factors.extras.keys() - {"codes"})
        if others:
            raise InputError(f"this prior models codes alone; got {', '.join(others)}")
        extra = factors.extras.get("codes")
        wanted = (len(factors), factors.steps, groups)
        shape = None if extra is None else tuple(extra.value.shape)
        if extra is None or shape != wanted or extra.side != "dynamic":
            raise InputError(f"codes of shape {shape}; this prior needs {wanted}, on the dynamic side")
        check_codes(extra.value, entries)
        return extra.value.to(self.device, torch.long)

    def save(self, folder: str | Path, *, about: Mapping[str, Any] | None = None) -> None:
        """Write ``prior.json`` and ``prior.safetensors`` into a folder that appears whole or not at all.

        Args:
            folder: The folder to write; an earlier one is replaced.
            about: Origin of the prior, kept in ``prior.json`` beside the settings.
        """
        sizes = {
            "static_shape": self.static_shape,
            "codebook_shape": tuple(self.network.codebook.shape),
            "steps": self.steps,
            "contents": len(self.contents),
        }
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
        groups, entries, dim = map(int, values["codebook_shape"])
        return cls(
            parse_config(AutoregressiveConfig, values["config"], where=where),
            static_shape=tuple(map(int, values["static_shape"])),
            codebook_shape=(groups, entries, dim),
            steps=int(values["steps"]),
            contents=int(values["contents"]),
        )
