"""Capabilities that only some methods have: small protocols beside ``Disentangler``, asked for by ``isinstance``."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

from seqdis.core.config import Config, RunConfig, parse_config
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from seqdis.core.diffusion.samplers.sampling import Sampling
    from seqdis.core.factors import Factors
    from seqdis.core.priors.prior import Prior
    from seqdis.core.progress import Progress
    from seqdis.core.quantize.bitrate import Bitrate
    from seqdis.core.random import GeneratorLike

__all__ = [
    "Adjustable",
    "DecodesByDiffusion",
    "DecodesPart",
    "DrawsFactors",
    "HasCodes",
    "HasLearnedPrior",
    "Invertible",
    "NeedsTargets",
    "NeedsWholeSequences",
    "SwapsExtra",
    "adjust",
    "codebook_of",
    "coder_of",
    "decoded_part",
    "draw_factors",
    "invert",
    "inverts",
    "learned_prior",
    "mix_extra",
    "quick_decoding",
    "refused_parts",
    "required_targets",
    "sampling_of",
]


@runtime_checkable
class Invertible(Protocol):
    """A method whose decoder starts from noise, and that finds the noise of given sequences."""

    def invert(
        self, sequences: Any, factors: Factors, *, progress: Progress | None = None, grad: bool = False
    ) -> Tensor:
        """The noise ``(B, V, *latent)`` from which ``decode(factors, noise=…)`` gives the sequences back."""


@runtime_checkable
class HasLearnedPrior(Protocol):
    """A method that learns a prior as part of its model."""

    def learned_prior(self) -> Prior:
        """The prior that was learnt with the model; it needs no fitting."""


@runtime_checkable
class DecodesPart(Protocol):
    """A method whose decoder reads only a part of the factors, so that a fitted prior need draw no more."""

    def decoded_part(self, factors: Factors) -> Factors:
        """The part of ``factors`` that ``decode`` reads."""


@runtime_checkable
class DrawsFactors(Protocol):
    """A method that infers distributions of its factors, of which ``encode`` gives the means."""

    def draw_factors(self, sequences: Any, *, generator: GeneratorLike) -> Factors:
        """One draw of each factor: what the decoder is given in training, with traces below the noise lost."""


@runtime_checkable
class HasCodes(Protocol):
    """A method whose dynamic factor is quantised, with ``codes (B, V, G)`` among the extras of its factors."""

    bitrate: Bitrate
    """Target and unit of the rate of the codes."""

    def codebook(self) -> Tensor:
        """The entries that the codes stand for, ``(G, J, dim)``.

        Step τ's dynamic factor is ``[codebook[0, c_1], …, codebook[G−1, c_G]]``, flattened.
        """


@runtime_checkable
class SwapsExtra(Protocol):
    """A method with a further factor that can be swapped on its own."""

    def mix_extra(
        self, factors: Factors, other: Factors, name: str, *, generator: GeneratorLike | None = None
    ) -> Factors:
        """``factors`` with the extra ``name`` of ``other``, and all that the method derives from it made anew.

        Args:
            factors: Factors that keep everything else, of B sequences.
            other: Factors that the extra is taken from, of B sequences or of one.
            name: Name of the extra.
            generator: Source of what is drawn anew; the most likely values are taken when omitted.

        Raises:
            InputError: The method has no extra of that name that can be swapped on its own.
        """


@runtime_checkable
class DecodesByDiffusion(Protocol):
    """A method that decodes by a sampler."""

    sampling: Sampling
    """The sampler, its inverter and their settings."""


@runtime_checkable
class NeedsTargets(Protocol):
    """A method whose loss reads pseudo-labels from ``Sequences.targets``."""

    @classmethod
    def required_targets(cls, config: Any) -> tuple[str, ...]:
        """Names of the modality's targets that the loss reads under this configuration."""


@runtime_checkable
class NeedsWholeSequences(Protocol):
    """A method that by its nature cannot have gaps or padding."""

    refuses: ClassVar[tuple[str, ...]]
    """The parts of :class:`~seqdis.core.sequences.Sequences` that must not mark anything as missing: ``"mask"``, ``"observed"``."""


@runtime_checkable
class Adjustable(Protocol):
    """A method some of whose settings may change after training."""

    adjustable: ClassVar[tuple[str, ...]]
    """Names of those settings in its ``config_class``."""
    config_class: ClassVar[type[Config]]
    run_config: RunConfig | None

    def take_settings(self, config: Any) -> None:
        """Use a configuration in which only ``adjustable`` settings differ from the one in use."""


