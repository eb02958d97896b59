"""What the analysis allows, and how it says so."""

from __future__ import annotations

import pytest

from seqdis.audio.options import AudioOptions
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
