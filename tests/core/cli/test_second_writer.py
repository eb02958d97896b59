"""Two commands that write into one folder: the second ends with a line that names the first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Refused = Callable[..., str]
Hold = Callable[[Path], int]

# RUN is a run with a prior, FILES are recordings, NEW is a folder that is not there yet; the last one is held.
WORDS = {
    "train": (("train", "toy", "--out", "NEW"), "NEW"),
    "train --resume": (("train", "toy", "--out", "RUN", "--resume"), "RUN"),
    "prior fit": (("prior", "fit", "RUN", "--force"), "RUN"),
    "sample": (("sample", "RUN"), "RUN"),
    "swap": (("swap", "RUN", "--static", "FILES/a.npy", "--dynamic", "FILES/b.npy"), "RUN"),
    "traverse": (("traverse", "RUN", "FILES/a.npy"), "RUN"),
    "reconstruct": (("reconstruct", "RUN", "FILES/a.npy", "--out", "RUN/x"), "RUN"),
    "encode into a run": (("encode", "RUN", "FILES", "--out", "RUN/x.npz"), "RUN"),
    "encode into shards": (("encode", "RUN", "FILES", "--out", "NEW"), "NEW"),
    "encode into a file": (("encode", "RUN", "FILES", "--out", "NEW.npz"), ".NEW.npz.shards"),
    "data prepare": (("data", "prepare", "FILES", "NEW", "--modality", "toy"), "NEW"),
    "demo": (("demo", "--modality", "toy", "--out", "NEW"), "NEW"),
}


@pytest.mark.parametrize("name", WORDS)
def test_the_second_writer_is_refused(
    name: str, refused: Refused, prior_run: Path, recordings: Path, tmp_path: Path, held_elsewhere: Hold
) -> None:
    words, held = WORDS[name]
    shutil.copytree(prior_run, tmp_path / "RUN")
    (tmp_path / "FILES").symlink_to(recordings)
    folder = tmp_path / held
    child = held_elsewhere(folder)
    before = sorted(tmp_path.rglob("*"))
    said = refused(*_placed(words, tmp_path))
    assert said.startswith(f"{folder}: is being written to by process {child} on ")
    assert said.endswith("; wait until it has ended, or choose another folder (--out)")
    assert sorted(tmp_path.rglob("*")) == before


def test_the_second_to_code_frames_is_refused(
    refused: Refused, toy_files: Path, toy_codec: Path, tmp_path: Path, held_elsewhere: Hold
) -> None:
    child = held_elsewhere(tmp_path / "latents")
    words = ("data", "encode", toy_files, "--preset", "toy-folder", "codec.name=linear", "--codec", toy_codec)
    said = refused(*words, "--out", tmp_path / "latents")
    assert said.startswith(f"{tmp_path / 'latents'}: is being written to by process {child} on ")


def _placed(words: Sequence[str], folder: Path) -> list[str]:
    """The words, with the names of files and folders as paths below a folder."""
    return [str(folder / word) if word.startswith(("RUN", "FILES", "NEW")) else word for word in words]
