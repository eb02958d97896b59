"""LibriSpeech (Panayotov et al. 2015): read English, many speakers."""

from __future__ import annotations

import re
from pathlib import Path

from seqdis.audio.completion import audio_options
from seqdis.audio.datasets.utterances import Utterance, UtteranceChunks
from seqdis.core.config import DataConfig
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec

__all__ = ["SPEC", "librispeech_sequences"]

GENDERS = ("F", "M")
SUBSETS = {"train": "train-clean-360", "val": "dev-clean", "test": "test-clean"}
"""The subsets that DiffSDA trains, validates and tests on (App. D); their speakers are disjoint."""

_UTTERANCE = re.compile(r"(?P<speaker>\d+)-\d+-\d+\.flac")


def _genders(root: Path) -> dict[str, int]:
    table = root / "SPEAKERS.TXT"
    try:
        lines = table.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{table}: cannot be read, and it says who speaks: {error}") from error
    rows = [[cell.strip() for cell in line.split("|")] for line in lines if line and not line.startswith(";")]
    return {row[0]: GENDERS.index(row[1]) for row in rows if len(row) > 1 and row[1] in GENDERS}


def _texts(folders: set[Path]) -> dict[str, str]:
    """The words of each utterance, by its name, from the ``SPEAKER-CHAPTER.trans.txt`` beside the sound."""
    texts: dict[str, str] = {}
    for table in sorted(path for folder in folders for path in folder.glob("*.trans.txt")):
        try:
            lines = table.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{table}: transcripts cannot be read: {error}") from error
        texts |= {name: text for name, _, text in (line.partition(" ") for line in lines) if text}
    return texts


def _of_round(position: int, total: int) -> str:
    # A speaker's utterances in the order of their names: 70 % train, 10 % validate, the last 20 % test.
    share = (position + 0.5) / total
    return "train" if share < 0.7 else "val" if share < 0.8 else "test"


def librispeech_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """Chunks of utterances, labelled with speaker and gender; random ones for training.

    ``root`` holds SPEAKERS.TXT and ``<subset>/<speaker>/[<chapter>/]<utterance>.flac``, with transcripts in
    ``<speaker>-<chapter>.trans.txt`` beside them where the corpus is whole. Splits by
    ``options.split``: ``"speaker"`` takes the subsets of :data:`SUBSETS`; ``"round"`` takes whatever
    subsets there are, and 70 / 10 / 20 % of each speaker's utterances. When it is not given, it is
    ``"speaker"`` where the three subsets are there. Speakers are numbered over all subsets.

    Raises:
        InputError: The layout is another, a subset is absent, or a file cannot be used.
    """
    if root is None:
        raise InputError("librispeech: needs the folder with its files; got none")
    options = audio_options(data, folds=False)
    genders = _genders(root)
    files = {p.name: sorted(p.rglob("*.flac")) for p in sorted(root.iterdir()) if p.is_dir()}
    files = {subset: paths for subset, paths in files.items() if paths}
    absent = [name for name in SUBSETS.values() if name not in files]
    if not files or (options.split == "speaker" and absent):
        raise InputError(
            f"{root}: holds {', '.join(files) or 'no flac file'}; split=speaker needs {', '.join(SUBSETS.values())}, "
            f"split=round any subset; its source: {SPEC.source}"
        )
    by_speaker: dict[str, list[tuple[str, Path]]] = {}
    for subset, paths in files.items():
        for path in paths:
            match = _UTTERANCE.fullmatch(path.name)
            if match is None or match["speaker"] not in genders:
                raise InputError(f"{path}: allowed: SPEAKER-CHAPTER-NUMBER.flac of a speaker in SPEAKERS.TXT")
            by_speaker.setdefault(match["speaker"], []).append((subset, path))
    speakers = sorted(by_speaker, key=int)
    texts = _texts({path.parent for paths in files.values() for path in paths})
    disjoint = options.split == "speaker" or (options.split is None and not absent)
    chosen = [
        Utterance(path, path.stem, {"speaker": index, "gender": genders[speaker]}, texts.get(path.stem))
        for index, speaker in enumerate(speakers)
        for position, (subset, path) in enumerate(by_speaker[speaker])
        if (subset == SUBSETS[split] if disjoint else _of_round(position, len(by_speaker[speaker])) == split)
    ]
    labels = {"speaker": Label(tuple(speakers), "static"), "gender": Label(GENDERS, "static")}
    return UtteranceChunks(chosen, data, labels=labels, random=split == "train", seed=seed)


SPEC = DatasetSpec(
    "librispeech",
    "read English; chunks labelled with speaker and gender",
    # Who the speakers are is known when the corpus is read.
    {"speaker": Label((), "static"), "gender": Label(GENDERS, "static")},
    librispeech_sequences,
    folder="LibriSpeech",
    source="openslr.org/12",
    licence="CC BY 4.0",
    credit="LibriSpeech, Panayotov, Chen, Povey and Khudanpur 2015, from recordings of LibriVox",
)
