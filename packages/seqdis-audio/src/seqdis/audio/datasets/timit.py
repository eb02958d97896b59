"""TIMIT (Garofolo 1993): 630 speakers of American English, ten sentences each."""

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

__all__ = ["CORE_TEST", "SPEC", "timit_sequences"]

GENDERS = ("F", "M")
CORE_TEST = frozenset(
    [
        "MDAB0",
        "MWBT0",
        "FELC0",
        "MTAS1",
        "MWEW0",
        "FPAS0",
        "MJMP0",
        "MLNT0",
        "FPKT0",
        "MLLL0",
        "MTLS0",
        "FJLM0",
        "MBPM0",
        "MKLT0",
        "FNLP0",
        "MCMJ0",
        "MJDH0",
        "FMGD0",
        "MGRT0",
        "MNJM0",
        "FDHC0",
        "MJLN0",
        "MPAM0",
        "FMLD0",
    ]
)
"""The corpus's own core test set: two men and one woman of each of eight dialect regions."""

# PART/DRn/SPEAKER/SENTENCE.WAV in either case; some copies append .wav to files turned into RIFF.
_LAYOUT = re.compile(r"(TRAIN|TEST)/DR[1-8]/(?P<speaker>[FM][A-Z]{3}\d)/(?P<sentence>S[AIX]\d+)\.WAV(\.WAV)?")


def _split_of(part: str, speaker: str) -> str:
    if part == "TRAIN":
        return "train"
    return "test" if speaker in CORE_TEST else "val"


def _text(sound: Path) -> str | None:
    """The sentence in the .TXT file beside a sound, without the first and last sample's number in front of it."""
    name = sound.name.split(".")[0]
    for path in (sound.with_name(f"{name}{suffix}") for suffix in (".TXT", ".txt")):
        if path.is_file():
            parts = path.read_text(encoding="ascii", errors="replace").split(maxsplit=2)
            return parts[2].strip() if len(parts) == 3 else None
    return None


def timit_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """Chunks of sentences, labelled with speaker and gender; random ones for training.

    TRAIN trains, the 24 core speakers of TEST test, the others of TEST validate: no speaker is in
    two splits. The two SA sentences, which all speakers read, are left out. Files may be NIST SPHERE,
    as the corpus is delivered, or RIFF.

    Raises:
        InputError: The layout is another, a split by rounds is asked for, or a file cannot be used.
    """
    if root is None:
        raise InputError("timit: needs the folder with its files; got none")
    options = audio_options(data, folds=False)
    if options.split == "round":
        raise InputError("timit: option split is 'round', but each sentence is read once; allowed: speaker")
    utterances: dict[str, tuple[str, str, Path]] = {}
    for path in sorted(root.rglob("*.[wW][aA][vV]")):
        match = _LAYOUT.fullmatch("/".join(path.parts[-4:]).upper())
        if match is not None and not match["sentence"].startswith("SA"):
            utterances.setdefault(
                f"{match['speaker']}/{match['sentence']}", (match[1], match["speaker"], path)
            )
    if not utterances:
        raise InputError(
            f"{root}: holds no TRAIN/DR1/FCJF0/SX127.WAV or the like of TIMIT; its source: {SPEC.source}"
        )
    speakers = sorted({speaker for _, speaker, _ in utterances.values()})
    numbers = {speaker: index for index, speaker in enumerate(speakers)}
    chosen = [
        Utterance(path, key, {"speaker": numbers[speaker], "gender": GENDERS.index(speaker[0])}, _text(path))
        for key, (part, speaker, path) in sorted(utterances.items())
        if _split_of(part, speaker) == split
    ]
    labels = {"speaker": Label(tuple(speakers), "static"), "gender": Label(GENDERS, "static")}
    return UtteranceChunks(chosen, data, labels=labels, random=split == "train", seed=seed)


SPEC = DatasetSpec(
    "timit",
    "630 speakers, 8 sentences each; chunks labelled with speaker and gender",
    # Who the speakers are is known when the corpus is read.
    {"speaker": Label((), "static"), "gender": Label(GENDERS, "static")},
    timit_sequences,
    folder="TIMIT",
    source="catalog.ldc.upenn.edu/LDC93S1 (licensed by the Linguistic Data Consortium)",
    licence="LDC User Agreement",
    credit="TIMIT Acoustic-Phonetic Continuous Speech Corpus, Garofolo et al. 1993, Linguistic Data Consortium",
    derivatives=False,  # the agreement is between its holder and the consortium
)
