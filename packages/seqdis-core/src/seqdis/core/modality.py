"""The interface by which a package adds a new kind of data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import CodecConfig, Config, DataConfig, RunConfig, parse_config
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.data.labels import Label
from seqdis.core.data.prediction_tasks import Outcome, Quantity
from seqdis.core.data.recording import Recording
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sound import Sound
from seqdis.core.data.targets import Target
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.nn.backbones import (
    BackboneConfig,
    vector_denoiser,
    vector_frame_decoder,
    vector_frame_encoder,
)
from seqdis.core.reading import readable

__all__ = ["DatasetSpec", "Modality", "NoOptions", "Panel"]


@dataclass(frozen=True)
class Panel:
    """One sequence to look at: a title and frames in natural units, ``(V, *frame)``."""

    title: str
    frames: Tensor


@dataclass(frozen=True)
class DatasetSpec:
    """A named dataset.

    Attributes:
        name: The dataset's name, which commands take.
        summary: One line for ``seqdis list``.
        labels: The labels it carries and the factor that each belongs to.
        build: A function ``build(data, split, root, seed)`` that makes the split ``"train"``, ``"val"`` or
            ``"test"``; ``root`` is the dataset's folder, or None for one that is generated.
        folder: Name of the dataset's folder below ``SEQDIS_DATA``, or None for a dataset that is generated.
        source: Address or description of the place to get the dataset from.
        licence: Licence of the data, as people name it (``"CC BY 4.0"``).
        credit: Whom a work that was made from the data names.
        derivatives: Whether what was made from the data, such as a model, may be given away.
        outcomes: The labels of two classes that can be predicted from a sequence.
        quantities: Numbers beside the frames that can be predicted from a window, by name.
        group_key: A function from a sequence's key to its group; sequences of a group are not independent of
            each other (stations in one month's weather), and confidence intervals draw them together. Each
            sequence is a group of its own when omitted.
    """

    name: str
    summary: str
    labels: Mapping[str, Label]
    build: Callable[[DataConfig, str, Path | None, int], SequenceDataset]
    folder: str | None = None
    source: str = ""
    licence: str = ""
    credit: str = ""
    derivatives: bool = True
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    quantities: Mapping[str, Quantity] = field(default_factory=dict)
    group_key: Callable[[str], str] | None = None


class NoOptions(Config):
    """The options of a modality that has no settings of its own."""


class Modality(ABC):
    """A kind of data: its datasets, presets and backbones, and how its files are read, written and drawn.

    A new one subclasses this, and names itself by an entry point of the group
    ``seqdis.modalities``. Only :meth:`read`, :meth:`write` and :meth:`draw` must be written: the
    backbones of vector-valued frames ``(F,)`` are the default.
    """

    name: ClassVar[str]
    summary: ClassVar[str] = ""
    reads: ClassVar[tuple[str, ...]] = ()
    """Suffixes of the files it can read, lower case with the dot; ``"/"`` for folders of files."""
    installable: ClassVar[Mapping[str, str]] = {}
    """What to run so that files of a further suffix are read, by the suffix."""
    incidental: ClassVar[tuple[str, ...]] = ()
    """Those of ``reads`` that are first of all files of another kind, such as the sound of a video."""
    writes: ClassVar[tuple[str, ...]] = ()
    """Suffixes that :meth:`write` accepts; the first is the default."""
    pictures: ClassVar[tuple[str, ...]] = (".png",)
    """Suffixes that :meth:`draw` accepts."""
    options_class: ClassVar[type[Config]] = NoOptions
    """The schema of ``DataConfig.options``."""
    value_range: ClassVar[tuple[float, float] | None] = None
    """The least and the greatest value of a frame in natural units; None where there is no such bound."""
    uint8_storage: ClassVar[bool] = False
    """Whether frames lie in [0, 1] and may be kept in memory as bytes."""

    def options(self, data: DataConfig) -> Any:
        """The validated settings of ``data`` as an ``options_class``."""
        return parse_config(self.options_class, data.options, where=f"{self.name} options")

    def datasets(self) -> Mapping[str, DatasetSpec]:
        """The modality's named datasets, by name."""
        return {}

    def split_as(self, data: DataConfig, mode: Literal["corrected", "published"]) -> DataConfig:
        """``data`` with the sound or the published split; unchanged where there is one split alone."""
        return data

    def targets(self) -> Mapping[str, Target]:
        """The pseudo-labels that can be computed from the modality's data, by name."""
        return {}

    def presets(self) -> Mapping[str, Callable[[], RunConfig]]:
        """The functions that build the modality's presets, of any method, by the preset's name."""
        return {}

    def demo(self) -> str | None:
        """The preset that ``seqdis demo`` trains, or None."""
        return None

    def complete(self, data: DataConfig, paths: Sequence[Path]) -> DataConfig:
        """Fill in what the settings leave open from a person's files: here, from the first that can be used.

        Args:
            data: The settings of a preset, with the changes that were asked for.
            paths: The files that are to be learnt from, one or more; with ``skip_bad`` those that cannot be used
                are passed over.

        Raises:
            InputError: A file cannot be used.
        """
        problems: list[InputError] = []
        for path in paths:
            try:
                with readable(path, f"a {self.name} file"):
                    return self.complete_from(data, path)
            except InputError as error:
                problems.append(error)
                if not data.skip_bad:
                    break
        raise problems[0]

    def complete_from(self, data: DataConfig, path: Path) -> DataConfig:
        """Fill in what the settings leave open from one file: here, the shape of a frame.

        Raises:
            InputError: The file cannot be used.
        """
        if data.frame_shape:
            return data
        return data.model_copy(update={"frame_shape": self.open(path, data)[0].frame_shape})

    def open(self, path: Path, data: DataConfig) -> Sequence[Recording]:
        """The recordings of one file (or folder of frames): here, the one that :meth:`read` gives.

        A modality whose recordings need not lie in memory, or of whose files each may hold several, gives its own.
        The key of a recording is the file's name, with ``#NAME`` behind it where there are several.

        Raises:
            InputError: The file is missing, damaged, or of another kind.
        """
        clip = self.read(path, data)
        if self.uint8_storage and clip.frames.is_floating_point():
            clip = replace(clip, frames=(clip.frames.clamp(0, 1) * 255).round().to(torch.uint8))
        return [clip]

    def starter(self) -> str | None:
        """The preset for a person's own files, which ``seqdis data check`` uses; None where there is none."""
        return None

    @abstractmethod
    def read(self, path: Path, data: DataConfig) -> Clip:
        """Read one file (or folder of frames) whole, at any length, in the shape of ``data``.

        Raises:
            InputError: The file is missing, damaged, of another kind, or of another shape.
        """

    @abstractmethod
    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        """Write ``(T, *frame)`` as the kind of file that the suffix names.

        Args:
            path: The file to write.
            frames: The frames, in natural units.
            data: The run's data settings.
            source: The file that lends the dynamics, if one does; a modality whose files hold more than its frames
                (a video its sound) may copy that from there.

        Raises:
            InputError: The suffix is not one of ``writes``.
        """

    @abstractmethod
    def draw(self, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
        """Draw a grid of sequences (rows of panels) into one picture.

        Raises:
            InputError: The suffix is not one of ``pictures``.
        """

    def to_sound(self, frames: Tensor, data: DataConfig) -> Sound | None:
        """Turn frames ``(T, *frame)`` into sound; None for a modality that makes no sound.

        Raises:
            InputError: The frames have no sound.
        """
        return None

    def preparation(self, options: Mapping[str, Any]) -> FilePreparation:
        """The way in which one of its files is prepared for training (cut, resized, resampled).

        Args:
            options: Settings of the preparation, as they are typed on a command line.

        Raises:
            InputError: The modality has none, an option is unknown or out of range, or it needs what is not installed.
        """
        raise InputError(
            f"{self.name}: files of this kind need no preparation; they are learnt from as they are"
        )

    def is_frame_folder(self, folder: Path) -> bool:
        """Whether the files directly in ``folder`` are the frames of one sequence, and none of them is one by itself."""
        return False

    def frame_encoder(
        self, config: BackboneConfig, *, frame_shape: tuple[int, ...], features: int
    ) -> nn.Module:
        """A network from single frames ``(N, *frame)`` to ``(N, features)``."""
        return vector_frame_encoder(config, frame_shape=frame_shape, features=features)

    def denoiser(self, config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int) -> nn.Module:
        """A network ``F(x (N, *frame), c_noise (N,), z (N, condition)) -> (N, *frame)``."""
        return vector_denoiser(config, frame_shape=frame_shape, condition=condition)

    def frame_decoder(
        self, config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int
    ) -> nn.Module:
        """A network from the factors of single frames ``(N, condition)`` to ``(N, *frame)``, linear at its end."""
        return vector_frame_decoder(config, frame_shape=frame_shape, condition=condition)

    def token_denoiser(
        self, config: BackboneConfig, *, frame_shape: tuple[int, ...], context: int
    ) -> nn.Module:
        """A network ``F(x (N, *frame), c_noise (N,), tokens (N, K, context))`` that attends to its condition.

        Raises:
            InputError: The modality has no such network.
        """
        raise InputError(f"{self.name} has no denoiser with cross-attention; allowed: one with AdaGN")

    def codec(self, config: CodecConfig) -> FrameCodec:
        """Build a frame codec.

        Raises:
            InputError: The name is unknown, or its weights are not where ``path`` says.
        """
        if config.name != "identity":
            raise unknown_name(f"codec of {self.name}", config.name, ["identity"])
        return IdentityCodec()

    def check_suffix(self, path: Path, allowed: Sequence[str], verb: str) -> str:
        """Check that the name of ``path`` ends in one of ``allowed`` suffixes, and return that one.

        Raises:
            InputError: The suffix is not one of ``allowed``.
        """
        kinds = [kind for kind in allowed if path.name.lower().endswith(kind)]
        if not kinds:
            raise InputError(
                f"{path}: {self.name} cannot {verb} {path.suffix.lower() or 'a name without suffix'!r}; "
                f"allowed: {', '.join(allowed)}"
            )
        return kinds[0]
