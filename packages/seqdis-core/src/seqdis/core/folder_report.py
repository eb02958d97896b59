"""A report about a folder of files before anything is trained: its contents, and the use of them."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import torch

from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.discovery import LeftOut
from seqdis.core.data.folder_content import FolderContent, folder_content
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.recording import Recording
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.data.splits import split_recordings
from seqdis.core.data_completion import complete_config
from seqdis.core.errors import InputError
from seqdis.core.modality import Panel
from seqdis.core.presets import list_presets
from seqdis.core.registry import get_modality

__all__ = ["FolderReport", "PresetFit", "SplitSize", "Spread", "example_panels", "report_folder"]

SHOWN = 4
"""Number of sequences in the picture."""


@dataclass(frozen=True)
class Spread:
    """The least, the median and the greatest of some numbers."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """The spread of one number or more."""
        return cls(min(values), statistics.median(values), max(values))


@dataclass(frozen=True)
class SplitSize:
    """The number of recordings and of windows in a split; of the training split, windows an epoch."""

    recordings: int
    windows: int


@dataclass(frozen=True)
class PresetFit:
    """The fit of a preset for a person's own files to the recordings.

    Attributes:
        preset: The name of the preset.
        length: Steps of its sequences, V.
        frame_shape: Shape of its frames; ``()`` is that of the files.
        whole: Number of recordings of V steps or more; shorter ones are padded.
    """

    preset: str
    length: int
    frame_shape: tuple[int, ...]
    whole: int


@dataclass(frozen=True)
class FolderReport:
    """A report about the files that a training would read from a folder.

    Attributes:
        folder: The folder, or file.
        modality: The modality that reads it.
        preset: The preset whose settings were used.
        data: The data settings, with what was open filled in.
        files: Number of files that are used.
        recordings: Number of recordings in them.
        left_out: Files and recordings that are not used, and why.
        steps: Steps of a recording.
        facts: Facts that the files state of themselves, by name with unit: seconds, frames a second, width in pixels, ….
        missing: Share of entries that were not measured.
        labels: Number of classes of each label.
        rule: The rule by which the splits are made.
        advice: Advice, a sentence each.
        splits: The size of each split.
        fits: The fit of each preset for a person's own files.
    """

    folder: str
    modality: str
    preset: str
    data: Mapping[str, Any]
    files: int
    recordings: int
    left_out: tuple[LeftOut, ...]
    steps: Spread
    facts: Mapping[str, Spread]
    missing: float
    labels: Mapping[str, int]
    rule: str
    advice: tuple[str, ...]
    splits: Mapping[str, SplitSize]
    fits: tuple[PresetFit, ...]

    def as_json(self) -> dict[str, Any]:
        """The report as plain values."""
        values = dataclasses.asdict(self)
        values["left_out"] = [
            {"path": str(one.path), "reason": one.reason, "detail": one.detail} for one in self.left_out
        ]
        return values


def report_folder(config: RunConfig, root: Path) -> FolderReport:
    """Read a folder as a training of this configuration would, and leave out what cannot be read.

    Args:
        config: The configuration, with a preset's or other data settings.
        root: The folder, or a file.

    Raises:
        InputError: There is nothing that can be read, or the groups that are asked for do not exist.
    """
    lenient = config.data.model_copy(update={"skip_bad": True})
    completed = complete_config(config.model_copy(update={"data": lenient}), root)
    data = completed.data
    content = folder_content(get_modality(config.modality), data, root)
    recordings = content.recordings
    split = split_recordings(recordings, length=data.length, group=data.group)
    sizes, advice = {}, _advice(content, completed)
    for name, part in split.parts.items():
        windows = (
            RandomWindows(part, data.length, repeats=data.repeats)
            if name == "train"
            else SlidingWindows(part, data.length)
        )
        sizes[name] = SplitSize(len(part), len(windows))
        refusal = _refusal(windows, data) if name == "train" else None
        advice += [] if refusal is None else [f"a training refuses these data: {refusal}"]
    return FolderReport(
        folder=str(root),
        modality=config.modality,
        preset=config.preset,
        data=data.model_dump(mode="json"),
        files=len({one.key.partition("#")[0] for one in recordings}),
        recordings=len(recordings),
        left_out=content.left_out,
        steps=Spread.of([one.steps for one in recordings]),
        facts=_facts(recordings),
        missing=_share_missing(recordings),
        labels={
            name: len(label.classes) for name, label in {**content.labels, **content.step_labels}.items()
        },
        rule=split.rule,
        advice=tuple(advice),
        splits=sizes,
        fits=tuple(_fits(config.modality, recordings)),
    )


def _refusal(windows: SequenceDataset, data: DataConfig) -> str | None:
    """The message of a training about values that cannot be normalised; None where it takes them, or a look would decode files."""
    if not windows.in_memory:
        return None
    try:
        Normalizer(windows.shape[1:], scope=data.normalize).fit(windows)
    except InputError as error:
        return str(error)
    return None


def _facts(recordings: Sequence[Recording]) -> dict[str, Spread]:
    of: dict[str, list[float]] = {}
    for recording in recordings:
        for name, value in recording.about().items():
            of.setdefault(name, []).append(value)
    return {name: Spread.of(values) for name, values in of.items()}


def _share_missing(recordings: Sequence[Recording]) -> float:
    """The share of entries that were not measured; what does not lie in memory has no gaps."""
    total = missing = 0
    for recording in recordings:
        entries = recording.steps * int(torch.Size(recording.frame_shape).numel())
        total += entries
        if isinstance(recording, Clip) and recording.observed is not None:
            missing += entries - int(recording.observed.sum())
    return missing / total


def _advice(content: FolderContent, config: RunConfig) -> list[str]:
    data, advice = config.data, []
    if any(left.reason == "damaged" for left in content.left_out):
        advice.append("train with --skip-bad to leave out what cannot be read")
    paths = [Path(one.key.partition("#")[0]) for one in content.recordings]
    tops = {path.parts[0] for path in paths if len(path.parts) > 1}
    parents = {path.parent for path in paths}
    name, count = ("folder", len(tops)) if len(tops) > 2 else ("parent", len(parents))
    if data.group is None and count > 2 and "train" not in tops:
        advice.append(
            f"group={name} keeps each of the {count} folders in one split; without it, files of one "
            "folder (of one person, patient or machine, if folders stand for these) are in all of them"
        )
    static = [name for name, label in content.labels.items() if label.factor == "static"]
    if data.group is None and static:
        advice.append(f"group={static[0]} keeps each {static[0]} in one split")
    short = sum(one.steps < data.length for one in content.recordings)
    if short:
        advice.append(f"{short} recordings are shorter than length={data.length} and are padded and masked")
    return advice


def _fits(modality: str, recordings: Sequence[Recording]) -> list[PresetFit]:
    fits = []
    for name, build in list_presets().items():
        config = build()
        if config.modality == modality and config.data.dataset == "folder":
            whole = sum(one.steps >= config.data.length for one in recordings)
            fits.append(PresetFit(name, config.data.length, config.data.frame_shape, whole))
    return fits


def example_panels(config: RunConfig, root: Path) -> list[Panel]:
    """A few sequences of a folder as a training would see them, in natural units.

    Args:
        config: The configuration; its data settings are completed from the files.
        root: The folder, or a file.

    Raises:
        InputError: There is nothing that can be read.
    """
    lenient = config.data.model_copy(update={"skip_bad": True})
    data = complete_config(config.model_copy(update={"data": lenient}), root).data
    recordings = folder_content(get_modality(config.modality), data, root).recordings
    step = max(1, len(recordings) // SHOWN)
    panels = []
    for recording in recordings[::step][:SHOWN]:
        clip = recording.take(torch.arange(min(data.length, recording.steps)))
        frames = clip.frames.float() / 255 if clip.frames.dtype == torch.uint8 else clip.frames.float()
        panels.append(Panel(recording.key, frames))
    return panels
