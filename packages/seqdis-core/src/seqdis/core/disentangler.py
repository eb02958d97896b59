"""Disentangler: the one abstract class that every method implements."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.capabilities import NeedsWholeSequences, invert, mix_extra, sampling_of
from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.coercion import as_sequences
from seqdis.core.config import Config, RunConfig
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.steps import zero_unobserved
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.files import replace_directory
from seqdis.core.finite import check_finite, check_results
from seqdis.core.fixed_passes import encode_in_fixed_passes
from seqdis.core.model_files import write_model_files
from seqdis.core.nn.passes import in_passes
from seqdis.core.progress import Progress, part_of
from seqdis.core.random import GeneratorLike, GeneratorStack
from seqdis.core.sequences import Sequences, check_whole
from seqdis.core.starting_noise import NoiseChoice, ReconstructionNoise, choose_noise

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.modality import Modality

__all__ = ["Disentangler", "LossOutput"]


@dataclass(frozen=True)
class LossOutput:
    """A training loss.

    Attributes:
        loss: The scalar to minimise: a mean over the batch's sequences, so that the mean over
            equal parts of a batch is the loss of the whole.
        terms: Named parts of it and further figures to log, detached scalars.
    """

    loss: Tensor
    terms: Mapping[str, Tensor] = field(default_factory=dict)


class Disentangler(nn.Module, ABC):
    """A method: ``encode`` to factors, ``decode`` back, and a training ``loss``.

    Frames go in and come out in natural units; the frame codec and the normaliser belong to the model:
    ``x → codec → normalizer → method`` and back. Every public call takes whatever :func:`as_sequences` reads. It is
    coerced, checked, moved to the device, and its gaps are blanked here, once: a method's own ``_encode``, ``_decode``
    and ``_loss`` get :class:`Sequences` in which nothing is left of what stood in a gap. What only some methods can do
    is a protocol of :mod:`seqdis.core.capabilities`.

    Args:
        frame_shape: Shape of a natural frame.
        codec: The frozen map in front of the model; its weights are not part of the model. Identity when omitted.
        normalizer: The normaliser of coded frames, saved with the model; not fitted yet when omitted.
    """

    config_class: ClassVar[type[Config]]
    """The schema of ``RunConfig.model``."""

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__()
        self.frame_shape = tuple(frame_shape)
        self.codec = (codec or IdentityCodec()).requires_grad_(False)
        self.normalizer = normalizer or Normalizer(self.codec.latent_shape(self.frame_shape))
        self.run_config: RunConfig | None = None
        self.value_range: tuple[float, float] | None = None

    @classmethod
    @abstractmethod
    def from_config(
        cls,
        config: Any,
        *,
        modality: Modality,
        frame_shape: tuple[int, ...],
        codec: FrameCodec,
        normalizer: Normalizer,
    ) -> Self:
        """Build the method with the backbones that the modality passes in."""

    @abstractmethod
    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        """Factors of sequences on the model's device, whose gaps are blank."""

    @abstractmethod
    def _decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None,
        sampler: Sampler | SamplerConfig | str | None,
        generator: GeneratorLike | Sequence[torch.Generator] | None,
        progress: Progress | None,
    ) -> Tensor:
        """Sequences ``(B, V, *frame)`` of factors on the model's device."""

    @abstractmethod
    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """The training loss of sequences on the model's device, whose gaps are blank."""

    def encode(
        self, sequences: Any, *, generator: GeneratorLike | None = None, grad: bool = False
    ) -> Factors:
        """``x^{1:V} -> (s, d^{1:V})``.

        On the CPU, in evaluation mode and without gradients, sequences pass a fixed number at a time, frames likewise:
        the factors of a sequence are the same bit for bit whatever stands behind it in the batch, and whatever
        ``max_frames_per_pass`` is. Elsewhere they agree to rounding, for a GPU has other kernels for other shapes.

        Args:
            sequences: Anything that :func:`as_sequences` reads.
            generator: Source of random draws, for a method that draws in training mode.
            grad: Keep the graph, so that gradients can flow back through the factors.

        Returns:
            ``static (B, *S)`` and ``dynamic (B, V, *D)`` on the model's device, with the keys, time stamps and mask of
            the sequences.

        Raises:
            InputError: A shape is wrong, a value that counts is not finite or out of the modality's range, the
                method cannot have the gaps that the sequences have, or a factor is not finite.
        """
        ready = self._ready(sequences)
        with torch.set_grad_enabled(grad):
            factors = self._encode_rows(ready, generator, fixed=not grad).with_index_of(ready)
        check_results(factors.parts(), ready.x, ready.keys, name="input")
        return factors

    def decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None = None,
        sampler: Sampler | SamplerConfig | str | None = None,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Progress | None = None,
        grad: bool = False,
    ) -> Tensor:
        """``(s, d^{1:V}) -> x^{1:V}``, sequences ``(B, V, *frame)`` in natural units.

        Args:
            factors: Factors of any origin: encoded, mixed, or drawn.
            noise: Inverted noise ``(B, V, *latent)``, for a decoder that starts from noise; drawn when omitted. See
                :func:`seqdis.core.capabilities.invert`.
            sampler: Use this sampler instead of the configured one, for a method that decodes by diffusion.
            generator: Source of random draws: one for the batch, or one a sequence.
            progress: Called as the work advances.
            grad: Keep the graph, so that gradients can flow back to the factors.

        Raises:
            InputError: The factors have the widths of another model or are not finite, a decoded value is not finite,
                or the method has no sampler.
        """
        if not isinstance(factors, Factors):
            raise InputError(f"factors: a {type(factors).__name__}; allowed: Factors, as encode gives them")
        if sampler is not None and sampling_of(self) is None:
            raise InputError(f"sampler: {type(self).__name__} decodes without one; allowed: none")
        for part, value in factors.parts().items():
            check_finite(value.detach(), f"factors: {part}")
        with torch.set_grad_enabled(grad):
            x = self._decode(
                factors.to(self.device), noise=noise, sampler=sampler, generator=generator, progress=progress
            )
        check_results({"decoded": x}, factors.flatten(), factors.keys, name="factors")
        return x

    def loss(self, sequences: Any, *, generator: GeneratorStack) -> LossOutput:
        """The training loss of a batch; every random draw comes from ``generator``, row by row.

        Values of :class:`Sequences`, as a data loader gives them, are not looked at: that would wait for the device.
        """
        ready = self._ready(sequences, check_values=not isinstance(sequences, Sequences))
        return self._loss(ready, generator=generator)

    def forward(self, sequences: Any, generator: GeneratorStack) -> LossOutput:
        """:meth:`loss`, under the name that wrappers (DDP, ``torch.compile``) call."""
        return self.loss(sequences, generator=generator)

    @torch.no_grad()
    def reconstruct(
        self,
        sequences: Any,
        *,
        noise: ReconstructionNoise = "inverted",
        generator: GeneratorLike | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Encode and decode: ``(B, V, *frame)``.

        Args:
            sequences: Anything that :func:`as_sequences` reads.
            noise: ``"inverted"``: start from the noise that the sequences invert to, where the method inverts;
                ``"fresh"``: start from a new draw, so that the result shows the factors and nothing else.
            generator: Source of random draws.
            progress: Called as the work advances.

        Raises:
            InputError: The sequences cannot be encoded (see :meth:`encode`), or ``noise`` is neither of the two.
        """
        if noise not in ("inverted", "fresh"):
            raise InputError(f"noise {noise!r}; allowed: inverted, fresh")
        ready = self._ready(sequences)
        factors = self.encode(ready, generator=generator)
        start = None
        if noise == "inverted":
            start = invert(self, ready, factors, progress=part_of(progress, 0, 2))
        return self.decode(factors, noise=start, generator=generator, progress=part_of(progress, 1, 2))

    @torch.no_grad()
    def swap(
        self,
        static: Any,
        dynamic: Any,
        *,
        noise: NoiseChoice = "dynamic",
        extra: str | None = None,
        generator: GeneratorLike | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Sequences with the static factor of one input and the dynamics of the other, ``(B, V', *frame)``.

        Args:
            static: Sequences whose static factor (who or what) is kept: ``(B, V, *frame)``.
            dynamic: Sequences whose dynamics (what happens) are taken: ``(B, V', *frame)``.
            noise: Noise that the result starts from; see :func:`choose_noise`. Where an extra alone is swapped, the
                dynamics are still those of ``static``, and so is the noise.
            extra: Take this one factor alone from ``dynamic``, and all others from ``static``.
            generator: Source of random draws.
            progress: Called as the work advances.

        Raises:
            InputError: An input cannot be encoded (see :meth:`encode`), ``noise`` is none of the three, or the method
                has no such extra.
        """
        moving, still = self._ready(dynamic, name="dynamic"), self._ready(static, name="static")
        donor = self.encode(moving, generator=generator)
        own = self.encode(still, generator=generator)
        mixed = own.mix(donor) if extra is None else mix_extra(self, own, donor, extra)

        def inverted(wanted: NoiseChoice, sequences: Sequences, factors: Factors) -> Tensor | None:
            return (
                invert(self, sequences, factors, progress=part_of(progress, 0, 2))
                if noise == wanted
                else None
            )

        start = choose_noise(
            noise,
            static=inverted("static", still, own),
            dynamic=inverted("dynamic", moving, donor) if extra is None else inverted("dynamic", still, own),
        )
        return self.decode(mixed, noise=start, generator=generator, progress=part_of(progress, 1, 2))

    @property
    def device(self) -> torch.device:
        """The device that holds the model's tensors."""
        return self.normalizer.mean.device

    def _encode_rows(self, ready: Sequences, generator: GeneratorLike | None, *, fixed: bool) -> Factors:
        # One stream of draws for a whole batch, as in training, cannot be cut; and what is dropped is the batch's.
        cuttable = not isinstance(generator, GeneratorStack) or generator.each_row
        if not fixed or self.training or not cuttable or self.device.type != "cpu":
            return self._encode(ready, generator=generator)
        return encode_in_fixed_passes(
            lambda rows, source: self._encode(rows, generator=source), ready, generator
        )

    def _ready(self, data: Any, *, name: str = "input", check_values: bool = True) -> Sequences:
        """Sequences as a method may see them: coerced, checked, on the model's device, their gaps 0.

        Args:
            data: Anything that :func:`as_sequences` reads.
            name: Name of the input in messages.
            check_values: Look for values that are not finite or out of their range.
        """
        value_range = self.value_range if check_values else None
        sequences = as_sequences(data, frame_shape=self.frame_shape, value_range=value_range, name=name)
        x, frame = sequences.x, self.frame_shape
        if sequences.coded:
            frame = self.codec.latent_shape(frame)
        if x.ndim != len(frame) + 2 or tuple(x.shape[2:]) != frame or 0 in x.shape[:2]:
            raise InputError(
                f"{name}: {'latents of ' if sequences.coded else ''}shape {tuple(x.shape)}; "
                f"allowed: (B, V, {', '.join(map(str, frame))})"
            )
        if isinstance(self, NeedsWholeSequences):
            check_whole(type(self).__name__, sequences, refused=self.refuses)
        sequences = sequences.to(self.device)
        sequences = replace(sequences, x=zero_unobserved(sequences.x, sequences))
        if check_values:
            check_finite(sequences.x, name)
        return sequences

    def to_model_space(self, sequences: Sequences) -> Tensor:
        """Normalised coded frames ``(B, V, *latent)``, in which every gap is 0, the mean of the data.

        Raises:
            InputError: Entries are missing behind a frame codec, which mixes the entries of a frame.
        """
        if not isinstance(self.codec, IdentityCodec) and sequences.observed is not None:
            check_whole("a model behind a frame codec", sequences, refused=("observed",))
            sequences = replace(sequences, observed=None)
        x = sequences.x
        if not sequences.coded:
            x = self.codec.encode(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        return zero_unobserved(self.normalizer(x), sequences)

    def from_model_space(self, y: Tensor, *, max_frames_per_pass: int | None = None) -> Tensor:
        """Turn normalised coded frames back into natural ones, the inverse of :meth:`to_model_space`.

        Args:
            y: Normalised coded frames, ``(B, V, *latent)``.
            max_frames_per_pass: Number of frames that the codec decodes at a time; all of them when omitted.

        Returns:
            Frames in natural units, ``(B, V, *frame)``.
        """
        frames = self.normalizer.inverse(y).flatten(0, 1)
        size = len(frames) if max_frames_per_pass is None else max_frames_per_pass
        return in_passes(self.codec.decode, (frames,), size).unflatten(0, y.shape[:2])

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` into a folder that appears whole or not at all.

        Raises:
            InputError: The model was not built from a configuration, or the folder cannot be written.
        """
        with replace_directory(Path(folder)) as partial:
            write_model_files(self, partial)

    @classmethod
    def from_pretrained(
        cls, folder: str | Path, *, device: torch.device | str = "cpu", modality: str | None = None
    ) -> Self:
        """Load a model from a run or checkpoint folder: of any method by the base class, else of this one.

        Args:
            folder: A folder that holds ``config.json`` and ``model.safetensors``, or checkpoints that do.
            device: Device to put the model on.
            modality: Refuse a model of another modality.

        Raises:
            InputError: A file is missing, damaged, or edited by hand beyond what is allowed; the model is of another
                version, method or modality; or the weights do not fit the configuration.
        """
        from seqdis.core.pretrained import load

        model = load(folder, device=device, modality=modality)
        if not isinstance(model, cls):
            raise InputError(f"{folder}: a model of {type(model).__name__}; allowed here: {cls.__name__}")
        return model
