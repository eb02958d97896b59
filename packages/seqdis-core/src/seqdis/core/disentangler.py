"""Disentangler: the one abstract class that every method implements."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import Config, RunConfig, parse_config
from seqdis.core.curve import Curve
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.diffusion.sampling import Sampling
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.files import replace_directory, replace_with_json, replace_with_tensors
from seqdis.core.nn.passes import in_passes
from seqdis.core.random import GeneratorLike, GeneratorStack
from seqdis.core.schedules import ValueSchedule
from seqdis.core.sequences import Sequences, check_finite

if TYPE_CHECKING:
    from seqdis.core.modality import Modality
    from seqdis.core.priors.prior import Prior
    from seqdis.core.quantize.bitrate import Bitrate

__all__ = ["Disentangler", "LossOutput", "Progress"]

Progress = Callable[[int, int], None]
"""Called as ``progress(done, total)`` while something long runs."""


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

    All frames in and out are in natural units; the frame codec and the normaliser belong to the
    model: ``x → codec → normalizer → method`` and back.

    Args:
        frame_shape: Shape of a natural frame.
        codec: The frozen map in front; its weights are not part of the model.
        normalizer: Of coded frames; saved with the model.
    """

    config_class: ClassVar[type[Config]]
    """The schema of ``RunConfig.model``."""
    sampling: Sampling | None = None
    """The sampler of a method that decodes by diffusion."""
    bitrate: Bitrate | None = None
    """Target and unit of the rate of a method's codes."""
    adjustable: ClassVar[tuple[str, ...]] = ()
    """The settings of :attr:`config_class` that may change after training; see :meth:`use`."""

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

    @classmethod
    def targets(cls, config: Any) -> tuple[str, ...]:
        """Names of the modality's targets that :meth:`loss` reads from ``Sequences.targets``."""
        return ()

    @abstractmethod
    def encode(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        observed: Tensor | None = None,
        generator: GeneratorLike | None = None,
    ) -> Factors:
        """Factorise sequences, ``(B, V, *frame)``; see :class:`Sequences` for the masks."""

    @abstractmethod
    def decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None = None,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Turn factors back into sequences, ``(B, V, *frame)``.

        Args:
            factors: Of any origin: encoded, mixed, or drawn.
            noise: What :meth:`invert` gave, for a decoder that has it; drawn when omitted.
            generator: One for the batch or one a sample.
            progress: Called as the work advances.
        """

    @abstractmethod
    def loss(self, batch: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """The training loss of a batch; every random draw comes from ``generator``, row by row."""

    def forward(self, batch: Sequences, generator: GeneratorStack) -> LossOutput:
        """:meth:`loss`, under the name that wrappers (DDP, ``torch.compile``) call."""
        return self.loss(batch, generator=generator)

    def invert(self, x: Tensor, factors: Factors, *, progress: Progress | None = None) -> Tensor | None:
        """The noise from which ``decode(factors, noise=…)`` gives ``x`` back; None where a method has none."""
        return None

    def mix_extra(
        self, factors: Factors, other: Factors, name: str, *, generator: GeneratorLike | None = None
    ) -> Factors:
        """``factors`` with one extra of ``other``, and all that the method derives from it made anew.

        Args:
            factors: Keep all the rest.
            other: Lends the extra; as many sequences, or one.
            name: One of the extras.
            generator: For what is drawn anew; the most likely when omitted.

        Raises:
            InputError: The method has no extra of that name that can be swapped alone.
        """
        raise InputError(f"{name!r}: {type(self).__name__} has no further factor that can be swapped alone")

    def decoded_part(self, factors: Factors) -> Factors:
        """What of ``factors`` :meth:`decode` reads, and so what a fitted prior has to draw; all of them as a rule."""
        return factors

    def learned_prior(self) -> Prior | None:
        """The prior that was learnt with the model; None where one is fitted to its factors afterwards."""
        return None

    def codebook(self) -> Tensor | None:
        """What the codes in ``Factors.extras["codes"] (B, V, G)`` stand for, ``(G, J, dim)``; None without codes.

        Step τ's dynamic factor is ``[codebook[0, c_1], …, codebook[G−1, c_G]]``, flattened: a prior of codes
        needs the table to turn what it draws into factors, those included that it never saw.
        """
        return None

    @torch.no_grad()
    def reconstruct(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        observed: Tensor | None = None,
        generator: GeneratorLike | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Encode and decode, from the inverted noise where the method has it."""
        factors = self.encode(x, mask=mask, observed=observed, generator=generator)
        noise = self.invert(x, factors, progress=_half(progress, 0))
        return self.decode(factors, noise=noise, generator=generator, progress=_half(progress, 1))

    @torch.no_grad()
    def swap(
        self,
        static: Tensor,
        dynamic: Tensor,
        *,
        static_mask: Tensor | None = None,
        dynamic_mask: Tensor | None = None,
        extra: str | None = None,
        generator: GeneratorLike | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Sequences with the static factor of one input and the dynamics of the other.

        The noise, where the method inverts, is that of the sequence which lends the dynamics
        (DiffSDA, App. B.4), and of the one that keeps them where an extra alone is swapped.

        Args:
            static: Who: ``(B, V, *frame)``.
            dynamic: What happens: ``(B, V', *frame)``.
            static_mask: Which steps of ``static`` exist; all when omitted.
            dynamic_mask: The same of ``dynamic``, and so of the result.
            extra: Take this one factor alone from ``dynamic``, and all others from ``static``.
        """
        donor = self.encode(dynamic, mask=dynamic_mask, generator=generator)
        own = self.encode(static, mask=static_mask, generator=generator)
        if extra is None:
            mixed, noise = own.mix(donor), self.invert(dynamic, donor, progress=_half(progress, 0))
        else:
            mixed = self.mix_extra(own, donor, extra)
            noise = self.invert(static, own, progress=_half(progress, 0))
        return self.decode(mixed, noise=noise, generator=generator, progress=_half(progress, 1))

    def on_fit_start(self, train_set: SequenceDataset) -> None:
        """Be shown what is to be learnt from, on every process, when a training begins or goes on."""
        return None

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """Trainable parameters by name of group, for rates that differ."""
        return {"all": [p for p in self.parameters() if p.requires_grad]}

    def schedules(self) -> Mapping[str, ValueSchedule]:
        """Values that move with the training step; the trainer hands each to :meth:`set_scheduled`."""
        return {}

    def set_scheduled(self, name: str, value: float) -> None:
        """Take a value that moves (one of :meth:`schedules`, or a stage's) at its value of now.

        Keep it in a buffer, as checkpoints do tensors.

        Raises:
            InputError: The method has no value of that name.
        """
        raise InputError(f"train.stages: value {name!r}; {type(self).__name__} has none that moves")

    def enter_stage(self, name: str) -> None:
        """Be told that a stage of the training begins.

        Raises:
            InputError: The method has no stage of that name.
        """
        raise InputError(f"train.stages: stage {name!r}; {type(self).__name__} has no stages")

    def use(self, changes: Mapping[str, Any]) -> None:
        """Encode and decode with other settings from now on.

        Args:
            changes: New values of some of :attr:`adjustable`.

        Raises:
            InputError: A setting is unknown, cannot change after training, or is out of range; or the model
                was not built from a configuration.
        """
        for name in changes:
            if name not in self.adjustable:
                allowed = ", ".join(self.adjustable) or "none"
                raise InputError(f"model: {name!r} cannot change after training; allowed: {allowed}")
        if not changes:
            return
        if self.run_config is None:
            raise InputError("settings can change only of a model that was built by build_model(config)")
        values = self.run_config.model.model_dump(mode="json") | dict(changes)
        config = parse_config(self.config_class, values, where="model")
        self.run_config = self.run_config.model_copy(update={"model": config})
        self.take_settings(config)

    def take_settings(self, config: Any) -> None:
        """Take a configuration in which some of :attr:`adjustable` have other values."""
        raise NotImplementedError(f"{type(self).__name__} names adjustable settings and does not take them")

    def curves(self, batch: Sequences, *, generator: GeneratorStack) -> Mapping[str, Curve]:
        """Figures over a variable, of a batch of validation sequences, that each validation logs and draws."""
        return {}

    def compile_networks(self) -> None:
        """``torch.compile`` what is worth it, in place; the names of the parameters must not change."""
        self.compile()

    def quick_decoding(self) -> AbstractContextManager[None]:
        """Decode cheaply inside, for pictures on the way; nothing changes where decoding is cheap."""
        return contextlib.nullcontext() if self.sampling is None else self.sampling.quick()

    @property
    def device(self) -> torch.device:
        """Where the model's tensors are."""
        return self.normalizer.mean.device

    def check_input(self, x: Tensor, name: str = "input") -> Tensor:
        """``x`` on the model's device.

        Raises:
            InputError: Its rank or frame shape is not ``(B, V, *frame)``, or it holds NaN or Inf.
        """
        if x.ndim != len(self.frame_shape) + 2 or tuple(x.shape[2:]) != self.frame_shape or 0 in x.shape[:2]:
            raise InputError(
                f"{name}: shape {tuple(x.shape)}; allowed: (B, V, {', '.join(map(str, self.frame_shape))})"
            )
        check_finite(x, name)
        return x.to(self.device)

    def to_model_space(self, x: Tensor) -> Tensor:
        """Natural frames ``(B, V, *frame)`` to normalised coded frames ``(B, V, *latent)``."""
        with torch.no_grad():
            coded = self.codec.encode(x.flatten(0, 1)).unflatten(0, x.shape[:2])
        return self.normalizer(coded)

    def from_model_space(self, y: Tensor, *, max_frames_per_pass: int | None = None) -> Tensor:
        """The way back, ``(B, V, *latent)`` to ``(B, V, *frame)``; the codec takes so many frames at a time."""
        frames = self.normalizer.inverse(y).flatten(0, 1)
        size = len(frames) if max_frames_per_pass is None else max_frames_per_pass
        return in_passes(self.codec.decode, (frames,), size).unflatten(0, y.shape[:2])

    def state_to_save(self) -> dict[str, Tensor]:
        """All tensors of the model but those of the frozen codec."""
        return {k: v for k, v in self.state_dict().items() if not k.startswith("codec.")}

    def load_saved_state(self, state: Mapping[str, Tensor], *, where: str) -> None:
        """Take in what :meth:`state_to_save` gave.

        Args:
            state: All of it.
            where: Its folder, for the message.

        Raises:
            InputError: A tensor is missing, too many, or of another shape.
        """
        expected = self.state_to_save()
        for name in sorted(expected.keys() | state.keys()):
            came = tuple(state[name].shape) if name in state else "nothing"
            wanted = tuple(expected[name].shape) if name in expected else "nothing"
            if came != wanted:
                raise InputError(
                    f"{where}: weights and config.json disagree: {name} is {came}, the configuration needs {wanted}"
                )
        self.load_state_dict(state, strict=False)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write ``config.json`` and ``model.safetensors`` into a folder that appears whole or not at all.

        Raises:
            InputError: The model was not built from a configuration, or the place cannot be written.
        """
        with replace_directory(Path(folder)) as partial:
            self.write_files(partial)

    def write_files(self, folder: Path, state: Mapping[str, Tensor] | None = None) -> None:
        """Write the two files into an existing folder, with other weights if ``state`` is given."""
        if self.run_config is None:
            raise InputError("a model can be saved only if it was built by build_model(config)")
        replace_with_json(folder / "config.json", self.run_config.model_dump(mode="json"))
        replace_with_tensors(folder / "model.safetensors", state or self.state_to_save(), {"format": "pt"})

    @staticmethod
    def from_pretrained(
        folder: str | Path, *, device: torch.device | str = "cpu", modality: str | None = None
    ) -> Disentangler:
        """Load a model (of any method) from a run or checkpoint folder.

        Args:
            folder: Holds ``config.json`` and ``model.safetensors``, or checkpoints that do.
            device: Where to put it.
            modality: Refuse a model of another one.

        Raises:
            InputError: A file is missing, damaged, edited by hand beyond what is allowed, of
                another version or modality, or the weights do not fit the configuration.
        """
        from seqdis.core.pretrained import load_pretrained

        return load_pretrained(Path(folder), device=device, modality=modality)


def _half(progress: Progress | None, part: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, 2 * total)
