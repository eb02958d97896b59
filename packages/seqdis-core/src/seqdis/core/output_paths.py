"""The paths of a result's files, decided before anything is computed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.core.media import media_suffix
from seqdis.core.modality import Modality

__all__ = ["SwapOutputs", "numbered", "one_output_each", "swap_outputs"]


@dataclass(frozen=True)
class SwapOutputs:
    """Files of one swap.

    Attributes:
        media: The swapped sequence, where it is written as a file of its own.
        pictures: Pictures of sources, reconstructions and swaps.
        record: JSON that says how the files were made, where the result is a folder.
    """

    media: Path | None
    pictures: tuple[Path, ...]
    record: Path | None

    @property
    def single(self) -> bool:
        """Whether only one sequence can be written."""
        return self.media is not None and self.record is None

    def media_files(self, count: int) -> list[Path]:
        """The media file of each of ``count`` sequences; none where pictures alone are wanted."""
        if self.media is None:
            return []
        return [self.media] if count == 1 else numbered(self.media, count)


def numbered(path: Path, count: int) -> list[Path]:
    """``path`` with ``-0``, ``-1``, … after its stem, with as many digits as the last one needs."""
    digits = len(str(count - 1))
    return [path.with_name(f"{path.stem}-{index:0{digits}d}{path.suffix}") for index in range(count)]


def swap_outputs(modality: Modality, out: Path, picture: Path | None, like: Path) -> SwapOutputs:
    """Decide by suffix whether a swap becomes a media file, a picture, or a folder with both and a record.

    Args:
        modality: The modality, which knows the suffixes that it writes and draws.
        out: A media file, a picture, or a folder.
        picture: The path of a further picture, if one is wanted.
        like: An input file; a swap in a folder gets the same kind of file where the modality writes that
            kind.

    Raises:
        InputError: A suffix is unknown; the message lists those that are known.
    """
    pictures = () if picture is None else (picture,)
    for path in pictures:
        modality.check_suffix(path, modality.pictures, "draw")
    if out.is_dir() or not out.suffix:
        media = out / f"swap{media_suffix(modality, like)}"
        return SwapOutputs(media, (out / f"swap{modality.pictures[0]}", *pictures), out / "swap.json")
    suffix = out.suffix.lower()
    # A suffix may be both (a gif, a png): the modality's first kind of picture is one, others are media.
    if suffix in modality.writes and suffix != modality.pictures[0]:
        return SwapOutputs(out, pictures, None)
    if suffix in modality.pictures:
        return SwapOutputs(None, (out, *pictures), None)
    raise InputError(
        f"{out}: {modality.name} cannot write {suffix!r}; allowed: {', '.join(modality.writes)} for the swap, "
        f"{', '.join(modality.pictures)} for a picture of all"
    )


def one_output_each(modality: Modality, out: Path, inputs: Sequence[Path], root: Path) -> list[Path]:
    """One media file for each input: ``out`` itself for a single one, else below ``out`` as below ``root``.

    Raises:
        InputError: One file is given for several inputs, its suffix is unknown, or two results would
            be written to the same file.
    """
    if out.suffix and not out.is_dir():
        modality.check_suffix(out, modality.writes, "write")
        if len(inputs) > 1:
            raise InputError(f"--out {out}: one file for {len(inputs)} inputs; give a folder")
        return [out]
    paths = [out / path.relative_to(root).with_suffix(media_suffix(modality, path)) for path in inputs]
    for index, path in enumerate(paths):
        if path in paths[:index]:
            raise InputError(f"--out {out}: two inputs would both be written to {path}")
    return paths
