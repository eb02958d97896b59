"""Arabic speech commands: windows, splits, labels, and what happens to damaged files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdis.audio.datasets.arabic import SPEAKERS, WORDS, arabic_sequences, loudest_window
from seqdis.audio.mel import log_mel
from seqdis.audio.options import AudioOptions
from seqdis.core.config import DataConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset

Write = Callable[..., Path]
Data = Callable[..., DataConfig]


@pytest.fixture
def small(tmp_path: Path, write_sound: Write) -> Path:
    """Six speakers say five words in four rounds; each clip is a tone of its speaker and word."""
    rows: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for s, speaker in enumerate(SPEAKERS[:6]):
        for w, word in enumerate(WORDS[:5]):
            for number in range(1, 5):
                name = f"dataset/{word}/{speaker}_NO_{number:02d}.flac"
                write_sound(tmp_path / name, seconds=0.25, hertz=300.0 + 100 * s + 17 * w)
                rows["train" if s < 4 else "val" if s == 4 else "test"].append(name)
    for split, names in rows.items():
        with (tmp_path / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["file", "class"], *([n, n.split("/")[1]] for n in names)])
    return tmp_path


def speakers_of(dataset: SequenceDataset) -> set[int]:
    return set(dataset.all_labels()["speaker"].tolist())


def keys_of(dataset: SequenceDataset) -> set[str]:
    return set(dataset.fetch(range(len(dataset))).keys)


def test_the_loudest_window() -> None:
    frames = torch.full((100, 4), -10.0)
    frames[40:60] = 0.0
    frames[90] = 2.0  # one loud click weighs less than twenty loud frames
    marked = torch.cat([frames, torch.arange(100.0)[:, None] * 1e-6], dim=1)
    window = loudest_window(marked, 20)
    assert round(float(window[0, -1]) * 1e6) == 40
    assert torch.equal(loudest_window(frames, 100), frames)
    assert torch.equal(loudest_window(torch.zeros(9, 4), 3), torch.zeros(3, 4))


def test_a_recording_says_its_word_and_sounds_as_the_window_that_was_taken(
    small: Path, speech_data: Data
) -> None:
    dataset = arabic_sequences(speech_data("arabic_speech_commands", length=20), "test", small, 0)
    recordings = dataset.recordings()
    assert recordings.texts is not None
    assert recordings.sound is not None
    for i, key in enumerate(dataset.fetch(range(len(dataset))).keys):
        assert recordings.texts[i] == key.split("/")[0]
    analyse, hop = log_mel(80, AudioOptions()), AudioOptions().hop
    sound = recordings.sound(5)
    assert len(sound.samples) == 19 * hop
    # Away from the edges, where one sees the samples beyond and the other a mirror.
    torch.testing.assert_close(
        analyse(sound.samples)[3:-3], recordings.read(5).frames[3:-3], atol=1e-3, rtol=1e-3
    )


def test_splits_by_round_know_every_speaker_and_share_no_clip(small: Path, speech_data: Data) -> None:
    data = speech_data("arabic_speech_commands", length=20)
    splits = {name: arabic_sequences(data, name, small, 0) for name in ("train", "val", "test")}
    keys = {name: keys_of(split) for name, split in splits.items()}
    assert sum(map(len, keys.values())) == len(set.union(*keys.values())) == 120
    assert all(key.endswith("_NO_04") for key in keys["test"])
    assert len(keys["test"]) == 30
    assert all(speakers_of(split) == set(range(6)) for split in splits.values())
    assert {tuple(split.shape) for split in splits.values()} == {(20, 80)}


def test_the_authors_split_is_disjoint(small: Path, speech_data: Data) -> None:
    data = speech_data("arabic_speech_commands", length=20, split="speaker")
    found = [speakers_of(arabic_sequences(data, name, small, 0)) for name in ("train", "val", "test")]
    assert found == [{0, 1, 2, 3}, {4}, {5}]


def test_in_five_folds_every_speaker_is_tested_once_and_never_trained_on(
    small: Path, speech_data: Data
) -> None:
    tested: list[set[int]] = []
    for fold in range(5):
        data = speech_data("arabic_speech_commands", length=20, fold=fold)
        splits = {name: arabic_sequences(data, name, small, 0) for name in ("train", "val", "test")}
        found = {name: speakers_of(split) for name, split in splits.items()}
        assert sum(len(split) for split in splits.values()) == 120
        assert sum(map(len, found.values())) == len(set.union(*found.values())) == 6
        tested.append(found["test"])
    assert tested == [{0, 5}, {1}, {2}, {3}, {4}]
    both = speech_data("arabic_speech_commands", length=20, fold=0, split="round")
    with pytest.raises(InputError, match="option fold parts speakers; allowed beside it: split=speaker"):
        arabic_sequences(both, "test", small, 0)


def test_labels_say_who_and_what(small: Path, speech_data: Data) -> None:
    dataset = arabic_sequences(speech_data("arabic_speech_commands", length=20), "test", small, 0)
    batch = dataset.fetch(range(len(dataset)))
    for i, key in enumerate(batch.keys):
        word, speaker = key.split("/")
        assert dataset.labels["word"].classes[batch.labels["word"][i]] == word
        assert dataset.labels["speaker"].classes[batch.labels["speaker"][i]] == speaker.split("_")[0]


def test_messages(small: Path, speech_data: Data, tmp_path: Path) -> None:
    data = speech_data("arabic_speech_commands", length=20)
    by_speaker = speech_data("arabic_speech_commands", length=20, split="speaker")
    (small / "test.csv").write_text("path\nx\n")
    with pytest.raises(InputError, match=r"test\.csv: cannot be read as a csv with a column 'file'"):
        arabic_sequences(by_speaker, "test", small, 0)
    with pytest.raises(InputError, match=r"_NO_04\.flac: has 30 steps; at least 68 are needed$"):
        arabic_sequences(speech_data("arabic_speech_commands"), "test", small, 0)
    victim = small / f"dataset/close/{SPEAKERS[0]}_NO_04.flac"
    victim.write_bytes(victim.read_bytes()[:2000])
    with pytest.raises(InputError, match=r"00000001_NO_04\.flac: is damaged or truncated: [^\n]+$"):
        arabic_sequences(data, "test", small, 0)
    victim.rename(victim.with_name("stray.flac"))
    with pytest.raises(
        InputError, match=r"^dataset/close/stray\.flac: unknown name in arabic_speech_commands; allowed"
    ):
        arabic_sequences(data, "test", small, 0)
    (tmp_path / "void").mkdir()
    with pytest.raises(InputError, match=r"void: holds no dataset/WORD/\*\.flac of arabic_speech_commands"):
        arabic_sequences(data, "test", tmp_path / "void", 0)


def test_the_real_test_split(dataset_folder: Callable[[str], Path], speech_data: Data) -> None:
    root = dataset_folder("arabic_speech_commands")
    dataset = build_dataset("audio", speech_data("arabic_speech_commands"), "test", root=root)
    labels = dataset.all_labels()
    assert dataset.shape == (68, 80)
    assert torch.equal(labels["speaker"].bincount(), torch.full((30,), 20))
    assert torch.equal(labels["word"].bincount(), torch.full((20,), 30))
