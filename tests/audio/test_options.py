"""What the analysis allows, and how it says so."""

from __future__ import annotations

import pytest

from seqdis.audio.options import FROM_RECORDINGS, AudioOptions, AudioSettings
from seqdis.core.config import parse_config
from seqdis.core.errors import InputError


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sample_rat": 8000}, "unknown key 'sample_rat' (did you mean 'sample_rate'?); allowed: sample_rate, "),
        ({"sample_rate": 8000}, "key 'f_max' is 8000.0, but: Value error, must lie above f_min (0.0) and not above half"),
        ({"f_min": 9000.0}, "key 'f_max' is 8000.0"),
        ({"n_fft": 256}, "key 'n_fft' is 256, but: Value error, must be even and at least the window's 400 samples"),
        ({"n_fft": 511}, "key 'n_fft' is 511"),
        ({"window_ms": 10.0}, "key 'window_ms' is 10.0, but: Value error, must be at least twice frame_shift_ms (8.5)"),
        ({"frame_shift_ms": 0}, "key 'frame_shift_ms' is 0"),
        ({"frame_shift_ms": 0.01}, "key 'frame_shift_ms' is 0.01, but: Value error, must be at least one sample of 0.0625 ms"),
        ({"sample_rate": None}, "key 'sample_rate' is None, but: Input should be a valid integer"),
        ({"split": "random"}, "key 'split' is 'random', but: Input should be 'round' or 'speaker'"),
    ],
)  # fmt: skip
def test_messages(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_config(AudioOptions, values, where="audio options")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_defaults_are_checked_against_what_is_given() -> None:
    options = parse_config(AudioOptions, {"sample_rate": 8000, "f_max": 4000.0, "n_fft": 256}, where="x")
    assert (options.hop, options.window) == (68, 200)


def test_open_settings_are_checked_as_far_as_they_are_known() -> None:
    assert FROM_RECORDINGS.sample_rate is FROM_RECORDINGS.n_fft is FROM_RECORDINGS.f_max is None
    for values in ({"window_ms": 10.0}, {"sample_rate": 8000}, {"sample_rate": 48000}):
        with pytest.raises(InputError, match="audio options: key "):
            parse_config(AudioSettings, values, where="audio options")
    parse_config(AudioSettings, {"sample_rate": 48000, "n_fft": None}, where="audio options")
