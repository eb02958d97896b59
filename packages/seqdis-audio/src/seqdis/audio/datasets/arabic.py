"""arabic_speech_commands: 30 speakers say 20 Arabic words four times each (Ghandoura et al. 2021)."""

from __future__ import annotations

import csv
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from seqdis.audio.completion import audio_options
from seqdis.audio.io import read_wave
from seqdis.audio.mel import LogMel, log_mel
from seqdis.audio.options import FOLDS
from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec

__all__ = ["SPEC", "WORDS", "arabic_sequences", "loudest_window"]

WORDS = (
    "close", "down", "eight", "five", "four", "left", "nine", "no", "one", "open",
    "right", "seven", "six", "start", "stop", "three", "two", "up", "yes", "zero",
)  # fmt: skip
SPEAKERS = tuple(f"{number:08d}" for number in range(1, 31))
LABELS = {"speaker": Label(SPEAKERS, "static"), "word": Label(WORDS, "dynamic")}

_NAME = re.compile(r"(?P<speaker>\d{8})_NO_(?P<round>\d{2})\.(flac|wav)")
_THREADS = 4


@dataclass(frozen=True)
class _Recording:
    path: Path
    speaker: int
    word: int
    round: int


def _parse(path: Path, root: Path) -> _Recording:
    match = _NAME.fullmatch(path.name)
    if match is None or match["speaker"] not in SPEAKERS or path.parent.name not in WORDS:
        raise InputError(
            f"{path.relative_to(root)}: unknown name in arabic_speech_commands; "
            "allowed: dataset/WORD/SPEAKER_NO_ROUND.flac of its 20 words and 30 speakers"
        )
    return _Recording(
        path, SPEAKERS.index(match["speaker"]), WORDS.index(path.parent.name), int(match["round"])
    )


def _split_of(recording: _Recording) -> str:
    if recording.round == 4:
        return "test"
    # One word in five of every speaker, in one of its three rounds: 120 clips, all classes alike.
    held_out = recording.round == 3 and (recording.speaker + recording.word) % 5 == 0
    return "val" if held_out else "train"


def _recordings(root: Path) -> list[_Recording]:
    paths = sorted(p for kind in ("flac", "wav") for p in (root / "dataset").glob(f"*/*.{kind}"))
    if not paths:
        raise InputError(f"{root}: holds no dataset/WORD/*.flac of arabic_speech_commands; {SPEC.source}")
    return [_parse(path, root) for path in paths]


def _by_round(root: Path, split: str) -> list[_Recording]:
    return [r for r in _recordings(root) if _split_of(r) == split]


def _by_speaker(root: Path, split: str) -> list[_Recording]:
    table = root / f"{split}.csv"
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return [_parse(root / row["file"], root) for row in csv.DictReader(file)]
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise InputError(f"{table}: cannot be read as a csv with a column 'file': {error}") from error


def _by_fold(root: Path, split: str, fold: int) -> list[_Recording]:
    """Speakers in turn: those whose number is ``fold`` modulo 5 are tested, the next ones validate, the others train."""
    names = {0: "test", 1: "val"}
    return [r for r in _recordings(root) if names.get((r.speaker - fold) % FOLDS, "train") == split]


def loudest_window(frames: Tensor, length: int) -> Tensor:
    """The ``length`` consecutive frames ``(T, bins)`` of greatest summed mel power; the first of equals.

    A command of 580 ms lies anywhere in its second of sound; this finds it without an aligner.
    """
    start = _loudest_start(frames, length)
    return frames[start : start + length]


def _loudest_start(frames: Tensor, length: int) -> int:
    power = frames.double().exp().sum(-1)
    totals = torch.nn.functional.pad(power.cumsum(0), (1, 0))
    return int((totals[length:] - totals[:-length]).argmax())


def _read(recording: _Recording, analyse: LogMel, length: int) -> Tensor:
    name = str(recording.path)
    frames = analyse(read_wave(recording.path, analyse.options.sample_rate))
    if len(frames) < length:
        raise InputError(f"{name}: has {len(frames)} steps; at least {length} are needed")
    return loudest_window(frames, length)


def _sound(recording: _Recording, analyse: LogMel, length: int) -> Sound:
    """The samples between the centres of the window's first and last frame."""
    hop, rate = analyse.options.hop, analyse.options.sample_rate
    wave = read_wave(recording.path, rate)
    start = _loudest_start(analyse(wave), length)
    return Sound(wave[start * hop : (start + length - 1) * hop], rate)


def arabic_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """The loudest window of every recording, labelled with its speaker and its word.

    Splits by ``options.split``: ``"round"`` (default) trains on rounds 1 to 3, less 120 clips for
    validation, and tests on round 4, so that every speaker is known; ``"speaker"`` is the authors'
    own, whose 18, 6 and 6 speakers are disjoint. ``options.fold`` takes as many by turns: in five folds each speaker is
    in the test split once, and never in that fold's training.

    Raises:
        InputError: The files are absent, damaged, misnamed, or shorter than a sequence, or a fold is asked for
            together with a split by rounds.
    """
    if root is None:
        raise InputError("arabic_speech_commands: needs the folder with its files; got none")
    options = audio_options(data)
    if options.fold is not None:
        if options.split == "round":
            raise InputError(
                "arabic_speech_commands: option fold parts speakers; allowed beside it: split=speaker"
            )
        recordings = _by_fold(root, split, options.fold)
    else:
        recordings = _by_speaker(root, split) if options.split == "speaker" else _by_round(root, split)
    analyse = log_mel(data.frame_shape[0], options)
    with ThreadPoolExecutor(_THREADS) as pool:
        frames = list(pool.map(lambda recording: _read(recording, analyse, data.length), recordings))
    if not frames:
        raise InputError(f"{root}: holds no recording of the {split} split of arabic_speech_commands")
    return ArraySequences(
        torch.stack(frames),
        labels=LABELS,
        label_values={
            "speaker": torch.tensor([r.speaker for r in recordings]),
            "word": torch.tensor([r.word for r in recordings]),
        },
        keys=[f"{r.path.parent.name}/{r.path.stem}" for r in recordings],
        # The corpus names the Arabic words in English alone.
        texts=[WORDS[r.word] for r in recordings],
        sound=lambda index: _sound(recordings[index], analyse, data.length),
    )


SPEC = DatasetSpec(
    "arabic_speech_commands",
    "30 speakers x 20 words x 4 rounds, 1 s each",
    LABELS,
    arabic_sequences,
    folder="arabic_speech_commands",
    source="github.com/abdulkaderghandoura/arabic-speech-commands-dataset",
    licence="CC BY 4.0",
    credit="Arabic Speech Commands, Ghandoura, Hjabo and Al Dakkak 2021",
)