def invert(
    model: object, sequences: Any, factors: Factors, *, progress: Progress | None = None
) -> Tensor | None:
    """The noise that the model decodes the sequences from; None for a method that starts from none or cannot tell."""
    return model.invert(sequences, factors, progress=progress) if isinstance(model, Invertible) else None


def inverts(model: object) -> bool:
    """Whether the model finds a noise that leads back to given sequences, so that it has two reconstructions."""
    return isinstance(model, Invertible)


def learned_prior(model: object) -> Prior | None:
    """The prior that was learnt with the model; None where one is fitted to its factors afterwards."""
    return model.learned_prior() if isinstance(model, HasLearnedPrior) else None


def decoded_part(model: object, factors: Factors) -> Factors:
    """The part of ``factors`` that the model decodes, all of them unless the method says otherwise."""
    return model.decoded_part(factors) if isinstance(model, DecodesPart) else factors


def draw_factors(model: object, sequences: Any, *, generator: GeneratorLike) -> Factors | None:
    """One draw of the factors' distributions; None for a method whose factors are values."""
    return model.draw_factors(sequences, generator=generator) if isinstance(model, DrawsFactors) else None


def coder_of(model: object) -> HasCodes | None:
    """The model as a method whose dynamic factor is codes, with their rate; None for a method without codes."""
    return model if isinstance(model, HasCodes) else None


def codebook_of(model: object) -> Tensor | None:
    """The model's codebook ``(G, J, dim)``; None for a method without codes."""
    coder = coder_of(model)
    return None if coder is None else coder.codebook()


def mix_extra(
    model: object, factors: Factors, other: Factors, name: str, *, generator: GeneratorLike | None = None
) -> Factors:
    """Swap one further factor alone: ``factors`` with the extra ``name`` of ``other``, by :meth:`SwapsExtra.mix_extra`.

    Raises:
        InputError: The method has no further factor that can be swapped on its own.
    """
    if not isinstance(model, SwapsExtra):
        raise InputError(f"{name!r}: {type(model).__name__} has no further factor that can be swapped alone")
    return model.mix_extra(factors, other, name, generator=generator)


def refused_parts(method: type) -> tuple[str, ...]:
    """The parts of :class:`~seqdis.core.sequences.Sequences` that a method cannot have gaps in; see :class:`NeedsWholeSequences`."""
    # A class is asked, not an instance: data are chosen before a model is built.
    parts: tuple[str, ...] = getattr(method, "refuses", ())
    return parts


def required_targets(method: type, config: Any) -> tuple[str, ...]:
    """Names of the targets that a method's loss reads; none unless the method says so."""
    # A class is asked, not an instance: targets are computed before a model is built.
    return method.required_targets(config) if issubclass(method, NeedsTargets) else ()


def sampling_of(model: object) -> Sampling | None:
    """The model's sampler, inverter and their settings; None for a method that decodes without a sampler."""
    return model.sampling if isinstance(model, DecodesByDiffusion) else None


def quick_decoding(model: object) -> AbstractContextManager[None]:
    """Decode in few sampler steps within a ``with`` block, for previews; a model without a sampler is unchanged."""
    sampling = sampling_of(model)
    return contextlib.nullcontext() if sampling is None else sampling.quick()


def adjust(model: object, changes: Mapping[str, Any]) -> None:
    """Encode and decode with other settings from now on.

    Args:
        model: Model of any method.
        changes: New values of settings that are :attr:`Adjustable.adjustable`.

    Raises:
        InputError: A setting is unknown, cannot change after training, or is out of range; or the model
            was not built from a configuration.
    """
    adjustable = model if isinstance(model, Adjustable) else None
    allowed = adjustable.adjustable if adjustable is not None else ()
    for name in changes:
        if name not in allowed:
            raise InputError(
                f"model: {name!r} cannot change after training; allowed: {', '.join(allowed) or 'none'}"
            )
    if not changes or adjustable is None:
        return
    if adjustable.run_config is None:
        raise InputError("settings can change only of a model that was built by build_model(config)")
    values = adjustable.run_config.model.model_dump(mode="json") | dict(changes)
    config = parse_config(adjustable.config_class, values, where="model")
    adjustable.run_config = adjustable.run_config.model_copy(update={"model": config})
    adjustable.take_settings(config)
