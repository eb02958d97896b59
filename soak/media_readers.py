"""The readers of the installed modalities: one for each suffix of ``Modality.reads``, and one for folders of frames."""

from __future__ import annotations

import io
import math
import shutil
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path

from seqdis.core.config import DataConfig
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.folder_content import open_recordings
from seqdis.core.data.settled_by_files import settled_by_files
from seqdis.core.modality import Modality
from seqdis.core.registry import get_modality, list_modalities
from soak.in_turn import done_in_turn
from soak.readers import Reader
from soak.samples import sample_files

__all__ = ["media_readers", "settings_of"]

_MOST_STEPS, _MOST_VALUES = 64, 1 << 26
_PICTURES = (".png", ".jpg")


def media_readers(place: Path) -> list[Reader]:
    """The readers of every modality that the registry finds, with samples of each suffix.

    A suffix that no library here can write is tried with files of all other kinds under its name.
    """
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    modalities = [get_modality(name) for name in list_modalities()]
    suffixes = sorted({suffix for modality in modalities for suffix in modality.reads if suffix != "/"})
    wanted = [*_PICTURES, *suffixes]
    # In a process of its own, for encoders leave threads behind, which a fork must not have, or end it.
    done_in_turn(len(wanted), lambda number: _write_samples(wanted[number], place), place, seconds=240)
    found = {suffix: _samples_of(place, suffix) for suffix in wanted}
    foreign = [contents[0] for contents in found.values() if contents]
    readers = []
    for modality in modalities:
        settings, folder = settings_of(modality), place / modality.name
        for suffix in modality.reads:
            if suffix == "/":
                reader = _folder_reader(modality, settings, folder, found[".png"])
            else:
                reader = _file_reader(modality, settings, suffix, found[suffix], foreign, folder)
            readers.append(reader)
        whole = [(suffix, found[suffix][0]) for suffix in modality.reads if found.get(suffix)]
        readers.append(_shard_reader(modality, settings, folder, whole[:3]))
    return readers


def settings_of(modality: Modality) -> DataConfig:
    """The data settings with which a modality reads files of a person's own."""
    presets = modality.presets()
    own = modality.starter()
    if own is not None:
        return presets[own]().data
    of_files = [build().data for build in presets.values() if build().data.dataset == "folder"]
    return of_files[0] if of_files else DataConfig(dataset="folder", length=8)


def _write_samples(suffix: str, place: Path) -> None:
    for number, content in enumerate(sample_files(suffix, place)):
        (place / f"whole-{number}{suffix}").write_bytes(content)


def _samples_of(place: Path, suffix: str) -> list[bytes]:
    paths = sorted(place.glob("whole-*"))
    return [path.read_bytes() for path in paths if path.name == f"{path.name[:7]}{suffix}"]


def _read_by(modality: Modality, settings: DataConfig) -> Callable[[Path], object]:
    """Read files as commands do: settle what is open by them, open their recordings, take the last steps, then all.

    What is very long is read in windows and never as a whole, so that it is not here either.
    """

    def read(path: Path) -> object:
        import torch

        found = find_inputs(modality, [path])
        data = settled_by_files(modality, settings, found.paths)
        for recording in open_recordings(modality, found, data).recordings:
            steps = recording.steps
            if steps > _MOST_STEPS:
                recording.take(torch.arange(steps - _MOST_STEPS, steps))
            if steps * math.prod(recording.frame_shape) <= _MOST_VALUES:
                recording.whole()
        return data

    return read


def _file_reader(
    modality: Modality,
    settings: DataConfig,
    suffix: str,
    contents: Sequence[bytes],
    foreign: Sequence[bytes],
    place: Path,
) -> Reader:
    """The reader of a suffix with those of its whole files that are read; with all there are where none is."""
    read = _read_by(modality, settings)
    own = _those_read(read, contents, suffix, place)
    samples = own or [*contents, *foreign]
    return Reader(f"{modality.name} {suffix}", f"input{suffix}", samples, read, native=bool(own))


def _those_read(
    read: Callable[[Path], object], contents: Sequence[bytes], suffix: str, place: Path
) -> list[bytes]:
    """Those of some whole files that are read, which shows that the attack gets behind the reader's first line."""
    place.mkdir(exist_ok=True)
    path = place / f"input{suffix}"

    def attempt(number: int) -> None:
        path.write_bytes(contents[number])
        read(path)

    done = done_in_turn(len(contents), attempt, place, seconds=60)
    return [content for number, content in enumerate(contents) if number in done]


def _shard_reader(
    modality: Modality, settings: DataConfig, place: Path, whole: Sequence[tuple[str, bytes]]
) -> Reader:
    """A tar in WebDataset's layout of some files that the modality reads, with labels beside them."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for number, (suffix, content) in enumerate(whole):
            for name, held in ((f"{number}{suffix}", content), (f"{number}.json", b'{"who": "a"}')):
                entry = tarfile.TarInfo(name)
                entry.size = len(held)
                archive.addfile(entry, io.BytesIO(held))

    read = _read_by(modality, settings)
    native = bool(_those_read(read, [packed.getvalue()], ".tar", place))
    return Reader(f"{modality.name} shard .tar", "input.tar", [packed.getvalue()], read, native=native)


def _folder_reader(modality: Modality, settings: DataConfig, place: Path, pictures: list[bytes]) -> Reader:
    """Frames as pictures in a folder, one of which is damaged."""
    folder = place / "frames"
    (folder / "frames").mkdir(parents=True, exist_ok=True)
    for number in range(3):
        (folder / "frames" / f"{number}.png").write_bytes(pictures[0])
    read = _read_by(modality, settings)
    return Reader(
        f"{modality.name} folder", "frames/1.png", pictures, lambda path: read(path.parent), folder=folder
    )
