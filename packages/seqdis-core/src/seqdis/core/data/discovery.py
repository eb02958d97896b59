"""The files below a folder that a modality reads, each once, and those that are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from seqdis.core.data.folder_labels import LABELS_FILE
from seqdis.core.data.outputs import made_in
from seqdis.core.data.prepared_record import FAILED_FILE, PREPARED_FILE
from seqdis.core.data.tar_shards import (
    BESIDE,
    SHARD_EXTRA,
    expand_shards,
    has_shards,
    is_shard,
    packed_file,
    packed_files,
)
from seqdis.core.errors import InputError
from seqdis.core.executors.shard_folder import is_shard_folder, read_index
from seqdis.core.reading import read_json

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["Found", "LeftOut", "Reason", "describe_left_out", "find_inputs", "is_run_folder", "refuse_shards"]

Reason = Literal["kind", "run", "made", "twice", "short", "damaged"]
"""Why a file, a folder or a recording is not used."""
NOT_DATA = (LABELS_FILE, PREPARED_FILE, FAILED_FILE)
"""Names of files that belong to a folder of data without being recordings."""
ABOUT_DATA = ("readme", "license", "licence", "copying", "sha256sums")
"""Names, without their suffix, of files that say something about a folder of data."""
NAMED = 5
"""Number of files that a line names before it counts the rest."""


@dataclass(frozen=True)
class LeftOut:
    """A file or a folder that is not used.

    Attributes:
        path: The file or folder.
        reason: ``"kind"``: no reader for its suffix; ``"run"``: the folder of a run; ``"made"``: what a model made;
            ``"twice"``: the same file as
            another one; ``"short"``: fewer steps than ``min_length``; ``"damaged"``: it cannot be read.
        detail: The finding: the suffix, the other path, the number of steps, the error.
    """

    path: Path
    reason: Reason
    detail: str


@dataclass(frozen=True)
class Found:
    """The inputs below some files and folders.

    Attributes:
        paths: Files, and folders of frames, in the order of their names.
        left_out: Files and folders beside them that are not used.
    """

    paths: tuple[Path, ...]
    left_out: tuple[LeftOut, ...]


def is_run_folder(folder: Path) -> bool:
    """Whether a folder is that of a training or of a saved model: its ``config.json`` names a preset and a method."""
    try:
        values = read_json(folder / "config.json")
    except InputError:
        return False
    return isinstance(values, dict) and {"preset", "method", "modality"} <= values.keys()


def refuse_shards(folder: Path) -> None:
    """Refuse a folder of factors or latents where files are needed.

    Raises:
        InputError: The folder holds such; the message names the files that latents were made from.
    """
    if is_shard_folder(folder):
        files = read_index(folder).get("files")
        held = "factors; give the files that they were made from"
        raise InputError(
            f"{folder}: holds {held if files is None else f'latents of {files}; give the files themselves'}"
        )


def find_inputs(modality: Modality, inputs: Sequence[Path]) -> Found:
    """Expand files and folders into the inputs that the modality reads, sorted.

    Of a tar shard, or of several as ``train-{000..099}.tar``, each file that the modality reads is an input.
    A folder that holds other folders or readable files is searched; one that holds frames only,
    of a modality that reads folders, is one input. A file counts once, by its real path, however many links lead
    to it. Folders of runs, and files that a model made, are left out: nothing is learnt from them.

    Raises:
        InputError: An input is missing or of an unknown kind, or nothing was found.
    """
    search = _Search(modality)
    paths: list[Path] = []
    for path in (one for given in inputs for one in _named(given)):
        if not path.exists() and packed_file(path) is None:
            raise InputError(f"{path}: no such file or folder")
        refuse_shards(path)
        if path.is_dir():
            given_before = search.saw(path)
            files = search.below(path)
            if not files and not given_before:
                beside = "; ".join(describe_left_out(search.left_out))
                raise InputError(
                    f"{path}: holds no file that {modality.name} reads; known: {_known(modality)}"
                    + (f" ({beside})" if beside else "")
                )
            paths += files
        elif is_shard(path):
            files = search.packed(search.once([path]))
            if not files:
                raise InputError(
                    f"{path}: holds no file that {modality.name} reads; known: {_known(modality)}"
                )
            paths += files
        elif _readable(modality, path):
            paths += search.once([path])
        else:
            raise InputError(
                f"{path}: unknown kind of file {path.suffix!r}{_way_out(modality, path)}; "
                f"{modality.name} reads: {_known(modality)}"
            )
    return Found(tuple(paths), tuple(search.left_out))


def _named(path: Path) -> list[Path]:
    return expand_shards(path) if is_shard(path) and not path.is_dir() else [path]


class _Search:
    """A walk over folders that sees each file and each folder once, by its real path."""

    def __init__(self, modality: Modality) -> None:
        self.modality = modality
        self.left_out: list[LeftOut] = []
        self._seen: dict[Path, Path] = {}

    def once(self, paths: Iterable[Path]) -> list[Path]:
        """Select the paths that were not seen before."""
        new = []
        for path in paths:
            real = path.resolve()
            if real in self._seen:
                if path.is_symlink() or self._seen[real] != path:
                    self.left_out.append(LeftOut(path, "twice", f"is {self._seen[real]}"))
                continue
            self._seen[real] = path
            new.append(path)
        return new

    def saw(self, path: Path) -> bool:
        """Whether a path, or another one of the same file, was seen before."""
        return path.resolve() in self._seen

    def packed(self, shards: Iterable[Path]) -> list[Path]:
        """The inputs in some shards."""
        inputs = []
        for shard in shards:
            for name in packed_files(shard):
                path = Path(f"{shard}#{name}")
                if _readable(self.modality, path):
                    inputs.append(path)
                elif not name.lower().endswith(BESIDE):
                    self.left_out.append(LeftOut(path, "kind", path.suffix.lower()))
        return inputs

    def below(self, folder: Path) -> list[Path]:
        """The inputs below a folder, in the order of their names."""
        if is_run_folder(folder):
            self.left_out.append(LeftOut(folder, "run", "holds a run"))
            return []
        if is_shard_folder(folder):
            self.left_out.append(LeftOut(folder, "made", "holds factors or latents"))
            return []
        if not self.once([folder]):
            return []
        made = made_in(folder)
        entries = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
        self.left_out += [LeftOut(p, "made", "made by a model") for p in entries if p.name in made]
        entries = [p for p in entries if p.name not in made]
        # What is a file of its own comes before a link to it, in whatever order their names stand.
        entries.sort(key=Path.is_symlink)
        names = [p for p in entries if p.is_file()]
        files = [p for p in names if _readable(self.modality, p) and not _is_about(p)]
        shards = [p for p in names if is_shard(p) and has_shards()]
        folders = [path for p in entries if p.is_dir() for path in self.below(p)]
        folders += self.packed(self.once(shards))
        if not folders and "/" in self.modality.reads and self.modality.is_frame_folder(folder):
            return [folder]
        for path in names:
            if path not in files and path not in shards and not _is_about(path):
                suffix = path.suffix.lower() or "no suffix"
                self.left_out.append(LeftOut(path, "kind", suffix + _way_out(self.modality, path)))
        return sorted(self.once(files) + folders)


def _is_about(path: Path) -> bool:
    return path.name in NOT_DATA or path.stem.lower() in ABOUT_DATA


def _known(modality: Modality) -> str:
    return ", ".join("folders of images" if kind == "/" else kind for kind in modality.reads)


def _way_out(modality: Modality, path: Path) -> str:
    """The command to run so that a kind of file is read, in parentheses; nothing where there is no way."""
    command = SHARD_EXTRA if is_shard(path) else modality.installable.get(path.suffix.lower())
    return f" ({command})" if command else ""


def _readable(modality: Modality, path: Path) -> bool:
    return path.name.lower().endswith(tuple(kind for kind in modality.reads if kind != "/"))


def describe_left_out(left_out: Iterable[LeftOut]) -> list[str]:
    """A line for each reason why something was left out, with how many and which."""
    of: dict[str, list[LeftOut]] = {}
    for left in left_out:
        of.setdefault(left.reason, []).append(left)
    lines = []
    if kinds := of.get("kind"):
        counts = Counter(left.detail for left in kinds)
        lines.append(
            f"{len(kinds)} files of other kinds: " + ", ".join(f"{n} {s}" for s, n in sorted(counts.items()))
        )
    if runs := of.get("run"):
        lines.append(f"{len(runs)} folders of runs: {_names(runs, detail=False)}")
    if made := of.get("made"):
        lines.append(f"{len(made)} files that a model made: {_names(made, detail=False)}")
    if twice := of.get("twice"):
        lines.append(f"{len(twice)} links to what is there already: {_names(twice)}")
    if short := of.get("short"):
        lines.append(f"{len(short)} recordings too short: {_names(short)}")
    if damaged := of.get("damaged"):
        lines.append(f"{len(damaged)} files that cannot be read: {_names(damaged, most=len(damaged))}")
    return lines


def _names(left_out: Sequence[LeftOut], *, most: int = NAMED, detail: bool = True) -> str:
    shown = [f"{left.path} ({left.detail})" if detail else str(left.path) for left in left_out[:most]]
    more = len(left_out) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")
