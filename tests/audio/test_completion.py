"""The analysis that follows from recordings of any sample rate."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from seqdis.audio.completion import audio_options, complete_data, settle
from seqdis.audio.datasets.tones import tones_sequences
from seqdis.audio.mel import log_mel
from seqdis.audio.options import FROM_RECORDINGS, AudioOptions, AudioSettings
from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError

Write = Callable[..., Path]


def data(settings: AudioSettings = FROM_RECORDINGS, **changes: object) -> DataConfig:
    values = {"dataset": "folder", "length": 20, "frame_shape": (80,), "options": settings.model_dump()}
    return DataConfig(**(values | changes))  # type: ignore[arg-type]


def files(folder: Path, write: Write, *rates: int) -> list[Path]:
    return [write(folder / f"{i}.wav", rate=rate, seconds=0.2) for i, rate in enumerate(rates)]


def test_only_what_has_folds_is_asked_for_one(tmp_path: Path, write_sound: Write) -> None:
    settings = AudioSettings(fold=2)
    with pytest.raises(InputError, match="folder: option fold is 2, and it has no folds; allowed: null"):
        complete_data(data(settings), files(tmp_path, write_sound, 16000))
    with pytest.raises(InputError, match="tones: option fold is 2, and it has no folds; allowed: null"):
        tones_sequences(data(settings, dataset="tones"), "train", None, 0)


@pytest.mark.parametrize("rate", [1000, 8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("bins", [20, 80, 128])
def test_recordings_of_one_rate_are_analysed_at_it(
    tmp_path: Path, write_sound: Write, rate: int, bins: int
) -> None:
    completed = complete_data(data(frame_shape=(bins,)), files(tmp_path, write_sound, rate, rate))
    options = AudioOptions(**completed.options)
    assert options.sample_rate == rate
    assert options.f_max == min(8000, rate / 2)
    # A power of two that holds 25 ms, and no smaller one that holds them has a frequency for each bin.
    assert math.log2(options.n_fft).is_integer()
    assert options.n_fft >= options.window
    log_mel(bins, options)
    if options.n_fft // 2 >= options.window:
        with pytest.raises(InputError, match="hold no frequency"):
            log_mel(bins, options.model_copy(update={"n_fft": options.n_fft // 2}))


def test_the_rate_of_most_files_and_the_band_that_all_have(
    tmp_path: Path, write_sound: Write, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        completed = complete_data(data(), files(tmp_path, write_sound, 44100, 11025, 44100, 22050))
    assert completed.options["sample_rate"] == 44100
    assert completed.options["f_max"] == 11025 / 2
    assert [record.getMessage() for record in caplog.records] == [
        "recordings: 1 of 11025 Hz, 1 of 22050 Hz, 2 of 44100 Hz; sample_rate=44100 f_max=5512.5 n_fft=2048"
    ]
    assert caplog.records[0].levelno == logging.WARNING


def test_of_equally_many_the_lower_rate(tmp_path: Path, write_sound: Write) -> None:
    assert complete_data(data(), files(tmp_path, write_sound, 16000, 8000)).options["sample_rate"] == 8000


def test_what_is_given_stays(tmp_path: Path, write_sound: Write) -> None:
    paths = files(tmp_path, write_sound, 8000)
    for given in ({"sample_rate": 16000}, {"f_max": 3000.0}, {"n_fft": 1024}, {"f_min": 100.0}):
        completed = complete_data(data(FROM_RECORDINGS.model_copy(update=given)), paths)
        assert given.items() <= completed.options.items()
        assert None not in [completed.options[name] for name in ("sample_rate", "f_max", "n_fft")]
    # Nothing above what the files have, though the rate is higher.
    raised = complete_data(data(FROM_RECORDINGS.model_copy(update={"sample_rate": 16000})), paths)
    assert raised.options["f_max"] == 4000


def test_complete_settings_are_not_touched_and_no_file_is_read() -> None:
    before = data(AudioOptions(sample_rate=22050, n_fft=1024))
    assert complete_data(before, [Path("none.wav")]) == before


def test_a_completed_configuration_stays_as_it_is(tmp_path: Path, write_sound: Write) -> None:
    once = complete_data(data(), files(tmp_path, write_sound, 8000))
    assert complete_data(once, files(tmp_path / "other", write_sound, 48000)) == once
    assert audio_options(once).model_dump() == once.options


def test_an_open_frame_has_eighty_bins(tmp_path: Path, write_sound: Write) -> None:
    assert complete_data(data(frame_shape=()), files(tmp_path, write_sound, 8000)).frame_shape == (80,)


def test_files_that_cannot_be_read_are_passed_over(tmp_path: Path, write_sound: Write) -> None:
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF")
    paths = [bad, *files(tmp_path, write_sound, 8000)]
    assert complete_data(data(), paths).options["sample_rate"] == 8000
    with pytest.raises(InputError, match=r"bad\.wav: "):
        complete_data(data(), [bad])


def test_messages() -> None:
    with pytest.raises(
        InputError, match=r"sample_rate is open; allowed: a rate in Hz \(sample_rate=16000\), or a"
    ):
        audio_options(data())
    with pytest.raises(InputError, match=r"frame_shape is \(3, 8, 8\); allowed: \(mel bins,\)"):
        audio_options(data(frame_shape=(3, 8, 8)))
    with pytest.raises(InputError, match=r"key 'f_max' is 4000\.0, but: .* must lie above f_min \(5000\.0\)"):
        settle(AudioSettings(sample_rate=8000, f_min=5000.0, f_max=None, n_fft=None), 80)
