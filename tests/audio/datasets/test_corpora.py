"""LibriSpeech and TIMIT, on small copies of their layouts and on the real files where they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdis.audio.datasets.librispeech import librispeech_sequences
from seqdis.audio.datasets.timit import CORE_TEST, timit_sequences
from seqdis.audio.datasets.utterances import Utterance, UtteranceChunks
from seqdis.audio.io import read_wave
from seqdis.audio.mel import log_mel
from seqdis.audio.options import AudioOptions
from seqdis.core.config import DataConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset

Write = Callable[..., Path]
Data = Callable[..., DataConfig]


def utterances(path: Path) -> list[Utterance]:
    return [Utterance(path, "u", {})]


def keys_of(dataset: SequenceDataset) -> list[str]:
    return list(dataset.fetch(range(len(dataset))).keys)


def test_a_chunk_equals_these_frames_of_the_whole(
    tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    path = write_sound(tmp_path / "a.flac", seconds=2.0)
    whole = log_mel(80, AudioOptions())(read_wave(path, 16000))
    chunks = UtteranceChunks(utterances(path), speech_data("x", length=47), labels={}, random=False)
    assert len(chunks) == len(whole) // 47 == 5
    batch = chunks.fetch(range(5))
    torch.testing.assert_close(batch.x.flatten(0, 1), whole[: 5 * 47], atol=1e-4, rtol=1e-4)
    assert batch.keys == ["u@0", "u@47", "u@94", "u@141", "u@188"]
    last = UtteranceChunks(utterances(path), speech_data("x", length=118), labels={}, random=False)
    torch.testing.assert_close(last.fetch([1]).x[0], whole[118:236], atol=1e-4, rtol=1e-4)


def test_training_chunks_are_fixed_by_epoch_and_index(
    tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    path = write_sound(tmp_path / "a.flac", seconds=2.0)
    data = speech_data("x", length=10).model_copy(update={"repeats": 3})
    chunks = UtteranceChunks(utterances(path), data, labels={}, random=True, seed=4)
    assert len(chunks) == 3
    first, again, later = (chunks.fetch([0, 1, 2], epoch=epoch) for epoch in (0, 0, 1))
    assert torch.equal(first.x, again.x)
    assert first.keys != later.keys
    assert len(set(first.keys)) == 3
    whole = log_mel(80, AudioOptions())(read_wave(path, 16000))
    for frames, key in zip(first.x, first.keys, strict=True):
        start = int(key.split("@")[1])
        torch.testing.assert_close(frames, whole[start : start + 10], atol=1e-4, rtol=1e-4)


def test_messages_of_chunks(tmp_path: Path, write_sound: Write, speech_data: Data) -> None:
    path = write_sound(tmp_path / "a.flac", seconds=0.2)
    with pytest.raises(InputError, match=r"a\.flac: has 24 steps; at least 68 are needed$"):
        UtteranceChunks(utterances(path), speech_data("x"), labels={}, random=False)
    with pytest.raises(InputError, match=r"dataset 'x': this split holds no utterance"):
        UtteranceChunks([], speech_data("x"), labels={}, random=False)
    spread = speech_data("x").model_copy(update={"pick": "spread"})
    with pytest.raises(InputError, match=r"data\.pick is 'spread'; a speech corpus allows: window"):
        UtteranceChunks(utterances(path), spread, labels={}, random=False)


@pytest.fixture
def libri(tmp_path: Path, write_sound: Write) -> Path:
    """Two speakers in each of the three subsets, ten utterances each; 84 is a woman, the others men."""
    subsets = {"train-clean-360": (14, 16), "dev-clean": (84, 174), "test-clean": (61, 121)}
    lines = ["; ID  |SEX| SUBSET           |MINUTES| NAME"]
    for subset, speakers in subsets.items():
        for speaker in speakers:
            lines.append(f"{speaker:<5}| {'F' if speaker == 84 else 'M'} | {subset:<16} | 25.03 | A | B")
            for number in range(10):
                name = f"{subset}/{speaker}/7/{speaker}-7-{number:04d}.flac"
                write_sound(tmp_path / name, seconds=0.2, hertz=200.0 + speaker)
    (tmp_path / "SPEAKERS.TXT").write_text("\n".join(lines))
    return tmp_path


def test_librispeech_takes_the_papers_subsets(libri: Path, speech_data: Data) -> None:
    data = speech_data("librispeech", length=8)
    found = {split: librispeech_sequences(data, split, libri, 0) for split in ("train", "val", "test")}
    names = {split: {key.split("-")[0] for key in keys_of(dataset)} for split, dataset in found.items()}
    assert names == {"train": {"14", "16"}, "val": {"84", "174"}, "test": {"61", "121"}}
    assert len(found["train"]) == 20
    assert len(found["val"]) == 20 * (24 // 8)
    assert found["val"].labels["speaker"].classes == ("14", "16", "61", "84", "121", "174")
    batch = found["val"].fetch(range(len(found["val"])))
    for i, key in enumerate(batch.keys):
        assert found["val"].labels["speaker"].classes[batch.labels["speaker"][i]] == key.split("-")[0]
        assert batch.labels["gender"][i] == (0 if key.startswith("84-") else 1)


def test_librispeech_by_round_shares_speakers_and_no_utterance(libri: Path, speech_data: Data) -> None:
    data = speech_data("librispeech", length=8, split="round")
    splits = [librispeech_sequences(data, split, libri, 0) for split in ("train", "val", "test")]
    assert all(set(split.all_labels()["speaker"].tolist()) == set(range(6)) for split in splits)
    names = [{key.split("@")[0] for key in keys_of(split)} for split in splits]
    assert [len(n) for n in names] == [42, 6, 12]
    assert len(set.union(*names)) == 60


def test_librispeech_says_what_is_spoken_where_the_transcripts_lie(libri: Path, speech_data: Data) -> None:
    data = speech_data("librispeech", length=8)

    def texts() -> list[str] | None:
        found = librispeech_sequences(data, "val", libri, 0).recordings().texts
        return None if found is None else list(found)

    assert texts() is None
    for speaker in (84, 174):
        lines = [
            f"{speaker}-7-{i:04d} {'MISTER' if speaker == 84 else 'MISSUS'} NUMBER {i}" for i in range(10)
        ]
        (libri / f"dev-clean/{speaker}/7/{speaker}-7.trans.txt").write_text("\n".join(lines))
    assert texts() == [f"{who} NUMBER {i}" for who in ("MISTER", "MISSUS") for i in range(10)]
    # One that is missing leaves nothing to compare with.
    (libri / "dev-clean/84/7/84-7.trans.txt").write_text("84-7-0000 ALONE")
    assert texts() is None
    (libri / "dev-clean/84/7/84-7.trans.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match=r"84-7\.trans\.txt: transcripts cannot be read"):
        texts()


def test_an_utterance_sounds_as_its_file(libri: Path, speech_data: Data) -> None:
    recordings = librispeech_sequences(speech_data("librispeech", length=8), "val", libri, 0).recordings()
    assert recordings.sound is not None
    sound = recordings.sound(3)
    assert sound.rate == 16000
    assert torch.equal(sound.samples, read_wave(libri / "dev-clean/84/7/84-7-0003.flac", 16000))
    assert len(recordings.read(3).frames) == 1 + len(sound.samples) // AudioOptions().hop


def test_messages_of_librispeech(libri: Path, speech_data: Data) -> None:
    with pytest.raises(InputError, match="librispeech: option fold is 2, and it has no folds; allowed: null"):
        librispeech_sequences(speech_data("librispeech", fold=2), "val", libri, 0)
    for path in (libri / "dev-clean").rglob("*.flac"):
        path.unlink()
    with pytest.raises(InputError, match="holds test-clean, train-clean-360; split=speaker needs train-clean-360, dev-clean"):  # fmt: skip
        librispeech_sequences(speech_data("librispeech", split="speaker"), "val", libri, 0)
    (libri / "test-clean/61/7/stray.flac").write_bytes(b"")
    with pytest.raises(InputError, match=r"stray\.flac: allowed: SPEAKER-CHAPTER-NUMBER\.flac"):
        librispeech_sequences(speech_data("librispeech", length=8), "val", libri, 0)
    (libri / "SPEAKERS.TXT").unlink()
    with pytest.raises(InputError, match=r"SPEAKERS\.TXT: cannot be read, and it says who speaks"):
        librispeech_sequences(speech_data("librispeech", length=8), "val", libri, 0)


def test_the_real_mini_set(dataset_folder: Callable[[str], Path], speech_data: Data) -> None:
    root = dataset_folder("librispeech_mini")
    dataset = build_dataset("audio", speech_data("librispeech"), "test", root=root)
    assert dataset.shape == (68, 80)
    assert len(dataset.labels["speaker"].classes) == 10
    assert set(dataset.all_labels()["speaker"].tolist()) == set(range(10))
    train = build_dataset("audio", speech_data("librispeech"), "train", root=root)
    assert len(train) == 70


@pytest.fixture
def timit(tmp_path: Path, write_sound: Write) -> Path:
    """A few speakers as the corpus delivers them: NIST SPHERE files in upper case."""
    places = ("TRAIN/DR1/FCJF0", "TRAIN/DR2/MABC0", "TEST/DR1/MDAB0", "TEST/DR1/FAKS0")
    for i, place in enumerate(places):
        for sentence in ("SA1", "SA2", "SX127", "SI648"):
            write_sound(tmp_path / place / f"{sentence}.WAV", seconds=0.2, hertz=300.0 + 50 * i, format="NIST", subtype="PCM_16")  # fmt: skip
    return tmp_path


def test_timit_splits_and_labels(timit: Path, speech_data: Data) -> None:
    data = speech_data("timit", length=8)
    splits = {split: timit_sequences(data, split, timit, 0) for split in ("train", "val", "test")}
    names = {split: sorted({key.split("@")[0] for key in keys_of(d)}) for split, d in splits.items()}
    assert names["test"] == ["MDAB0/SI648", "MDAB0/SX127"]
    assert names["val"] == ["FAKS0/SI648", "FAKS0/SX127"]
    assert len(splits["train"]) == 4
    batch = splits["test"].fetch([0])
    assert splits["test"].labels["speaker"].classes[batch.labels["speaker"][0]] == "MDAB0"
    assert splits["test"].labels["gender"].classes[batch.labels["gender"][0]] == "M"


def test_timit_says_what_is_spoken(timit: Path, speech_data: Data) -> None:
    data = speech_data("timit", length=8)
    assert timit_sequences(data, "test", timit, 0).recordings().texts is None
    folder = timit / "TEST/DR1/MDAB0"
    (folder / "SX127.TXT").write_text("0 3200 The emperor had a mean temper.\n")
    (folder / "SI648.txt").write_text("0 3200 Thick glue.\n")
    texts = timit_sequences(data, "test", timit, 0).recordings().texts
    assert texts == ["Thick glue.", "The emperor had a mean temper."]


def test_timit_in_lower_case_and_converted(
    timit: Path, tmp_path: Path, write_sound: Write, speech_data: Data
) -> None:
    other = tmp_path / "other"
    for split in ("train/dr1/fcjf0", "test/dr1/mdab0"):
        write_sound(other / split / "sx127.wav", seconds=0.2)
        write_sound(other / split / "si648.WAV.wav", seconds=0.2)
    assert len(timit_sequences(speech_data("timit", length=8), "train", other, 0)) == 2


def test_the_core_test_set_is_two_men_and_one_woman_of_eight_regions() -> None:
    assert len(CORE_TEST) == 24
    assert sorted(name[0] for name in CORE_TEST) == ["F"] * 8 + ["M"] * 16


def test_messages_of_timit(tmp_path: Path, timit: Path, speech_data: Data) -> None:
    with pytest.raises(InputError, match="timit: option fold is 0, and it has no folds; allowed: null"):
        timit_sequences(speech_data("timit", fold=0), "train", timit, 0)
    with pytest.raises(InputError, match=r"each sentence is read once; allowed: speaker$"):
        timit_sequences(speech_data("timit", split="round"), "train", timit, 0)
    (tmp_path / "void").mkdir()
    with pytest.raises(InputError, match=r"holds no TRAIN/DR1/FCJF0/SX127\.WAV .* its source: catalog\.ldc"):
        timit_sequences(speech_data("timit"), "train", tmp_path / "void", 0)
    with pytest.raises(InputError, match=r"dataset 'timit': .*no is not a folder; its source: catalog"):
        build_dataset("audio", speech_data("timit"), "train", root=tmp_path / "no")
